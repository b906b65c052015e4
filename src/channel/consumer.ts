/**
 * A consumer: takes events, and settles what it holds. All its calls are checked as a whole before anything is
 * written. While an acknowledgement is on its way its events are leased to nobody, so a second one is refused;
 * they go back to the lease if it fails.
 */
import type { Clock } from '../base/clock.ts';
import { ForebayError } from '../base/errors.ts';
import { countSequences, mib, type SequenceRange, type SequenceRanges } from '../base/units.ts';
import type { DeliveredEvent } from '../event/event.ts';
import type { ControlRecord } from '../queue/control-record.ts';
import type { Holder, Leases } from '../queue/leases.ts';
import { checkNote, checkNotes, type NoteChanges, type NoteValue } from '../queue/notes.ts';
import { normalizeRanges } from '../queue/ranges.ts';
import type { ChannelBackend } from './backend.ts';
import type { Capacity } from './capacity.ts';
import type { Consumer, NotesOption, TakeBatch, TakeOptions } from './channel.ts';
import type { CommitGate } from './commit-gate.ts';
import { type BatchOwner, EmptyBatch, LeasedBatch, rangesOfEvents } from './take-batch.ts';
import type { TakeQueue, TakeRequest, Taker } from './take-queue.ts';

/** What all consumers of a channel share. */
export interface ConsumerParts {
  readonly backend: ChannelBackend;
  readonly leases: Leases;
  readonly capacity: Capacity;
  readonly gate: CommitGate;
  readonly takers: TakeQueue;
  readonly clock: Clock;
  /** Stores a record; its notes are checked here, in all. */
  store(record: ControlRecord): Promise<void>;
  /** Events whose acknowledgement or preparation is on its way: still held, by no lease. */
  settlingChanged(events: number): void;
  nextPrepareId(): string;
}

const takeBytesDefault: number = 8 * mib;

/** See Consumer. */
export class LeasingConsumer implements Consumer, Taker, BatchOwner {
  readonly name: string;
  readonly #parts: ConsumerParts;
  readonly #holder: Holder;

  constructor(parts: ConsumerParts, holder: Holder) {
    this.#parts = parts;
    this.#holder = holder;
    this.name = holder.name;
  }

  /** `async`, so that what is wrong rejects. A batch that is ready costs one promise. */
  async take(max: number, options?: TakeOptions): Promise<TakeBatch> {
    this.#parts.gate.checkOpen();
    if (this.#holder.state !== 'open') throw this.#ended('CHANNEL_CLOSED');
    return this.#parts.takers.take(checkTake(this, max, options));
  }

  async commit(ranges: SequenceRanges, options?: NotesOption): Promise<SequenceRanges> {
    this.#checkSettling();
    const notes = checkedNotes(options);
    return this.#settleAs('ack', this.#checkHeld(ranges), notes);
  }

  async drop(ranges: SequenceRanges, options?: NotesOption): Promise<SequenceRanges> {
    this.#checkSettling();
    const notes = checkedNotes(options);
    return this.#settleAs('drop', this.#checkHeld(ranges), notes);
  }

  async rollback(ranges: SequenceRanges): Promise<void> {
    this.#checkSettling();
    this.#giveBack(this.#checkHeld(ranges));
  }

  async prepare(ranges: SequenceRanges, note: NoteValue, options?: NotesOption): Promise<string> {
    this.#checkSettling();
    const notes = checkedNotes(options);
    const checkedNote = checkNote('prepare', note);
    if (checkedNote instanceof ForebayError) throw checkedNote;
    if (checkedNote.text === undefined) throw new ForebayError('NOTE_INVALID', 'a prepare needs a note; null will do');
    const held = this.#checkHeld(ranges);
    if (held.length === 0) throw new ForebayError('TRANSACTION_STATE', 'a prepare needs at least one event');
    const id = this.#parts.nextPrepareId();
    const take = {
      id,
      consumer: this.name,
      ranges: held,
      note: JSON.parse(checkedNote.text) as NoteValue,
      preparedAt: Math.max(0, Math.round(this.#parts.clock.wallMs())),
    };
    await this.#settle(held, { kind: 'prepare', take, notes });
    return id;
  }

  async close(): Promise<void> {
    if (this.#holder.state === 'closed') return;
    this.#parts.takers.fail(this, closedConsumer(this.name));
    const held = this.#parts.leases.close(this.#holder);
    this.#returned(held.ranges(), held.count);
  }

  /** For batches: settles what of `ranges` is still leased here. */
  async commitHeld(ranges: SequenceRanges, options: NotesOption | undefined): Promise<SequenceRanges> {
    this.#checkSettling();
    const notes = checkedNotes(options);
    return this.#settleAs('ack', this.#parts.leases.heldOf(this.#holder, ranges), notes);
  }

  /** For batches: gives back what of `ranges` is still leased here. */
  rollbackHeld(ranges: SequenceRanges): void {
    this.#checkSettling();
    this.#giveBack(this.#parts.leases.heldOf(this.#holder, ranges));
  }

  /** Leases claimed events. They must be leased to nobody. */
  deliver(events: readonly DeliveredEvent[]): TakeBatch {
    if (events.length === 0) return new EmptyBatch(this);
    const ranges = rangesOfEvents(events);
    this.#parts.leases.lease(this.#holder, ranges, this.#parts.clock.monotonicMs());
    this.#parts.capacity.left(events.length);
    return new LeasedBatch(this, events, ranges);
  }

  async #settleAs(
    kind: 'ack' | 'drop',
    ranges: SequenceRanges,
    notes: NoteChanges | undefined,
  ): Promise<SequenceRanges> {
    if (ranges.length > 0) await this.#settle(ranges, { kind, ranges, notes });
    else if (notes !== undefined) await this.#parts.store({ kind: 'notes', notes });
    return ranges;
  }

  async #settle(ranges: SequenceRanges, record: ControlRecord): Promise<void> {
    const { gate, leases, settlingChanged } = this.#parts;
    const count = countSequences(ranges);
    leases.release(this.#holder, ranges);
    settlingChanged(count);
    // Entered here too: a close must not end the leases before a failed record has returned its events.
    gate.enter();
    try {
      await this.#parts.store(record);
    } catch (error) {
      if (this.#holder.state === 'open') leases.lease(this.#holder, ranges, this.#parts.clock.monotonicMs());
      else this.#returned(ranges, count);
      throw error;
    } finally {
      settlingChanged(-count);
      gate.leave();
    }
  }

  #giveBack(ranges: SequenceRanges): void {
    this.#parts.leases.release(this.#holder, ranges);
    this.#returned(ranges, countSequences(ranges));
  }

  #returned(ranges: Iterable<SequenceRange>, count: number): void {
    if (count === 0) return;
    this.#parts.backend.giveBack(ranges);
    this.#parts.capacity.came(count);
    this.#parts.takers.pump();
  }

  #checkHeld(given: unknown): SequenceRanges {
    const ranges = normalizeRanges(given);
    if (ranges instanceof ForebayError) throw ranges;
    if (this.#parts.leases.holds(this.#holder, ranges)) return ranges;
    const actual = ranges.map(({ first, last }) => `${first}–${last}`).join(', ');
    const message = `not all of ${actual.slice(0, 200)} is leased to consumer '${this.name}'; nothing was applied`;
    throw new ForebayError('TRANSACTION_STATE', message, { outcome: 'notStored' });
  }

  #checkSettling(): void {
    this.#parts.gate.checkOpen();
    if (this.#holder.state === 'fenced') throw this.#ended('TRANSACTION_STATE');
    if (this.#holder.state === 'closed') throw this.#ended('CHANNEL_CLOSED');
  }

  #ended(code: 'TRANSACTION_STATE' | 'CHANNEL_CLOSED'): ForebayError {
    if (this.#holder.state === 'closed') return closedConsumer(this.name);
    return fencedConsumer(this.name, code);
  }
}

/** A call that could only have worked before the name was opened again. */
export function fencedConsumer(name: string, code: 'TRANSACTION_STATE' | 'CHANNEL_CLOSED'): ForebayError {
  const message = `consumer '${name}' was opened again: this one holds nothing any longer`;
  return new ForebayError(code, message, { outcome: 'notStored' });
}

/** The note changes of `options`, checked one by one and copied. @throws {ForebayError} NOTE_INVALID */
export function checkedNotes(options: NotesOption | undefined): NoteChanges | undefined {
  if (options?.notes === undefined) return undefined;
  const notes = checkNotes(options.notes);
  if (notes instanceof ForebayError) throw notes;
  return Object.keys(notes).length === 0 ? undefined : notes;
}

function closedConsumer(name: string): ForebayError {
  return new ForebayError('CHANNEL_CLOSED', `consumer '${name}' is closed: open it again`, { outcome: 'notStored' });
}

function checkTake(taker: Taker, max: number, options: TakeOptions | undefined): TakeRequest {
  const { waitMs = 0, maxBytes = takeBytesDefault, signal } = options ?? {};
  if (!(Number.isSafeInteger(max) && max >= 1)) throw invalid('max', max, 'an integer from 1');
  if (!(typeof waitMs === 'number' && waitMs >= 0 && waitMs < 2 ** 31)) throw invalid('waitMs', waitMs, '0 … 2^31 − 1');
  if (!(typeof maxBytes === 'number' && maxBytes >= 1)) throw invalid('maxBytes', maxBytes, 'a number from 1');
  return { taker, max, maxBytes, waitMs, signal };
}

function invalid(name: string, value: unknown, allowed: string): ForebayError {
  return new ForebayError('CONFIG_INVALID', `take: ${name} is ${String(value)}; allowed: ${allowed}`, {
    expected: allowed,
    actual: String(value),
  });
}
