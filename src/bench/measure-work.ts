/**
 * One measurement from beginning to end: a warm-up in a throw-away directory, the work in a fresh one, and then what
 * the disk does by itself with writes of the size that the log's groups had. Everything is below one directory that
 * the caller owns and removes.
 */
import { join } from 'node:path';
import type { Disk } from '../base/disk.ts';
import { FileChannel } from '../channel/file-channel.ts';
import type { ChannelOptions } from '../channel/options.ts';
import { type ChannelFigures, fillChannel, nameOfWork, runWork, type Work } from './channel-work.ts';
import type { DiskGauge, DiskRate } from './disk-rate.ts';
import { measuredDisk } from './measured-disk.ts';

/** Where and how a channel is measured. */
export interface WorkPlace {
  readonly disk: Disk;
  /** Exists and is empty but for what is measured. */
  readonly directory: string;
  /** Of the channel, above what every measurement sets: room for more than the window brings. */
  readonly options: ChannelOptions;
  /** Measures the disk after the work; absent where there is none to measure. */
  readonly gauge: DiskGauge | undefined;
  readonly windowMs: number;
  readonly warmUpMs: number;
  readonly gaugeMs: number;
  readonly bodyBytes: number;
  readonly seed: number;
  /** Of each event. Default 0. */
  readonly headers?: number;
  readonly signal?: AbortSignal | undefined;
}

/** One run of a work. */
export interface WorkRun {
  readonly figures: ChannelFigures;
  /** Of the log's writes while the work went on. */
  readonly groups: {
    readonly writes: number;
    readonly bytesMedian: number;
    readonly megabytesPerSecond: number;
    /** Share of the time that a write was under way, 0 to 1. */
    readonly busyShare: number;
  };
  /** What the log wrote to store one event; undefined but for a take, whose events were put before. */
  readonly storedBytesPerEvent?: number | undefined;
}

/** What came out. */
export interface WorkResult extends WorkRun {
  readonly name: string;
  readonly work: Work;
  /** Of writes of `bytesMedian`, in the same minute. */
  readonly diskRate: DiskRate | undefined;
}

/** More than any window brings, so that producers never wait for room. */
const capacityEvents = 1_000_000_000;
/** Of a take's events, so many are drained to warm up. */
const warmUpShare = 0.1;
/** Each run has a directory of its own in this process. */
let directories = 0;

/** Measures `work`. */
export async function measureWork(place: WorkPlace, work: Work): Promise<WorkResult> {
  await warmUp(place, work);
  const { figures, groups } = await runOnce(place, work, place.windowMs);
  const bytes = groups.bytesMedian;
  const diskRate = bytes > 0 ? await place.gauge?.measure(bytes, place.gaugeMs) : undefined;
  return { name: nameOfWork(work), work, figures, groups, diskRate };
}

/** Runs a smaller one of it, for the compiler and the caches. */
export async function warmUp(place: WorkPlace, work: Work): Promise<void> {
  await runOnce(place, smaller(work), place.warmUpMs);
}

/**
 * One run in a fresh directory, emptied afterwards so that the next one starts on a quiet disk.
 * @throws What the place's signal was aborted with, once nothing is open any more.
 */
export async function runOnce(place: WorkPlace, work: Work, windowMs: number): Promise<WorkRun> {
  const { disk, counts, reset } = measuredDisk(place.disk);
  const directory = join(place.directory, `channel-${++directories}`);
  const { bodyBytes, seed, headers = 0, signal } = place;
  const options = { capacityEvents, ...place.options };
  let storedBytesPerEvent: number | undefined;
  let channel = await FileChannel.open(directory, options, { disk });
  try {
    if (work.kind === 'take') {
      await fillChannel(channel, work.events, bodyBytes, seed, { headers, signal });
      await channel.close();
      storedBytesPerEvent = counts().bytes / work.events;
      channel = await FileChannel.open(directory, options, { disk });
    }
    reset();
    const startMs = performance.now();
    const figures = await runWork(channel, work, { windowMs, bodyBytes, seed, headers, signal });
    const wallMs = performance.now() - startMs;
    const { writes, bytes, bytesMedian, busyMs } = counts();
    const groups = { writes, bytesMedian, megabytesPerSecond: bytes / 1000 / wallMs, busyShare: busyMs / wallMs };
    signal?.throwIfAborted();
    return { figures, groups, storedBytesPerEvent };
  } finally {
    await channel.close();
    await emptyDirectory(place.disk, directory);
  }
}

/** Removes all files below; durable, so that what that costs the disk is over when it resolves. */
export async function emptyDirectory(disk: Disk, directory: string): Promise<void> {
  for (const name of (await disk.list(directory)) ?? []) {
    const path = join(directory, name);
    const entry = await disk.entry(path);
    if (entry?.kind === 'directory') await emptyDirectory(disk, path);
    else await disk.unlink(path);
  }
  await disk.syncDirectory(directory);
}

function smaller(work: Work): Work {
  return work.kind === 'take' ? { ...work, events: Math.ceil(work.events * warmUpShare) } : work;
}
