/**
 * How a channel's throughput goes with the events that wait, with the size of their bodies, with the producers, and
 * with the channels of one process: flat where it should be flat.
 *
 *     tsx tools/scale/main.ts --disk DIR --out FILE.jsonl [--only backlog,body,producers,channels] [--reps N]
 *                             [--window-ms N] [--large] [--quick] [--svg DIR]
 *
 * What FILE.jsonl has already is not measured again. A backlog of ten million events needs 2 GB of disk, `--large` 15.
 * Exit: 0, 1 where something failed, 64 on a command line that is not understood, 130.
 */
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { makeScratch } from '../../native-free-bench/program.ts';
import { provenance } from '../../native-free-bench/report.ts';
import { cellsOf, type Dimension, dimensions } from './cells.ts';
import { measureCell } from './measure.ts';
import { appendEntry, isDone, readEntries, scaleSvg, scaleTable } from './records.ts';

const usage = `usage: tsx tools/scale/main.ts --disk DIR --out FILE.jsonl [--only ${dimensions.join(',')}] [--reps N]
       [--window-ms N] [--large] [--quick] [--svg DIR]`;

interface Asked {
  readonly disk: string;
  readonly out: string;
  readonly only: readonly Dimension[];
  readonly repetitions: number;
  readonly windowMs: number;
  readonly large: boolean;
  readonly quick: boolean;
  readonly svg: string | undefined;
}

/** @throws {Error} Where it cannot be understood; the message says what. */
function readArguments(args: readonly string[]): Asked {
  const { values } = parseArgs({
    args: [...args],
    options: {
      disk: { type: 'string' },
      out: { type: 'string' },
      only: { type: 'string', default: dimensions.join(',') },
      reps: { type: 'string', default: '3' },
      'window-ms': { type: 'string' },
      large: { type: 'boolean', default: false },
      quick: { type: 'boolean', default: false },
      svg: { type: 'string' },
    },
  });
  const { disk, out, large, quick, svg } = values;
  if (disk === undefined || out === undefined) throw new Error('--disk DIR and --out FILE are needed');
  const names = values.only.split(',');
  const only = dimensions.filter((dimension) => names.includes(dimension));
  if (only.length !== names.length) throw new Error(`--only '${values.only}' is not allowed: ${dimensions.join(', ')}`);
  const [repetitions, windowMs] = [Number(values.reps), Number(values['window-ms'] ?? (quick ? 50 : 3000))];
  for (const value of [repetitions, windowMs]) {
    if (!(Number.isSafeInteger(value) && value >= 1))
      throw new Error('--reps and --window-ms are whole numbers from 1');
  }
  return { disk, out, only, repetitions, windowMs, large, quick, svg };
}

async function measure({ out, only, repetitions, windowMs, large, quick }: Asked, scratch: string): Promise<void> {
  const settings = `Node ${process.version}, windows of ${windowMs} ms`;
  for (let repetition = 1; repetition <= repetitions; repetition += 1) {
    for (const cell of cellsOf(only, large, quick)) {
      if (isDone(readEntries(out), cell, repetition, settings)) continue;
      const { dimension, size } = cell;
      console.error(`${dimension} ${size.toLocaleString('en-US')}, ${repetition} of ${repetitions}`);
      const figures = await measureCell(cell, scratch, windowMs, repetition);
      appendEntry(out, { dimension, size, repetition, settings, ...figures });
    }
  }
}

async function main(args: readonly string[]): Promise<number> {
  let asked: Asked;
  try {
    asked = readArguments(args);
  } catch (error) {
    console.error(`${error instanceof Error ? error.message : error}\n${usage}`);
    return 64;
  }
  const scratch = makeScratch(asked.disk);
  try {
    await measure(asked, scratch);
    const made = provenance({ seed: 1, bodyBytes: 500, windowMs: asked.windowMs, directory: scratch });
    const machine = `${made.cpus} × ${made.cpu}, ${made.fileSystem?.split(' ')[0]}, Node ${made.node}`;
    console.log(`forebay ${made.commit}, ${machine}`);
    const entries = readEntries(asked.out);
    for (const dimension of asked.only) {
      const text = scaleTable(entries, dimension);
      if (text !== undefined) console.log(`\n${text}`);
      if (asked.svg === undefined || text === undefined) continue;
      mkdirSync(asked.svg, { recursive: true });
      writeFileSync(join(asked.svg, `scale-${dimension}.svg`), scaleSvg(entries, dimension, machine));
    }
    return 0;
  } finally {
    rmSync(scratch, { recursive: true, force: true });
  }
}

process.exitCode = await main(process.argv.slice(2));
