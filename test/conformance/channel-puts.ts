/** Channel suite: puts, put transactions, and what is refused before anything is stored. */
import assert from 'node:assert/strict';
import { mib } from '../../src/base/units.ts';
import type { Event } from '../../src/event/event.ts';
import {
  bodiesOf,
  type ChannelCases,
  drain,
  expand,
  isSettled,
  makeEvents,
  range,
  refuses,
  sequencesOf,
  upTo,
} from './channel-support.ts';

const body = Buffer.from('x');

/** What is no event, and why. */
const invalidEvents: Readonly<Record<string, unknown>> = {
  null: null,
  'a string': 'event',
  'no body': { headers: {} },
  'a body that is a string': { headers: {}, body: 'x' },
  'a body that is an array': { headers: {}, body: [1, 2] },
  'a body that is an ArrayBuffer': { headers: {}, body: new ArrayBuffer(2) },
  'a body that is another typed array': { headers: {}, body: new Uint16Array(2) },
  'no headers': { body },
  'headers that are null': { headers: null, body },
  'headers that are an array': { headers: ['a'], body },
  'headers that are a Map': { headers: new Map([['a', 'b']]), body },
  'a header that is a number': { headers: { a: 1 }, body },
  'a header that is null': { headers: { a: null }, body },
  'a header that is undefined': { headers: { a: undefined }, body },
  'a header that is an object': { headers: { a: {} }, body },
};

/** Puts and put transactions. */
export const putCases: ChannelCases = {
  'a put resolves to its sequences: from 1, ascending, never reused': async (open) => {
    const { channel } = await open();
    assert.deepEqual(await channel.put(makeEvents(3)), [range(1, 3)]);
    assert.deepEqual(await channel.put(makeEvents(1, 3)), [range(4, 4)]);
    await drain(channel);
    assert.deepEqual(await channel.put(makeEvents(2, 4)), [range(5, 6)]);
    const batch = await channel.take(10);
    assert.deepEqual(sequencesOf(batch), [5, 6]);
    assert.deepEqual(bodiesOf(batch), [4, 5]);
  },

  'events come out as they went in': async (open) => {
    const { channel } = await open();
    const odd = JSON.parse('{"__proto__":"p","constructor":"c","":"empty name","ü€😀":"ü€😀","long":""}');
    const events: Event[] = [
      { headers: odd, body: Buffer.from(upTo(256)) },
      { headers: {}, body: Buffer.alloc(0) },
      { headers: { ...odd, long: 'y'.repeat(100_000) }, body: Buffer.alloc(300_000, 'z') },
      { headers: Object.assign(Object.create(null), { a: 'no prototype' }), body: new Uint8Array([1, 2, 3]) },
      { headers: { a: '1' }, body: Buffer.from('view of a larger buffer').subarray(5, 7) },
    ];
    await channel.put(events);
    const batch = await channel.take(10);
    assert.equal(batch.events.length, events.length);
    for (const [index, event] of batch.events.entries()) {
      assert.deepEqual(Object.entries(event.headers).sort(), Object.entries(events[index]?.headers ?? {}).sort());
      assert.ok(Buffer.isBuffer(event.body));
      assert.ok(event.body.equals(events[index]?.body ?? Buffer.from('none')), `body ${index}`);
    }
  },

  'an empty put stores nothing and gives no sequence': async (open) => {
    const { channel } = await open();
    assert.deepEqual(await channel.put([]), []);
    assert.deepEqual(await channel.beginPut().commit(), []);
    assert.deepEqual(await channel.put(makeEvents(1)), [range(1, 1)]);
    assert.equal(channel.stats().counters.put, 1);
  },

  'buffers and headers may be used again once the put resolved': async (open) => {
    const { channel } = await open();
    const bytes = Buffer.from('before');
    const headers = { a: 'before' };
    await channel.put([{ headers, body: bytes }]);
    bytes.fill('X');
    headers.a = 'after';
    const [event] = (await channel.take(1)).events;
    assert.equal(event?.body.toString(), 'before');
    assert.deepEqual({ ...event?.headers }, { a: 'before' });
  },

  'puts under way at once keep their order, each whole': async (open) => {
    const { channel } = await open();
    const sizes = upTo(50).map((index) => 1 + ((index * 7) % 13));
    let from = 0;
    const puts = sizes.map((size) => {
      const events = makeEvents(size, from);
      from += size;
      return channel.put(events);
    });
    const ranges = (await Promise.all(puts)).flat();
    assert.deepEqual(expand(ranges), upTo(from, 1));
    assert.deepEqual(await drain(channel), upTo(from));
  },

  'a put transaction is seen as a whole, from its commit on': async (open) => {
    const { channel } = await open();
    const put = channel.beginPut();
    for (const event of makeEvents(3)) put.put(event);
    assert.equal((await channel.take(10)).events.length, 0);
    const commit = put.commit();
    assert.deepEqual(await commit, [range(1, 3)]);
    assert.deepEqual(await drain(channel), [0, 1, 2]);
  },

  'a put transaction that is rolled back leaves nothing': async (open) => {
    const { channel } = await open();
    const put = channel.beginPut();
    put.put(makeEvents(1)[0]!);
    put.note('n', 1);
    await put.rollback();
    assert.equal((await channel.take(10)).events.length, 0);
    assert.equal(channel.notes.get('n'), undefined);
    assert.equal(channel.stats().counters.put, 0);
  },

  'a settled put transaction refuses everything': async (open) => {
    const { channel } = await open();
    const committed = channel.beginPut();
    committed.put(makeEvents(1)[0]!);
    const commit = committed.commit();
    await refuses('TRANSACTION_STATE', () => committed.commit());
    await commit;
    const rolledBack = channel.beginPut();
    await rolledBack.rollback();
    for (const put of [committed, rolledBack]) {
      await refuses('TRANSACTION_STATE', () => put.put(makeEvents(1)[0]!));
      await refuses('TRANSACTION_STATE', () => put.note('n', 1));
      await refuses('TRANSACTION_STATE', () => put.commit());
      await refuses('TRANSACTION_STATE', () => put.rollback());
    }
    assert.deepEqual(await drain(channel), [0]);
  },

  'what is no event is EVENT_INVALID, and nothing of its put is stored': async (open) => {
    const { channel } = await open();
    const put = channel.beginPut();
    for (const [name, event] of Object.entries(invalidEvents)) {
      const error = await refuses('EVENT_INVALID', () => channel.put([...makeEvents(2), event as Event]));
      assert.match(error.message, /\[2\]/, name);
      await refuses('EVENT_INVALID', () => put.put(event as Event));
    }
    await refuses('EVENT_INVALID', () => channel.put('events' as unknown as Event[]));
    await refuses('EVENT_INVALID', () => channel.put(undefined as unknown as Event[]));
    assert.equal(channel.stats().counters.put, 0);
    put.put(makeEvents(1)[0]!);
    assert.deepEqual(await put.commit(), [range(1, 1)], 'a transaction that refused an event stays usable');
  },

  'an event over the limits is EVENT_TOO_LARGE, and one at them is stored': async (open) => {
    const { channel } = await open();
    const large = { headers: {}, body: Buffer.alloc(512 * mib + 1) };
    const error = await refuses('EVENT_TOO_LARGE', () => channel.put([large]));
    assert.equal(error.expected, 512 * mib);
    assert.equal(error.actual, 512 * mib + 1);
    await refuses('EVENT_TOO_LARGE', () => channel.put([{ headers: { a: 'ü'.repeat(mib / 2) }, body }]));
    const put = channel.beginPut();
    await refuses('EVENT_TOO_LARGE', () => put.put(large));
    const headers = { a: 'x'.repeat(mib - 1) };
    await channel.put([{ headers, body }]);
    assert.deepEqual({ ...(await channel.take(1)).events[0]?.headers }, headers);
  },

  'a put over transactionCapacity is TRANSACTION_TOO_LARGE': async (open) => {
    const { channel } = await open({ transactionCapacity: 5 });
    const error = await refuses('TRANSACTION_TOO_LARGE', () => channel.put(makeEvents(6)));
    assert.deepEqual([error.expected, error.actual], [5, 6]);
    const put = channel.beginPut();
    for (const event of makeEvents(5)) put.put(event);
    await refuses('TRANSACTION_TOO_LARGE', () => put.put(makeEvents(1)[0]!));
    assert.deepEqual(await put.commit(), [range(1, 5)], 'the transaction stays usable');
    assert.deepEqual(await channel.put(makeEvents(5, 5)), [range(6, 10)]);
    assert.deepEqual(await drain(channel), upTo(10));
  },

  'a put over transactionBytesMax is TRANSACTION_TOO_LARGE': async (open) => {
    const { channel } = await open({ transactionBytesMax: 1000 });
    const event = { headers: { a: 'x'.repeat(99) }, body: Buffer.alloc(400) };
    await channel.put([event, { ...event, headers: { ...event.headers } }]);
    await refuses('TRANSACTION_TOO_LARGE', () => channel.put([event, event, { headers: {}, body }]));
    const put = channel.beginPut();
    put.put(event);
    put.put(event);
    await refuses('TRANSACTION_TOO_LARGE', () => put.put({ headers: {}, body }));
    await put.commit();
    assert.equal(channel.stats().depthEvents, 4);
  },
};

/** Waiting for room. */
export const capacityCases: ChannelCases = {
  'a put into a full channel waits keepAliveMs, then is CHANNEL_FULL': async (open) => {
    const { channel } = await open({ capacityEvents: 10, keepAliveMs: 80 });
    await channel.put(makeEvents(10));
    const start = performance.now();
    const error = await refuses('CHANNEL_FULL', () => channel.put(makeEvents(1, 10)));
    assert.ok(performance.now() - start >= 75, 'it waited');
    assert.equal(error.outcome, 'notStored');
    assert.equal(error.expected, 10);
    const put = channel.beginPut();
    put.put(makeEvents(1)[0]!);
    await refuses('CHANNEL_FULL', () => put.commit());
    await refuses('TRANSACTION_STATE', () => put.commit());
    assert.equal(channel.stats().counters.put, 10);
    assert.deepEqual(await drain(channel), upTo(10));
    assert.deepEqual(await channel.put(makeEvents(1)), [range(11, 11)], 'no sequence was lost');
  },

  'keepAliveMs 0 does not wait': async (open) => {
    const { channel } = await open({ capacity: 1, keepAliveMs: 0 });
    await channel.put(makeEvents(1));
    const put = channel.put(makeEvents(1));
    await refuses('CHANNEL_FULL', () => put);
  },

  'a put larger than the channel fails at once': async (open) => {
    const { channel } = await open({ capacityEvents: 5, keepAliveMs: 60_000 });
    const error = await refuses('CHANNEL_FULL', () => channel.put(makeEvents(6)));
    assert.deepEqual([error.expected, error.actual, error.outcome], [5, 6, 'notStored']);
  },

  'events that a consumer holds leave room, and come back over the limit': async (open) => {
    const { channel } = await open({ capacityEvents: 4, keepAliveMs: 30 });
    await channel.put(makeEvents(4));
    const held = await channel.take(4);
    await channel.put(makeEvents(4, 4));
    await held.rollback();
    await refuses('CHANNEL_FULL', () => channel.put(makeEvents(1)));
    assert.deepEqual(await drain(channel), upTo(8));
    await channel.put(makeEvents(4));
    await refuses('CHANNEL_FULL', () => channel.put(makeEvents(1)));
  },

  'a waiting put goes on when a take makes room': async (open) => {
    const { channel } = await open({ capacityEvents: 3, keepAliveMs: 20_000 });
    await channel.put(makeEvents(3));
    const put = channel.put(makeEvents(2, 3));
    assert.equal(await isSettled(put), false);
    const one = await channel.take(1);
    assert.equal(await isSettled(put), false, 'room for one is none for two');
    const two = await channel.take(1);
    assert.deepEqual(await put, [range(4, 5)]);
    await one.commit();
    await two.commit();
    assert.deepEqual(await drain(channel), [2, 3, 4]);
  },

  'waiting puts go first come first served, and a small one does not overtake': async (open) => {
    const { channel } = await open({ capacityEvents: 10, keepAliveMs: 20_000 });
    await channel.put(makeEvents(8));
    const large = channel.put(makeEvents(5, 8));
    const small = channel.put(makeEvents(1, 13));
    assert.equal(await isSettled(small), false);
    await (await channel.take(5)).commit();
    const late = channel.put(makeEvents(1, 14));
    assert.deepEqual((await Promise.all([large, small, late])).flat(), [range(9, 13), range(14, 14), range(15, 15)]);
    assert.deepEqual(await drain(channel), upTo(10, 5));
  },

  'a put whose time is over lets a smaller one behind it in': async (open) => {
    const { channel } = await open({ capacityEvents: 10, keepAliveMs: 100 });
    await channel.put(makeEvents(8));
    const large = refuses('CHANNEL_FULL', () => channel.put(makeEvents(5, 8)));
    await isSettled(large, 50);
    const small = channel.put(makeEvents(2, 13));
    await large;
    assert.deepEqual(await small, [range(9, 10)]);
  },

  'capacityBytes counts bodies and headers of what waits': async (open) => {
    const { channel } = await open({ capacityBytes: 1000, keepAliveMs: 30 });
    const event = (): Event => ({ headers: { ab: 'x'.repeat(98) }, body: Buffer.alloc(100) });
    await channel.put([event(), event(), event()]);
    await channel.put([event(), event()]);
    await refuses('CHANNEL_FULL', () => channel.put([event()]));
    await refuses('CHANNEL_FULL', () => channel.put(upTo(6).map(event)));
    const held = await channel.take(2);
    await channel.put([event(), event()]);
    await refuses('CHANNEL_FULL', () => channel.put([event()]));
    await held.commit();
    assert.equal((await drain(channel)).length, 5);
    await channel.put(upTo(5).map(event));
  },

  'many producers never pass the capacity, and none starves': async (open) => {
    const capacityEvents = 50;
    const { channel } = await open({ capacityEvents, keepAliveMs: 20_000 });
    const producers = upTo(8).map(async (producer) => {
      for (const index of upTo(20)) await channel.put(makeEvents(1 + (index % 10), producer * 1000));
    });
    const total = 8 * 20 * 5.5;
    let taken = 0;
    const deadlineMs = performance.now() + 12_000;
    while (taken < total) {
      assert.ok(performance.now() < deadlineMs, `${taken} of ${total} events after 12 s`);
      const { depthEvents, leasedEvents } = channel.stats();
      assert.ok(depthEvents - leasedEvents <= capacityEvents, `${depthEvents} − ${leasedEvents} wait`);
      const batch = await channel.take(7, { waitMs: 5000 });
      taken += batch.events.length;
      await batch.commit();
    }
    await Promise.all(producers);
    assert.equal(taken, total);
    assert.equal(channel.stats().depthEvents, 0);
  },
};
