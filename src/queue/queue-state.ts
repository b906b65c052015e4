/**
 * The durable state of a channel: which sequences are settled and how, prepared takes, notes, counters. It
 * stands in every STATE frame and in the checkpoint. Built only by records in the order of the log, live and in
 * replay alike, so that both reach the same state.
 *
 *     u8 format 1, varints put requeued taken dropped quarantined, block acknowledged set, block quarantined set,
 *     varint prepared takes, each as control-record.ts writes it, block notes
 */
import type { Sequence, SequenceRanges } from '../base/units.ts';
import { readTake, type UnresolvedTake, writeTake } from './control-record.ts';
import { type NoteChanges, NoteStore } from './notes.ts';
import { SequenceSet } from './sequence-set.ts';
import { ByteSink, ByteSource } from './varint.ts';

/** put + requeued − taken − dropped − quarantined = depth, across restarts. */
export interface ChannelCounters {
  readonly put: number;
  readonly requeued: number;
  readonly taken: number;
  readonly dropped: number;
  readonly quarantined: number;
}

const stateFormat = 1;
const counterNames = ['put', 'requeued', 'taken', 'dropped', 'quarantined'] as const;

/** See above. The `apply` methods are called once a record is durable, in the order of the log. */
export class QueueState {
  /** Taken or dropped for good, of the segments still there. Disjoint from `quarantined`. */
  acked: SequenceSet = new SequenceSet();
  /** Lost to damage or in an absent directory, of the segments still there. */
  quarantined: SequenceSet = new SequenceSet();
  /** Union of the ranges of all prepared takes. */
  readonly preparedSet: SequenceSet = new SequenceSet();
  notes: NoteStore = new NoteStore();
  readonly #prepared: Map<string, UnresolvedTake> = new Map();
  readonly #counters: Record<keyof ChannelCounters, number> = {
    put: 0,
    requeued: 0,
    taken: 0,
    dropped: 0,
    quarantined: 0,
  };

  /** By id, in the order of preparing. */
  get prepared(): ReadonlyMap<string, UnresolvedTake> {
    return this.#prepared;
  }

  /** A snapshot. */
  get counters(): ChannelCounters {
    return { ...this.#counters };
  }

  /** Events that are neither taken, dropped nor lost; leased and prepared ones included. */
  get depth(): number {
    const { put, requeued, taken, dropped, quarantined } = this.#counters;
    return put + requeued - taken - dropped - quarantined;
  }

  /** `count` events were put. */
  applyPut(count: number, notes: NoteChanges | undefined): void {
    this.#counters.put += count;
    this.#applyNotes(notes);
  }

  /** Counts only what was not acknowledged yet. What was thought lost, but was taken, counts as taken. */
  applyAck(ranges: SequenceRanges, notes: NoteChanges | undefined): void {
    this.#settle(ranges, 'taken');
    this.#applyNotes(notes);
  }

  /** As `applyAck`, but counted as dropped. */
  applyDrop(ranges: SequenceRanges, notes: NoteChanges | undefined): void {
    this.#settle(ranges, 'dropped');
    this.#applyNotes(notes);
  }

  /** An id that is prepared already is replaced: replay of a record is harmless. */
  applyPrepare(take: UnresolvedTake, notes: NoteChanges | undefined): void {
    this.#unprepare(take.id);
    this.#prepared.set(take.id, take);
    this.preparedSet.addAll(take.ranges);
    this.#applyNotes(notes);
  }

  /** The take that was resolved, or undefined where none has this id; notes count either way. */
  applyResolve(id: string, outcome: 'commit' | 'rollback', notes: NoteChanges | undefined): UnresolvedTake | undefined {
    const take = this.#unprepare(id);
    if (take !== undefined && outcome === 'commit') this.#settle(take.ranges, 'taken');
    this.#applyNotes(notes);
    return take;
  }

  applyNotes(notes: NoteChanges): void {
    this.notes.apply(notes);
  }

  /** Their events are lost. Acknowledged ones are not: nobody needs them. Answers how many are newly lost. */
  applyQuarantine(ranges: SequenceRanges): number {
    const lost = this.quarantined.addAll(this.pendingOf(ranges));
    this.#counters.quarantined += lost;
    return lost;
  }

  /** What of `ranges` is neither acknowledged nor lost; prepared or not. */
  pendingOf(ranges: SequenceRanges): SequenceRanges {
    const pending = SequenceSet.of(ranges);
    for (const settled of [this.acked, this.quarantined]) {
      for (const { first, last } of ranges) {
        let from = settled.nextIn(first);
        while (from !== undefined && from <= last) {
          const end = Math.min(settled.nextOut(from), last + 1);
          pending.removeRange(from, end - 1);
          from = settled.nextIn(end);
        }
      }
    }
    return pending.toRanges();
  }

  /** `count` events were put and are lost, and nobody will ask for them. */
  applyLost(count: number): void {
    this.#counters.put += count;
    this.#counters.quarantined += count;
  }

  /** Acknowledged or lost events are pending again: rewind, readmission. Answers how many. */
  applyRequeue(ranges: SequenceRanges): number {
    const requeued = this.acked.removeAll(ranges) + this.quarantined.removeAll(ranges);
    this.#counters.requeued += requeued;
    return requeued;
  }

  /** Their segment left the log: the sets no longer name them, the counters stay. */
  forget(first: Sequence, last: Sequence): void {
    this.acked.removeRange(first, last);
    this.quarantined.removeRange(first, last);
    if (this.preparedSet.removeRange(first, last) === 0) return;
    for (const [id, take] of this.#prepared) {
      const ranges = SequenceSet.of(take.ranges);
      if (ranges.removeRange(first, last) > 0) this.#prepared.set(id, { ...take, ranges: ranges.toRanges() });
    }
  }

  /** The first sequence at or behind `from` that is acknowledged, prepared or lost; Infinity where none is. */
  nextSettled(from: Sequence): Sequence {
    const sets = [this.acked, this.preparedSet, this.quarantined];
    return Math.min(...sets.map((set) => set.nextIn(from) ?? Number.POSITIVE_INFINITY));
  }

  /** The first sequence at or behind `from` that is not settled; it need not exist yet. */
  nextUnsettled(from: Sequence): Sequence {
    let sequence = from;
    for (;;) {
      const start = sequence;
      sequence = this.acked.nextOut(sequence);
      if (!this.preparedSet.isEmpty) sequence = this.preparedSet.nextOut(sequence);
      if (!this.quarantined.isEmpty) sequence = this.quarantined.nextOut(sequence);
      if (sequence === start) return sequence;
    }
  }

  encode(): Buffer {
    const sink = new ByteSink();
    sink.varint(stateFormat);
    for (const name of counterNames) sink.varint(this.#counters[name]);
    sink.block(this.acked.encode());
    sink.block(this.quarantined.encode());
    sink.varint(this.#prepared.size);
    for (const take of this.#prepared.values()) writeTake(sink, take);
    sink.block(this.notes.encode());
    return sink.finish();
  }

  /** What `encode` wrote, or undefined. Total, and bounded by `bytes`. */
  static decode(bytes: Buffer): QueueState | undefined {
    const source = new ByteSource(bytes);
    if (source.varint() !== stateFormat) return undefined;
    const state = new QueueState();
    for (const name of counterNames) {
      const value = source.varint();
      if (value < 0) return undefined;
      state.#counters[name] = value;
    }
    const acked = readSet(source);
    const quarantined = readSet(source);
    if (acked === undefined || quarantined === undefined || intersects(acked, quarantined)) return undefined;
    state.acked = acked;
    state.quarantined = quarantined;
    if (!state.#readPrepared(source)) return undefined;
    const noteBytes = source.block();
    const notes = noteBytes === undefined ? undefined : NoteStore.decode(noteBytes);
    if (notes === undefined || !source.isAtEnd) return undefined;
    state.notes = notes;
    return state;
  }

  #settle(ranges: SequenceRanges, as: 'taken' | 'dropped'): void {
    if (!this.quarantined.isEmpty) this.#counters.quarantined -= this.quarantined.removeAll(ranges);
    this.#counters[as] += this.acked.addAll(ranges);
  }

  #applyNotes(notes: NoteChanges | undefined): void {
    if (notes !== undefined) this.notes.apply(notes);
  }

  #unprepare(id: string): UnresolvedTake | undefined {
    const take = this.#prepared.get(id);
    if (take === undefined) return undefined;
    this.#prepared.delete(id);
    this.preparedSet.removeAll(take.ranges);
    return take;
  }

  /** False where a take is malformed, stands twice or overlaps another. */
  #readPrepared(source: ByteSource): boolean {
    const count = source.varint();
    if (count < 0) return false;
    for (let index = 0; index < count; index++) {
      const take = readTake(source);
      if (take === undefined || this.#prepared.has(take.id)) return false;
      for (const { first, last } of take.ranges) {
        if (this.preparedSet.addRange(first, last) !== last - first + 1) return false;
      }
      this.#prepared.set(take.id, take);
    }
    return true;
  }
}

function readSet(source: ByteSource): SequenceSet | undefined {
  const bytes = source.block();
  return bytes === undefined ? undefined : SequenceSet.decode(bytes);
}

function intersects(one: SequenceSet, other: SequenceSet): boolean {
  const [few, many] = one.count < other.count ? [one, other] : [other, one];
  for (const { first, last } of few.ranges()) if (many.countRange(first, last) > 0) return true;
  return false;
}
