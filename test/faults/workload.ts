/**
 * The work that faults are injected into: every kind of commit, lone and together, small and large, segments that are
 * started, drained, recycled, deleted; an orderly close and another open; a checkpoint; a take that is prepared.
 */
import { FileChannel } from '../../src/channel/file-channel.ts';
import type { ChannelOptions } from '../../src/channel/options.ts';
import { memoryCheckpointStore } from '../../src/checkpoint/memory.ts';
import { ManualClock } from '../support/manual-clock.ts';
import { SeededRandom } from '../support/seeded-random.ts';
import { SimulatedDisk, type SimulatedDiskOptions } from '../support/simulated-disk.ts';
import type { Operation } from '../support/simulated-faults.ts';
import type { Ledger } from './ledger.ts';

/** A disk that remembers the names its files had: a file keeps its history under a new name. */
export class NamedDisk extends SimulatedDisk {
  readonly renames: { readonly from: string; readonly to: string; readonly after: number }[] = [];

  constructor(options: SimulatedDiskOptions) {
    super(options);
  }

  override async rename(from: string, to: string): Promise<void> {
    this.renames.push({ from, to, after: this.operations.length });
    return super.rename(from, to);
  }

  /** All names of the file that had `path`; segments and spares have names that are never used twice. */
  namesOf(path: string): ReadonlySet<string> {
    const names = new Set([path]);
    for (let size = 0; size !== names.size; ) {
      size = names.size;
      for (const { from, to } of this.renames) {
        if (names.has(from) || names.has(to)) names.add(from).add(to);
      }
    }
    return names;
  }
}

/** A life of the channel on a disk. */
export interface Life {
  readonly clock: ManualClock;
  readonly open: () => Promise<FileChannel>;
}

/** What all of them are opened with. */
export const workloadOptions: ChannelOptions = { segmentBytes: 65_536, minimumFreeBytes: 0 };

/** Ways to open the channel on `disk`. */
export function lifeOn(disk: SimulatedDisk, options: ChannelOptions = workloadOptions): Life {
  const clock = new ManualClock();
  const random = new SeededRandom(disk.options.seed);
  const store = memoryCheckpointStore();
  const openCheckpoint = async () => ({ store, notice: undefined });
  return { clock, open: () => FileChannel.open('/c', options, { disk, clock, random, openCheckpoint }) };
}

/** Does all of it, as far as the channel goes on. Gives the channel, open, or what an open failed with. */
export async function work(life: Life, ledger: Ledger, first: FileChannel): Promise<FileChannel> {
  await smallCommits(ledger, first);
  await twoPhases(ledger, first, life.clock);
  await first.checkpoint();
  await rotations(ledger, first);
  await first.close();
  const second = await life.open();
  await afterwards(ledger, second);
  return second;
}

async function smallCommits(ledger: Ledger, channel: FileChannel): Promise<void> {
  await ledger.put(channel, 3, 20);
  await Promise.all([
    ledger.put(channel, 2, 100),
    ledger.put(channel, 4, 500),
    ledger.put(channel, 1, 3000),
    ledger.put(channel, 1, 20),
  ]);
  const batch = await ledger.take(channel, 4);
  await ledger.ack(batch);
  await Promise.all([ledger.put(channel, 6, 4000), takeAndAck(ledger, channel, 2)]);
}

async function twoPhases(ledger: Ledger, channel: FileChannel, clock: ManualClock): Promise<void> {
  const consumer = channel.consumer('k');
  const batch = await ledger.take(consumer, 6);
  const id = await ledger.prepare(consumer, batch, 0, 2);
  await Promise.all([ledger.ackPart(consumer, batch, 2, 4), ledger.put(channel, 8, 3000)]);
  await ledger.put(channel, 8, 3000);
  await consumer.close();
  clock.advance(100);
  await ledger.resolve(channel, id, 'commit');
  const again = channel.consumer('k');
  const other = await ledger.prepare(again, await ledger.take(again, 5), 1, 3);
  await again.close();
  await ledger.put(channel, 1, 20);
  await ledger.resolve(channel, other, 'rollback');
}

/** Segments fill, drain and are used again. */
async function rotations(ledger: Ledger, channel: FileChannel): Promise<void> {
  for (let round = 0; round < 5; round += 1) {
    await Promise.all([ledger.put(channel, 11, 4000), takeAndAck(ledger, channel, 12)]);
    await ledger.put(channel, 1, 20);
  }
  await takeAndAck(ledger, channel, 1000);
  await ledger.put(channel, 12, 4000);
  await Promise.all([takeAndAck(ledger, channel, 6), ledger.put(channel, 12, 4000), ledger.put(channel, 1, 20)]);
}

async function afterwards(ledger: Ledger, channel: FileChannel): Promise<void> {
  await ledger.put(channel, 3, 10);
  await takeAndAck(ledger, channel, 4);
  await ledger.put(channel, 1, 100_000);
  await takeAndAck(ledger, channel, 1000);
  const consumer = channel.consumer('k');
  await ledger.put(channel, 4, 30);
  await ledger.prepare(consumer, await ledger.take(consumer, 3), 0, 2);
  await consumer.close();
  await ledger.put(channel, 2, 30);
}

async function takeAndAck(ledger: Ledger, channel: FileChannel, max: number): Promise<void> {
  const batch = await ledger.take(channel, max);
  if (batch.events.length > 0) await ledger.ack(batch);
}

/** Calls in the order they came, for a message. */
export function describe(operation: Operation | undefined): string {
  return operation === undefined ? 'nothing' : `${operation.index} ${operation.kind} ${operation.path}`;
}
