/** One cell, once: channels in fresh directories, filled, and then at work. */
import { mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { nodeDisk } from '../../src/base/disk-node.ts';
import { mib } from '../../src/base/units.ts';
import { type CommitFigures, fillChannel, runWork, type Work } from '../../src/bench/channel-work.ts';
import { FileChannel } from '../../src/channel/file-channel.ts';
import { peakRssBytes } from '../../src/cli/bench/machine.ts';
import type { Cell } from './cells.ts';

/** What all channels of a cell did together. */
interface WorkFigures {
  /** Of a work that takes, what was taken. */
  readonly eventsPerSecond: number;
  readonly megabytesPerSecond: number;
  /** Of the slowest channel. */
  readonly p99Ms: number;
}

/** By work; and what the process needed at most so far, which only grows. */
export interface CellFigures {
  readonly works: Readonly<Record<string, WorkFigures>>;
  readonly rssMiB: number;
  /** From an open with the backlog there to the first put that is durable; the longer one of the works'. */
  readonly openMs: number;
}

/** More than any window brings. */
const capacityEvents = 1_000_000_000;

/** Each work in fresh channels. `scratch` is as empty afterwards as it was. */
export async function measureCell(cell: Cell, scratch: string, windowMs: number, seed: number): Promise<CellFigures> {
  const works: Record<string, WorkFigures> = {};
  let openMs = 0;
  for (const [name, work] of Object.entries(cell.works)) {
    const measured = await measureWork(cell, work, scratch, { windowMs, bodyBytes: cell.bodyBytes, seed });
    works[name] = measured.figures;
    openMs = Math.max(openMs, measured.openMs);
  }
  return { works, rssMiB: peakRssBytes() / mib, openMs };
}

async function measureWork(
  cell: Cell,
  work: Work,
  scratch: string,
  options: { readonly windowMs: number; readonly bodyBytes: number; readonly seed: number },
): Promise<{ readonly figures: WorkFigures; readonly openMs: number }> {
  const { bodyBytes, seed } = options;
  const directories = Array.from({ length: cell.channels }, (_, index) => join(scratch, `channel-${index}`));
  for (const directory of directories) mkdirSync(directory);
  const openAll = (): Promise<FileChannel[]> =>
    Promise.all(directories.map((path) => FileChannel.open(path, { capacityEvents }, { disk: nodeDisk() })));
  const closeAll = (channels: readonly FileChannel[]): Promise<unknown> =>
    Promise.all(channels.map((channel) => channel.close()));
  let channels = await openAll();
  try {
    for (const channel of channels) await fillChannel(channel, cell.backlogEvents, bodyBytes, seed);
    await closeAll(channels);
    const startMs = performance.now();
    channels = await openAll();
    await Promise.all(channels.map((channel) => channel.put([{ headers: {}, body: Buffer.alloc(bodyBytes) }])));
    const openMs = performance.now() - startMs;
    const running = channels.map((channel, index) => runWork(channel, work, { ...options, seed: seed + 100 * index }));
    const done = await Promise.all(running);
    return { figures: together(done.map(({ put, taken }) => taken ?? put).filter(isThere), bodyBytes), openMs };
  } finally {
    await closeAll(channels);
    for (const directory of directories) rmSync(directory, { recursive: true, force: true });
    await nodeDisk().syncDirectory(scratch);
  }
}

function isThere(figures: CommitFigures | undefined): figures is CommitFigures {
  return figures !== undefined;
}

function together(all: readonly CommitFigures[], bodyBytes: number): WorkFigures {
  const eventsPerSecond = all.reduce((sum, one) => sum + one.eventsPerSecond, 0);
  const p99Ms = Math.max(...all.map(({ p99Us }) => p99Us / 1000));
  return { eventsPerSecond, megabytesPerSecond: (eventsPerSecond * bodyBytes) / 1e6, p99Ms };
}
