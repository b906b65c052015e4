/** Patterns that would hang a backtracking engine are refused, or run on one that does not. */
import assert from 'node:assert/strict';
import test from 'node:test';
import { backtrackingCost } from '../../../../src/agent/contracts/java/backtracking.ts';
import { compileJavaPattern, type JavaPattern, javaRegex } from '../../../../src/agent/contracts/java/java-pattern.ts';
import { parsePattern } from '../../../../src/agent/contracts/java/parse-pattern.ts';

function compile(source: string): JavaPattern {
  const compiled = compileJavaPattern(source);
  assert.ok('pattern' in compiled, source);
  return compiled.pattern;
}

const exponential = ['(a+)+$', '^(\\w+\\s?)*$', '(x+x+)+y', '(a|a)*b', '(?:a|ab|b)*c', '([a-z]+)*=', '(?:a?a?){9}b'];

test('exponential patterns are seen, and never run on an engine that backtracks', () => {
  for (const source of [...exponential, 'a?'.repeat(30), '(?:(a+)\\1)+b']) {
    assert.equal(backtrackingCost(parsePattern(source).node), 'exponential', source);
  }
  const compiled = compileJavaPattern('(?=(?:a+)+b)c');
  assert.ok('problem' in compiled);
  assert.match(compiled.problem.message, /could take for ever/);
  assert.equal(compiled.problem.index, 9);
});

test('the degree counts the loops that share a run of characters', () => {
  const degrees: readonly (readonly [string, number])[] = [
    ['^(\\S+) (\\S+) \\[([^\\]]+)\\] "([^"]*)" (\\d+)$', 1],
    ['.*', 1],
    ['error.*', 1],
    ['\\d+:', 2],
    ['.*error.*', 2],
    ['^.*a.*b', 2],
    ['.*a.*b.*c', 4],
    ['(?m)^(\\w+) .*$', 1],
    ['"(?:[^"\\\\]++|\\\\.)*+"', 2],
    ['(?:[a-z]++[0-9]?)*!', 2],
  ];
  for (const [source, degree] of degrees)
    assert.deepEqual(backtrackingCost(parsePattern(source).node), { degree }, source);
});

test('no pattern that compiles takes long over lines made to hang it', () => {
  const lines = ['a', '1', 'x', ' ', ',', 'ab', 'a ', '"\\', '=a'].map((one) => `${one.repeat(4000)}!`);
  const polynomial = [
    '.*?,.*?,.*?,.*?;',
    '\\s+$',
    '(\\w+)@(\\w+)\\.com',
    '(?i).*\\berror\\b.*',
    '(?:.*a){12}b',
    '\\w+\\d+\\w+;',
  ];
  for (const source of [...exponential, ...polynomial]) {
    const compiled = compileJavaPattern(source);
    if ('problem' in compiled) continue;
    for (const line of lines) {
      const startedMs = performance.now();
      compiled.pattern.find(line);
      compiled.pattern.matches(line);
      const tookMs = performance.now() - startedMs;
      assert.ok(tookMs < 2000, `${source} took ${tookMs} ms over ${line.slice(0, 20)}`);
    }
  }
});

test('both engines say the same', () => {
  const pattern = compile('.*?(\\d+),(\\w*) ?.*?(x)?$');
  const short = 'abc 123,de x';
  const filler = '-'.repeat(20_000);
  assert.deepEqual(pattern.find(short)?.groups, [short, '123', 'de', 'x']);
  assert.deepEqual(pattern.find(filler + short)?.groups.slice(1), ['123', 'de', 'x']);
  assert.equal(pattern.find(`${filler}${short}\r\n`)?.end, filler.length + short.length);
  assert.equal(pattern.matches(`${filler}${short}`)?.index, 0);
});

test('a text that overflows the stack of RegExp', () => {
  const long = `${'a'.repeat(20_000_000)}b`;
  assert.equal(compile('^(?:a|b)*c').find(long), undefined);
  assert.throws(() => compile('^(?!x)(?:a|b)*c').find(long), /20000001 characters is too long for this pattern/);
});

test('the type of a key tells the column', () => {
  const parsed = javaRegex.parse('a(b');
  assert.ok('problem' in parsed);
  assert.equal(parsed.problem, "'a(b' is not allowed: column 2 of the pattern: a group that no ) closes");
  assert.ok('value' in javaRegex.parse('a(b)'));
});
