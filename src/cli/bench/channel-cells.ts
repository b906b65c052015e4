/** What `forebay bench channel` is asked to measure, as cells, and what that takes. */
import { pageBytes } from '../../base/disk.ts';
import { gib, kib, mib } from '../../base/units.ts';
import type { ChannelCell, OpenCell, WorkCell } from '../../bench/channel-bench.ts';
import type { TakeWork, Work } from '../../bench/channel-work.ts';
import { bodyBytesDefault } from '../../bench/events.ts';
import type { Ending } from '../../bench/opening.ts';
import { resolveOptions } from '../../channel/options.ts';
import { UsageError } from '../channel/verb.ts';
import { type BenchOptions, numberOf, numbersOf, wordsOf } from './bench-options.ts';

/** Of `--work`. */
export const workNames = ['put', 'take', 'both', 'open', 'memory'] as const;

/** As commander gives them. */
export interface ChannelBenchCommandOptions extends BenchOptions {
  readonly work?: string;
  readonly producers?: string;
  readonly batch?: string;
  readonly body?: string;
  readonly headers?: string;
  readonly waiting?: string;
  readonly windowMs?: string;
}

/** In full. */
export interface ChannelRequest {
  readonly works: readonly (typeof workNames)[number][];
  /** Producers and batch; absent where none were named. */
  readonly pairs: readonly (readonly [producers: number, batch: number])[] | undefined;
  readonly batches: readonly number[];
  readonly bodies: readonly number[];
  readonly headers: readonly number[];
  readonly waitingEvents: number;
  readonly rounds: number;
  readonly windowMs: number;
  readonly warmUpMs: number;
  readonly gaugeMs: number;
}

/** What is measured where no producers and no batch are named: the works that the project's targets are set for. */
const putPairs: NonNullable<ChannelRequest['pairs']> = [
  [1, 1],
  [1, 100],
  [1, 1000],
  [16, 100],
  [64, 1],
  [64, 100],
];
const bothPairs: NonNullable<ChannelRequest['pairs']> = [[8, 100]];
const takeBatches: readonly number[] = [1000];
const producersPreset: readonly number[] = [1, 16, 64];
const batchPreset: readonly number[] = [1, 100, 1000];
const endings: readonly Ending[] = ['closed', 'killed', 'killed, checkpoint gone'];

/** One transaction's bodies: producers hold theirs in memory. */
const transactionBytesMax: number = 64 * mib;
/** Waiting when a take begins, at the most. */
const takeBytesMax: number = 512 * mib;
const takesPerSecond = 20_000;
/** Of an event beside its body, about. */
const overheadBytes = 64;
/** Faster than most disks are written. */
const writtenPerSecond: number = 1.5 * gib;
/** And the quickest disks sync. */
const commitsPerSecond = 20_000;

/** @throws {UsageError} */
export function channelRequestOf(options: ChannelBenchCommandOptions): ChannelRequest {
  const isQuick = options.quick === true;
  const { transactionCapacity } = resolveOptions({});
  const producers = numbersOf('--producers', options.producers, producersPreset, { min: 1, max: 1024 });
  const batches = numbersOf('--batch', options.batch, batchPreset, { min: 1, max: transactionCapacity });
  const isNamed = options.producers !== undefined || options.batch !== undefined;
  const bodies = numbersOf('--body', options.body, [bodyBytesDefault], { min: 0, max: 16 * mib });
  const [batchMax, bodyMax] = [Math.max(...batches), Math.max(...bodies)];
  if (options.batch !== undefined && batchMax * bodyMax > transactionBytesMax) {
    const most = `${transactionBytesMax / mib} MiB in one transaction`;
    throw new UsageError(`--batch ${batchMax} of --body ${bodyMax} is too much: at most ${most}`);
  }
  return {
    works: wordsOf('--work', options.work, workNames, workNames),
    pairs: isNamed ? producers.flatMap((count) => batches.map((batch) => [count, batch] as const)) : undefined,
    batches: options.batch === undefined ? takeBatches : batches,
    bodies,
    headers: numbersOf('--headers', options.headers, [0], { min: 0, max: 100 }),
    waitingEvents: numberOf('--waiting', options.waiting, isQuick ? 20_000 : 1_000_000, { min: 1000, max: 1e9 }),
    rounds: numberOf('--rounds', options.rounds, isQuick ? 1 : 3, { min: 1, max: 1000 }),
    windowMs: numberOf('--window-ms', options.windowMs, isQuick ? 50 : 1000, { min: 10, max: 600_000 }),
    warmUpMs: isQuick ? 0 : 500,
    gaugeMs: isQuick ? 5 : 150,
  };
}

/** In the order of the table. `memory` is measured by the openings. */
export function channelCells(request: ChannelRequest): ChannelCell[] {
  const { works, bodies, headers } = request;
  const events = bodies.flatMap((bodyBytes) => headers.map((count) => ({ bodyBytes, headers: count })));
  const wanted = worksOf(request);
  const cells = events.flatMap((kind) =>
    wanted.map((of): WorkCell => ({ kind: 'work', work: of(kind.bodyBytes), ...kind })),
  );
  const opened = works.includes('open') ? endings : works.includes('memory') ? endings.slice(0, 1) : [];
  const openings = bodies.flatMap((bodyBytes) =>
    opened.map((ending): OpenCell => ({ kind: 'open', ending, events: request.waitingEvents, bodyBytes })),
  );
  return [...cells, ...openings];
}

/** By the bytes of a body: how much there is to take depends on it. */
function worksOf(request: ChannelRequest): ((bodyBytes: number) => Work)[] {
  const { works, pairs, batches } = request;
  const puts = (pairs ?? putPairs).map(([producers, batch]): Work => ({ kind: 'put', producers, batch }));
  const both = (pairs ?? bothPairs).map(
    ([producers, batch]): Work => ({ kind: 'mixed', producers, consumers: producers, batch }),
  );
  return [
    ...(works.includes('put') ? puts.map((work) => () => work) : []),
    ...(works.includes('take') ? batches.map((batch) => (bytes: number) => takeWork(request, batch, bytes)) : []),
    ...(works.includes('both') ? both.map((work) => () => work) : []),
  ];
}

/** More than can be taken in the window, as long as that is no unseemly amount. */
function takeWork({ windowMs }: ChannelRequest, batch: number, bodyBytes: number): TakeWork {
  const most = Math.max(batch, Math.floor(takeBytesMax / (bodyBytes + overheadBytes)));
  const events = Math.min(most, Math.ceil((batch * takesPerSecond * windowMs) / 1000));
  return { kind: 'take', consumers: 1, batch, events };
}

/** Bytes on the disk at the most, and what a channel leaves free. */
export function channelSpaceNeeded(cells: readonly ChannelCell[], { windowMs }: ChannelRequest): number {
  const each = cells.map((cell) => {
    if (cell.kind === 'open') return cell.events * (cell.bodyBytes + overheadBytes);
    if (cell.work.kind === 'take') return cell.work.events * (cell.bodyBytes + overheadBytes);
    return (writtenAtMost(cell) * windowMs) / 1000;
  });
  const { minimumFreeBytes, segmentBytes } = resolveOptions({});
  return minimumFreeBytes + 4 * segmentBytes + 512 * mib + Math.max(...each);
}

/** Bytes a second: by the disk, and by how often commits of that size can follow each other. */
function writtenAtMost({ work, bodyBytes }: WorkCell): number {
  const producers = work.kind === 'take' ? 0 : work.producers;
  const groupBytes = Math.max(pageBytes, producers * work.batch * (bodyBytes + overheadBytes));
  return Math.min(writtenPerSecond, 2 * groupBytes * commitsPerSecond);
}

/** How long a cell takes, about, ms: for the line of progress. */
export function expectedMs(cell: ChannelCell, { windowMs, gaugeMs }: ChannelRequest): number {
  const bytes = (events: number): number => events * (cell.bodyBytes + overheadBytes);
  if (cell.kind === 'open') return 1000 + bytes(cell.events) / (300 * kib);
  const fillMs = cell.work.kind === 'take' ? bytes(cell.work.events) / (400 * kib) : 0;
  return fillMs + windowMs + 3 * gaugeMs;
}
