/** Asks a real Java, by JavaAnswers.java, and writes our own answers in the same words. */
import { execFileSync, spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { compileJavaPattern } from '../../../../src/agent/contracts/java/java-pattern.ts';
import { compileReplacement } from '../../../../src/agent/contracts/java/java-replacement.ts';

const program = fileURLToPath(new URL('JavaAnswers.java', import.meta.url));

/** A pattern, what it is looked for in, and what its matches become. */
export type RegexCase = readonly [pattern: string, input: string, replacement: string];

/** Whether there is a Java to ask. */
export function hasJava(): boolean {
  return spawnSync('java', ['-version']).status === 0;
}

/** The text's UTF-16 units in hexadecimal. */
export function hexOf(text: string): string {
  return Array.from({ length: text.length }, (_, at) => text.charCodeAt(at).toString(16).padStart(4, '0')).join('');
}

/** Java's answer to each question. */
export function askJava(questions: readonly string[]): string[] {
  const output = execFileSync('java', ['-XX:TieredStopAtLevel=1', program], {
    input: `${questions.join('\n')}\n`,
    maxBuffer: 1 << 28,
  });
  return output.toString('latin1').trimEnd().split('\n');
}

/** The question about a pattern. */
export function regexQuestion([pattern, input, replacement]: RegexCase): string {
  return ['regex', hexOf(pattern), hexOf(input), hexOf(replacement)].join('\t');
}

function wordText(text: string | undefined): string {
  return text === undefined ? '-' : `=${hexOf(text)}`;
}

type Match = { readonly index: number; readonly end: number; readonly groups: readonly (string | undefined)[] };

function wordMatch(match: Match | undefined): string {
  return match === undefined ? '-' : [match.index, match.end, ...match.groups.map(wordText)].join(',');
}

/** Our answer to the same. */
export function answerRegex([source, input, replacementText]: RegexCase): string {
  const compiled = compileJavaPattern(source);
  if ('problem' in compiled) return 'refused';
  const { pattern } = compiled;
  const made = compileReplacement(pattern, replacementText);
  const replaced = 'problem' in made ? 'refused' : wordText(pattern.replaceAll(input, made.replacement));
  return [wordMatch(pattern.find(input)), wordMatch(pattern.matches(input)), replaced].join('\t');
}
