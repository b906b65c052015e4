/**
 * Our patterns, time zones and charsets against those of Java: against the answers kept in java-regex.json, and
 * against a real Java where there is one. FOREBAY_GOLDEN=write writes the table anew, from Java's answers.
 */
import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import test from 'node:test';
import { compileJavaPattern } from '../../../../src/agent/contracts/java/java-pattern.ts';
import { answerRegex, askJava, hasJava, regexQuestion } from './java-answers.ts';
import { facts } from './java-facts.ts';
import { refusedByUs, regexCases } from './regex-cases.ts';

const path = new URL('java-regex.json', import.meta.url);
const questions = [...regexCases.map(regexQuestion), ...facts.map(({ question }) => question)];

/** What Java answered, by question. */
type Table = Readonly<Record<string, string>>;

function checkTable(answerOf: (question: string) => string | undefined): void {
  const problems: string[] = [];
  for (const one of regexCases) {
    const java = answerOf(regexQuestion(one));
    const ours = answerRegex(one);
    if (java === undefined) problems.push(`no answer of Java for ${JSON.stringify(one)}`);
    else if (refusedByUs.has(one[0])) assert.equal(ours, 'refused', one[0]);
    else if (java !== ours) problems.push(`${JSON.stringify(one)}: Java ${java}, we ${ours}`);
  }
  for (const { question, ours } of facts) {
    if (answerOf(question) !== ours()) problems.push(`${question}: Java ${answerOf(question)}, we ${ours()}`);
  }
  if (problems.length > 0) assert.fail(`${problems.length} differ:\n${problems.slice(0, 40).join('\n')}`);
}

test('a real Java answers as we do', (context) => {
  if (!hasJava()) {
    assert.notEqual(process.env['FOREBAY_INTEROP'], '1', 'FOREBAY_INTEROP=1, but there is no java to ask');
    context.skip('there is no java to ask: only the kept answers are compared');
    return;
  }
  const answers = askJava(questions);
  assert.equal(answers.length, questions.length);
  const table: Table = Object.fromEntries(questions.map((question, at) => [question, answers[at] ?? '']));
  if (process.env['FOREBAY_GOLDEN'] === 'write') writeFileSync(path, `${JSON.stringify(table, null, 1)}\n`);
  checkTable((question) => table[question]);
});

test('the kept answers of Java are ours', () => {
  const table = JSON.parse(readFileSync(path, 'utf8')) as Table;
  assert.ok(regexCases.length >= 700, `${regexCases.length} cases`);
  checkTable((question) => table[question]);
});

test('a refused pattern names the place', () => {
  const places: readonly (readonly [string, number])[] = [
    ['ab(c', 2],
    ['ab)', 2],
    ['a**', 2],
    ['[a-z', 0],
    ['x[b-a]', 2],
    ['ab\\Gc', 2],
    ['ab\\i', 2],
    ['a\\p{Foo}', 1],
    ['a(?U)b', 1],
    ['\\X', 0],
    ['x\\N{DIGIT ONE}', 1],
    ['ab\\b{g}', 2],
    ['a{2,1}', 1],
    ['(?i)\\p{Lower}', 4],
    ['(?i)(a)\\1', 7],
    ['(a)|\\1b', 4],
    ['(?<=(a))b', 0],
    ['a[^b&&c]', 1],
    ['\\Qab\\E(', 6],
  ];
  for (const [source, index] of places) {
    const compiled = compileJavaPattern(source);
    assert.ok('problem' in compiled, source);
    assert.equal(compiled.problem.index, index, `${source}: ${compiled.problem.message}`);
  }
});
