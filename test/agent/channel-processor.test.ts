/** The channel processor over real channels: who gets which events, in which order, and with which notes. */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import test from 'node:test';
import type { Selector } from '../../src/agent/contracts/components.ts';
import { PartlyStored, storedIn } from '../../src/agent/contracts/partly-stored.ts';
import { type Channel, type Event, FileChannel, isForebayError } from '../../src/engine.ts';
import { ManualClock } from '../support/manual-clock.ts';
import { tempDir } from '../support/temp-dir.ts';
import { drain, makeProcessor, numbered, openMemory, upTo } from './processor-parts.ts';

const isFull = (error: unknown): boolean => isForebayError(error) && error.code === 'CHANNEL_FULL';

/** Everything into c1 as required, into c2 as optional. */
const optionalSecond: Selector = {
  route: (() => {
    const route = { required: ['c1'], optional: ['c2'] };
    return () => route;
  })(),
};

/** By the header `to`; nowhere without it. */
const byHeader: Selector = {
  route: ({ headers }) => ({ required: headers['to'] === undefined ? [] : [headers['to']], optional: [] }),
};

test('many calls under way keep each channel in order, with and without notes', async (t) => {
  const root = await tempDir(t);
  const file = await FileChannel.open(join(root, 'c1'), { checkpoint: 'memory' });
  t.after(() => file.close());
  const memory = await openMemory(t);
  const { processor, counts } = makeProcessor(
    new Map<string, Channel>([
      ['c1', file],
      ['c2', memory],
    ]),
  );
  const calls: Promise<void>[] = [];
  let next = 0;
  for (let call = 0; call < 200; call += 1) {
    const size = (call * 7) % 23;
    const events = numbered(next, size);
    next += size;
    calls.push(processor.process(events, call % 5 === 4 ? {} : { notes: { position: next } }));
  }
  await Promise.all(calls);
  assert.equal(counts.get('EventReceivedCount'), next);
  assert.equal(counts.get('EventAcceptedCount'), next);
  for (const channel of [file, memory]) assert.deepEqual(await drain(channel), upTo(next));
  // The last of the calls had none.
  assert.equal(processor.note('c1', 'position'), next - ((199 * 7) % 23));
  assert.equal(processor.note('c2', 'position'), processor.note('c1', 'position'));
  assert.equal(processor.note('c1', 'other'), undefined);
  assert.equal(processor.note('c9', 'position'), undefined);
});

test('a put is called before process returns', async (t) => {
  const memory = await openMemory(t);
  const { processor } = makeProcessor(new Map([['c1', memory]]));
  const plain = processor.process(numbered(0, 3));
  assert.equal(memory.stats().depthEvents, 3);
  const noted = processor.process(numbered(3, 3), { notes: { position: 6 } });
  assert.equal(memory.stats().depthEvents, 6);
  await Promise.all([plain, noted]);
});

test('a full required channel rejects after the other has its events; with except each has them once', async (t) => {
  const roomy = await openMemory(t);
  const narrow = await openMemory(t, { capacity: 4, keepAliveMs: 20 });
  const { processor, counts } = makeProcessor(
    new Map([
      ['narrow', narrow],
      ['roomy', roomy],
    ]),
  );
  await processor.process(numbered(0, 3), { notes: { position: 3 } });
  await assert.rejects(processor.process(numbered(3, 2), { notes: { position: 5 } }), isFull);
  assert.equal(roomy.stats().depthEvents, 5);
  assert.equal(processor.note('roomy', 'position'), 5);
  assert.equal(processor.note('narrow', 'position'), 3);
  assert.equal(counts.get('EventReceivedCount'), 5);
  assert.equal(counts.get('EventAcceptedCount'), 3);
  const taken = await drain(narrow);
  await processor.process(numbered(3, 2), { notes: { position: 5 }, except: new Set(['roomy']) });
  assert.deepEqual([...taken, ...(await drain(narrow))], upTo(5));
  assert.deepEqual(await drain(roomy), upTo(5));
  assert.equal(processor.note('narrow', 'position'), 5);
  assert.equal(counts.get('EventAcceptedCount'), 5);
});

test('a rejection says which channels have the events: offered again but to those, each has them once', async (t) => {
  const channels = new Map<string, Channel>();
  for (const name of ['c1', 'narrow', 'c3']) {
    channels.set(name, await openMemory(t, name === 'narrow' ? { capacity: 2, keepAliveMs: 0 } : {}));
  }
  const narrow = channels.get('narrow') as Channel;
  const { processor } = makeProcessor(channels);
  await processor.process(numbered(0, 2));
  const error = await processor.process(numbered(2, 2)).then(
    () => assert.fail('narrow is full'),
    (one: unknown) => one,
  );
  assert.ok(error instanceof PartlyStored);
  assert.ok(isFull(error), error.code);
  assert.equal(error.outcome, 'notStored');
  assert.match(error.message, /^channel narrow: the channel is full: .*; the events are in c1, c3$/);
  assert.ok(isFull(error.cause));
  assert.deepEqual([...storedIn(error)], ['c1', 'c3']);
  // Refused again: those that were excepted still have them.
  const again = processor.process(numbered(2, 2), { except: storedIn(error) });
  await assert.rejects(again, (one) => isFull(one) && [...storedIn(one)].join() === 'c1,c3');
  const taken = await drain(narrow);
  await processor.process(numbered(2, 2), { except: storedIn(error) });
  assert.deepEqual([...taken, ...(await drain(narrow))], upTo(4));
  for (const name of ['c1', 'c3']) assert.deepEqual(await drain(channels.get(name) as Channel), upTo(4));
});

test('a rejection of a channel that is not open says so too; none where no channel has the events', async (t) => {
  const c1 = await openMemory(t);
  const channels = new Map<string, Channel>([['c1', c1]]);
  const selector: Selector = { route: () => ({ required: ['c1', 'c2'], optional: [] }) };
  const { processor } = makeProcessor(channels, { selector, names: ['c1', 'c2'] });
  const half = processor.process(numbered(0, 1));
  await assert.rejects(half, (error) => error instanceof PartlyStored && error.code === 'CHANNEL_CLOSED');
  await assert.rejects(half, (error) => [...storedIn(error)].join() === 'c1');
  await c1.close();
  const none = processor.process(numbered(0, 1));
  await assert.rejects(none, (error) => !(error instanceof PartlyStored) && storedIn(error).size === 0);
  assert.equal(storedIn(undefined).size, 0);
});

test('without events the notes alone are set, in every channel but those excepted', async (t) => {
  const channels = new Map<string, Channel>();
  for (const name of ['c1', 'c2', 'c3']) channels.set(name, await openMemory(t));
  const { processor, counts } = makeProcessor(channels, { selector: optionalSecond });
  await processor.process([], { notes: { position: 7, other: 'x' }, except: new Set(['c3']) });
  assert.deepEqual(
    ['c1', 'c2', 'c3'].map((name) => processor.note(name, 'position')),
    [7, 7, undefined],
  );
  await processor.process([], { notes: { position: 8, other: undefined } });
  for (const name of ['c1', 'c2', 'c3']) assert.equal(processor.note(name, 'position'), 8);
  assert.equal(processor.note('c1', 'other'), undefined);
  for (const channel of channels.values()) assert.equal(channel.stats().depthEvents, 0);
  assert.equal(counts.get('EventReceivedCount'), undefined);
});

test('a channel that no event requires may refuse a note before any event was routed', async (t) => {
  const c1 = await openMemory(t);
  const c2 = await openMemory(t);
  await c2.close();
  const channels = new Map([
    ['c1', c1],
    ['c2', c2],
  ]);
  const { processor } = makeProcessor(channels, { selector: optionalSecond, optional: ['c2'] });
  await processor.process([], { notes: { position: 1 } });
  assert.equal(processor.note('c1', 'position'), 1);
});

test('an optional channel that the source does not have yet: no note goes there, and events are refused', async (t) => {
  const c1 = await openMemory(t);
  const c2 = await openMemory(t);
  const channels = new Map([['c1', c1]]);
  const joined = new Set(['c1']);
  const { processor, warnings, counts } = makeProcessor(channels, {
    selector: optionalSecond,
    names: ['c1', 'c2'],
    optional: ['c2'],
    isJoined: (name) => joined.has(name),
  });
  assert.deepEqual(processor.channels, ['c1']);
  await processor.process([], { notes: { position: 1 } });
  assert.equal(warnings.length, 0);
  await processor.process(numbered(0, 2), { notes: { position: 2 } });
  assert.match(warnings[0]?.text ?? '', /optional channel c2 refused once: 2 events/);
  assert.equal(counts.get('OptionalChannelWriteFail'), 1);
  channels.set('c2', c2);
  joined.add('c2');
  assert.deepEqual(processor.channels, ['c1', 'c2']);
  await processor.process(numbered(2, 2), { notes: { position: 4 } });
  assert.deepEqual(await drain(c1), upTo(4));
  assert.deepEqual(await drain(c2), [2, 3]);
  assert.equal(processor.note('c2', 'position'), 4);
});

test('a refused put takes along those with notes behind it: the note never passes a gap', async (t) => {
  const channel = await openMemory(t, { capacity: 10, keepAliveMs: 30 });
  const { processor } = makeProcessor(new Map([['c1', channel]]));
  await processor.process(numbered(0, 5), { notes: { position: 5 } });
  // The first of these does not fit; the others would.
  const calls = [
    processor.process(numbered(5, 6), { notes: { position: 11 } }),
    processor.process(numbered(11, 1), { notes: { position: 12 } }),
    processor.process([], { notes: { position: 13 } }),
  ];
  for (const call of calls) await assert.rejects(call, isFull);
  assert.equal(processor.note('c1', 'position'), 5);
  assert.deepEqual(await drain(channel), upTo(5));
  // The source has seen it, and goes on from the note.
  await processor.process(numbered(5, 6), { notes: { position: 11 } });
  assert.deepEqual(await drain(channel), [5, 6, 7, 8, 9, 10]);
  assert.equal(processor.note('c1', 'position'), 11);
});

test('a call made before the source can know of a refusal is refused too, in that channel alone', async (t) => {
  const c1 = await openMemory(t, { capacity: 5, keepAliveMs: 0 });
  const c2 = await openMemory(t, { capacity: 5, keepAliveMs: 2000 });
  const { processor } = makeProcessor(
    new Map([
      ['c1', c1],
      ['c2', c2],
    ]),
  );
  await processor.process(numbered(0, 2), { notes: { position: 2 } });
  const refused = processor.process(numbered(2, 4), { notes: { position: 6 } });
  await new Promise((resolve) => setTimeout(resolve, 5));
  // c1 has refused, c2 waits for room.
  const late = processor.process(numbered(6, 1), { notes: { position: 7 } });
  const taken = await drain(c2);
  await assert.rejects(refused, isFull);
  await assert.rejects(late, isFull);
  assert.deepEqual(await drain(c1), upTo(2));
  assert.equal(processor.note('c1', 'position'), 2);
  assert.deepEqual([...taken, ...(await drain(c2))], upTo(7));
  assert.equal(processor.note('c2', 'position'), 7);
});

test('calls without notes do not wait for one another', async (t) => {
  const channel = await openMemory(t, { capacity: 5, keepAliveMs: 30 });
  const { processor } = makeProcessor(new Map([['c1', channel]]));
  const outcomes = await Promise.allSettled([
    processor.process(numbered(0, 4)),
    processor.process(numbered(4, 4)),
    processor.process(numbered(8, 1)),
  ]);
  assert.deepEqual(
    outcomes.map(({ status }) => status),
    ['fulfilled', 'rejected', 'fulfilled'],
  );
  assert.deepEqual(await drain(channel), [0, 1, 2, 3, 8]);
});

test('waiting puts are joined only as far as the channel allows', async (t) => {
  const channel = await openMemory(t, { transactionCapacity: 10 });
  const { processor } = makeProcessor(new Map([['c1', channel]]));
  const bad = { headers: {}, body: 'text' } as unknown as Event;
  const calls = Array.from({ length: 12 }, (_, index) =>
    processor.process(numbered(index * 4, 4), { notes: { position: index * 4 + 4 } }),
  );
  const refused = processor.process([bad], { notes: { position: 49 } });
  const behind = processor.process(numbered(49, 1), { notes: { position: 50 } });
  await Promise.all(calls);
  const isInvalid = (error: unknown): boolean => isForebayError(error) && error.code === 'EVENT_INVALID';
  await assert.rejects(refused, isInvalid);
  await assert.rejects(behind, isInvalid);
  assert.deepEqual(await drain(channel), upTo(48));
  assert.equal(processor.note('c1', 'position'), 48);
});

test('what a channel takes in one put is learned once', async (t) => {
  const channel = await openMemory(t, { transactionCapacity: 10 });
  const { processor } = makeProcessor(new Map([['c1', channel]]));
  const put = t.mock.method(channel, 'put');
  const counts: number[] = [];
  for (let wave = 0; wave < 2; wave += 1) {
    await Promise.all(upTo(12).map((call) => processor.process(numbered(call, 4), { notes: { call } })));
    counts.push(put.mock.callCount());
    put.mock.resetCalls();
  }
  // One, then eleven together, which are refused, and go one by one; then one, and the others two by two.
  assert.deepEqual(counts, [13, 7]);
});

test('a batch over transactionCapacity is refused whole', async (t) => {
  const channel = await openMemory(t, { transactionCapacity: 10 });
  const { processor } = makeProcessor(new Map([['c1', channel]]));
  await assert.rejects(
    processor.process(numbered(0, 11)),
    (error) => isForebayError(error) && error.code === 'TRANSACTION_TOO_LARGE',
  );
  assert.equal(channel.stats().depthEvents, 0);
});

test('an optional channel that refuses is logged once a minute, and keeps its note', async (t) => {
  const c1 = await openMemory(t);
  const c2 = await openMemory(t, { capacity: 2, keepAliveMs: 0 });
  const clock = new ManualClock();
  const channels = new Map([
    ['c1', c1],
    ['c2', c2],
  ]);
  const { processor, warnings, counts } = makeProcessor(channels, { selector: optionalSecond, clock });
  for (let call = 0; call < 5; call += 1) {
    await processor.process(numbered(call * 2, 2), { notes: { position: call * 2 + 2 } });
  }
  assert.equal(warnings.length, 1);
  assert.match(warnings[0]?.text ?? '', /channel c2 refused once: 2 events/);
  assert.equal(warnings[0]?.fields?.['code'], 'CHANNEL_FULL');
  clock.advance(60_000);
  await processor.process(numbered(10, 2), { notes: { position: 12 } });
  assert.match(warnings[1]?.text ?? '', /channel c2 refused 4 times: 8 events/);
  assert.equal(warnings.length, 2);
  assert.equal(counts.get('OptionalChannelWriteFail'), 5);
  assert.equal(counts.get('EventAcceptedCount'), 12);
  assert.equal(processor.note('c1', 'position'), 12);
  assert.equal(processor.note('c2', 'position'), 2);
  assert.deepEqual(await drain(c1), upTo(12));
  assert.deepEqual(await drain(c2), [0, 1]);
  // With room again it goes on; a note alone that it refuses is no reason to reject.
  await processor.process(numbered(12, 1), { notes: { position: 13 } });
  assert.equal(processor.note('c2', 'position'), 13);
  await c2.close();
  await processor.process([], { notes: { position: 14 } });
  assert.equal(processor.note('c1', 'position'), 14);
});

test('a required channel that is closed refuses a note alone too', async (t) => {
  const c1 = await openMemory(t);
  const c2 = await openMemory(t);
  const { processor } = makeProcessor(
    new Map([
      ['c1', c1],
      ['c2', c2],
    ]),
    { selector: byHeader },
  );
  await c2.close();
  await processor.process(numbered(0, 1, { to: 'c1' }));
  await assert.rejects(
    processor.process(numbered(1, 1, { to: 'c1' }), { notes: { position: 2 } }),
    (error) => isForebayError(error) && error.code === 'CHANNEL_CLOSED',
  );
});

test('notes are in the same transaction in every channel, and stay across a reopen', async (t) => {
  const root = await tempDir(t);
  const open = async () => {
    const names = ['c1', 'c2', 'c3'];
    const opened = names.map(
      async (name) => [name, await FileChannel.open(join(root, name), { checkpoint: 'memory' })] as const,
    );
    return new Map(await Promise.all(opened));
  };
  const first = await open();
  const writer = makeProcessor(first, { selector: byHeader });
  const mixed = [...numbered(0, 2, { to: 'c1' }), ...numbered(2, 3, { to: 'c2' }), ...numbered(5, 1)];
  await writer.processor.process(mixed, { notes: { 'r1/file': { path: 'a.log', offset: 60 } } });
  await writer.processor.process(numbered(6, 1, { to: 'c1' }), {
    notes: { 'r1/file': { path: 'a.log', offset: 70 } },
    except: new Set(['c3']),
  });
  for (const channel of first.values()) await channel.close();
  const second = await open();
  const reader = makeProcessor(second, { selector: byHeader });
  const offsets = [...second.keys()].map((name) => reader.processor.note(name, 'r1/file'));
  assert.deepEqual(offsets, [
    { path: 'a.log', offset: 70 },
    { path: 'a.log', offset: 70 },
    { path: 'a.log', offset: 60 },
  ]);
  const numbers = [];
  for (const channel of second.values()) {
    numbers.push(await drain(channel));
    await channel.close();
  }
  assert.deepEqual(numbers, [[0, 1, 6], [2, 3, 4], []]);
});

test('interceptors run in order, and what one drops is gone', async (t) => {
  const channel = await openMemory(t);
  const { processor, counts } = makeProcessor(new Map([['c1', channel]]), {
    interceptors: [
      { intercept: (event) => ({ ...event, body: Buffer.from(`${event.body}1`) }) },
      { intercept: (event) => (Buffer.from(event.body).toString() === '31' ? undefined : event) },
      { intercept: (event) => ({ ...event, body: Buffer.from(`${event.body}2`) }) },
    ],
  });
  await processor.process(numbered(2, 3), { notes: { position: 3 } });
  await processor.process(numbered(3, 1), { notes: { position: 4 } });
  assert.deepEqual(await drain(channel), [212, 412]);
  assert.equal(processor.note('c1', 'position'), 4);
  assert.equal(counts.get('EventAcceptedCount'), 4);
});

test('a selector that fails or chooses a foreign channel rejects; nothing is put, no later note passes', async (t) => {
  const channel = await openMemory(t);
  const { processor } = makeProcessor(new Map([['c1', channel]]), { selector: byHeader });
  const wrong = processor.process([...numbered(0, 1, { to: 'c1' }), ...numbered(1, 1, { to: 'c9' })], {
    notes: { position: 2 },
  });
  const behind = processor.process(numbered(2, 1, { to: 'c1' }), { notes: { position: 3 } });
  await assert.rejects(wrong, /source r1 chose 'c9'/);
  await assert.rejects(behind, /source r1 chose 'c9'/);
  assert.equal(channel.stats().depthEvents, 0);
  assert.equal(processor.note('c1', 'position'), undefined);
  await processor.process(numbered(2, 1, { to: 'c1' }), { notes: { position: 3 } });
  assert.equal(processor.note('c1', 'position'), 3);
});

test('offered again, no event is lost to a selector that chooses anew', async (t) => {
  const c1 = await openMemory(t);
  const c2 = await openMemory(t);
  let turn = 0;
  const routes = ['c1', 'c2'].map((name) => ({ required: [name], optional: [] }));
  const { processor } = makeProcessor(
    new Map([
      ['c1', c1],
      ['c2', c2],
    ]),
    {
      selector: {
        isSteady: false,
        route: () => {
          turn = 1 - turn;
          return routes[turn] ?? { required: [], optional: [] };
        },
      },
    },
  );
  await processor.process(numbered(0, 4), { except: new Set(['c1']) });
  assert.deepEqual(await drain(c2), upTo(4));
  assert.equal(c1.stats().depthEvents, 0);
});
