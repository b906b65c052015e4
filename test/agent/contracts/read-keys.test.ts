/** How declared keys are read: values, defaults, what is wrong, and what is not known. */
import assert from 'node:assert/strict';
import test from 'node:test';
import {
  boolean,
  integer,
  names,
  oneOf,
  optional,
  prefixed,
  required,
  text,
  unset,
} from '../../../src/agent/contracts/keys.ts';
import { nearest, readKeys } from '../../../src/agent/contracts/read-keys.ts';

const declared = {
  path: required(text, { does: 'the directory' }),
  batchSize: optional(integer(1, 1000), 100, { does: 'events a transaction' }),
  mode: optional(oneOf('never', 'immediate'), 'never', { does: 'when' }),
  header: unset(boolean, { does: 'whether' }),
  groups: unset(names, { does: 'which' }),
  'groups.': prefixed(integer(), { does: 'each' }),
  'groups.all.': prefixed(text, { does: 'for all' }),
  'groups.own': unset(text, { does: 'not one of the groups' }),
  old: unset(text, { does: 'nothing', standing: { needless: 'it is always so' } }),
  'old.': prefixed(text, { does: 'nothing', standing: { needless: 'so are these' } }),
};

function read(properties: Readonly<Record<string, string>>) {
  return readKeys(declared, new Map(Object.entries(properties)));
}

test('values, and defaults where a key is not set or empty', () => {
  const { values, problems, warnings } = read({
    path: ' /x ',
    batchSize: ' ',
    mode: 'IMMEDIATE',
    header: 'True',
    groups: 'a  b',
    'groups.a': '1',
    'groups.b': '-2',
    'groups.c': '',
    'groups.own': 'o',
    'groups.all.x': 'y',
  });
  assert.deepEqual(problems, []);
  assert.deepEqual(warnings, []);
  assert.deepEqual(values, {
    path: '/x',
    batchSize: 100,
    mode: 'immediate',
    header: true,
    groups: ['a', 'b'],
    'groups.': new Map([
      ['a', 1],
      ['b', -2],
    ]),
    'groups.all.': new Map([['x', 'y']]),
    'groups.own': 'o',
    old: undefined,
    'old.': new Map(),
  });
});

test('problems name the key as it was given, and there are no values then', () => {
  for (const [properties, expected] of [
    [{}, { key: 'path', message: 'is missing: the directory' }],
    [{ path: '' }, { key: 'path', message: 'is missing: the directory' }],
    [
      { path: 'x', batchSize: '0' },
      { key: 'batchSize', message: "'0' is not allowed: an integer from 1 to 1000" },
    ],
    [
      { path: 'x', batchSize: '1e2' },
      { key: 'batchSize', message: "'1e2' is not allowed: an integer from 1 to 1000" },
    ],
    [
      { path: 'x', mode: 'later' },
      { key: 'mode', message: "'later' is not allowed: one of never, immediate" },
    ],
    [
      { path: 'x', 'groups.a': 'b' },
      { key: 'groups.a', message: "'b' is not allowed: an integer" },
    ],
  ] as const) {
    const { values, problems } = read(properties);
    assert.deepEqual(problems, [expected]);
    assert.equal(values, undefined);
  }
});

test('warnings: keys that are not known, with the nearest name; what has no effect; a boolean that is none', () => {
  const { values, warnings } = read({
    path: 'x',
    batchsize: '7',
    constructor: '',
    zzz: '',
    'groups.': '1',
    header: 'yes',
    old: 'x',
    'old.y': 'z',
  });
  assert.equal(values?.header, false);
  assert.deepEqual(
    warnings.map(({ key, message }) => `${key} ${message}`),
    [
      "header 'yes' is neither true nor false, and counts as false",
      'old has no effect: it is always so',
      'old.y has no effect: so are these',
      "batchsize is not known here: do you mean 'batchSize'?",
      'constructor is not known here',
      'zzz is not known here',
      "groups. is not known here: do you mean 'groups.'?",
    ],
  );
});

test('the nearest name: by little, in any case of letters', () => {
  const known = ['spooldir', 'taildir', 'exec', 'seq'];
  assert.equal(nearest('SpoolDri', known), 'spooldir');
  assert.equal(nearest('spoldir', known), 'spooldir');
  assert.equal(nearest('sek', known), 'seq');
  assert.equal(nearest('kafka', known), undefined);
  assert.equal(nearest('x', known), undefined);
  assert.equal(nearest('xy', known), undefined);
  assert.equal(nearest('xy', ['ab']), undefined);
  assert.equal(nearest('', known), undefined);
  assert.equal(nearest('x'.repeat(1_000_000), known), undefined);
});
