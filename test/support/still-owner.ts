/** An owner whose time stands: nothing is proven but by the next commit, until the test says so. */
import { setTimeout as pass } from 'node:timers/promises';
import type { Disk } from '../../src/base/disk.ts';
import { nodeDisk } from '../../src/base/disk-node.ts';
import { FileChannel } from '../../src/channel/file-channel.ts';
import type { ChannelOptions } from '../../src/channel/options.ts';
import type { Event } from '../../src/event/event.ts';
import { KilledDisk } from './killed-disk.ts';
import { ManualClock, turnOver } from './manual-clock.ts';

/** Small segments, no checkpoint of its own. */
export const stillOptions = { segmentBytes: 65_536, minimumFreeBytes: 0, checkpoint: 'memory' } as const;

/** An owner that ends by a kill. */
export interface StillOwner {
  readonly channel: FileChannel;
  /** A MARK proves the last commit. */
  prove(): Promise<void>;
  kill(): Promise<void>;
}

/** Opens the channel. `clock`: its time. */
export async function openStill(
  directory: string,
  clock: ManualClock = new ManualClock(),
  options: ChannelOptions = {},
  disk: Disk = nodeDisk(),
): Promise<StillOwner> {
  const killed = new KilledDisk(disk, Number.POSITIVE_INFINITY);
  const channel = await FileChannel.open(directory, { ...stillOptions, ...options }, { disk: killed.disk, clock });
  const prove = async (): Promise<void> => {
    clock.advance(100);
    for (let turn = 0; turn < 8; turn += 1) await turnOver();
    await pass(20);
  };
  return { channel, prove, kill: () => killed.end() };
}

/** Events with these bodies. */
export function events(...bodies: readonly string[]): Event[] {
  return bodies.map((body) => ({ headers: {}, body: Buffer.from(body) }));
}

/** Events with a number each as their body, and something behind it. */
export function numbered(first: number, count: number, padding = ''): Event[] {
  return events(...Array.from({ length: count }, (_, at) => `${first + at}${padding}`));
}
