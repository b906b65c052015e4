/**
 * The results of a run: one line of JSON each, appended and synced as it is measured, so that a run that was cut off
 * goes on where it was. A line `start` for each time the command was started says what the lines after it were
 * measured with; what was measured with something else is never added.
 */
import type { ChannelFigures } from '../../src/bench/channel-work.ts';
import type { DiskRate } from '../../src/bench/disk-rate.ts';
import { appendLine, cutOffUnfinished, wholeLinesOf } from '../json-lines.ts';
import type { ContenderName } from './contenders.ts';

/** How it is measured. All of it has to be the same in one file. */
export interface Settings {
  readonly windowMs: number;
  readonly warmUpMs: number;
  readonly gaugeMs: number;
  readonly quick: boolean;
  /** The page cache was emptied between filling and taking. */
  readonly coldTakes: boolean;
  /** Of the programs that drive forebay and the peers: a hash of their code. */
  readonly harness: string;
}

/** Where. */
interface Machine {
  readonly cpu: string;
  readonly cpus: number;
  readonly memoryBytes: number;
  readonly system: string;
  readonly fileSystem: string;
}

/** With which versions, of those that are there. */
type Versions = { readonly [name in ContenderName]?: string };

/** The command was started. */
export interface StartLine {
  readonly kind: 'start';
  readonly at: string;
  readonly node: string;
  readonly settings: Settings;
  readonly machine: Machine;
  readonly versions: Versions;
  readonly commit: string;
  /** Load average of the minute before: over about 0.5 others were at work. */
  readonly loadBefore: number;
  readonly pid: number;
  /** Removed by the next start, where this one was killed. */
  readonly scratch: string;
}

/** One measurement. */
export interface ResultLine {
  readonly kind: 'result';
  readonly cell: string;
  readonly contender: ContenderName;
  readonly repetition: number;
  readonly node: string;
  readonly at: string;
  /** All of it: warm-up, filling and removing too. */
  readonly tookMs: number;
  readonly figures: ChannelFigures;
  /** forebay only: its log's writes, and what the disk did by itself with writes of their median size. */
  readonly groups?: { readonly writes: number; readonly bytesMedian: number };
  readonly diskRate?: DiskRate;
}

/** One that did not succeed, or (without a cell) a peer that could not be built. Tried again by the next start. */
export interface FailedLine {
  readonly kind: 'failed';
  readonly contender: ContenderName;
  readonly cell?: string;
  readonly repetition?: number;
  readonly node: string;
  readonly at: string;
  readonly error: string;
}

/** Any line. */
export type Line = StartLine | ResultLine | FailedLine;

/** A file that must not be added to, or is none of ours. */
export class ForeignResults extends Error {
  override readonly name = 'ForeignResults';
}

/**
 * The lines of a file; none where it is not there. A line that was being written when the run was killed has no end:
 * it is left out, and with `repair` cut off.
 *
 * @throws {ForeignResults} Where a line is none of ours.
 */
export function readResults(path: string, { repair = false }: { readonly repair?: boolean } = {}): Line[] {
  if (repair) cutOffUnfinished(path);
  const read = wholeLinesOf(path).map(
    (line, index) => lineOf(line) ?? foreign(`${path}: line ${index + 1} is no result`),
  );
  if (read.length > 0 && read[0]?.kind !== 'start') foreign(`${path} does not begin with what it was measured with`);
  return read;
}

function foreign(message: string): never {
  throw new ForeignResults(message);
}

function lineOf(text: string): Line | undefined {
  try {
    const line: unknown = JSON.parse(text);
    const kinds = ['start', 'result', 'failed'];
    const isLine = typeof line === 'object' && line !== null && 'kind' in line && kinds.includes(String(line.kind));
    return isLine ? (line as Line) : undefined;
  } catch {
    return undefined;
  }
}

/** Appends one line; it is on the disk when this returns. */
export function appendResult(path: string, line: Line): void {
  appendLine(path, line);
}

/**
 * What differs between what lines were measured with and `start`; empty where results may be added. A peer that was
 * not there before, or is not there now, is no difference. `--report` allows another Node (`anyNode`): what runs in
 * Node is shown once for each.
 */
export function differences(
  lines: readonly Line[],
  start: StartLine,
  { anyNode = false }: { readonly anyNode?: boolean } = {},
): string[] {
  const found = new Set<string>();
  const compare = (what: string, before: unknown, now: unknown): void => {
    if (before !== now) found.add(`${what}: ${before} there, ${now} here`);
  };
  for (const line of lines) {
    if (line.kind !== 'start') continue;
    if (!anyNode) compare('Node', line.node, start.node);
    for (const name of ['windowMs', 'warmUpMs', 'gaugeMs', 'quick', 'coldTakes', 'harness'] as const) {
      compare(name, line.settings[name], start.settings[name]);
    }
    for (const name of ['cpu', 'cpus', 'memoryBytes', 'system', 'fileSystem'] as const) {
      compare(name, line.machine[name], start.machine[name]);
    }
    for (const [name, version] of Object.entries(start.versions)) {
      const before = line.versions[name as ContenderName];
      // SQLite comes with Node, or is built for it.
      if (before !== undefined && !(anyNode && name === 'sqlite')) compare(name, before, version);
    }
  }
  return [...found];
}

/** What names a measurement among those of one file. */
export function keyOf({
  cell,
  contender,
  repetition,
}: {
  cell: string;
  contender: string;
  repetition: number;
}): string {
  return `${repetition} ${contender} ${cell}`;
}
