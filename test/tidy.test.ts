/** Style that matters, as a test: sizes, documentation, and words that have no place in the repository. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import test from 'node:test';
import { codeOf, listPaths, readSources, root, type SourceFile } from './support/source.ts';

const columnsMax = 120;
const functionLinesMax = 70;

const sources = readSources(['src', 'test', 'tools', 'native-free-bench']);
/** Every text in the repository. The lock file is npm's own and has rules of its own below. */
const texts: SourceFile[] = listPaths()
  .filter((path) => path !== 'package-lock.json')
  .map((path) => ({ path, text: readFileSync(join(root, path), 'utf8') }))
  .filter(({ text }) => !text.includes('\0'));

/** Finds what a rule objects to in one file: line numbers and what is wrong there. */
type Rule = (file: SourceFile) => readonly { readonly line: number; readonly problem: string }[];

function check(rule: Rule, files: readonly SourceFile[]): void {
  const problems = files.flatMap((file) => rule(file).map(({ line, problem }) => `${file.path}:${line} ${problem}`));
  if (problems.length > 0) assert.fail(`${problems.length} places:\n${problems.join('\n')}`);
}

const longLines: Rule = ({ text }) =>
  text.split('\n').flatMap((line, index) => {
    const columns = [...line].length;
    return columns > columnsMax ? [{ line: index + 1, problem: `${columns} columns, at most ${columnsMax}` }] : [];
  });

/** Blocks that are no function, or one that only holds others: suites, and the functions that make them. */
const noFunction = /^(?:export )?(?:default )?(?:abstract )?(?:class|interface|type|namespace|declare)\b|\bdescribe\b/;
const suiteMaker = /\bfunction \w*Suite\b/;

/**
 * Relies on the formatter: a block that opens on a line of some indent ends on the first line of that indent
 * that begins with `}`. A signature over several lines counts from its last line.
 */
const longFunctions: Rule = ({ text }) => {
  const lines = codeOf(text).split('\n');
  const indentOf = (line: string): number => line.length - line.trimStart().length;
  return lines.flatMap((line, index) => {
    const opens = /(?:\)|=>)[^;]*\{\s*$/.test(line) && !noFunction.test(line.trimStart()) && !suiteMaker.test(line);
    if (!opens) return [];
    const length = lines
      .slice(index)
      .findIndex((end, at) => at > 0 && /^\s*\}/.test(end) && indentOf(end) === indentOf(line));
    const total = length + 1;
    return total > functionLinesMax
      ? [{ line: index + 1, problem: `${total} lines, at most ${functionLinesMax}` }]
      : [];
  });
};

const declaration =
  /^export (?:default )?(?:declare )?(?:abstract )?(?:async )?(?:function\*?|class|const|let|type|interface) ?(\w+)/;

/** One comment may stand for a run of constants without a blank line; a function's further overloads need none. */
const undocumentedExports: Rule = ({ text }) => {
  const lines = text.split('\n');
  return lines.flatMap((line, index) => {
    const name = declaration.exec(line)?.[1];
    let above = index - 1;
    while (/^export const .*;$/.test(lines[above] ?? '') && line.startsWith('export const')) above -= 1;
    const before = lines[above] ?? '';
    if (name === undefined || before.endsWith('*/') || before.startsWith(`export function ${name}`)) return [];
    return [{ line: index + 1, problem: `${name} is exported without a doc comment` }];
  });
};

const missingHeader: Rule = ({ text }) =>
  /^(?:#![^\n]*\n)?\/\*\*/.test(text)
    ? []
    : [{ line: 1, problem: 'no header comment that says why the file is there' }];

const anyType: Rule = ({ text }) => matches(codeOf(text), /(?:[:<,|&(=]\s*|\bas\s+|=>\s*)any\b(?!\s*[(:.])/, 'any');

/** Spelled so that the rules do not find themselves. */
const words: [RegExp, string][] = [
  [/\b(?:TO[D]O|FIX[M]E|X[X]X)\b/, 'unfinished work is an issue, not a comment'],
  [/@ts-(?:ig[n]ore|expec[t]-error|nochec[k])|biome-ig[n]ore|eslint-disabl[e]/, 'a silenced rule'],
  [/\/(?:wor[k]|roo[t]|far[m])\/|\/hom[e]\/\w/, 'a path of one machine'],
  [/https?:\/\/(?:registry|repo1?|proxy|static|files|index|deb)\./, 'a registry host'],
];

function matches(text: string, pattern: RegExp, problem: string): { line: number; problem: string }[] {
  return text.split('\n').flatMap((line, index) => (pattern.test(line) ? [{ line: index + 1, problem }] : []));
}

const unwantedWords: Rule = ({ text }) => words.flatMap(([pattern, problem]) => matches(text, pattern, problem));

test('files were seen', () => {
  assert.ok(sources.length >= 15, `${sources.length} source files`);
  assert.ok(sources.filter(({ path }) => path.startsWith('src/')).length >= 12);
  assert.ok(texts.length > sources.length, `${texts.length} texts`);
});

test(`lines have at most ${columnsMax} columns`, () => {
  check(longLines, sources);
});

test(`functions have at most ${functionLinesMax} lines`, () => {
  check(longFunctions, sources);
});

test('exported declarations have a doc comment', () => {
  check(undocumentedExports, sources);
});

test('each file says why it is there', () => {
  check(missingHeader, sources);
});

test('nothing is typed any', () => {
  check(anyType, sources);
});

test('no unfinished work, silenced rule, machine path or registry host', () => {
  check(unwantedWords, texts);
});

test('the lock names no host that packages came from', () => {
  const lock = readFileSync(join(root, 'package-lock.json'), 'utf8');
  assert.ok(lock.includes('"lockfileVersion"'));
  assert.doesNotMatch(lock, /"resolved"\s*:/);
});

test('the top level holds what is agreed, nothing else', () => {
  const agreed = ['package.json', 'package-lock.json', 'tsconfig.json', 'src', 'native-free-bench', 'test', 'tools'];
  const documents = ['README.md', 'LICENSE', 'CHANGELOG.md', 'docs'];
  const top = new Set(listPaths().map((path) => path.split('/')[0] ?? ''));
  const extra = [...top].filter((name) => !name.startsWith('.') && ![...agreed, ...documents].includes(name));
  assert.deepEqual(extra, []);
});

test('each rule notices a planted violation', () => {
  const body = '  x();\n'.repeat(functionLinesMax);
  const planted: [Rule, string][] = [
    [longLines, `const x = '${'x'.repeat(columnsMax)}';`],
    [longFunctions, `function f(): void {\n${body}}\n`],
    [longFunctions, `function f(\n  x: number,\n): void {\n${body}}\n`],
    [longFunctions, `const f = (): void => {\n${body}};\n`],
    [longFunctions, `class A {\n  #m(x: number): void {\n${body}  }\n}\n`],
    [undocumentedExports, 'export const x = 1;'],
    [undocumentedExports, '/** X. */\n\nexport interface X {}'],
    [undocumentedExports, 'export async function f(): Promise<void> {}'],
    [missingHeader, 'export {};\n/** Late. */'],
    [anyType, 'let x: any;'],
    [anyType, 'const x = y as any;'],
    [anyType, 'const x = new Map<string, any>();'],
    [unwantedWords, `// ${'TO'}DO: later`],
    [unwantedWords, `// @ts-${'ignore'}`],
    [unwantedWords, `cd /${'work'}/x`],
    [unwantedWords, `http${'s:'}//registry.example/x`],
  ];
  for (const [rule, text] of planted) assert.equal(rule({ path: 'x.ts', text }).length, 1, text.slice(0, 80));
  const fine = `/** X. */\nexport class X {\n${'  /** Any of them. */\n  x(): void {}\n'.repeat(functionLinesMax)}}\n`;
  for (const rule of [longLines, longFunctions, undocumentedExports, missingHeader, anyType, unwantedWords]) {
    assert.deepEqual(rule({ path: 'x.ts', text: fine }), []);
  }
});
