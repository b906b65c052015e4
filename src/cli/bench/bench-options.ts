/** Options that the benchmarks share, and how their values are read. */
import type { Command } from 'commander';
import { inert, UsageError } from '../channel/verb.ts';

/** As commander gives them. */
export interface BenchOptions {
  readonly quick?: boolean;
  readonly rounds?: string;
  readonly json?: boolean;
  readonly svg?: string;
}

/** Adds those that all have. */
export function withBenchOptions(command: Command, rounds: number): Command {
  return command
    .option('--rounds <n>', `go through everything so often; more rounds, more certain figures (default: ${rounds})`)
    .option('--quick', 'in seconds, to see that it works; the figures mean little')
    .option('--svg <file>', 'draw the figures into this file')
    .option('--json', 'print one JSON document');
}

/** What numbers are allowed. */
export interface NumberRule {
  readonly min: number;
  readonly max: number;
  /** Only multiples of it. */
  readonly step?: number;
}

/** One whole number; `preset` where the option is not given. @throws {UsageError} */
export function numberOf(option: string, text: string | undefined, preset: number, rule: NumberRule): number {
  if (text === undefined) return preset;
  if (isAllowed(text, rule)) return Number(text);
  throw new UsageError(`${option} '${inert(text)}' is not allowed: ${ruleText(rule, 'a whole number')}`);
}

/** Some of them, divided by commas, each once; `preset` where the option is not given. @throws {UsageError} */
export function numbersOf(
  option: string,
  text: string | undefined,
  preset: readonly number[],
  rule: NumberRule,
): readonly number[] {
  if (text === undefined) return preset;
  const parts = text.split(',').map((part) => part.trim());
  const wrong = parts.find((part) => !isAllowed(part, rule));
  if (wrong === undefined) return [...new Set(parts.map(Number))];
  throw new UsageError(`${option}: '${inert(wrong)}' is not allowed: ${ruleText(rule, 'whole numbers')}, with commas`);
}

/** Some of `allowed`, divided by commas; `preset` where the option is not given. @throws {UsageError} */
export function wordsOf<Word extends string>(
  option: string,
  text: string | undefined,
  preset: readonly Word[],
  allowed: readonly Word[],
): readonly Word[] {
  if (text === undefined) return preset;
  const words = text.split(',').map((part) => {
    const word = allowed.find((one) => one === part.trim());
    if (word !== undefined) return word;
    throw new UsageError(
      `${option}: '${inert(part)}' is not allowed: one of ${allowed.join(', ')}, or some with commas`,
    );
  });
  return [...new Set(words)];
}

function isAllowed(text: string, { min, max, step = 1 }: NumberRule): boolean {
  if (!/^\d{1,15}$/.test(text)) return false;
  const value = Number(text);
  return value >= min && value <= max && value % step === 0;
}

function ruleText({ min, max, step = 1 }: NumberRule, noun: string): string {
  const multiples = step === 1 ? '' : `, multiples of ${step}`;
  return `${noun} from ${min} to ${max.toLocaleString('en-US')}${multiples}`;
}
