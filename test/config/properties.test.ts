/** The `.properties` grammar: what each line means, and where it stands. */
import assert from 'node:assert/strict';
import test from 'node:test';
import { parseProperties } from '../../src/config/properties.ts';

function pairsOf(text: string): [string, string][] {
  const { properties, problems } = parseProperties(text);
  assert.deepEqual(problems, []);
  return properties.map(({ key, value }) => [key, value]);
}

test('keys and values, and what stands between them', () => {
  const cases: [text: string, key: string, value: string][] = [
    ['a=b', 'a', 'b'],
    ['a = b', 'a', 'b'],
    ['a:b', 'a', 'b'],
    ['a b', 'a', 'b'],
    ['a\t\f b', 'a', 'b'],
    ['a', 'a', ''],
    ['a=', 'a', ''],
    ['  a = b  ', 'a', 'b  '],
    ['a==b', 'a', '=b'],
    ['a = = b', 'a', '= b'],
    ['a : = b', 'a', '= b'],
    ['=b', '', 'b'],
    ['a\\=b = c', 'a=b', 'c'],
    ['a\\:b : c', 'a:b', 'c'],
    ['a\\ b c', 'a b', 'c'],
    ['a = \\ b', 'a', ' b'],
    ['a = b # c', 'a', 'b # c'],
    ['a = \\t\\n\\r\\f\\\\\\q', 'a', '\t\n\r\f\\q'],
    ['a = C:\\\\x', 'a', 'C:\\x'],
    ['\\u0061\\u003D = \\u00e9\\u20AC', 'a=', 'é€'],
    ['\\#a = b', '#a', 'b'],
    ['a#b = c', 'a#b', 'c'],
    ['a = \u00e9', 'a', '\u00e9'],
  ];
  for (const [text, key, value] of cases) assert.deepEqual(pairsOf(text), [[key, value]], JSON.stringify(text));
});

test('comments and blank lines are none; a comment is not continued', () => {
  assert.deepEqual(pairsOf('# a = b\n! c = d\n\n \t\f\n  # e\\\nf = g'), [['f', 'g']]);
});

test('a backslash continues a line, two do not', () => {
  assert.deepEqual(pairsOf('a = b\\\n   c\nd = e'), [
    ['a', 'bc'],
    ['d', 'e'],
  ]);
  assert.deepEqual(pairsOf('a = b\\\\\nc = d'), [
    ['a', 'b\\'],
    ['c', 'd'],
  ]);
  assert.deepEqual(pairsOf('a = b\\\\\\\n c'), [['a', 'b\\c']]);
  assert.deepEqual(pairsOf('a = b\\\n# c'), [['a', 'b# c']]);
  assert.deepEqual(pairsOf('a = b\\\n\nc = d'), [
    ['a', 'b'],
    ['c', 'd'],
  ]);
  assert.deepEqual(pairsOf('a = b\\'), [['a', 'b']]);
  assert.deepEqual(pairsOf('a\\\n = b'), [['a', 'b']]);
  assert.deepEqual(pairsOf('\\\n# c\na = b'), [['a', 'b']]);
  assert.deepEqual(pairsOf('a = \\u00\\\n  e9'), [['a', 'é']]);
});

test('lines end with LF, CR LF or CR', () => {
  for (const end of ['\n', '\r\n', '\r']) {
    const expected = [
      ['a', 'bc'],
      ['d', 'e'],
    ];
    assert.deepEqual(pairsOf(['a = b\\', '  c', '', 'd = e', ''].join(end)), expected, JSON.stringify(end));
  }
});

test('a key that is repeated stands there as often', () => {
  assert.deepEqual(pairsOf('a=1\na=2'), [
    ['a', '1'],
    ['a', '2'],
  ]);
});

test('positions: of keys, of values, over continued lines, behind escapes', () => {
  const text = ['# x', '  a.b =  c', 'd\\', '   e : \\', '  f', 'g', 'h =', '\\u0069 \\u006A', 'k=\\', ''].join('\r\n');
  const places = parseProperties(text).properties.map(({ keyAt, valueAt }) => [
    `${keyAt.line}:${keyAt.column}`,
    `${valueAt.line}:${valueAt.column}`,
  ]);
  assert.deepEqual(places, [
    ['2:3', '2:10'],
    ['3:1', '5:3'],
    ['6:1', '6:2'],
    ['7:1', '7:4'],
    ['8:1', '8:8'],
    ['9:1', '10:1'],
  ]);
});

test('the first character beyond ASCII has its place; an escaped one is fine', () => {
  const [first, second, third] = parseProperties('a = b\u00e9\u00e9\nc = \\u00e9\n\u00fc = d').properties;
  assert.equal(first?.beyondAscii?.text, '\u00e9');
  assert.deepEqual(first?.beyondAscii?.at, { line: 1, column: 6 });
  assert.equal(second?.beyondAscii, undefined);
  assert.deepEqual(third?.beyondAscii?.at, { line: 3, column: 1 });
});

test('a malformed \\u is a problem with its place, and the rest is still read', () => {
  for (const [text, column] of [
    ['a = \\u12', 5],
    ['a = b\\u12g4', 6],
    ['a\\u = b', 2],
    ['a = \\u+123', 5],
  ] as const) {
    const { problems, properties } = parseProperties(`x = y\n${text}\nz = 1`);
    assert.deepEqual(
      problems.map(({ at }) => at),
      [{ line: 2, column }],
      text,
    );
    assert.match(problems[0]?.message ?? '', /\\u needs four hexadecimal digits, not '/);
    assert.equal(properties.at(-1)?.key, 'z');
  }
});

test('a long line takes linear time', () => {
  const started = performance.now();
  const { properties } = parseProperties(`a = ${'\\\\'.repeat(200_000)}${' '.repeat(200_000)}b\\\n c`);
  assert.equal(properties[0]?.value.length, 400_002);
  assert.ok(performance.now() - started < 2000);
});
