/**
 * The program around the benchmarks: arguments, the scratch directory, tables on stdout, figures as JSON. Which disk
 * and which checkpoint are measured is the caller's: main.ts takes none that is native, tools/bench-with-lmdb.ts the
 * real ones.
 */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import type { Disk } from '../src/base/disk.ts';
import { memoryDisk } from '../src/base/disk-memory.ts';
import { DiskGauge } from '../src/bench/disk-rate.ts';
import { median } from '../src/bench/latencies.ts';
import { runChild } from '../src/bench/opening-child.ts';
import { readable } from '../src/bench/readable.ts';
import type { ChannelOptions } from '../src/channel/options.ts';
import { peakRssBytes } from '../src/cli/bench/machine.ts';
import { childArgument, startChild } from './child-program.ts';
import { codecBench } from './codec.bench.ts';
import { type Benchmark, type Context, fullSizes, type Place, quickSizes, type Row, type Section } from './context.ts';
import { frameScanBench } from './frame-scan.bench.ts';
import { groupCommitBench } from './group-commit.bench.ts';
import { mixedBench } from './mixed.bench.ts';
import { recoveryBench } from './recovery.bench.ts';
import { provenance, table } from './report.ts';
import { takeBench } from './take.bench.ts';

const benchmarks: { readonly [name: string]: Benchmark } = {
  codec: codecBench,
  'frame-scan': frameScanBench,
  'group-commit': groupCommitBench,
  take: takeBench,
  mixed: mixedBench,
  recovery: recoveryBench,
};

const usage = `usage: [--disk DIR] [--only NAME[,NAME…]] [--reps N] [--quick] [--large] [--json FILE] [--seed N]
       [--window-ms N]
names: ${Object.keys(benchmarks).join(', ')}`;

/** What is measured on a real disk, and with what. */
export interface BenchEnvironment {
  /** For the title of each table. */
  readonly name: string;
  readonly disk: Disk;
  readonly options: ChannelOptions;
}

interface Arguments {
  readonly disk: string | undefined;
  readonly only: readonly string[];
  readonly reps: number;
  readonly quick: boolean;
  readonly large: boolean;
  readonly json: string | undefined;
  readonly seed: number;
  readonly windowMs: number;
}

/** Measures what the command line asks for; resolves to the exit code. */
export async function runProgram(environment: BenchEnvironment, args: readonly string[]): Promise<number> {
  if (args[0] === childArgument) {
    await runChild(args.slice(1), { ...environment, peakRssBytes }, (line) => console.log(line));
    return 0;
  }
  const asked = readArguments(args);
  if (typeof asked === 'string') {
    console.error(asked);
    return 64;
  }
  const scratch = asked.disk === undefined ? undefined : makeScratch(asked.disk);
  const real = scratch === undefined ? undefined : realPlace(environment, scratch);
  try {
    await measure(asked, real);
    return 0;
  } finally {
    await real?.gauge?.close();
    if (scratch !== undefined) rmSync(scratch, { recursive: true, force: true });
  }
}

async function measure(asked: Arguments, real: Place | undefined): Promise<void> {
  const sizes = { ...(asked.quick ? quickSizes : fullSizes), seed: asked.seed };
  if (asked.windowMs > 0) sizes.windowMs = asked.windowMs;
  const memory: Place = {
    name: 'memory disk',
    disk: memoryDisk(),
    directory: '/bench',
    options: { checkpoint: 'memory' },
    gauge: undefined,
    child: undefined,
  };
  const context: Context = { sizes, memory, real, large: asked.large };
  const made = provenance({ ...sizes, ...(real === undefined ? {} : { directory: real.directory }) });
  console.log(`forebay ${made.commit}, Node ${made.node}, ${made.cpus} × ${made.cpu}, ${made.system}`);
  if (made.fileSystem !== undefined)
    console.log(`${made.fileSystem}; direct: ${await real?.disk.isDirect(real.directory)}`);
  if (made.loadBefore > 0.5) console.log(`load ${made.loadBefore.toFixed(1)}: others are at work, figures are too low`);
  if (asked.quick) console.log('quick: shows that everything runs; the figures mean nothing');

  const results: { readonly benchmark: string; readonly repetition: number; readonly sections: readonly Section[] }[] =
    [];
  for (let repetition = 1; repetition <= asked.reps; repetition++) {
    for (const name of asked.only) {
      const sections = (await benchmarks[name]?.(context)) ?? [];
      results.push({ benchmark: name, repetition, sections });
      if (asked.reps === 1) for (const section of sections) print(section);
      else console.error(`${name}, ${repetition} of ${asked.reps}`);
    }
  }
  if (asked.reps > 1) for (const section of medians(results.flatMap(({ sections }) => sections))) print(section);
  if (asked.json !== undefined) writeFileSync(asked.json, `${JSON.stringify({ made, sizes, results }, null, 1)}\n`);
}

function readArguments(args: readonly string[]): Arguments | string {
  try {
    const { values } = parseArgs({
      args: [...args],
      options: {
        disk: { type: 'string' },
        only: { type: 'string' },
        reps: { type: 'string', default: '1' },
        quick: { type: 'boolean', default: false },
        large: { type: 'boolean', default: false },
        json: { type: 'string' },
        seed: { type: 'string', default: '1' },
        'window-ms': { type: 'string', default: '0' },
      },
    });
    const only = values.only?.split(',') ?? Object.keys(benchmarks);
    const unknown = only.find((name) => !(name in benchmarks));
    if (unknown !== undefined) return `no benchmark '${unknown}'\n${usage}`;
    const numbers = [Number(values.reps), Number(values.seed), Number(values['window-ms'])];
    const [reps = 0, seed = 0, windowMs = 0] = numbers;
    if (!numbers.every(Number.isSafeInteger) || reps < 1) return `not a number\n${usage}`;
    const { disk, quick, large, json } = values;
    return { disk, only, reps, quick, large, json, seed, windowMs };
  } catch (error) {
    return `${error instanceof Error ? error.message : error}\n${usage}`;
  }
}

/** A directory of this run's own, gone when it ends, by an interrupt too. */
export function makeScratch(parent: string): string {
  mkdirSync(parent, { recursive: true });
  const scratch = mkdtempSync(join(resolve(parent), 'forebay-bench-'));
  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    process.once(signal, () => {
      rmSync(scratch, { recursive: true, force: true });
      process.exit(130);
    });
  }
  return scratch;
}

/** `directory` exists. Its gauge is to be closed. */
export function realPlace({ name, disk, options }: BenchEnvironment, directory: string): Place {
  return { name, disk, directory, options, gauge: new DiskGauge(disk, directory), child: startChild };
}

function print({ title, rows }: Section): void {
  const heads = [...new Set(rows.flatMap(({ figures }) => Object.keys(figures)))];
  const cell = (value: number | string | undefined): string => (typeof value === 'string' ? value : readable(value));
  const lines = rows.map(({ name, figures }) => [name, ...heads.map((head) => cell(figures[head]))]);
  console.log(`\n${title}\n${table(['', ...heads], lines)}`);
}

/** Of sections with one title, one whose figures are the medians; beside the first of them, how far they spread. */
function medians(sections: readonly Section[]): Section[] {
  const titles = [...new Set(sections.map(({ title }) => title))];
  return titles.map((title) => {
    const same = sections.filter((section) => section.title === title);
    const rows = (same[0]?.rows ?? []).map(({ name }) => {
      const repetitions = same.flatMap((section) => section.rows.filter((row) => row.name === name));
      return { name, figures: medianFigures(repetitions) };
    });
    return { title: `${title} (median of ${same.length})`, rows };
  });
}

function medianFigures(rows: readonly Row[]): Row['figures'] {
  const figures: { [figure: string]: number | string | undefined } = {};
  for (const head of Object.keys(rows[0]?.figures ?? {})) {
    const values = rows.map((row) => row.figures[head]);
    const numbers = values.filter((value) => typeof value === 'number');
    figures[head] = numbers.length === values.length ? median(numbers) : values[0];
    if (Object.keys(figures).length === 1) {
      figures['min–max'] = `${readable(Math.min(...numbers))}–${readable(Math.max(...numbers))}`;
    }
  }
  return figures;
}
