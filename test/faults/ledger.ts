/**
 * What a workload asked of a channel, and what it was told: so that a later life of the channel can be held against
 * it. Every transaction carries a note of its own, which is there exactly where the transaction is.
 */
import assert from 'node:assert/strict';
import { isForebayError } from '../../src/base/errors.ts';
import type { SequenceRanges } from '../../src/base/units.ts';
import type { Channel, Consumer, TakeBatch } from '../../src/channel/channel.ts';
import type { DeliveredEvent } from '../../src/event/event.ts';
import { assertCountsAddUp } from '../conformance/channel-support.ts';

/** One transaction. `pending`: nobody was told anything. */
export interface Attempt {
  readonly kind: 'put' | 'ack' | 'prepare' | 'resolve';
  /** The events it is about, by the number in their body. */
  readonly ids: readonly number[];
  /** Its note. */
  readonly key: string;
  /** Of a resolve. */
  readonly outcomeAsked?: 'commit' | 'rollback';
  outcome: 'pending' | 'stored' | 'notStored' | 'unknown';
  error: unknown;
}

const codesAllowed: ReadonlySet<string> = new Set(['WRITE_FAILED', 'DISK_FULL', 'CHANNEL_FAILED']);

/** Events by what became of them. */
interface Places {
  readonly ready: Set<number>;
  readonly prepared: Map<string, readonly number[]>;
  put: number;
  taken: number;
}

/** What the workload was told, against what the channel holds afterwards. */
export class Ledger {
  readonly attempts: Attempt[] = [];
  #nextId = 1;
  #nextKey = 1;
  /** Any event that was ever delivered. */
  readonly #delivered: Set<number> = new Set();

  put(channel: Channel, count: number, bodyBytes: number): Promise<Attempt> {
    const ids = Array.from({ length: count }, () => this.#nextId++);
    const events = ids.map((id) => ({ headers: { id: String(id) }, body: bodyOf(id, bodyBytes) }));
    return this.#attempt({ kind: 'put', ids }, (notes) => channel.put(events, { notes }));
  }

  /** Takes, checking that what comes is whole and was stored. */
  async take(from: Channel | Consumer, max: number): Promise<TakeBatch> {
    const batch = await from.take(max, { maxBytes: 1e9 });
    for (const id of idsOf(batch.events)) this.#delivered.add(id);
    return batch;
  }

  ack(batch: TakeBatch): Promise<Attempt> {
    return this.#attempt({ kind: 'ack', ids: idsOf(batch.events) }, (notes) => batch.commit({ notes }));
  }

  /** Acknowledges the events of `batch` from index `from` up to, without, `to`. */
  ackPart(consumer: Consumer, batch: TakeBatch, from: number, to: number): Promise<Attempt> {
    const events = batch.events.slice(from, to);
    return this.#attempt({ kind: 'ack', ids: idsOf(events) }, (notes) => consumer.commit(rangesOf(events), { notes }));
  }

  /** The prepare's id, which is undefined where it failed. */
  async prepare(consumer: Consumer, batch: TakeBatch, from: number, to: number): Promise<string | undefined> {
    const events = batch.events.slice(from, to);
    if (events.length === 0) return undefined;
    let id: string | undefined;
    await this.#attempt({ kind: 'prepare', ids: idsOf(events) }, async (notes, key) => {
      id = await consumer.prepare(rangesOf(events), key, { notes });
    });
    return id;
  }

  async resolve(channel: Channel, id: string | undefined, outcomeAsked: 'commit' | 'rollback'): Promise<void> {
    const take = channel.unresolved().find((each) => each.id === id);
    if (id === undefined || take === undefined) return;
    const ids = this.attempts.find(({ key }) => key === take.note)?.ids ?? [];
    await this.#attempt({ kind: 'resolve', ids, outcomeAsked }, (notes) =>
      channel.resolve(id, outcomeAsked, { notes }),
    );
  }

  /** Those that were told that they failed. */
  get failures(): readonly Attempt[] {
    return this.attempts.filter(({ outcome }) => outcome === 'notStored' || outcome === 'unknown');
  }

  /** The errors are of the list, say what is wrong, and say what became of the transaction. */
  assertErrors(): void {
    for (const { kind, key, error, outcome } of this.failures) {
      const what = `${kind} ${key}: ${String(error)}`;
      assert.ok(isForebayError(error), what);
      assert.ok(codesAllowed.has(error.code), `${what} ${error.code}`);
      assert.equal(error.outcome, outcome, what);
      assert.ok(error.message.length > 30 && error.path !== undefined, `${what}: no path, or nothing said`);
      assert.ok(outcome === 'notStored' || error.code === 'CHANNEL_FAILED', `${what}: unknown, and goes on`);
    }
    assert.deepEqual(
      this.attempts.filter(({ outcome }) => outcome === 'pending').map(({ kind, key }) => `${kind} ${key}`),
      [],
      'every transaction ends',
    );
  }

  /** The life that did the work counts what it acknowledged, and nothing else; nothing else was delivered. */
  assertCounted(channel: Channel): void {
    const { put, taken, ready } = this.#places(({ outcome }) => outcome === 'stored');
    const { counters, depthEvents, preparedEvents } = channel.stats();
    assert.deepEqual({ ...counters }, { put, taken, requeued: 0, dropped: 0, quarantined: 0 });
    assert.equal(depthEvents, ready.size + preparedEvents);
    assertCountsAddUp(channel);
  }

  /** Nothing is delivered that is not known to be stored. */
  assertDelivered(): void {
    for (const { kind, ids, outcome, key } of this.attempts) {
      if (kind !== 'put' || outcome === 'stored') continue;
      assert.ok(!ids.some((id) => this.#delivered.has(id)), `put ${key} is ${outcome}, and was delivered`);
    }
  }

  /**
   * Another life: all that was acknowledged is there, what was not stored is not, the rest as a whole or not at all.
   * `before`: what a life before this one had shown, which binds this one. Gives what this one shows.
   */
  async assertKept(channel: Channel, before?: ReadonlySet<string>): Promise<ReadonlySet<string>> {
    const keys = new Set(channel.notes.keys());
    if (before !== undefined)
      assert.deepEqual([...keys].sort(), [...before].sort(), 'what one life showed, the next has');
    for (const { kind, key, outcome } of this.attempts) {
      if (outcome === 'stored') assert.ok(keys.has(key), `${kind} ${key} was acknowledged, and is lost`);
      if (outcome === 'notStored') assert.ok(!keys.has(key), `${kind} ${key} was not stored, and appears`);
    }
    const places = this.#places(({ key }) => keys.has(key));
    const { events, batches } = await takeAll(channel);
    assert.deepEqual(idsOf(events), [...places.ready].sort(ascending), 'each event once, whole, in order');
    assert.deepEqual(
      channel.unresolved().map(({ note, ranges }) => [note, countOf(ranges)]),
      [...places.prepared].map(([key, ids]) => [key, ids.length]),
    );
    const { counters } = channel.stats();
    const { put, taken } = places;
    assert.deepEqual({ ...counters }, { put, taken, requeued: 0, dropped: 0, quarantined: 0 });
    assertCountsAddUp(channel);
    for (const batch of batches) await batch.rollback();
    return keys;
  }

  #places(counts: (attempt: Attempt) => boolean): Places {
    const places: Places = { ready: new Set(), prepared: new Map(), put: 0, taken: 0 };
    for (const { kind, ids, key, outcomeAsked } of this.attempts.filter(counts)) {
      if (kind === 'put') {
        places.put += ids.length;
        for (const id of ids) places.ready.add(id);
        continue;
      }
      for (const id of ids) places.ready.delete(id);
      if (kind === 'prepare') places.prepared.set(key, ids);
      else if (kind === 'ack' || outcomeAsked === 'commit') places.taken += ids.length;
      else for (const id of ids) places.ready.add(id);
      if (kind === 'resolve') {
        for (const [prepared, others] of places.prepared) if (others[0] === ids[0]) places.prepared.delete(prepared);
      }
    }
    return places;
  }

  async #attempt(
    what: Pick<Attempt, 'kind' | 'ids' | 'outcomeAsked'>,
    call: (notes: Record<string, number>, key: string) => Promise<unknown>,
  ): Promise<Attempt> {
    const key = `k${this.#nextKey++}`;
    const attempt: Attempt = { ...what, key, outcome: 'pending', error: undefined };
    this.attempts.push(attempt);
    try {
      await call({ [key]: 1 }, key);
      attempt.outcome = 'stored';
    } catch (error) {
      attempt.error = error;
      attempt.outcome = (isForebayError(error) ? error.outcome : undefined) ?? 'notStored';
    }
    return attempt;
  }
}

/** Everything that is ready, and the batches that hold it. */
async function takeAll(channel: Channel): Promise<{ events: DeliveredEvent[]; batches: TakeBatch[] }> {
  const batches: TakeBatch[] = [];
  for (let batch = await channel.take(1000); batch.events.length > 0; batch = await channel.take(1000)) {
    batches.push(batch);
  }
  return { events: batches.flatMap((batch) => batch.events), batches };
}

function bodyOf(id: number, bytes: number): Buffer {
  return Buffer.alloc(Math.max(bytes, 12), `${id} `);
}

/** The numbers in the bodies; each body is checked to its last byte. */
function idsOf(events: readonly DeliveredEvent[]): number[] {
  return events.map(({ body, headers, sequence }) => {
    const id = Number(headers['id']);
    assert.ok(Buffer.compare(body, bodyOf(id, body.length)) === 0, `the body of event ${sequence} is another's`);
    return id;
  });
}

function rangesOf(events: readonly DeliveredEvent[]): SequenceRanges {
  return events.map(({ sequence }) => ({ first: sequence, last: sequence }));
}

function countOf(ranges: SequenceRanges): number {
  return ranges.reduce((sum, { first, last }) => sum + last - first + 1, 0);
}

function ascending(a: number, b: number): number {
  return a - b;
}
