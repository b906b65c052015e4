/**
 * The common half of every channel: what callers give is checked here, puts wait for room, takes for events;
 * leases, consumers and transactions live here. Where events are kept is the backend's (backend.ts).
 *
 * A put that finds room costs its check, one call of the backend and two promises.
 */
import type { Clock } from '../base/clock.ts';
import { ForebayError } from '../base/errors.ts';
import { countSequences, type SequenceRange, type SequenceRanges } from '../base/units.ts';
import { validateEvents } from '../codec/validate-event.ts';
import type { Event } from '../event/event.ts';
import type { ControlRecord } from '../queue/control-record.ts';
import { Leases } from '../queue/leases.ts';
import { checkNote, type NoteChanges, type NoteStore, type NoteValue } from '../queue/notes.ts';
import type { QueueState } from '../queue/queue-state.ts';
import type { ChannelBackend } from './backend.ts';
import { Capacity } from './capacity.ts';
import type {
  Channel,
  ChannelStats,
  Consumer,
  Notes,
  NotesOption,
  PutTransaction,
  TakeBatch,
  TakeOptions,
  UnresolvedTake,
} from './channel.ts';
import { CommitGate } from './commit-gate.ts';
import { type ConsumerParts, checkedNotes, fencedConsumer, LeasingConsumer } from './consumer.ts';
import { bytesOver, eventsBytes } from './event-bytes.ts';
import { NoteBudget } from './note-budget.ts';
import type { ResolvedOptions } from './options.ts';
import { BufferedPut, type PutTarget, tooManyBytes, tooManyEvents } from './put-transaction.ts';
import { TakeQueue } from './take-queue.ts';

/** What a channel is made of. */
export interface ChannelParts {
  readonly backend: ChannelBackend;
  /** As of opening; the backend applies to it what becomes durable. */
  readonly state: QueueState;
  readonly options: ResolvedOptions;
  readonly clock: Clock;
  /** Different at every opening, so that the ids of prepared takes never meet. */
  readonly idPrefix: string;
}

/** The part of the stats that the queue knows. */
export type QueueStats = Pick<
  ChannelStats,
  'depthEvents' | 'leasedEvents' | 'preparedEvents' | 'oldestLeaseAgeMs' | 'counters'
>;

/** The consumer that `channel.take` uses; no other may have this name. */
const ownConsumerName = '';
const consumerNameBytesMax = 256;

/** See Channel. */
export abstract class ChannelCore implements Channel {
  readonly notes: Notes;
  protected readonly state: QueueState;
  protected readonly gate: CommitGate = new CommitGate();
  protected readonly capacity: Capacity;
  protected readonly takers: TakeQueue;
  readonly #backend: ChannelBackend;
  readonly #options: ResolvedOptions;
  readonly #clock: Clock;
  readonly #leases: Leases = new Leases();
  readonly #noteBudget: NoteBudget;
  readonly #consumerParts: ConsumerParts;
  readonly #putTarget: PutTarget;
  /** The latest of each name. */
  readonly #consumers: Map<string, LeasingConsumer> = new Map();
  readonly #own: LeasingConsumer;
  /** Ids whose resolution is on its way. */
  readonly #resolving: Set<string> = new Set();
  #settlingEvents = 0;
  #closing: Promise<void> | undefined;

  constructor({ backend, state, options, clock, idPrefix }: ChannelParts) {
    this.#backend = backend;
    this.state = state;
    this.#options = options;
    this.#clock = clock;
    this.#noteBudget = new NoteBudget(state.notes);
    this.capacity = new Capacity(options, backend, clock, Math.max(0, state.depth - state.preparedSet.count));
    this.takers = new TakeQueue(backend, clock);
    let prepared = 0;
    this.#consumerParts = {
      backend,
      clock,
      leases: this.#leases,
      capacity: this.capacity,
      gate: this.gate,
      takers: this.takers,
      store: (record) => this.#record(record),
      settlingChanged: (events) => {
        this.#settlingEvents += events;
      },
      nextPrepareId: () => `${idPrefix}-${++prepared}`,
    };
    this.#putTarget = {
      transactionCapacity: options.transactionCapacity,
      transactionBytesMax: options.transactionBytesMax,
      checkOpen: () => this.gate.checkOpen(),
      store: (events, notes) => this.#commitPut(events, notes),
    };
    this.notes = {
      get: (key) => this.#openNotes().get(key),
      keys: () => this.#openNotes().keys(),
      set: (key, value) => this.#changeNote(key, value),
      delete: (key) => this.#changeNote(key, undefined),
    };
    this.#own = this.#open(ownConsumerName);
  }

  abstract stats(): ChannelStats;

  /** After the last commit: what the backend holds is let go. */
  protected abstract closeBackend(): Promise<void>;

  put(events: readonly Event[], options?: NotesOption): Promise<SequenceRanges> {
    try {
      this.gate.checkOpen();
      const notes = checkedNotes(options);
      this.#checkEvents(events);
      return this.#commitPut(events, notes);
    } catch (error) {
      return Promise.reject(error);
    }
  }

  beginPut(): PutTransaction {
    this.gate.checkOpen();
    return new BufferedPut(this.#putTarget);
  }

  take(max: number, options?: TakeOptions): Promise<TakeBatch> {
    return this.#own.take(max, options);
  }

  consumer(name: string): Consumer {
    this.gate.checkOpen();
    const isName = typeof name === 'string' && name !== '' && Buffer.byteLength(name) <= consumerNameBytesMax;
    if (!isName) {
      const allowed = `a string of 1 … ${consumerNameBytesMax} bytes`;
      throw new ForebayError('CONFIG_INVALID', `a consumer's name must be ${allowed}`, { expected: allowed });
    }
    return this.#open(name);
  }

  unresolved(): readonly UnresolvedTake[] {
    this.gate.checkOpen();
    return structuredClone([...this.state.prepared.values()]);
  }

  async resolve(id: string, outcome: 'commit' | 'rollback', options?: NotesOption): Promise<boolean> {
    this.gate.checkOpen();
    if (outcome !== 'commit' && outcome !== 'rollback') {
      const expected = "'commit' or 'rollback'";
      throw new ForebayError('CONFIG_INVALID', `resolve: the outcome must be ${expected}`, { expected });
    }
    const notes = checkedNotes(options);
    if (this.#resolving.has(id)) {
      throw new ForebayError('TRANSACTION_STATE', `'${id}' is being resolved`, { outcome: 'notStored' });
    }
    const take = this.state.prepared.get(id);
    if (take === undefined) return false;
    this.#resolving.add(id);
    this.gate.enter();
    // A segment that leaves the log meanwhile takes with it the knowledge that events of the take were lost in it.
    const waiting = this.state.pendingOf(take.ranges);
    try {
      await this.#record({ kind: 'resolve', id, outcome, notes }, () => {
        if (outcome === 'rollback') this.#giveBack(this.state.pendingOf(waiting));
      });
      this.takers.pump();
    } finally {
      this.#resolving.delete(id);
      this.gate.leave();
    }
    return true;
  }

  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  protected queueStats(): QueueStats {
    const oldest = this.#leases.oldestLeasedAtMs();
    return {
      depthEvents: this.state.depth,
      leasedEvents: this.#leases.leasedCount + this.#settlingEvents,
      preparedEvents: this.state.preparedSet.count,
      oldestLeaseAgeMs: oldest === undefined ? null : Math.max(0, this.#clock.monotonicMs() - oldest),
      counters: this.state.counters,
    };
  }

  async #close(): Promise<void> {
    const closed = new ForebayError('CHANNEL_CLOSED', 'the channel was closed meanwhile', { outcome: 'notStored' });
    const idle = this.gate.shut();
    this.takers.fail(undefined, closed);
    this.capacity.failAll(closed);
    await idle;
    this.#leases.closeAll();
    try {
      await this.closeBackend();
    } finally {
      this.gate.closed();
    }
  }

  #open(name: string): LeasingConsumer {
    const { holder, returned } = this.#leases.open(name);
    const earlier = this.#consumers.get(name);
    if (earlier !== undefined) this.takers.fail(earlier, fencedConsumer(name, 'CHANNEL_CLOSED'));
    const consumer = new LeasingConsumer(this.#consumerParts, holder);
    this.#consumers.set(name, consumer);
    this.#ready(returned.ranges(), returned.count);
    return consumer;
  }

  /** Events that were held are ready again. */
  #ready(ranges: Iterable<SequenceRange>, count: number): void {
    if (count === 0) return;
    this.#backend.giveBack(ranges);
    this.capacity.came(count);
    this.takers.pump();
  }

  /** In the turn in which they are ready: whoever takes next must not be given them as new ones, and then once more. */
  #giveBack(ranges: SequenceRanges): void {
    this.#backend.giveBack(ranges);
    this.capacity.came(countSequences(ranges));
  }

  #checkEvents(events: readonly Event[]): void {
    if (!Array.isArray(events)) throw new ForebayError('EVENT_INVALID', 'put: events must be an array of events');
    const { transactionCapacity, transactionBytesMax } = this.#options;
    if (events.length > transactionCapacity) throw tooManyEvents(events.length, transactionCapacity);
    const error = validateEvents(events, 'put: event');
    if (error !== undefined) throw error;
    const bytes = bytesOver(events, transactionBytesMax);
    if (bytes !== undefined) throw tooManyBytes(bytes, transactionBytesMax);
  }

  /** Events and notes are checked. In order: what is called first is stored first. */
  #commitPut(events: readonly Event[], notes: NoteChanges | undefined): Promise<SequenceRanges> {
    if (events.length === 0) return this.#commitNotes(notes);
    const bytes = this.#options.capacityBytes === undefined ? 0 : eventsBytes(events);
    if (this.capacity.tryReserve(events.length, bytes)) return this.#storePut(events, notes, bytes);
    return new Promise((resolve, reject) => {
      this.capacity.wait(events.length, bytes, () => resolve(this.#storePut(events, notes, bytes)), reject);
    });
  }

  async #commitNotes(notes: NoteChanges | undefined): Promise<SequenceRanges> {
    if (notes !== undefined) await this.#record({ kind: 'notes', notes });
    return [];
  }

  /** Room is reserved. */
  async #storePut(events: readonly Event[], notes: NoteChanges | undefined, bytes: number): Promise<SequenceRanges> {
    const refused = notes === undefined ? undefined : this.#noteBudget.admit(notes);
    if (refused !== undefined) {
      this.capacity.notStored(events.length, bytes);
      throw refused;
    }
    this.gate.enter();
    try {
      const range = await this.#backend.put(events, notes);
      this.capacity.stored(bytes);
      this.takers.pump();
      return [range];
    } catch (error) {
      this.capacity.notStored(events.length, bytes);
      throw error;
    } finally {
      if (notes !== undefined) this.#noteBudget.settle();
      this.gate.leave();
    }
  }

  async #record(record: ControlRecord, applied?: () => void): Promise<void> {
    const refused = record.notes === undefined ? undefined : this.#noteBudget.admit(record.notes);
    if (refused !== undefined) throw refused;
    this.gate.enter();
    try {
      await this.#backend.record(record, applied);
    } finally {
      if (record.notes !== undefined) this.#noteBudget.settle();
      this.gate.leave();
    }
  }

  #openNotes(): NoteStore {
    this.gate.checkOpen();
    return this.state.notes;
  }

  async #changeNote(key: string, value: NoteValue | undefined): Promise<void> {
    this.gate.checkOpen();
    const checked = checkNote(key, value);
    if (checked instanceof ForebayError) throw checked;
    const copy = checked.text === undefined ? undefined : (JSON.parse(checked.text) as NoteValue);
    await this.#record({ kind: 'notes', notes: Object.fromEntries([[key, copy]]) });
  }
}
