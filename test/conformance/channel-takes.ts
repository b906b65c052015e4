/** Channel suite: takes, their waiting, and consumers with their leases. */
import assert from 'node:assert/strict';
import type { SequenceRanges } from '../../src/base/units.ts';
import type { Channel, TakeBatch } from '../../src/channel/channel.ts';
import {
  assertCountsAddUp,
  bodiesOf,
  type ChannelCases,
  drain,
  expand,
  isSettled,
  makeEvents,
  range,
  refuses,
  sequencesOf,
  sleep,
  upTo,
} from './channel-support.ts';

/** Takes and batches. */
export const takeCases: ChannelCases = {
  'a take from an empty channel gives an empty batch at once, whose commit and rollback do nothing': async (open) => {
    const { channel } = await open();
    const batch = await channel.take(10);
    assert.deepEqual([batch.events, batch.ranges], [[], []]);
    assert.deepEqual(await batch.commit(), []);
    assert.deepEqual(await batch.commit(), []);
    await batch.rollback();
  },

  'a take waits up to waitMs for the first event': async (open) => {
    const { channel } = await open();
    const start = performance.now();
    assert.equal((await channel.take(10, { waitMs: 60 })).events.length, 0);
    assert.ok(performance.now() - start >= 55, 'it waited');
    const take = channel.take(10, { waitMs: 20_000 });
    assert.equal(await isSettled(take), false);
    await channel.put(makeEvents(2));
    assert.deepEqual(bodiesOf(await take), [0, 1]);
  },

  'a rollback wakes a waiting take': async (open) => {
    const { channel } = await open();
    await channel.put(makeEvents(3));
    const held = await channel.take(3);
    const take = channel.take(2, { waitMs: 20_000 });
    assert.equal(await isSettled(take), false);
    await held.rollback();
    assert.deepEqual(bodiesOf(await take), [0, 1]);
  },

  'takers are served first come first served': async (open) => {
    const { channel } = await open();
    const takers = upTo(5).map(() => channel.take(1, { waitMs: 20_000 }));
    await isSettled(takers[0]!);
    await channel.put(makeEvents(3));
    await channel.put(makeEvents(2, 3));
    const batches = await Promise.all(takers);
    assert.deepEqual(batches.map(bodiesOf), [[0], [1], [2], [3], [4]]);
  },

  'aborting ends a wait with an empty batch and loses nothing': async (open) => {
    const { channel } = await open();
    const abort = new AbortController();
    const waiting = channel.take(10, { waitMs: 20_000, signal: abort.signal });
    assert.equal(await isSettled(waiting), false);
    abort.abort();
    assert.equal((await waiting).events.length, 0);
    assert.equal((await channel.take(10, { waitMs: 20_000, signal: abort.signal })).events.length, 0);
    await channel.put(makeEvents(2));
    assert.deepEqual(await drain(channel), [0, 1]);
  },

  'max and maxBytes bound a batch; a larger event comes alone': async (open) => {
    const { channel } = await open();
    const sizes = [100, 100, 100, 500, 100, 0, 0];
    await channel.put(sizes.map((size) => ({ headers: { h: 'not counted' }, body: Buffer.alloc(size) })));
    const sizesOf = (batch: TakeBatch): number[] => batch.events.map(({ body }) => body.length);
    assert.deepEqual(sizesOf(await channel.take(2)), [100, 100]);
    assert.deepEqual(sizesOf(await channel.take(10, { maxBytes: 250 })), [100]);
    assert.deepEqual(sizesOf(await channel.take(10, { maxBytes: 250 })), [500]);
    assert.deepEqual(sizesOf(await channel.take(10, { maxBytes: 100 })), [100, 0, 0]);
  },

  'a committed batch does not come back': async (open) => {
    const { channel } = await open();
    await channel.put(makeEvents(5));
    const batch = await channel.take(3);
    assert.deepEqual(batch.ranges, [range(1, 3)]);
    assert.deepEqual(await batch.commit(), [range(1, 3)]);
    assert.deepEqual(await drain(channel), [3, 4]);
    assert.deepEqual(channel.stats().counters, { put: 5, requeued: 0, taken: 5, dropped: 0, quarantined: 0 });
  },

  'a batch that is rolled back comes first, in order, with its sequences': async (open) => {
    const { channel } = await open();
    await channel.put(makeEvents(6));
    const first = await channel.take(2);
    const second = await channel.take(2);
    await second.rollback();
    await first.rollback();
    const again = await channel.take(5);
    assert.deepEqual(bodiesOf(again), upTo(5));
    assert.deepEqual(sequencesOf(again), upTo(5, 1));
    assert.deepEqual(channel.stats().counters.taken, 0);
  },

  'ranges that were given back are served ascending, before newer events': async (open) => {
    const { channel } = await open();
    await channel.put(makeEvents(10));
    const k = channel.consumer('k');
    await k.take(8);
    await k.rollback([range(7, 7)]);
    await k.rollback([range(2, 3), range(5, 5)]);
    const batch = await channel.take(10);
    assert.deepEqual(sequencesOf(batch), [2, 3, 5, 7, 9, 10]);
    assert.deepEqual(batch.ranges, [range(2, 3), range(5, 5), range(7, 7), range(9, 10)]);
    assert.deepEqual(await batch.commit(), batch.ranges);
  },

  'a batch is settled once': async (open) => {
    const { channel } = await open();
    await channel.put(makeEvents(8));
    const [a, b, c] = [await channel.take(2), await channel.take(2), await channel.take(2)];
    const commit = a.commit();
    await refuses('TRANSACTION_STATE', () => a.commit());
    await refuses('TRANSACTION_STATE', () => a.rollback());
    assert.deepEqual(await commit, [range(1, 2)]);
    await b.commit();
    await c.rollback();
    for (const batch of [a, b, c]) {
      await refuses('TRANSACTION_STATE', () => batch.commit());
      await refuses('TRANSACTION_STATE', () => batch.rollback());
    }
    assert.deepEqual(await drain(channel), upTo(4, 4));
  },

  'arguments of take are checked': async (open) => {
    const { channel } = await open();
    for (const max of [0, -1, 1.5, Number.NaN, '3' as unknown as number, undefined as unknown as number]) {
      await refuses('CONFIG_INVALID', () => channel.take(max));
    }
    for (const waitMs of [-1, Number.NaN, 2 ** 31, '1' as unknown as number]) {
      await refuses('CONFIG_INVALID', () => channel.take(1, { waitMs }));
    }
    for (const maxBytes of [0, Number.NaN, '1' as unknown as number]) {
      await refuses('CONFIG_INVALID', () => channel.take(1, { maxBytes }));
    }
  },

  'what many producers put, many takers get, once each, however they roll back': async (open) => {
    const { channel } = await open({ capacityEvents: 500, keepAliveMs: 20_000 });
    const total = 6 * 30 * 10;
    const got = new Map<number, number>();
    const deadlineMs = performance.now() + 12_000;
    const producers = upTo(6).map(async (producer) => {
      for (const put of upTo(30)) await channel.put(makeEvents(10, (producer * 30 + put) * 10));
    });
    const takers = upTo(6).map(async (taker) => {
      const consumer = channel.consumer(`k${taker}`);
      for (let turn = taker; got.size < total; turn++) {
        // Or wrong bodies would keep the process in this loop for good.
        assert.ok(performance.now() < deadlineMs, `${got.size} of ${total} events after 12 s`);
        const batch = await consumer.take(1 + (turn % 17), { waitMs: 20 });
        assertAscends(batch);
        if (turn % 5 === 0) {
          await batch.rollback();
          continue;
        }
        await batch.commit();
        for (const body of bodiesOf(batch)) got.set(body, (got.get(body) ?? 0) + 1);
      }
    });
    await Promise.all([...producers, ...takers]);
    assert.equal(got.size, total);
    for (const [body, times] of got) assert.equal(times, 1, `event ${body}`);
    assertCountsAddUp(channel);
    assert.equal(channel.stats().depthEvents, 0);
  },
};

function assertAscends(batch: TakeBatch): void {
  const sequences = sequencesOf(batch);
  assert.deepEqual(expand(batch.ranges), sequences);
  assert.ok(sequences.every((sequence, index) => index === 0 || sequence > sequences[index - 1]!));
}

const badRanges: Readonly<Record<string, unknown>> = {
  'no array': 'x',
  'no range': [1],
  'half a range': [{ first: 1 }],
  'last before first': [range(2, 1)],
  'sequence 0': [range(0, 1)],
  overlapping: [range(1, 2), range(2, 3)],
  descending: [range(3, 3), range(1, 1)],
  'never given out': [range(1, 100)],
  'not leased at all': [range(9, 9)],
  'leased to another': [range(5, 6)],
  'half leased to another': [range(3, 5)],
  'held, and then not held': [range(1, 2), range(9, 9)],
};

/** Consumers by name. */
export const consumerCases: ChannelCases = {
  'a consumer settles any ranges of what it holds': async (open) => {
    const { channel } = await open();
    await channel.put(makeEvents(10));
    const k = channel.consumer('k');
    assert.equal(k.name, 'k');
    await k.take(3);
    const second = await k.take(5);
    assert.deepEqual(await k.commit([range(2, 3), range(4, 5)]), [range(2, 5)]);
    await k.rollback([range(7, 7)]);
    assert.deepEqual(await second.commit(), [range(6, 6), range(8, 8)], 'what of the batch was still leased');
    assert.deepEqual(await k.commit([]), []);
    assert.equal(channel.stats().leasedEvents, 1);
    assert.deepEqual(await drain(channel), [6, 8, 9]);
    await k.commit([range(1, 1)]);
    assert.equal(channel.stats().depthEvents, 0);
  },

  'what a consumer drops does not come back, and counts as dropped, not as taken': async (open) => {
    const { channel } = await open();
    await channel.put(makeEvents(10));
    const k = channel.consumer('k');
    const batch = await k.take(8);
    assert.deepEqual(await k.drop([range(2, 3), range(7, 7)], { notes: { moved: 3 } }), [range(2, 3), range(7, 7)]);
    assert.equal(channel.notes.get('moved'), 3);
    assert.deepEqual(await k.drop([]), []);
    assertCountsAddUp(channel);
    assert.deepEqual(await batch.commit(), [range(1, 1), range(4, 6), range(8, 8)], 'what was not dropped');
    assert.deepEqual(await drain(channel), [8, 9]);
    assert.deepEqual(channel.stats().counters, { put: 10, requeued: 0, taken: 7, dropped: 3, quarantined: 0 });
    assert.equal(channel.stats().depthEvents, 0);
  },

  'a drop makes room, as a commit does': async (open) => {
    const { channel } = await open({ capacityEvents: 2, capacityBytes: 1000, keepAliveMs: 0 });
    for (const turn of upTo(5)) {
      await channel.put([{ headers: {}, body: Buffer.alloc(900) }]);
      const k = channel.consumer('k');
      await k.drop((await k.take(1)).ranges);
      assert.equal(channel.stats().counters.dropped, turn + 1);
    }
    await channel.put([{ headers: {}, body: Buffer.alloc(10) }]);
    await (await channel.take(1)).rollback();
    await channel.put([{ headers: {}, body: Buffer.alloc(900) }]);
  },

  'ranges a consumer does not hold are TRANSACTION_STATE, and nothing is applied': async (open) => {
    const { channel } = await open();
    await channel.put(makeEvents(10));
    const k = channel.consumer('k');
    await k.take(4);
    await channel.consumer('other').take(4);
    for (const [name, ranges] of Object.entries(badRanges)) {
      const given = ranges as SequenceRanges;
      await refuses('TRANSACTION_STATE', () => k.commit(given, { notes: { applied: name } }));
      await refuses('TRANSACTION_STATE', () => k.drop(given, { notes: { applied: name } }));
      await refuses('TRANSACTION_STATE', () => k.rollback(given));
      await refuses('TRANSACTION_STATE', () => k.prepare(given, null, { notes: { applied: name } }));
    }
    assert.equal(channel.notes.get('applied'), undefined);
    assert.equal(channel.stats().leasedEvents, 8);
    assert.deepEqual(await k.commit([range(1, 4)]), [range(1, 4)]);
  },

  'while an acknowledgement is on its way, a second one is refused': async (open) => {
    const { channel } = await open();
    await channel.put(makeEvents(4));
    const k = channel.consumer('k');
    await k.take(4);
    const commit = k.commit([range(1, 3)]);
    await refuses('TRANSACTION_STATE', () => k.commit([range(2, 2)]));
    await refuses('TRANSACTION_STATE', () => k.drop([range(2, 2)]));
    await refuses('TRANSACTION_STATE', () => k.rollback([range(3, 4)]));
    await commit;
    await refuses('TRANSACTION_STATE', () => k.commit([range(1, 1)]));
    await k.rollback([range(4, 4)]);
    assert.deepEqual(await drain(channel), [3]);
    assert.equal(channel.stats().counters.taken, 4);
  },

  'opening a name again fences the earlier consumer and returns its leases': async (open) => {
    const { channel } = await open();
    await channel.put(makeEvents(4));
    const stale = channel.consumer('k');
    const batch = await stale.take(2);
    const fresh = channel.consumer('k');
    await refuses('TRANSACTION_STATE', () => stale.commit([range(1, 2)]));
    await refuses('TRANSACTION_STATE', () => stale.drop([range(1, 2)]));
    await refuses('TRANSACTION_STATE', () => stale.rollback([range(1, 2)]));
    await refuses('TRANSACTION_STATE', () => stale.prepare([range(1, 2)], null));
    await refuses('TRANSACTION_STATE', () => batch.commit());
    await refuses('CHANNEL_CLOSED', () => stale.take(1));
    assert.equal(channel.stats().counters.taken, 0);
    const again = await fresh.take(10);
    assert.deepEqual(sequencesOf(again), [1, 2, 3, 4]);
    await refuses('TRANSACTION_STATE', () => stale.commit([range(2, 2)]));
    await stale.close();
    assert.deepEqual(await again.commit(), again.ranges, 'closing the stale one takes nothing from the fresh one');
  },

  'closing a consumer returns its leases; later calls are CHANNEL_CLOSED': async (open) => {
    const { channel } = await open();
    await channel.put(makeEvents(4));
    const k = channel.consumer('k');
    const batch = await k.take(3);
    await k.commit([range(2, 2)]);
    await k.close();
    await k.close();
    assert.equal(channel.stats().leasedEvents, 0);
    await refuses('CHANNEL_CLOSED', () => k.take(1));
    await refuses('CHANNEL_CLOSED', () => k.commit([range(1, 1)]));
    await refuses('CHANNEL_CLOSED', () => k.drop([range(1, 1)]));
    await refuses('CHANNEL_CLOSED', () => k.rollback([range(1, 1)]));
    await refuses('CHANNEL_CLOSED', () => k.prepare([range(1, 1)], null));
    await refuses('CHANNEL_CLOSED', () => batch.commit());
    assert.deepEqual(await drain(channel), [0, 2, 3]);
  },

  'a take that waits ends with its consumer, and events go to the next': async (open) => {
    const { channel } = await open();
    const closing = channel.consumer('closing');
    const fenced = channel.consumer('fenced');
    const ends = [
      refuses('CHANNEL_CLOSED', () => closing.take(1, { waitMs: 20_000 })),
      refuses('CHANNEL_CLOSED', () => fenced.take(1, { waitMs: 20_000 })),
    ];
    const last = channel.take(1, { waitMs: 20_000 });
    await closing.close();
    channel.consumer('fenced');
    await Promise.all(ends);
    await channel.put(makeEvents(1));
    assert.deepEqual(bodiesOf(await last), [0]);
  },

  'consumers hold disjoint events, and stats count what they hold': async (open) => {
    const { channel } = await open();
    await channel.put(makeEvents(100));
    const batches = await Promise.all(upTo(5).map((index) => channel.consumer(`k${index}`).take(10)));
    assert.equal(new Set(batches.flatMap(sequencesOf)).size, 50);
    await sleep(20);
    const stats = channel.stats();
    assert.deepEqual([stats.depthEvents, stats.leasedEvents], [100, 50]);
    assert.ok(Number(stats.oldestLeaseAgeMs) >= 15, `oldest lease ${stats.oldestLeaseAgeMs} ms`);
    assert.ok(Number(stats.oldestEventAgeMs) >= 15, `oldest event ${stats.oldestEventAgeMs} ms`);
    for (const batch of batches) await batch.rollback();
    assert.equal(channel.stats().oldestLeaseAgeMs, null);
    await drain(channel);
    assert.equal(channel.stats().oldestEventAgeMs, null);
  },

  'a consumer’s name is a string of 1 to 256 bytes': async (open) => {
    const { channel } = await open();
    for (const name of ['', 'x'.repeat(257), 7, undefined]) {
      await refuses('CONFIG_INVALID', () => (channel as Channel).consumer(name as string));
    }
    channel.consumer('x'.repeat(256));
  },
};
