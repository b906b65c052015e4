/**
 * What a channel is, in as few lines as say it: where each event is, the notes, the counts. The commands of
 * commands.ts and crash-commands.ts do the same to it and to a channel, and compare.
 */
import assert from 'node:assert/strict';
import type { NoteChanges, NoteValue } from '../../src/queue/notes.ts';

/** An event by what its body says. */
export interface ModelEvent {
  readonly id: number;
  readonly bodyBytes: number;
}

/** A prepared take. */
export interface ModelTake {
  readonly consumer: string;
  readonly sequences: readonly number[];
  readonly note: NoteValue;
}

/** The consumers of a run. */
export const names = ['', 'a', 'b', 'c'] as const;
/** A consumer of the model. */
export type Name = (typeof names)[number];

/** Where each event is, as the caller knows it. */
export class Model {
  readonly capacityEvents: number;
  /** All that is not settled, by sequence. */
  readonly events: Map<number, ModelEvent> = new Map();
  /** All that was taken or dropped, by sequence: kept by the channel for as long as it likes. */
  readonly settled: Map<number, ModelEvent> = new Map();
  /** Ascending. */
  ready: number[] = [];
  readonly held: Map<Name, number[]> = new Map(names.map((name) => [name, []]));
  readonly prepared: Map<string, ModelTake> = new Map();
  readonly notes: Map<string, NoteValue> = new Map();
  put = 0;
  taken = 0;
  dropped = 0;
  requeued = 0;
  /** The largest sequence ever given. */
  lastSequence = 0;
  /** The next put of this life continues without a gap: nothing crashed since the last one. */
  isContiguous = true;
  /** Bodies are numbered, so that no two events are equal. */
  nextId = 1;
  /** A crash may leave a write that was cut off: the one damage that costs nothing, and is reported. */
  mayHaveTail = false;

  constructor(capacityEvents: number) {
    this.capacityEvents = capacityEvents;
  }

  /** `count` new events, not put yet. */
  make(count: number, bodyBytes: number): ModelEvent[] {
    return Array.from({ length: count }, () => ({ id: this.nextId++, bodyBytes }));
  }

  fits(count: number): boolean {
    return this.ready.length + count <= this.capacityEvents;
  }

  /** A put transaction got the sequences from `first` on. */
  applyPut(events: readonly ModelEvent[], first: number, notes: NoteChanges | undefined): void {
    if (events.length > 0) {
      assert.ok(first > this.lastSequence, `sequence ${first} was given before, the last was ${this.lastSequence}`);
      if (this.isContiguous) assert.equal(first, this.lastSequence + 1, 'sequences of one life have no gap');
      this.isContiguous = true;
      this.lastSequence = first + events.length - 1;
    }
    this.addReady(events.map((event, index) => [first + index, event]));
    this.applyNotes(notes);
  }

  addReady(entries: readonly (readonly [number, ModelEvent])[]): void {
    for (const [sequence, event] of entries) {
      this.events.set(sequence, event);
      this.ready.push(sequence);
    }
    this.put += entries.length;
    this.#sort();
  }

  applyNotes(notes: NoteChanges | undefined): void {
    for (const [key, value] of Object.entries(notes ?? {})) {
      if (value === undefined) this.notes.delete(key);
      else this.notes.set(key, value);
    }
  }

  heldBy(name: Name): number[] {
    return this.held.get(name) as number[];
  }

  /** The first `count` ready events are leased to `name`. */
  lease(name: Name, count: number): void {
    this.held.set(name, [...this.heldBy(name), ...this.ready.splice(0, count)].sort(ascending));
  }

  giveBack(name: Name, sequences: readonly number[]): void {
    this.#release(name, sequences);
    this.ready.push(...sequences);
    this.#sort();
  }

  acknowledge(name: Name, sequences: readonly number[], notes: NoteChanges | undefined): void {
    this.#release(name, sequences);
    this.#settle(sequences);
    this.applyNotes(notes);
  }

  /** As an acknowledgement, but for the counts. */
  drop(name: Name, sequences: readonly number[], notes: NoteChanges | undefined): void {
    this.acknowledge(name, sequences, notes);
    this.taken -= sequences.length;
    this.dropped += sequences.length;
  }

  prepare(id: string, name: Name, sequences: readonly number[], note: NoteValue, notes: NoteChanges | undefined): void {
    assert.ok(!this.prepared.has(id), `id ${id} was given before`);
    this.#release(name, sequences);
    this.prepared.set(id, { consumer: name, sequences, note });
    this.applyNotes(notes);
  }

  resolve(id: string, outcome: 'commit' | 'rollback', notes: NoteChanges | undefined): void {
    const take = this.prepared.get(id) as ModelTake;
    this.prepared.delete(id);
    if (outcome === 'commit') this.#settle(take.sequences);
    else {
      this.ready.push(...take.sequences);
      this.#sort();
    }
    this.applyNotes(notes);
  }

  /** Settled events are ready again. */
  requeue(sequences: readonly number[]): void {
    for (const sequence of sequences) {
      const event = this.settled.get(sequence);
      assert.ok(event !== undefined, `${sequence} was settled`);
      this.settled.delete(sequence);
      this.events.set(sequence, event);
      this.ready.push(sequence);
    }
    this.requeued += sequences.length;
    this.#sort();
  }

  /** Leases end: the process, or the channel, did. */
  restart(): void {
    for (const name of names) this.giveBack(name, this.heldBy(name));
  }

  /** Events of `name` that a mask picks. */
  pick(name: Name, mask: number): number[] {
    return this.heldBy(name).filter((_, index) => ((mask >> (index % 16)) & 1) === 1);
  }

  get heldCount(): number {
    return [...this.held.values()].reduce((sum, list) => sum + list.length, 0);
  }

  get preparedCount(): number {
    return [...this.prepared.values()].reduce((sum, take) => sum + take.sequences.length, 0);
  }

  #release(name: Name, sequences: readonly number[]): void {
    const gone = new Set(sequences);
    this.held.set(
      name,
      this.heldBy(name).filter((sequence) => !gone.has(sequence)),
    );
  }

  #settle(sequences: readonly number[]): void {
    for (const sequence of sequences) {
      const event = this.events.get(sequence);
      if (event !== undefined) this.settled.set(sequence, event);
      this.events.delete(sequence);
    }
    this.taken += sequences.length;
  }

  #sort(): void {
    this.ready.sort(ascending);
  }
}

function ascending(a: number, b: number): number {
  return a - b;
}
