/** The common half over a backend that fails, loads slowly or refuses: what no real channel does on demand. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { systemClock } from '../../src/base/clock.ts';
import { ForebayError } from '../../src/base/errors.ts';
import type { SequenceRange } from '../../src/base/units.ts';
import type { ChannelStats } from '../../src/channel/channel.ts';
import { ChannelCore } from '../../src/channel/core.ts';
import { MemoryBackend } from '../../src/channel/memory-backend.ts';
import { resolveOptions } from '../../src/channel/options.ts';
import type { DeliveredEvent, Event } from '../../src/event/event.ts';
import type { ControlRecord } from '../../src/queue/control-record.ts';
import type { NoteChanges } from '../../src/queue/notes.ts';
import { QueueState } from '../../src/queue/queue-state.ts';
import {
  assertCountsAddUp,
  bodiesOf,
  drain,
  isSettled,
  makeEvents,
  range,
  refuses,
  sleep,
  upTo,
} from '../conformance/channel-support.ts';

const failure = new ForebayError('WRITE_FAILED', 'the disk said no', { outcome: 'notStored' });

/** A memory backend whose stores can be held and failed, whose events can be unloaded, and which can refuse puts. */
class MoodyBackend extends MemoryBackend {
  refusal: Error | undefined;
  isUnloaded = false;
  #gate: Promise<void> = Promise.resolve();
  #open: () => void = () => undefined;
  #fails = false;
  readonly #loaded: ((error?: Error) => void)[] = [];

  /** From now on stores wait for `go`. */
  hold(): void {
    this.#gate = new Promise((resolve) => {
      this.#open = resolve;
    });
  }

  go(outcome: 'fine' | 'fail' = 'fine'): void {
    this.#fails = outcome === 'fail';
    this.#open();
  }

  load(error?: Error): void {
    this.isUnloaded = false;
    for (const loaded of this.#loaded.splice(0)) loaded(error);
  }

  override async put(events: readonly Event[], notes: NoteChanges | undefined): Promise<SequenceRange> {
    await this.#gate;
    if (this.#fails) throw failure;
    return super.put(events, notes);
  }

  override async record(record: ControlRecord, applied?: () => void): Promise<void> {
    await this.#gate;
    if (this.#fails) throw failure;
    return super.record(record, applied);
  }

  override claim(max: number, maxBytes: number): readonly DeliveredEvent[] {
    return this.isUnloaded ? [] : super.claim(max, maxBytes);
  }

  override whenClaimable(): Promise<void> | undefined {
    const ready = super.whenClaimable();
    if (ready === undefined || !this.isUnloaded) return ready;
    return new Promise((resolve, reject) => {
      this.#loaded.push((error) => (error === undefined ? resolve() : reject(error)));
    });
  }

  override refusesPuts(): Error | undefined {
    return this.refusal;
  }
}

class MoodyChannel extends ChannelCore {
  readonly backend: MoodyBackend;

  constructor(options: Record<string, unknown> = {}) {
    const state = new QueueState();
    const backend = new MoodyBackend(state, systemClock, true);
    super({ backend, state, options: resolveOptions(options), clock: systemClock, idPrefix: 'test' });
    this.backend = backend;
  }

  roomMayBeThere(): void {
    this.capacity.changed();
  }

  get waitingEvents(): number {
    return this.capacity.waitingEvents;
  }

  override stats(): ChannelStats {
    const health = { state: 'ok', reasons: [] } as const;
    const rest = { channelId: 'c', bytesOnDisk: 0, segments: 0, oldestEventAgeMs: null, checkpoint: null, health };
    return { ...rest, ...this.queueStats() };
  }

  protected override async closeBackend(): Promise<void> {
    this.backend.clear();
  }
}

async function holding(count: number): Promise<MoodyChannel> {
  const channel = new MoodyChannel();
  await channel.put(makeEvents(count));
  return channel;
}

describe('a commit that fails', () => {
  it('of a take returns its events to the lease, and can be tried again', async () => {
    const channel = await holding(4);
    const k = channel.consumer('k');
    const batch = await k.take(4);
    channel.backend.hold();
    const commit = refuses('WRITE_FAILED', () => batch.commit());
    const part = refuses('TRANSACTION_STATE', () => k.commit([range(1, 1)]));
    assert.equal(channel.stats().leasedEvents, 4, 'events on their way are held');
    channel.backend.go('fail');
    await Promise.all([commit, part]);
    assert.equal(channel.stats().leasedEvents, 4);
    channel.backend.go();
    assert.deepEqual(await batch.commit(), [range(1, 4)]);
    assert.equal(channel.stats().depthEvents, 0);
  });

  it('of a prepare returns its events to the lease and leaves nothing prepared', async () => {
    const channel = await holding(2);
    const k = channel.consumer('k');
    await k.take(2);
    channel.backend.go('fail');
    await refuses('WRITE_FAILED', () => k.prepare([range(1, 2)], 'n', { notes: { a: 1 } }));
    assert.deepEqual([channel.unresolved(), channel.notes.get('a')], [[], undefined]);
    channel.backend.go();
    await k.commit([range(1, 2)]);
  });

  it('of a consumer closed or fenced meanwhile makes its events ready', async () => {
    const channel = await holding(4);
    const closed = channel.consumer('closed');
    const fenced = channel.consumer('fenced');
    const batches = [await closed.take(2), await fenced.take(2)];
    channel.backend.hold();
    const commits = batches.map((batch) => refuses('WRITE_FAILED', () => batch.commit()));
    await closed.close();
    channel.consumer('fenced');
    assert.equal((await channel.take(4)).events.length, 0, 'not ready while the acknowledgement is on its way');
    channel.backend.go('fail');
    await Promise.all(commits);
    channel.backend.go();
    assert.deepEqual(await drain(channel), upTo(4));
  });

  it('of a put gives its room back, and a waiting one goes on', async () => {
    const channel = new MoodyChannel({ capacityEvents: 5, capacityBytes: 1000, keepAliveMs: 20_000 });
    channel.backend.hold();
    const put = refuses('WRITE_FAILED', () => channel.put(makeEvents(5)));
    const waiting = channel.put(makeEvents(5));
    assert.equal(await isSettled(waiting), false);
    assert.equal(channel.waitingEvents, 5);
    channel.backend.go('fail');
    await put;
    await refuses('WRITE_FAILED', () => waiting);
    channel.backend.go();
    assert.equal(channel.waitingEvents, 0);
    assert.equal((await channel.put(makeEvents(5))).length, 1);
  });

  it('of a resolve leaves the take unresolved', async () => {
    const channel = await holding(2);
    const k = channel.consumer('k');
    await k.take(2);
    const id = await k.prepare([range(1, 2)], null);
    channel.backend.go('fail');
    await refuses('WRITE_FAILED', () => channel.resolve(id, 'rollback'));
    assert.equal(channel.unresolved().length, 1);
    channel.backend.go();
    assert.equal(await channel.resolve(id, 'rollback'), true);
    assert.deepEqual(await drain(channel), [0, 1]);
  });

  it('before it was stored, for its notes, gives its room back', async () => {
    const channel = new MoodyChannel({ capacityEvents: 1, keepAliveMs: 0 });
    const value = 'x'.repeat(65_000);
    for (const index of upTo(16)) await channel.notes.set(`k${index}`, value);
    await refuses('NOTE_INVALID', () => channel.put(makeEvents(1), { notes: { k16: value } }));
    assert.deepEqual(await channel.put(makeEvents(1)), [range(1, 1)]);
  });

  it('is not feared where one note is changed many times over', async () => {
    const channel = new MoodyChannel();
    channel.backend.hold();
    const notes = { position: 'x'.repeat(60_000) };
    const puts = upTo(30).map((index) => channel.put(makeEvents(1, index), { notes }));
    channel.backend.go();
    assert.equal((await Promise.all(puts)).length, 30);
  });

  it('takes its notes’ weight with it', async () => {
    const channel = new MoodyChannel();
    const value = 'x'.repeat(65_000);
    for (const index of upTo(15)) await channel.notes.set(`k${index}`, value);
    channel.backend.go('fail');
    await refuses('WRITE_FAILED', () => channel.notes.set('k15', value));
    await refuses('WRITE_FAILED', () => channel.notes.set('k16', value));
    await refuses('WRITE_FAILED', () => channel.put(makeEvents(1), { notes: { k0: undefined } }));
    channel.backend.go();
    await channel.notes.set('k15', value);
    await refuses('NOTE_INVALID', () => channel.notes.set('k16', value));
  });

  it('while closing has its caller told before close returns', async () => {
    const channel = await holding(2);
    const batch = await channel.take(2);
    channel.backend.hold();
    const told: string[] = [];
    const commit = batch.commit().catch(() => told.push('commit'));
    const close = channel.close().then(() => told.push('close'));
    assert.equal(await isSettled(close), false);
    channel.backend.go('fail');
    await Promise.all([commit, close]);
    assert.deepEqual(told, ['commit', 'close']);
    assert.deepEqual(channel.stats().leasedEvents, 0);
    assertCountsAddUp(channel);
  });
});

describe('puts on their way', () => {
  it('count against capacityBytes', async () => {
    const channel = new MoodyChannel({ capacityBytes: 1000, keepAliveMs: 0 });
    const events = [{ headers: {}, body: Buffer.alloc(600) }];
    channel.backend.hold();
    const first = channel.put(events);
    await refuses('CHANNEL_FULL', () => channel.put(events));
    channel.backend.go();
    await first;
    await refuses('CHANNEL_FULL', () => channel.put(events));
    await channel.take(1);
    await channel.put(events);
  });
});

describe('events that are not loaded', () => {
  it('go to who waits for them, not to who comes as they arrive', async () => {
    const channel = await holding(4);
    channel.backend.isUnloaded = true;
    const first = channel.take(2);
    await sleep(5);
    channel.backend.load();
    const late = channel.take(2);
    assert.deepEqual(
      [bodiesOf(await first), bodiesOf(await late)],
      [
        [0, 1],
        [2, 3],
      ],
    );
  });

  it('are waited for, also by a take that does not wait for new ones', async () => {
    const channel = await holding(4);
    channel.backend.isUnloaded = true;
    const [first, second] = [channel.take(2), channel.take(10, { waitMs: 5 })];
    assert.equal(await isSettled(first), false);
    assert.equal(await isSettled(second), false, 'its time is over, but events are ready');
    channel.backend.load();
    assert.deepEqual(
      [bodiesOf(await first), bodiesOf(await second)],
      [
        [0, 1],
        [2, 3],
      ],
    );
  });

  it('are not waited for once aborted, and are given to nobody', async () => {
    const channel = await holding(2);
    channel.backend.isUnloaded = true;
    const abort = new AbortController();
    const take = channel.take(2, { signal: abort.signal });
    abort.abort();
    assert.equal((await take).events.length, 0);
    channel.backend.load();
    await sleep(5);
    assert.deepEqual(await drain(channel), [0, 1]);
  });

  it('that cannot be loaded fail the takes that wait', async () => {
    const channel = await holding(2);
    channel.backend.isUnloaded = true;
    const takes = [1, 2].map(() => refuses('CHANNEL_FAILED', () => channel.take(1, { waitMs: 20_000 })));
    await sleep(5);
    channel.backend.load(new ForebayError('CHANNEL_FAILED', 'the segment is gone'));
    await Promise.all(takes);
    assert.deepEqual(await drain(channel), [0, 1]);
  });

  it('taken by somebody else leave a take that does not wait empty-handed', async () => {
    const channel = await holding(2);
    channel.backend.isUnloaded = true;
    const [first, second] = [channel.take(2), channel.take(2)];
    await sleep(5);
    channel.backend.load();
    assert.deepEqual([bodiesOf(await first), bodiesOf(await second)], [[0, 1], []]);
  });
});

describe('a backend that refuses puts', () => {
  const diskFull = new ForebayError('DISK_FULL', 'no space left', { outcome: 'notStored' });

  it('for want of space has them wait keepAliveMs, then says why', async () => {
    const channel = new MoodyChannel({ keepAliveMs: 60 });
    channel.backend.refusal = diskFull;
    const start = performance.now();
    await refuses('DISK_FULL', () => channel.put(makeEvents(1)));
    assert.ok(performance.now() - start >= 55);
    assert.equal(channel.waitingEvents, 0);
  });

  it('and then has room lets them go on, in order', async () => {
    const channel = new MoodyChannel({ keepAliveMs: 20_000 });
    channel.backend.refusal = diskFull;
    const puts = upTo(3).map((index) => channel.put(makeEvents(1, index)));
    channel.roomMayBeThere();
    assert.equal(await isSettled(puts[0]!), false);
    channel.backend.refusal = undefined;
    channel.roomMayBeThere();
    const last = channel.put(makeEvents(1, 3));
    assert.deepEqual(
      (await Promise.all([...puts, last])).flat(),
      upTo(4, 1).map((at) => range(at, at)),
    );
    assert.deepEqual(await drain(channel), upTo(4));
  });

  it('for good fails them at once, waiting ones too', async () => {
    const channel = new MoodyChannel({ capacityEvents: 1, keepAliveMs: 20_000 });
    await channel.put(makeEvents(1));
    const waiting = refuses('CHANNEL_FAILED', () => channel.put(makeEvents(1)));
    channel.backend.refusal = new ForebayError('CHANNEL_FAILED', 'open it again');
    channel.roomMayBeThere();
    await waiting;
    await refuses('CHANNEL_FAILED', () => channel.put(makeEvents(1)));
    assert.deepEqual(await drain(channel), [0], 'takes go on');
  });
});
