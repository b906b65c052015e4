/**
 * What a channel does on a disk, in rounds: works for a window each, and openings with a backlog. Each work has beside
 * it what the disk does by itself in the same minute: with durable writes of the size of the log's groups, and for what
 * is taken from the disk with reading in order.
 */
import type { Disk } from '../base/disk.ts';
import { nameOfWork, type Work } from './channel-work.ts';
import type { ChildProgram } from './child-program.ts';
import type { DiskGauge } from './disk-rate.ts';
import { runOnce, type WorkPlace, type WorkRun, warmUp } from './measure-work.ts';
import { type Ending, measureOpening, type Opening } from './opening.ts';
import { inRounds, type Measured, type Spread, spreadOf } from './rounds.ts';

/** A work with events of one kind. */
export interface WorkCell {
  readonly kind: 'work';
  readonly work: Work;
  readonly bodyBytes: number;
  readonly headers: number;
}

/** An opening with a backlog. */
export interface OpenCell {
  readonly kind: 'open';
  readonly ending: Ending;
  readonly events: number;
  readonly bodyBytes: number;
}

/** Either. */
export type ChannelCell = WorkCell | OpenCell;

/** What the disk alone would allow. `by`: writes of the size of the groups, or reading. */
interface DiskLimit {
  readonly eventsPerSecond: number;
  readonly by: 'write' | 'read';
}

/** What a work came to. Figures are those of the puts, or of what was taken where something was. */
export interface WorkRow {
  readonly cell: WorkCell;
  readonly name: string;
  readonly eventsPerSecond: Spread;
  readonly megabytesPerSecond: Spread;
  readonly commitsPerSecond: Spread;
  /** Of the producers beside takers. */
  readonly putEventsPerSecond?: Spread;
  /** Medians of the rounds. */
  readonly p50Us: number;
  readonly p99Us: number;
  readonly cpuCores: number;
  readonly groupBytes: number;
  /** Of the round in the middle. */
  readonly limit: DiskLimit | undefined;
  /** Of the limit of the same round, 0 to 1 and above. */
  readonly share: Spread | undefined;
}

/** What an opening came to. */
export interface OpenRow {
  readonly cell: OpenCell;
  readonly name: string;
  readonly openMs: Spread;
  readonly firstPutMs: Spread;
  /** Of the process before: it filled the channel. NaN where the system does not tell. */
  readonly fillPeakBytes: Spread;
  /** Of the process that opened, before it did, and at its highest. */
  readonly beforeBytes: Spread;
  readonly openPeakBytes: Spread;
  readonly health: string;
}

/** Either. */
export type ChannelRow = WorkRow | OpenRow;

/** Where and how. */
export interface ChannelBenchOptions {
  readonly disk: Disk;
  /** Exists and is empty. */
  readonly directory: string;
  readonly gauge: DiskGauge;
  readonly child: (args: readonly string[]) => ChildProgram;
  readonly rounds: number;
  readonly windowMs: number;
  /** Before the first round of each work; 0: none. */
  readonly warmUpMs: number;
  readonly gaugeMs: number;
  readonly signal?: AbortSignal | undefined;
  /** After each measurement, its name and the events a second of a work. */
  readonly onProgress?: (cell: ChannelCell, name: string, eventsPerSecond: number | undefined) => void;
}

const seed = 1;

/** `put 16 × 100`, `open, killed`. */
function nameOfCell(cell: ChannelCell): string {
  return cell.kind === 'work' ? nameOfWork(cell.work) : `open, ${cell.ending}`;
}

interface WorkRound extends WorkRun {
  readonly limit: DiskLimit | undefined;
}

/** Measures the cells, one row each. @throws What the signal was aborted with. */
export async function measureChannel(
  cells: readonly ChannelCell[],
  options: ChannelBenchOptions,
): Promise<ChannelRow[]> {
  const { signal, rounds, onProgress } = options;
  const measured = await inRounds(cells, { rounds, signal }, async (cell, round): Promise<WorkRound | Opening> => {
    if (cell.kind === 'open') {
      const opening = await measureOpening(options, { ...cell, seed }, cell.ending);
      onProgress?.(cell, nameOfCell(cell), undefined);
      return opening;
    }
    const figures = await measureRound(cell, round, options);
    onProgress?.(cell, nameOfCell(cell), mainFigures(figures)?.eventsPerSecond);
    return figures;
  });
  return measured.map(rowOf);
}

async function measureRound(cell: WorkCell, round: number, options: ChannelBenchOptions): Promise<WorkRound> {
  const { work, bodyBytes, headers } = cell;
  const place: WorkPlace = { ...options, bodyBytes, headers, seed, options: {} };
  if (round === 0 && options.warmUpMs > 0) await warmUp(place, work);
  const run = await runOnce(place, work, options.windowMs);
  return { ...run, limit: await limitOf(run, options) };
}

function mainFigures({ figures }: WorkRun) {
  return figures.taken ?? figures.put;
}

/** The lower one of what writes and what reads allow; undefined where nothing was written. */
async function limitOf(run: WorkRun, { gauge, gaugeMs }: ChannelBenchOptions): Promise<DiskLimit | undefined> {
  const { groups, storedBytesPerEvent } = run;
  if (groups.writes === 0) return undefined;
  const { overwriting, appending } = await gauge.measure(groups.bytesMedian, gaugeMs);
  const eventsPerWrite = (mainFigures(run)?.events ?? 0) / groups.writes;
  const written = Math.max(overwriting.writesPerSecond, appending.writesPerSecond) * eventsPerWrite;
  if (storedBytesPerEvent === undefined) return { eventsPerSecond: written, by: 'write' };
  const read = (await gauge.readRate(gaugeMs)) / storedBytesPerEvent;
  return read < written ? { eventsPerSecond: read, by: 'read' } : { eventsPerSecond: written, by: 'write' };
}

function rowOf({ cell, rounds }: Measured<ChannelCell, WorkRound | Opening>): ChannelRow {
  if (cell.kind === 'work')
    return workRow(
      cell,
      rounds.filter((round) => 'figures' in round),
    );
  return openRow(
    cell,
    rounds.filter((round) => 'open' in round),
  );
}

function workRow(cell: WorkCell, rounds: readonly WorkRound[]): WorkRow {
  const main = rounds.map(mainFigures).filter((figures) => figures !== undefined);
  const rate = main.map(({ eventsPerSecond }) => eventsPerSecond);
  const middle = (values: readonly number[]): number => spreadOf(values).median;
  const puts = rounds.flatMap(({ figures: { put, taken } }) => (put && taken ? [put.eventsPerSecond] : []));
  const limits = rounds.flatMap(({ limit }) => limit ?? []).sort((a, b) => a.eventsPerSecond - b.eventsPerSecond);
  const shares = rounds.flatMap((round, index) =>
    round.limit === undefined ? [] : [(rate[index] ?? Number.NaN) / round.limit.eventsPerSecond],
  );
  return {
    cell,
    name: nameOfCell(cell),
    eventsPerSecond: spreadOf(rate),
    megabytesPerSecond: spreadOf(rate.map((perSecond) => (perSecond * cell.bodyBytes) / 1e6)),
    commitsPerSecond: spreadOf(main.map(({ commitsPerSecond }) => commitsPerSecond)),
    ...(puts.length === 0 ? {} : { putEventsPerSecond: spreadOf(puts) }),
    p50Us: middle(main.map(({ p50Us }) => p50Us)),
    p99Us: middle(main.map(({ p99Us }) => p99Us)),
    cpuCores: middle(rounds.map(({ figures }) => figures.cpuCores)),
    groupBytes: middle(rounds.map(({ groups }) => groups.bytesMedian)),
    limit: limits[Math.floor(limits.length / 2)],
    share: shares.length === 0 ? undefined : spreadOf(shares),
  };
}

function openRow(cell: OpenCell, rounds: readonly Opening[]): OpenRow {
  const of = (figure: (opening: Opening) => number | null): Spread =>
    spreadOf(rounds.map((opening) => figure(opening) ?? Number.NaN));
  return {
    cell,
    name: nameOfCell(cell),
    openMs: of(({ open }) => open.openMs),
    firstPutMs: of(({ open }) => open.firstPutMs),
    fillPeakBytes: of(({ fill }) => fill.rssPeakBytes),
    beforeBytes: of(({ open }) => open.rssBeforeBytes),
    openPeakBytes: of(({ open }) => open.rssPeakBytes),
    health: rounds.map(({ open }) => open.health).find((health) => health !== 'ok') ?? 'ok',
  };
}
