/** The command line of the agents' benchmark. */
import { parseArgs } from 'node:util';
import type { Side } from './agents.ts';

/** What can be measured. */
type Part = 'end-to-end' | 'latency';

/** What was asked for. */
export interface BenchOptions {
  readonly directory: string;
  readonly repetitions: number;
  readonly lines: number;
  readonly batches: readonly number[];
  readonly parts: readonly Part[];
  readonly sides: readonly Side[];
  readonly latencySeconds: number;
  readonly seed: number;
  readonly json: string | undefined;
  /** A directory for pictures. */
  readonly svg: string | undefined;
}

/** What is printed where the command line is not understood. */
export const usage = `usage: tsx tools/agent-bench/main.ts --dir DIR [--reps N] [--lines N] [--batch N[,N…]]
       [--only end-to-end,latency] [--sides forebay,flume] [--latency-seconds N] [--seed N] [--quick]
       [--json FILE] [--svg DIR]`;

const parts: readonly Part[] = ['end-to-end', 'latency'];
const sides: readonly Side[] = ['forebay', 'flume'];
/** Files of the log: their lines are as many each. */
const linesStep = 10;

/** @throws {Error} Where it cannot be understood; the message says what. */
export function readOptions(args: readonly string[]): BenchOptions {
  const { values } = parseArgs({
    args: [...args],
    options: {
      dir: { type: 'string' },
      reps: { type: 'string', default: '3' },
      lines: { type: 'string' },
      batch: { type: 'string', default: '100,1000' },
      only: { type: 'string', default: parts.join(',') },
      sides: { type: 'string', default: sides.join(',') },
      'latency-seconds': { type: 'string' },
      seed: { type: 'string', default: '1' },
      quick: { type: 'boolean', default: false },
      json: { type: 'string' },
      svg: { type: 'string' },
    },
  });
  if (values.dir === undefined) throw new Error('--dir DIR is needed: where to measure');
  const lines = wholeNumber('--lines', values.lines ?? (values.quick ? '20000' : '1000000'));
  if (lines % linesStep !== 0) throw new Error(`--lines ${lines} is not allowed: a multiple of ${linesStep}`);
  return {
    directory: values.dir,
    repetitions: wholeNumber('--reps', values.reps),
    lines,
    batches: values.batch.split(',').map((text) => wholeNumber('--batch', text)),
    parts: someOf('--only', values.only, parts),
    sides: someOf('--sides', values.sides, sides),
    latencySeconds: wholeNumber('--latency-seconds', values['latency-seconds'] ?? (values.quick ? '2' : '30')),
    seed: wholeNumber('--seed', values.seed),
    json: values.json,
    svg: values.svg,
  };
}

function wholeNumber(name: string, text: string): number {
  const value = Number(text);
  if (/^\d+$/.test(text) && Number.isSafeInteger(value) && value >= 1) return value;
  throw new Error(`${name} '${text}' is not allowed: a whole number from 1`);
}

function someOf<Name extends string>(option: string, text: string, names: readonly Name[]): readonly Name[] {
  const asked = text.split(',');
  const unknown = asked.find((name) => !(names as readonly string[]).includes(name));
  if (unknown !== undefined) throw new Error(`${option} '${unknown}' is not allowed: one of ${names.join(', ')}`);
  return names.filter((name) => asked.includes(name));
}
