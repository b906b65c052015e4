/** Channel suite: what is still there after close and open. Left out for a channel that is not durable. */
import assert from 'node:assert/strict';
import type { Channel } from '../../src/channel/channel.ts';
import {
  assertCountsAddUp,
  bodiesOf,
  type ChannelCases,
  type ChannelSubject,
  drain,
  makeEvents,
  range,
  refuses,
  sequencesOf,
  upTo,
} from './channel-support.ts';

function reopened(subject: ChannelSubject): Promise<Channel> {
  assert.ok(subject.reopen !== undefined, 'a durable channel can be opened again');
  return subject.reopen();
}

/** What a restart keeps. */
export const durableCases: ChannelCases = {
  'committed puts are there after a restart, others are not': async (open) => {
    const subject = await open();
    await subject.channel.put(makeEvents(3));
    const open1 = subject.channel.beginPut();
    open1.put(makeEvents(1, 50)[0]!);
    const rolledBack = subject.channel.beginPut();
    rolledBack.put(makeEvents(1, 60)[0]!);
    await rolledBack.rollback();
    await subject.channel.put(makeEvents(2, 3));
    const channel = await reopened(subject);
    await refuses('CHANNEL_CLOSED', () => open1.commit());
    const batch = await channel.take(10);
    assert.deepEqual(bodiesOf(batch), upTo(5));
    assert.deepEqual(sequencesOf(batch), upTo(5, 1));
    assert.deepEqual({ ...batch.events[4]?.headers }, { host: 'a', n: '4' });
  },

  'committed takes do not come back; leased and rolled back ones do, once': async (open) => {
    const subject = await open();
    const { channel } = subject;
    await channel.put(makeEvents(10));
    await (await channel.take(3)).commit();
    await (await channel.take(2)).rollback();
    const k = channel.consumer('k');
    const held = await k.take(4);
    await k.commit([range(5, 5)]);
    const after = await reopened(subject);
    assert.equal(after.stats().leasedEvents, 0);
    await refuses('CHANNEL_CLOSED', () => held.commit());
    assert.deepEqual(await drain(after), [3, 5, 6, 7, 8, 9]);
    assert.deepEqual(await drain(await reopened(subject)), []);
  },

  'dropped events do not come back after a restart, and their counts and notes stay': async (open) => {
    const subject = await open();
    await subject.channel.put(makeEvents(10));
    const k = subject.channel.consumer('k');
    await k.take(8);
    await k.drop([range(2, 5)]);
    await k.drop([range(1, 1), range(8, 8)], { notes: { moved: [1, 8] } });
    await k.commit([range(6, 6)]);
    const channel = await reopened(subject);
    assert.deepEqual(channel.stats().counters, { put: 10, requeued: 0, taken: 1, dropped: 6, quarantined: 0 });
    assert.deepEqual(channel.notes.get('moved'), [1, 8]);
    assert.deepEqual(await drain(channel), [6, 8, 9]);
    assertCountsAddUp(await reopened(subject));
  },

  'sequences go on after a restart, also of an empty channel': async (open) => {
    const subject = await open();
    const [first] = await subject.channel.put(makeEvents(3));
    await drain(subject.channel);
    const [second] = await (await reopened(subject)).put(makeEvents(1));
    const [third] = await (await reopened(subject)).put(makeEvents(1));
    assert.ok(first!.last < second!.first && second!.last < third!.first);
  },

  'acknowledgements of scattered events are exact after a restart': async (open) => {
    const subject = await open();
    await subject.channel.put(makeEvents(1000));
    const k = subject.channel.consumer('k');
    await k.take(1000);
    const taken = upTo(1000).filter((index) => (index * 7919) % 3 === 0);
    await k.commit(taken.map((index) => range(index + 1, index + 1)));
    const channel = await reopened(subject);
    assert.deepEqual(
      await drain(channel, 37),
      upTo(1000).filter((index) => (index * 7919) % 3 !== 0),
    );
  },

  'prepared takes wait for their resolution over restarts': async (open) => {
    const subject = await open();
    await subject.channel.put(makeEvents(6));
    const k = subject.channel.consumer('k');
    await k.take(4);
    const first = await k.prepare([range(1, 1), range(3, 3)], { to: 'x' });
    const second = await k.prepare([range(2, 2)], null);
    const before = subject.channel.unresolved();
    const channel = await reopened(subject);
    assert.deepEqual(channel.unresolved(), before);
    assert.equal(channel.stats().preparedEvents, 3);
    const batch = await channel.take(10);
    assert.deepEqual(bodiesOf(batch), [3, 4, 5]);
    const again = channel.consumer('again');
    await batch.rollback();
    await again.take(1);
    const third = await again.prepare([range(4, 4)], null);
    assert.equal(new Set([first, second, third]).size, 3, 'ids never meet');
    assert.equal(await channel.resolve(first, 'commit'), true);
    assert.equal(await channel.resolve(second, 'rollback'), true);
    const last = await reopened(subject);
    assert.deepEqual(
      last.unresolved().map(({ id }) => id),
      [third],
    );
    assert.deepEqual(await drain(last), [1, 4, 5]);
    assert.equal(await last.resolve(first, 'commit'), false);
    assertCountsAddUp(last);
  },

  'notes survive with what they rode with': async (open) => {
    const subject = await open();
    await subject.channel.put(makeEvents(2), { notes: { position: { file: 'f', offset: 17 }, gone: 1 } });
    await (await subject.channel.take(1)).commit({ notes: { gone: undefined, acked: [1] } });
    const channel = await reopened(subject);
    assert.deepEqual(channel.notes.get('position'), { file: 'f', offset: 17 });
    assert.deepEqual(channel.notes.get('acked'), [1]);
    assert.equal(channel.notes.get('gone'), undefined);
    assert.deepEqual([...channel.notes.keys()].sort(), ['acked', 'position']);
  },

  'counters go on over restarts and add up': async (open) => {
    const subject = await open();
    const id = subject.channel.stats().channelId;
    let channel = subject.channel;
    for (const turn of upTo(4, 1)) {
      await channel.put(makeEvents(10));
      await (await channel.take(7)).commit();
      channel = await reopened(subject);
      assertCountsAddUp(channel);
      const { counters, depthEvents, channelId } = channel.stats();
      assert.deepEqual(counters, { put: 10 * turn, requeued: 0, taken: 7 * turn, dropped: 0, quarantined: 0 });
      assert.equal(depthEvents, 3 * turn);
      assert.equal(channelId, id);
    }
  },

  'a full channel stays full over a restart, and drains': async (open) => {
    const subject = await open({ capacityEvents: 10, keepAliveMs: 30 });
    await subject.channel.put(makeEvents(10));
    const channel = await reopened(subject);
    await refuses('CHANNEL_FULL', () => channel.put(makeEvents(1)));
    assert.deepEqual(await drain(channel), upTo(10));
    await channel.put(makeEvents(10, 10));
  },

  'a restart with nothing done changes nothing': async (open) => {
    const subject = await open();
    await subject.channel.put(makeEvents(3));
    for (const turn of upTo(3)) {
      const channel = await reopened(subject);
      assert.deepEqual(channel.stats().counters.put, 3, `turn ${turn}`);
    }
    assert.deepEqual(await drain(await reopened(subject)), [0, 1, 2]);
  },
};
