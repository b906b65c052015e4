/** Channel suite: notes, two-phase takes, and the end of a channel's life. */
import assert from 'node:assert/strict';
import type { NoteChanges, NoteValue } from '../../src/channel/channel.ts';
import {
  assertCountsAddUp,
  bodiesOf,
  type ChannelCases,
  drain,
  isSettled,
  makeEvents,
  range,
  refuses,
  upTo,
} from './channel-support.ts';

const kib64 = 65_536;
const notJson: readonly unknown[] = [Number.NaN, () => 1, 1n, new Date(0), { a: undefined }, 'x'.repeat(kib64 - 1)];

/** Notes. */
export const noteCases: ChannelCases = {
  'notes are set, read, listed and deleted': async (open) => {
    const { channel } = await open();
    assert.equal(channel.notes.get('a'), undefined);
    const value = { file: 'f', offsets: [1, 2.5, -3], nothing: null, yes: true };
    await channel.notes.set('a', value);
    await channel.notes.set('__proto__', 'p');
    value.file = 'changed';
    assert.deepEqual(channel.notes.get('a'), { file: 'f', offsets: [1, 2.5, -3], nothing: null, yes: true });
    assert.equal(channel.notes.get('__proto__'), 'p');
    assert.deepEqual([...channel.notes.keys()].sort(), ['__proto__', 'a']);
    await channel.notes.set('a', 2);
    assert.equal(channel.notes.get('a'), 2);
    await channel.notes.delete('a');
    await channel.notes.delete('never there');
    assert.deepEqual(channel.notes.keys(), ['__proto__']);
  },

  'notes ride with every kind of transaction': async (open) => {
    const { channel } = await open();
    await channel.put(makeEvents(4), { notes: { put: 1, gone: 1 } });
    const tx = channel.beginPut();
    tx.put(makeEvents(1, 4)[0]!);
    tx.note('tx', 1);
    tx.note('tx', 2);
    tx.note('gone', undefined);
    await tx.commit();
    await channel.put([], { notes: { empty: 1 } });
    const k = channel.consumer('k');
    const batch = await k.take(1);
    await batch.commit({ notes: { batch: 1 } });
    await k.take(2);
    await k.commit([range(2, 2)], { notes: { commit: 1 } });
    const id = await k.prepare([range(3, 3)], null, { notes: { prepare: 1 } });
    await channel.resolve(id, 'commit', { notes: { resolve: 1 } });
    await (await k.take(1)).rollback();
    await channel.consumer('idle').commit([], { notes: { nothing: 1 } });
    const all = Object.fromEntries([...channel.notes.keys()].sort().map((key) => [key, channel.notes.get(key)]));
    assert.deepEqual(all, { batch: 1, commit: 1, empty: 1, nothing: 1, prepare: 1, put: 1, resolve: 1, tx: 2 });
  },

  'a note that is refused keeps its transaction from happening': async (open) => {
    const { channel } = await open();
    await channel.put(makeEvents(3));
    const k = channel.consumer('k');
    const batch = await k.take(2);
    for (const value of notJson) {
      const notes = { good: 1, bad: value } as NoteChanges;
      await refuses('NOTE_INVALID', () => channel.put(makeEvents(1), { notes }));
      await refuses('NOTE_INVALID', () => batch.commit({ notes }));
      await refuses('NOTE_INVALID', () => k.commit([range(1, 1)], { notes }));
      await refuses('NOTE_INVALID', () => k.prepare([range(1, 1)], value as NoteValue));
      await refuses('NOTE_INVALID', () => k.prepare([range(1, 1)], null, { notes }));
      await refuses('NOTE_INVALID', () => channel.notes.set('bad', value as NoteValue));
      await refuses('NOTE_INVALID', () => channel.beginPut().note('bad', value as NoteValue));
    }
    for (const key of ['x'.repeat(257), 'ü'.repeat(129), '\ud800']) {
      await refuses('NOTE_INVALID', () => channel.notes.set(key, 1));
      await refuses('NOTE_INVALID', () => channel.put([], { notes: { [key]: 1 } }));
    }
    await refuses('NOTE_INVALID', () => channel.put([], { notes: 'x' as unknown as NoteChanges }));
    assert.deepEqual(channel.notes.keys(), []);
    assert.deepEqual(channel.unresolved(), []);
    assert.equal(channel.stats().counters.put, 3);
    assert.deepEqual(await batch.commit(), [range(1, 2)], 'the batch is as it was');
  },

  'notes are at most 1 MiB in all, changes on their way included': async (open) => {
    const { channel } = await open();
    const value = 'x'.repeat(kib64 - 10);
    const sets = await Promise.allSettled(upTo(20).map((index) => channel.notes.set(`key${index}`, value)));
    const done = sets.filter(({ status }) => status === 'fulfilled').length;
    assert.equal(done, 16);
    await refuses('NOTE_INVALID', () => channel.put(makeEvents(1), { notes: { more: value } }));
    assert.equal(channel.stats().counters.put, 0);
    await channel.notes.set('key3', value);
    const swap: NoteChanges = { key3: undefined, more: value };
    await channel.put(makeEvents(1), { notes: swap });
    assert.equal(channel.notes.keys().length, 16);
    await channel.notes.delete('more');
    await channel.notes.set('key3', value);
    await Promise.all(upTo(30).map((index) => channel.put(makeEvents(1, index), { notes: { key3: value } })));
    assert.equal(channel.stats().counters.put, 31, 'the same note again and again weighs once');
  },
};

/** Prepare and resolve. */
export const twoPhaseCases: ChannelCases = {
  'a prepared range is neither delivered nor dropped until it is resolved': async (open) => {
    const { channel } = await open();
    await channel.put(makeEvents(6));
    const k = channel.consumer('k');
    const batch = await k.take(4);
    const before = Date.now();
    const note = { path: '/out/f' };
    const first = await k.prepare([range(1, 1), range(3, 3)], note);
    const second = await k.prepare([range(2, 2)], null);
    note.path = 'changed';
    assert.notEqual(first, second);
    const [take, other] = channel.unresolved();
    assert.deepEqual([take?.id, take?.consumer, take?.note], [first, 'k', { path: '/out/f' }]);
    assert.deepEqual(take?.ranges, [range(1, 1), range(3, 3)]);
    (take as { note: unknown }).note = 'changed';
    assert.deepEqual(channel.unresolved()[0]?.note, { path: '/out/f' }, 'a list of its own');
    assert.ok(Math.abs(Number(take?.preparedAt) - before) < 10_000);
    assert.deepEqual([other?.id, other?.note], [second, null]);
    assert.equal(channel.stats().preparedEvents, 3);
    assert.deepEqual(await batch.commit(), [range(4, 4)], 'prepared events are no longer leased');
    assert.deepEqual(await drain(channel), [4, 5]);
    assert.equal(await channel.resolve(first, 'commit'), true);
    assert.equal(await channel.resolve(second, 'rollback'), true);
    assert.deepEqual(await drain(channel), [1]);
    assert.deepEqual(channel.unresolved(), []);
    assert.deepEqual(channel.stats().counters, { put: 6, requeued: 0, taken: 6, dropped: 0, quarantined: 0 });
  },

  'an id that is not prepared resolves to false': async (open) => {
    const { channel } = await open();
    await channel.put(makeEvents(2));
    const k = channel.consumer('k');
    await k.take(2);
    const id = await k.prepare([range(1, 2)], 1);
    assert.equal(await channel.resolve('no such id', 'commit', { notes: { applied: 1 } }), false);
    assert.equal(channel.notes.get('applied'), undefined);
    await refuses('CONFIG_INVALID', () => channel.resolve(id, 'abort' as 'commit'));
    const resolving = channel.resolve(id, 'commit');
    await refuses('TRANSACTION_STATE', () => channel.resolve(id, 'rollback'));
    assert.equal(await resolving, true);
    assert.equal(await channel.resolve(id, 'rollback'), false);
    assert.equal(channel.stats().counters.taken, 2);
  },

  'prepared events outlive their consumer': async (open) => {
    const { channel } = await open();
    await channel.put(makeEvents(3));
    const k = channel.consumer('k');
    await k.take(3);
    const id = await k.prepare([range(2, 2)], 'note');
    await refuses('TRANSACTION_STATE', () => k.commit([range(2, 2)]));
    await refuses('TRANSACTION_STATE', () => k.prepare([], 'note'));
    await k.close();
    assert.deepEqual(await drain(channel), [0, 2]);
    assert.equal(channel.unresolved().length, 1);
    await channel.resolve(id, 'rollback');
    assert.deepEqual(bodiesOf(await channel.consumer('k').take(5)), [1]);
  },

  'a rollback that is resolved wakes a waiting take': async (open) => {
    const { channel } = await open();
    await channel.put(makeEvents(1));
    const k = channel.consumer('k');
    await k.take(1);
    const id = await k.prepare([range(1, 1)], null);
    const take = channel.take(1, { waitMs: 20_000 });
    assert.equal(await isSettled(take), false);
    await channel.resolve(id, 'rollback');
    assert.deepEqual(bodiesOf(await take), [0]);
  },
};

/** Close, and stats. */
export const closingCases: ChannelCases = {
  'after close every call is CHANNEL_CLOSED': async (open) => {
    const { channel } = await open();
    await channel.put(makeEvents(2), { notes: { n: 1 } });
    const k = channel.consumer('k');
    const batch = await k.take(1);
    const tx = channel.beginPut();
    await channel.close();
    const calls: Record<string, () => unknown> = {
      put: () => channel.put(makeEvents(1)),
      'put of nothing': () => channel.put([]),
      beginPut: () => channel.beginPut(),
      'tx.put': () => tx.put(makeEvents(1)[0]!),
      'tx.note': () => tx.note('n', 1),
      'tx.commit': () => tx.commit(),
      'tx.rollback': () => tx.rollback(),
      take: () => channel.take(1),
      consumer: () => channel.consumer('k'),
      'consumer.take': () => k.take(1),
      'consumer.commit': () => k.commit([range(1, 1)]),
      'consumer.drop': () => k.drop([range(1, 1)]),
      'consumer.rollback': () => k.rollback([range(1, 1)]),
      'consumer.prepare': () => k.prepare([range(1, 1)], null),
      'batch.commit': () => batch.commit(),
      'batch.rollback': () => batch.rollback(),
      unresolved: () => channel.unresolved(),
      resolve: () => channel.resolve('id', 'commit'),
      'notes.get': () => channel.notes.get('n'),
      'notes.keys': () => channel.notes.keys(),
      'notes.set': () => channel.notes.set('n', 1),
      'notes.delete': () => channel.notes.delete('n'),
    };
    for (const [name, call] of Object.entries(calls)) {
      const error = await refuses('CHANNEL_CLOSED', call);
      assert.equal(error.outcome ?? 'notStored', 'notStored', name);
    }
    await k.close();
    assert.equal(channel.stats().health.state, 'closed');
  },

  'close is one, however often it is called': async (open) => {
    const { channel } = await open();
    await Promise.all([channel.close(), channel.close(), channel[Symbol.asyncDispose]()]);
    await channel.close();
  },

  'close waits for commits in flight and lets none in behind them': async (open) => {
    const { channel } = await open();
    await channel.put(makeEvents(2));
    const batch = await channel.take(2);
    const put = channel.put(makeEvents(3, 2));
    const commit = batch.commit();
    const note = channel.notes.set('n', 1);
    const done: string[] = [];
    const noted = [put, commit, note].map((each) => each.then(() => done.push('commit')));
    const close = channel.close().then(() => done.push('close'));
    await refuses('CHANNEL_CLOSED', () => channel.put(makeEvents(1)));
    await Promise.all([...noted, close]);
    assert.deepEqual(done, ['commit', 'commit', 'commit', 'close']);
  },

  'close ends what waits for room or for events': async (open) => {
    const { channel } = await open({ capacityEvents: 2, keepAliveMs: 20_000 });
    const take = refuses('CHANNEL_CLOSED', () => channel.take(1, { waitMs: 20_000 }));
    await channel.close();
    await take;
    const { channel: full } = await open({ capacityEvents: 2, keepAliveMs: 20_000 });
    await full.put(makeEvents(2));
    const put = refuses('CHANNEL_CLOSED', () => full.put(makeEvents(1)));
    await full.close();
    assert.equal((await put).outcome, 'notStored');
  },

  'counts add up at every moment': async (open) => {
    const { channel } = await open();
    assertCountsAddUp(channel);
    const stats = channel.stats();
    assert.match(stats.channelId, /^[0-9a-f]{8,}/);
    assert.deepEqual(stats.health, { state: 'ok', reasons: [] });
    assert.deepEqual([stats.depthEvents, stats.oldestEventAgeMs, stats.oldestLeaseAgeMs], [0, null, null]);
    await channel.put(makeEvents(20));
    const k = channel.consumer('k');
    const batch = await k.take(10);
    const id = await k.prepare([range(1, 3)], null);
    assert.equal(channel.stats().leasedEvents, 7);
    assertCountsAddUp(channel);
    const commit = batch.commit();
    assertCountsAddUp(channel);
    await commit;
    assertCountsAddUp(channel);
    await channel.resolve(id, 'rollback');
    assertCountsAddUp(channel);
    const { depthEvents, leasedEvents, preparedEvents, counters } = channel.stats();
    assert.deepEqual([depthEvents, leasedEvents, preparedEvents, counters.taken], [13, 0, 0, 7]);
  },
};
