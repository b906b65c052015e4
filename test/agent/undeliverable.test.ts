/** Events that can never be delivered: they stay, or are moved into a dead letter channel, once, whatever crashes. */
import assert from 'node:assert/strict';
import { cp } from 'node:fs/promises';
import { join } from 'node:path';
import test from 'node:test';
import type { SinkContext } from '../../src/agent/contracts/components.ts';
import { keepUndeliverable, movesUndeliverable } from '../../src/agent/undeliverable.ts';
import { type Channel, type ChannelOptions, type Event, FileChannel, MemoryChannel } from '../../src/engine.ts';
import { ManualClock } from '../support/manual-clock.ts';
import { SimulatedDisk } from '../support/simulated-disk.ts';
import type { StopPhase } from '../support/simulated-faults.ts';
import { tempDir } from '../support/temp-dir.ts';
import { RecordedLog } from './recorded-log.ts';

const options: ChannelOptions = { segmentBytes: 65_536, checkpoint: 'memory', minimumFreeBytes: 0, keepAliveMs: 0 };
const log = new RecordedLog();

function makeEvents(bodies: readonly string[], headers: Readonly<Record<string, string>> = {}): Event[] {
  return bodies.map((body) => ({ headers, body: Buffer.from(body) }));
}

/** `bad-1` … among as many others. */
function mixed(count: number): string[] {
  return Array.from(
    { length: 2 * count },
    (_, index) => `${index % 2 === 0 ? 'bad' : 'good'}-${Math.floor(index / 2)}`,
  );
}

function bad(count: number): string[] {
  return mixed(count).filter((body) => body.startsWith('bad'));
}

/** Moves from `from` to `to`, as the sink k1 has it. */
function mover(from: Channel, to: Channel, said = log): SinkContext['undeliverable'] {
  const named = { from: { name: 'c1', channel: from }, to: { name: 'c2', channel: to } };
  return movesUndeliverable({ sink: 'k1', log: said, count: () => undefined, ...named });
}

/** A small sink: cannot deliver what begins with `bad`. `atOnce`: so many of those it settles in one call. */
async function drainAll(
  channel: Channel,
  undeliverable: SinkContext['undeliverable'],
  { max = 7, atOnce = max }: { max?: number; atOnce?: number } = {},
): Promise<void> {
  const consumer = channel.consumer('k1');
  for (let batch = await consumer.take(max); batch.events.length > 0; batch = await consumer.take(max)) {
    const refused = batch.events
      .filter(({ body }) => body.toString().startsWith('bad'))
      .map((event) => ({ event, reason: `event ${event.sequence} is bad` }));
    try {
      while (refused.length > 0) await undeliverable(consumer, refused.splice(0, atOnce));
    } catch (error) {
      await batch.rollback();
      throw error;
    }
    await batch.commit();
  }
}

/** Takes all; the bodies in the order of their numbers. */
async function lettersIn(channel: Channel): Promise<string[]> {
  const bodies: string[] = [];
  for (let batch = await channel.take(1000); batch.events.length > 0; batch = await channel.take(1000)) {
    bodies.push(...batch.events.map(({ body }) => body.toString()));
    await batch.commit();
  }
  const numberOf = (body: string): number => Number(body.split('-')[1]);
  return bodies.sort((a, b) => numberOf(a) - numberOf(b));
}

function countersOf(channel: Channel): { depth: number; taken: number; dropped: number } {
  const { depthEvents, counters } = channel.stats();
  return { depth: depthEvents, taken: counters.taken, dropped: counters.dropped };
}

test('block: the first is named, with its cure, and all stay', async () => {
  const channel = await MemoryChannel.open();
  await channel.put(makeEvents(mixed(3)));
  await assert.rejects(
    drainAll(channel, keepUndeliverable),
    /^Error: event 1 cannot be delivered, and is kept: event 1/,
  );
  assert.deepEqual(countersOf(channel), { depth: 6, taken: 0, dropped: 0 });
  await keepUndeliverable(channel.consumer('k1'), []);
});

/** What holds for channels of either kind. */
function movesSuite(kind: 'memory' | 'file'): void {
  const open = async (t: test.TestContext, capacity = 1000, transactionCapacity = capacity): Promise<Channel> => {
    if (kind === 'memory') return MemoryChannel.open({ capacity, transactionCapacity, keepAliveMs: 0 });
    const path = join(await tempDir(t), 'c');
    const channel = await FileChannel.open(path, { ...options, capacity, transactionCapacity });
    t.after(() => channel.close());
    return channel;
  };

  test(`${kind}: what cannot be delivered is moved, counted as dropped, and says where from and why`, async (t) => {
    const [from, to] = [await open(t), await open(t)];
    const said = new RecordedLog();
    await from.put(makeEvents(['good-0', 'bad-1'], { host: 'a', 'forebay.deadletter.sink': 'k0' }));
    await drainAll(from, mover(from, to, said));
    assert.deepEqual(countersOf(from), { depth: 0, taken: 1, dropped: 1 });
    const [letter] = (await to.take(10)).events;
    assert.equal(letter?.body.toString(), 'bad-1');
    assert.deepEqual(
      { ...letter?.headers },
      {
        host: 'a',
        'forebay.deadletter.reason': 'event 2 is bad',
        'forebay.deadletter.sink': 'k0',
        'forebay.deadletter.channel': 'c1',
        'forebay.deadletter.sequence': '2',
      },
    );
    const [line] = said.lines;
    assert.equal(line?.text, 'events that cannot be delivered were moved to the dead letter channel');
    assert.deepEqual(line?.fields, { channel: 'c2', events: 1, sequence: 2, error: 'event 2 is bad' });
  });

  test(`${kind}: while the dead letter channel is full the rest stays, and goes on when there is room`, async (t) => {
    const [from, to] = [await open(t), await open(t, 3)];
    await from.put(makeEvents(mixed(5)));
    const refused = /^Error: event 7 cannot be delivered, and could not be moved to channel c2: event 7 is bad/;
    await assert.rejects(drainAll(from, mover(from, to), { atOnce: 1 }), refused);
    assert.deepEqual(countersOf(from), { depth: 7, taken: 0, dropped: 3 });
    assert.deepEqual(await lettersIn(to), bad(3));
    await drainAll(from, mover(from, to), { atOnce: 1 });
    assert.deepEqual(await lettersIn(to), ['bad-3', 'bad-4']);
    assert.deepEqual(countersOf(from), { depth: 0, taken: 5, dropped: 5 });
  });

  test(`${kind}: where some were put and the rest was refused, all stay leased, and none is put twice`, async (t) => {
    const [from, to] = [await open(t), await open(t, 4, 2)];
    await from.put(makeEvents(bad(7)));
    const consumer = from.consumer('k1');
    const batch = await consumer.take(7);
    const refused = batch.events.map((event) => ({ event, reason: 'bad' }));
    await assert.rejects(
      mover(from, to)(consumer, refused),
      /^Error: event 1 cannot be delivered, and could not be moved/,
    );
    assert.equal(from.stats().leasedEvents, 7);
    await consumer.rollback(batch.ranges);
    const letters = await lettersIn(to);
    assert.ok(letters.length >= 2 && letters.length <= 4, letters.join());
    const other = { from: { name: 'c1', channel: from }, to: { name: 'c2', channel: to } };
    const settle = movesUndeliverable({ sink: 'k2', log, count: () => undefined, ...other });
    await drainAll(from, settle, { atOnce: 2, max: 4 });
    assert.deepEqual([...letters, ...(await lettersIn(to))], bad(7));
    assert.deepEqual(countersOf(from), { depth: 0, taken: 0, dropped: 7 });
  });

  test(`${kind}: dead letters may have dead letters of their own`, async (t) => {
    const channels = [await open(t), await open(t), await open(t)] as const;
    await channels[0].put(makeEvents(bad(4)));
    await drainAll(channels[0], mover(channels[0], channels[1]));
    await drainAll(channels[1], mover(channels[1], channels[2]));
    assert.deepEqual(await lettersIn(channels[2]), bad(4));
  });

  test(`${kind}: it takes less at once than there is, and headers that leave no room for more`, async (t) => {
    const [from, to] = [await open(t), await open(t, 1000, 3)];
    await from.put(makeEvents(bad(10)));
    await from.put(makeEvents(['bad-10'], { long: 'x'.repeat(2 ** 20 - 50) }));
    await drainAll(from, mover(from, to), { max: 20 });
    assert.deepEqual(countersOf(from), { depth: 0, taken: 0, dropped: 11 });
    const letters = (await to.take(20)).events;
    assert.deepEqual(
      letters.map(({ body }) => body.toString()),
      bad(11),
    );
    assert.deepEqual(Object.keys(letters[10]?.headers ?? {}), ['long']);
  });
}

for (const kind of ['memory', 'file'] as const) movesSuite(kind);

test('moves take turns, and what they note does not grow', async (t) => {
  const dir = await tempDir(t);
  const from = await FileChannel.open(join(dir, 'c1'), options);
  const to = await FileChannel.open(join(dir, 'c2'), options);
  await from.put(makeEvents(bad(2100)));
  const consumer = from.consumer('k1');
  const { events } = await consumer.take(2100);
  const settle = mover(from, to);
  const reason = 'no reason';
  const some = (first: number, last: number) => events.slice(first, last).map((event) => ({ event, reason }));
  await Promise.all([settle(consumer, some(0, 40)), settle(consumer, some(60, 70)), settle(consumer, some(40, 60))]);
  await settle(consumer, some(70, 2100));
  assert.deepEqual(countersOf(from), { depth: 0, taken: 0, dropped: 2100 });
  assert.deepEqual(await lettersIn(to), bad(2100));
  const notes = [from, to].flatMap(({ notes }) => notes.keys().map((key) => JSON.stringify(notes.get(key)).length));
  assert.equal(notes.length, 2);
  assert.ok(Math.max(...notes) < 1000, `${notes.join(' and ')} characters`);
  await from.close();
  await to.close();
});

test('what was put and could not be dropped is only dropped, by any sink of the channel', async (t) => {
  const dir = await tempDir(t);
  const from = await FileChannel.open(join(dir, 'c1'), options);
  const to = await FileChannel.open(join(dir, 'c2'), options);
  await from.put(makeEvents(bad(6)));
  const drop = { fails: true };
  const failing: SinkContext['undeliverable'] = (consumer, events) => {
    const broken = Object.create(consumer, {
      drop: {
        value: (...given: Parameters<typeof consumer.drop>) => (drop.fails ? refuse() : consumer.drop(...given)),
      },
    });
    return mover(from, to)(broken, events);
  };
  const refuse = () => Promise.reject(new Error('no'));
  await assert.rejects(drainAll(from, failing, { max: 4 }), /could not be moved/);
  await assert.rejects(drainAll(from, failing, { max: 2 }), /could not be moved/);
  assert.deepEqual(countersOf(to), { depth: 4, taken: 0, dropped: 0 });
  const named = { from: { name: 'c1', channel: from }, to: { name: 'c2', channel: to } };
  const other = movesUndeliverable({ sink: 'k2', log, count: () => undefined, ...named });
  await drainAll(from, other, { max: 1 });
  assert.deepEqual(await lettersIn(to), bad(6));
  assert.deepEqual(countersOf(from), { depth: 0, taken: 0, dropped: 6 });
  await from.close();
  await to.close();
});

test('moves that failed are remembered while others succeed', async (t) => {
  const dir = await tempDir(t);
  const from = await FileChannel.open(join(dir, 'c1'), options);
  const to = await FileChannel.open(join(dir, 'c2'), options);
  await from.put(makeEvents(bad(8)));
  const consumer = from.consumer('k1');
  const events = (await consumer.take(8)).events.map((event) => ({ event, reason: 'bad' }));
  const failing = Object.create(consumer, { drop: { value: () => Promise.reject(new Error('no')) } });
  const settle = mover(from, to);
  const failed = await Promise.allSettled([settle(failing, events.slice(0, 2)), settle(failing, events.slice(2, 4))]);
  assert.deepEqual(
    failed.map(({ status }) => status),
    ['rejected', 'rejected'],
  );
  await settle(consumer, events.slice(4, 6));
  await settle(consumer, events.slice(1, 3));
  await settle(consumer, events.slice(6));
  await settle(consumer, [...events.slice(3, 4), ...events.slice(0, 1)]);
  assert.deepEqual(countersOf(from), { depth: 0, taken: 0, dropped: 8 });
  assert.deepEqual(await lettersIn(to), bad(8));
  await from.close();
  await to.close();
});

test('what comes back after its move was over, as by a rewind, is moved again', async (t) => {
  const dir = await tempDir(t);
  const from = await FileChannel.open(join(dir, 'c1'), options);
  const to = await FileChannel.open(join(dir, 'c2'), options);
  await from.put(makeEvents(bad(4)));
  const consumer = from.consumer('k1');
  const events = (await consumer.take(4)).events.map((event) => ({ event, reason: 'bad' }));
  await mover(from, to)(consumer, events);
  const again = Object.create(consumer, { drop: { value: () => Promise.resolve() } });
  await mover(from, to)(again, events.slice(1, 3));
  assert.deepEqual(await lettersIn(to), ['bad-0', 'bad-1', 'bad-1', 'bad-2', 'bad-2', 'bad-3']);
  await from.close();
  await to.close();
});

test('a dead letter channel that was made anew knows nothing of earlier moves', async (t) => {
  const dir = await tempDir(t);
  const from = await FileChannel.open(join(dir, 'c1'), options);
  await from.put(makeEvents(bad(6)));
  const consumer = from.consumer('k1');
  const events = (await consumer.take(6)).events.map((event) => ({ event, reason: 'bad' }));
  const earlier = await FileChannel.open(join(dir, 'c2'), options);
  await mover(from, earlier)(consumer, events.slice(0, 1));
  await mover(from, earlier)(consumer, events.slice(1, 3));
  assert.deepEqual(await lettersIn(earlier), bad(3));
  await earlier.close();
  const anew = await FileChannel.open(join(dir, 'c3'), options);
  const failing = Object.create(consumer, { drop: { value: () => Promise.reject(new Error('no')) } });
  await assert.rejects(mover(from, anew)(failing, events.slice(3)), /could not be moved/);
  await mover(from, anew)(consumer, events.slice(3));
  assert.deepEqual(await lettersIn(anew), ['bad-3', 'bad-4', 'bad-5']);
  await anew.close();
  await from.close();
});

test('through a channel in memory, which has notes of both kinds', async (t) => {
  const from = await FileChannel.open(join(await tempDir(t), 'c1'), options);
  const [middle, to] = [await MemoryChannel.open(), await MemoryChannel.open()];
  await from.put(makeEvents(bad(4)));
  await drainAll(from, mover(from, middle));
  await drainAll(middle, mover(middle, to));
  assert.deepEqual(await lettersIn(to), bad(4));
  await from.close();
});

test('abandoned between put and drop, on a real disk: moved once', async (t) => {
  const [dir, left] = [await tempDir(t), await tempDir(t)];
  const from = await FileChannel.open(join(dir, 'c1'), options);
  const to = await FileChannel.open(join(dir, 'c2'), options);
  await from.put(makeEvents(bad(8)));
  const consumer = from.consumer('k1');
  const events = (await consumer.take(5)).events.map((event) => ({ event, reason: 'bad' }));
  // What a process that is killed here leaves.
  const abandoned = Object.create(consumer, {
    drop: { value: () => cp(dir, left, { recursive: true }).then(() => Promise.reject(new Error('killed'))) },
  });
  await assert.rejects(mover(from, to)(abandoned, events), /could not be moved/);
  await from.close();
  await to.close();
  const again = await FileChannel.open(join(left, 'c1'), options);
  const letters = await FileChannel.open(join(left, 'c2'), options);
  assert.deepEqual(countersOf(letters), { depth: 5, taken: 0, dropped: 0 });
  await drainAll(again, mover(again, letters), { max: 3 });
  assert.deepEqual(countersOf(again), { depth: 0, taken: 0, dropped: 8 });
  assert.deepEqual(await lettersIn(letters), bad(8));
  await again.close();
  await letters.close();
});

/** Both channels on one disk, as they are found. */
async function openBoth(disk: SimulatedDisk, clock: ManualClock): Promise<[Channel, Channel]> {
  const open = (name: string) => FileChannel.open(`/${name}`, options, { disk, clock });
  return clock.run(Promise.all([open('c1'), open('c2')]));
}

/** One life that ends at the `operation`th write of its moves; true where they ended before. */
async function crashOnce(operation: number, phase: StopPhase, power: boolean): Promise<boolean> {
  const clock = new ManualClock();
  const disk = new SimulatedDisk({ seed: operation });
  const [from, to] = await openBoth(disk, clock);
  await clock.run(from.put(makeEvents(mixed(10))));
  disk.stopAt(disk.operations.length + operation, phase);
  const isDone = await clock.run(drainAll(from, mover(from, to), { max: 9 }).then(() => true)).catch(() => false);
  clock.forget();
  const [again, letters] = await openBoth(power ? disk.powerCut(operation) : disk.kill(), clock);
  await clock.run(drainAll(again, mover(again, letters), { max: 5, atOnce: 2 }));
  assert.equal(again.stats().depthEvents, 0);
  assert.equal(again.stats().counters.dropped, 10);
  const where = `${phase} operation ${operation}, ${power ? 'power cut' : 'killed'}`;
  assert.deepEqual(await clock.run(lettersIn(letters)), bad(10), where);
  await clock.run(Promise.all([again.close(), letters.close()]));
  return isDone;
}

test('a crash at any write of a move, and in the middle of it: each is moved once', async () => {
  const lives = { crashed: 0, ended: 0 };
  for (const phase of ['before', 'during', 'after'] as const) {
    for (const power of [false, true]) {
      let isDone = false;
      for (let operation = 1; !isDone; operation += 1) {
        isDone = await crashOnce(operation, phase, power);
        lives[isDone ? 'ended' : 'crashed'] += 1;
      }
    }
  }
  assert.ok(lives.crashed >= 6 * 6, `${lives.crashed} crashes`);
  console.log(`shows: dead letters: ${lives.crashed} crashes in the middle of moves, each event moved once`);
});
