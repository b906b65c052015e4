/** Rewind and readmission: settled events are pending again, whole or not at all, delivered in order, and counted. */
import assert from 'node:assert/strict';
import test from 'node:test';
import type { OpenCheckpoint } from '../../src/channel/channel-parts.ts';
import { FileChannel } from '../../src/channel/file-channel.ts';
import type { ChannelOptions } from '../../src/channel/options.ts';
import { memoryCheckpointStore } from '../../src/checkpoint/memory.ts';
import type { CheckpointStore } from '../../src/checkpoint/store.ts';
import { assertCountsAddUp, expand, makeEvents, refuses, sequencesOf, upTo } from '../conformance/channel-support.ts';
import { ManualClock, turnOver } from '../support/manual-clock.ts';
import { SeededRandom } from '../support/seeded-random.ts';
import { SimulatedDisk } from '../support/simulated-disk.ts';

/** By channel: it stays where the disk crashes. */
const stores = new Map<string, CheckpointStore>();
let seeds = 0;

function openOn(disk: SimulatedDisk, options: ChannelOptions = {}): Promise<FileChannel> {
  const given = { segmentBytes: 65_536, minimumFreeBytes: 0, retentionHours: 1, ...options };
  const openCheckpoint: OpenCheckpoint = async ({ channelId }) => {
    const store = stores.get(channelId) ?? memoryCheckpointStore();
    stores.set(channelId, store);
    return { store, notice: undefined };
  };
  const clock = new ManualClock(0);
  seeds += 1;
  return FileChannel.open('/channel', given, { disk, clock, random: new SeededRandom(seeds), openCheckpoint });
}

/** Takes all that is ready, and gives it back. */
async function ready(channel: FileChannel): Promise<number[]> {
  const batches = [];
  for (let batch = await channel.take(5000); batch.events.length > 0; batch = await channel.take(5000)) {
    for (const { sequence, body } of batch.events) assert.equal(body.toString(), `${sequence - 1}`);
    batches.push(batch);
  }
  for (const batch of batches) await batch.rollback();
  return batches.flatMap(sequencesOf);
}

async function putAndTake(channel: FileChannel, put: number, taken: number): Promise<void> {
  for (let from = 0; from < put; from += 1000) await channel.put(makeEvents(Math.min(1000, put - from), from));
  for (let left = taken; left > 0; ) {
    const batch = await channel.take(Math.min(left, 1000));
    left -= batch.events.length;
    await batch.commit();
  }
}

test('a range comes back in order, and only what was settled of it', async () => {
  const disk = new SimulatedDisk({ seed: 1 });
  const channel = await openOn(disk);
  await putAndTake(channel, 9000, 8500);
  assert.ok(channel.stats().segments > 2, `${channel.stats().segments} segments`);
  const asked = [
    { first: 100, last: 4000 },
    { first: 7000, last: 12_000 },
  ];
  assert.deepEqual(channel.acknowledgedOf(asked), [asked[0], { first: 7000, last: 8500 }]);
  assert.equal(await channel.requeue(asked), 3901 + 1501);
  const expected = [...upTo(3901, 100), ...upTo(2001, 7000)];
  assert.deepEqual(await ready(channel), expected);
  assert.equal(await channel.requeue(asked), 0, 'they are pending already');
  assertCountsAddUp(channel);
  const { counters, depthEvents } = channel.stats();
  assert.deepEqual([counters.requeued, depthEvents], [5402, expected.length]);
  for (const life of ['kill', 'power']) {
    const again = await openOn(life === 'kill' ? disk.kill() : disk.powerCut(7), { retentionHours: 0 });
    assert.deepEqual([again.stats().counters, await ready(again), again.damages], [counters, expected, []], life);
  }
});

test('200,000 single ranges are one frame; a kill in it leaves all of them or none', async () => {
  const disk = new SimulatedDisk({ seed: 2 });
  const channel = await openOn(disk, { transactionCapacity: 500_000, segmentBytes: 4_194_304 });
  const count = 400_000;
  await channel.put(Array.from({ length: count }, () => ({ headers: {}, body: Buffer.alloc(0) })));
  const consumer = channel.consumer('k');
  for (let taken = 0; taken < count; taken += (await consumer.take(50_000)).events.length);
  const odd = upTo(count / 2).map((index) => ({ first: 2 * index + 1, last: 2 * index + 1 }));
  await consumer.commit(odd);
  await channel.checkpoint();
  const before = channel.stats().counters;
  disk.stopAt(disk.operations.length + 1, 'during');
  await channel.requeue([{ first: 1, last: count }]).catch(() => undefined);
  const cut = await openOn(disk.powerCut(3));
  const { counters } = cut.stats();
  assert.ok([0, count / 2].includes(counters.requeued), `${counters.requeued}`);
  if (counters.requeued === 0) assert.equal(await cut.requeue([{ first: 1, last: count }]), count / 2);
  assert.deepEqual(cut.stats().counters, { ...before, requeued: count / 2 });
  assert.equal(cut.stats().depthEvents, count);
});

test('capacity counts what comes back, by events and bytes; takers that wait get it', async () => {
  const options = { capacityEvents: 40, capacityBytes: 1_000_000, keepAliveMs: 0 };
  const disk = new SimulatedDisk({ seed: 3 });
  const channel = await openOn(disk, options);
  await channel.put(makeEvents(30));
  await (await channel.take(30)).commit();
  const waiting = channel.take(100, { waitMs: 1000 });
  assert.equal(await channel.requeue([{ first: 11, last: 30 }]), 20);
  const batch = await waiting;
  assert.deepEqual(sequencesOf(batch), upTo(20, 11));
  await batch.rollback();
  await refuses('CHANNEL_FULL', () => channel.put(makeEvents(21, 30)));
  await channel.put(makeEvents(20, 30));
  assert.deepEqual(await ready(channel), upTo(40, 11));
});

test('what is leased, prepared or not there is left alone; malformed ranges and a closed channel refuse', async () => {
  const disk = new SimulatedDisk({ seed: 4 });
  const channel = await openOn(disk);
  await channel.put(makeEvents(10));
  const consumer = channel.consumer('k');
  await consumer.take(6);
  await consumer.commit([{ first: 1, last: 2 }]);
  const id = await consumer.prepare([{ first: 3, last: 4 }], null);
  assert.equal(await channel.requeue([{ first: 1, last: 1_000_000 }]), 2);
  assert.deepEqual(await ready(channel), [1, 2, 7, 8, 9, 10]);
  await channel.resolve(id, 'commit');
  assert.equal(await channel.requeue([{ first: 4, last: 4 }]), 1);
  assert.deepEqual(expand(channel.acknowledgedOf([{ first: 1, last: 10 }])), [3]);
  const backwards = [
    { first: 5, last: 5 },
    { first: 1, last: 2 },
  ];
  await refuses('TRANSACTION_STATE', () => channel.requeue(backwards));
  await channel.close();
  await refuses('CHANNEL_CLOSED', () => channel.requeue([{ first: 1, last: 1 }]));
});

test('lost events whose bytes hold again are readmitted', async () => {
  const disk = new SimulatedDisk({ seed: 5 });
  const channel = await openOn(disk);
  await channel.put(makeEvents(5));
  await channel.put(makeEvents(5, 5));
  await channel.close();
  const path = '/channel/0000000000000001.seg';
  let at = -1;
  const flip = async (): Promise<void> => {
    const file = await disk.open(path, { mode: 'write' });
    const bytes = Buffer.alloc(await file.bytes());
    await file.read(bytes, 0);
    if (at < 0) at = bytes.indexOf('56789');
    bytes.writeUInt8(bytes.readUInt8(at) ^ 1, at);
    await file.write(bytes.subarray(at, at + 1), at);
    await file.sync();
    await file.close();
  };
  await flip();
  const damaged = await openOn(disk);
  assert.deepEqual(await ready(damaged), upTo(5, 1));
  while (damaged.stats().counters.quarantined < 5) await turnOver();
  await damaged.close();
  await flip();
  const mended = await openOn(disk);
  assert.equal(mended.stats().counters.quarantined, 5);
  assert.equal(await mended.requeue([{ first: 1, last: 10 }]), 5);
  assert.deepEqual(await ready(mended), upTo(10, 1));
  assertCountsAddUp(mended);
});

test('an older checkpoint that knows events as taken does not make a rewind look like damage', async () => {
  const disk = new SimulatedDisk({ seed: 6 });
  const channel = await openOn(disk);
  await putAndTake(channel, 5000, 5000);
  await channel.checkpoint();
  assert.equal(await channel.requeue([{ first: 4000, last: 5000 }]), 1001);
  const killed = disk.kill();
  const [, second = ''] = ((await killed.list('/channel')) ?? []).filter((name) => /^[0-9a-f]{16}\.seg$/.test(name));
  const file = await killed.open(`/channel/${second}`, { mode: 'write' });
  await file.write(Buffer.alloc(16, 0xff), 0);
  await file.close();
  const again = await openOn(killed);
  await again.checkpoint();
  assert.deepEqual(await ready(again), upTo(1001, 4000));
  assert.ok(!again.damages.some(({ kind }) => kind === 'record'), JSON.stringify(again.damages));
});
