/** What every benchmark does around its measuring: looks at the ground, warns, draws, prints, and ends in order. */
import { nodeDisk } from '../../base/disk-node.ts';
import { readable } from '../../bench/readable.ts';
import type { Spread } from '../../bench/rounds.ts';
import { Interrupt } from '../channel/interrupt.ts';
import { openOutput } from '../channel/output-file.ts';
import { printJson, sizeText, UsageError } from '../channel/verb.ts';
import { packageVersion } from '../version.ts';
import type { BenchOptions } from './bench-options.ts';
import { type Ground, groundOf, groundText, type Machine, machineHere } from './machine.ts';
import { inScratch } from './scratch.ts';

/** Over this much load others take their share of the processors or of the disk. */
const loadMax = 0.5;

/** Where and on what is measured. */
export interface BenchGround {
  readonly machine: Machine;
  readonly ground: Ground & { readonly isDirect: boolean; readonly freeBytes: number };
}

/** What a benchmark came to. */
export interface BenchReport {
  /** In the JSON document. */
  readonly settings: object;
  readonly rows: readonly object[];
  /** For people. */
  readonly lines: readonly string[];
  readonly svg: () => string;
}

/** What is asked for. */
export interface BenchRequest {
  /** `disk`, `channel`. */
  readonly name: string;
  readonly directory: string;
  readonly neededBytes: number;
  readonly options: BenchOptions;
}

/** Measures in a scratch directory below the request's, and prints; resolves to the exit status. */
export async function runBench(
  { name, directory, neededBytes, options }: BenchRequest,
  measure: (scratch: string, signal: AbortSignal, on: BenchGround) => Promise<BenchReport>,
): Promise<number> {
  await checkPicture(options.svg);
  using interrupt = new Interrupt();
  try {
    return await inScratch(directory, neededBytes, async (scratch) => {
      const disk = nodeDisk();
      const [isDirect, freeBytes] = [await disk.isDirect(scratch), await disk.freeBytes(scratch)];
      const isNetwork = (await disk.locality(scratch)) === 'network';
      const on: BenchGround = { machine: machineHere(), ground: { ...groundOf(scratch), isDirect, freeBytes } };
      const warnings = warningsOf(on, isNetwork, options.quick === true);
      for (const line of warnings) console.error(`warning: ${line}`);
      const at = new Date().toISOString();
      const version = packageVersion();
      if (options.json !== true) for (const line of headOf(version, on)) console.log(line);
      const { settings, rows, lines, svg } = await measure(scratch, interrupt.signal, on);
      if (options.svg !== undefined) await draw(options.svg, svg());
      if (options.json === true) printJson({ benchmark: name, at, forebay: version, ...on, settings, warnings, rows });
      else for (const line of ['', ...lines]) console.log(line);
      return 0;
    });
  } catch (error) {
    // What the interruption broke off is no error.
    if (interrupt.status !== undefined) return interrupt.status;
    throw error;
  }
}

/** Before minutes of measuring, not behind them. */
async function checkPicture(path: string | undefined): Promise<void> {
  if (path === undefined) return;
  if (path === '-') throw new UsageError('--svg: name a file');
  const output = await openOutput(path, { isForced: true, forbidden: [] });
  await output.abandon();
}

async function draw(path: string, svg: string): Promise<void> {
  const output = await openOutput(path, { isForced: true, forbidden: [] });
  try {
    await output.write(Buffer.from(svg));
    await output.finish();
  } catch (error) {
    await output.abandon();
    throw error;
  }
}

function warningsOf({ machine, ground }: BenchGround, isNetwork: boolean, isQuick: boolean): string[] {
  const warnings: string[] = [];
  const memory = 'the directory is in memory: nothing is durable there, and the figures say nothing of a disk';
  if (ground.isMemory) warnings.push(memory);
  if (isNetwork)
    warnings.push('the directory is on the network: a channel refuses it, and the figures are of the network');
  if (!ground.isDirect) {
    warnings.push('this file system refuses O_DIRECT: writes are synced one by one, and reads may come from memory');
  }
  if (machine.loadAverage > loadMax) {
    warnings.push(
      `load average ${machine.loadAverage.toFixed(1)}: others are at work here, and the figures are too low`,
    );
  }
  if (isQuick) warnings.push('--quick: the figures show that everything works, and little more');
  return warnings;
}

function headOf(version: string, { machine, ground }: BenchGround): string[] {
  const { isRotational, writeCache, model, freeBytes, isDirect } = ground;
  // A virtual disk calls itself rotating too.
  const kind =
    isRotational === undefined || model === undefined ? undefined : isRotational ? 'rotating' : 'not rotating';
  const device = [model, kind, writeCache === undefined ? undefined : `cache: ${writeCache}`];
  const said = device.filter((part) => part !== undefined).join(', ');
  const where = [groundText(ground) ?? 'file system unknown', said, `O_DIRECT: ${isDirect ? 'yes' : 'refused'}`];
  return [
    `forebay ${version}, Node ${machine.node}, ${machine.cpus} × ${machine.cpu}, ${machine.system}`,
    `${where.filter((part) => part !== '').join('; ')}; ${sizeText(freeBytes)} free`,
  ];
}

/** `median of 3 rounds`. */
export function roundsText(rounds: number): string {
  return rounds === 1 ? 'one round' : `median of ${rounds} rounds`;
}

/** `9,120–10,411`. */
export function rangeText(spread: Spread | undefined): string {
  return spread === undefined ? '–' : `${readable(spread.low)}–${readable(spread.high)}`;
}
