/**
 * A channel to damage and mend: several segments, in one directory or two, encrypted or not, closed in order, with
 * its checkpoint; and the oracle: what was put, and what of it was settled, as its caller knows it.
 */
import assert from 'node:assert/strict';
import { memoryDisk } from '../../../src/base/disk-memory.ts';
import type { Sequence } from '../../../src/base/units.ts';
import { FileChannel } from '../../../src/channel/file-channel.ts';
import type { ChannelOptions } from '../../../src/channel/options.ts';
import { memoryCheckpointStore } from '../../../src/checkpoint/memory.ts';
import type { CheckpointRecord } from '../../../src/checkpoint/store.ts';
import { expand } from '../../damage/expectation.ts';
import { diskOf, environmentOf, type Files, home, readFiles } from '../../damage/reference-log.ts';
import type { SeededRandom } from '../../support/seeded-random.ts';

/** See above. */
export interface Sample {
  readonly options: ChannelOptions;
  readonly files: Files;
  readonly checkpoint: CheckpointRecord;
  readonly oracle: Oracle;
}

/** What the one who used the channel knows. */
export interface Oracle {
  /** The body of each event that was put. */
  readonly bodies: Map<Sequence, string>;
  /** Taken, dropped, or prepared and committed. */
  readonly settled: Set<Sequence>;
}

const masterKey: Buffer = Buffer.alloc(32, 9);

/** What kinds of channel there are. */
export const sampleKinds: readonly ChannelOptions[] = [
  {},
  { dataDirs: ['/d1', '/d2'] },
  { encryption: { activeKey: 1, keys: { 1: masterKey } } },
  { compression: 'deflate', dataDirs: ['/d1', '/d2'], encryption: { activeKey: 1, keys: { 1: masterKey } } },
];

/** Builds one in up to three lives; all but the last may end as by `kill -9`. */
export async function buildSample(kind: ChannelOptions, random: SeededRandom): Promise<Sample> {
  const options: ChannelOptions = { segmentBytes: 65_536, minimumFreeBytes: 0, ...kind };
  const store = memoryCheckpointStore();
  const oracle: Oracle = { bodies: new Map(), settled: new Set() };
  const lives = 1 + random.below(3);
  let disk = memoryDisk();
  let files: Files = new Map();
  for (let life = 1; life <= lives; life++) {
    const channel = await FileChannel.open(home, options, environmentOf(disk, store, random.next()));
    for (let step = 0; step < 60 / lives; step++) await work(channel, oracle, random, `${life}.${step}`);
    const isKilled = life < lives && random.chance(0.5);
    if (isKilled) files = await readFiles(disk, '/');
    await channel.close();
    if (!isKilled) files = await readFiles(disk, '/');
    disk = await diskOf(files);
  }
  const checkpoint = await store.load();
  assert.ok(checkpoint);
  return { options, files, checkpoint, oracle };
}

/** One transaction of some kind; two in three put. */
export async function work(channel: FileChannel, oracle: Oracle, random: SeededRandom, name: string): Promise<void> {
  const choice = random.below(9);
  if (choice < 6) return await put(channel, oracle, random, name);
  const consumer = channel.consumer('k');
  const batch = await consumer.take(1 + random.below(12));
  const some = batch.ranges.flatMap(expand).filter(() => random.chance(0.7));
  const ranges = some.map((sequence) => ({ first: sequence, last: sequence }));
  const settle = () => {
    for (const sequence of some) oracle.settled.add(sequence);
  };
  if (choice === 6 && ranges.length > 0) {
    await consumer.commit(ranges, random.chance(0.5) ? { notes: { taken: name } } : {});
    settle();
  } else if (choice === 7 && ranges.length > 0) {
    const id = await consumer.prepare(ranges, { part: name });
    if (random.chance(0.5)) {
      await channel.resolve(id, 'commit');
      settle();
    }
  } else if (ranges.length > 0 && random.chance(0.3)) {
    await consumer.drop(ranges);
    settle();
  }
  await batch.rollback();
}

async function put(channel: FileChannel, { bodies }: Oracle, random: SeededRandom, name: string): Promise<void> {
  const transactions = 1 + random.below(3);
  const puts = Array.from({ length: transactions }, async (_, turn) => {
    const count = 1 + random.below(8);
    const texts = Array.from({ length: count }, (_unused, index) => {
      return `${name}.${turn}.${index}`.padEnd(40 + random.below(1500), '.');
    });
    const events = texts.map((text) => ({ headers: { host: `h${turn}` }, body: Buffer.from(text) }));
    const ranges = await channel.put(events, random.chance(0.2) ? { notes: { position: name } } : {});
    for (const [index, sequence] of ranges.flatMap(expand).entries()) bodies.set(sequence, texts[index] ?? '');
  });
  await Promise.all(puts);
}
