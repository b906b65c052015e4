/**
 * `${…}` in values, as Commons Text's StringSubstitutor resolves it with Flume's lookups. The tables write `@{`, since
 * the linter takes the real thing in a plain string for a mistake.
 */
import assert from 'node:assert/strict';
import test from 'node:test';
import { type SubstitutionSources, substitute } from '../../src/config/substitution.ts';

function dollars(text: string): string {
  return text.replaceAll('@{', `\${`);
}

function sources(properties: Readonly<Record<string, string>>, more: Partial<SubstitutionSources> = {}) {
  return {
    environment: { HOME: '/h', EMPTY: '' },
    system: new Map([['dir', '/sys']]),
    property: (key: string) => (Object.hasOwn(properties, key) ? dollars(properties[key] ?? '') : undefined),
    isEnvironmentBare: false,
    now: new Date(2024, 1, 9, 15, 4, 5, 67),
    ...more,
  };
}

const properties = { a: 'A', 'b.c': 'B', chain: '<@{a}>', name: 'a', aA: 'nested', dollar: '$', FALLBACK: 'fallback' };

function resolved(value: string): string {
  const { text, problem } = substitute(dollars(value), sources(properties));
  assert.equal(problem, undefined, value);
  return text;
}

const cases: readonly (readonly [value: string, expected: string])[] = [
  ['plain', 'plain'],
  ['@{a}', 'A'],
  ['x@{a}y@{b.c}z', 'xAyBz'],
  ['@{chain}', '<A>'],
  ['@{env:HOME}/x', '/h/x'],
  ['@{ENV:HOME}', '/h'],
  ['[@{env:EMPTY}]', '[]'],
  ['@{sys:dir}', '/sys'],
  ['@{a:-d}', 'A'],
  ['@{none:-d}', 'd'],
  ['@{none:-}', ''],
  ['@{none:-@{a}}', 'A'],
  ['@{env:NONE:-d:-e}', 'd:-e'],
  ['@{env:FALLBACK}', 'fallback'],
  ['@{other:a}', 'A'],
  ['@{@{name}}', 'A'],
  ['@{a@{a}}', 'nested'],
  ['$@{a}', '@{a}'],
  ['$@{@{name}}', '@{a}'],
  ['$$@{a}', '$@{a}'],
  ['@{dollar}@{a}', '@{a}'],
  ['a$@{none} @{a}', 'a@{none} A'],
  ['@{none@{a}:-d}', 'd'],
  ['@{:-x}', 'x'],
  ['$a $1 @{', '$a $1 @{'],
  ['@{a', '@{a'],
  ['@{a} @{', 'A @{'],
  ['@{date:yyyy-MM-dd}', '2024-02-09'],
  ["@{date:yy/M/d 'at' HH:mm:ss.SSS ''}", "24/2/9 at 15:04:05.067 '"],
  ['@{date:h K k}', '3 3 15'],
];

test('values', () => {
  for (const [value, expected] of cases) assert.equal(resolved(value), dollars(expected), value);
});

test('midnight in each way of counting hours', () => {
  const night = sources({}, { now: new Date(2024, 0, 1, 0, 0) });
  assert.equal(substitute(dollars('@{date:H k K h}'), night).text, '0 24 0 12');
});

test('what nothing resolves stays, and is named', () => {
  for (const [value, names] of [
    ['@{none}', ['none']],
    ['a @{none} b @{env:NONE} @{a}', ['none', 'env:NONE']],
    ["@{filter['key']}", ["filter['key']"]],
  ] as const) {
    const { text, problem, unresolved } = substitute(dollars(value), sources(properties));
    assert.equal(text, dollars(value.replace('@{a}', 'A')));
    assert.equal(problem, undefined);
    assert.deepEqual(unresolved, names);
  }
});

test('a bare name is one of the environment only where that was asked for', () => {
  assert.equal(substitute(dollars('@{HOME}'), sources({})).text, dollars('@{HOME}'));
  assert.equal(substitute(dollars('@{HOME}'), sources({}, { isEnvironmentBare: true })).text, '/h');
  assert.equal(substitute(dollars('@{HOME}'), sources({ HOME: 'own' }, { isEnvironmentBare: true })).text, 'own');
});

test('what cannot be done is a problem that says why', () => {
  const loop = { a: '@{b}', b: 'x@{c}', c: '@{a}', self: '@{self}' };
  for (const [value, expected] of [
    ['@{a}', /refers to itself: a → b → c → a/],
    ['@{self}', /refers to itself: self → self/],
    ['@{java:version}', /\$\{java:version\} asks about a Java that is not there/],
    ['@{date:EEE}', /'EEE' of the date pattern is not supported/],
    ['@{date:MMM}', /'MMM' of the date pattern is not supported/],
    ["@{date:yyyy 'x}", /quote in the date pattern is not closed/],
  ] as const) {
    const { text, problem } = substitute(dollars(value), sources(loop));
    assert.match(problem ?? '', expected, value);
    assert.equal(text, dollars(value));
  }
});

test('what grows without end is a problem, in little time', () => {
  const doubling = Object.fromEntries(
    Array.from({ length: 40 }, (_, level) => [`k${level}`, `\${k${level + 1}}\${k${level + 1}}`]),
  );
  const grown = substitute(dollars('@{k0}'), sources({ ...doubling, k40: 'x'.repeat(1000) }));
  assert.match(grown.problem ?? '', /longer than 1048576 characters/);
  const empty = substitute(dollars('@{k0}'), sources({ ...doubling, k40: '' }));
  assert.match(empty.problem ?? '', /takes more than 10000 lookups/);
  const deep = Object.fromEntries(Array.from({ length: 5000 }, (_, level) => [`k${level}`, `\${k${level + 1}}`]));
  assert.match(substitute(dollars('@{k0}'), sources(deep)).problem ?? '', /nested more than 64 deep/);
  const braces = substitute(`${'${'.repeat(3000)}a${'}'.repeat(3000)}`, sources({}));
  assert.match(braces.problem ?? '', /nested more than 64 deep/);
});
