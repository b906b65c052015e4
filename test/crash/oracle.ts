/**
 * What must be found after a crash, kept by the parent from the lines of the lives before. Puts and records take
 * effect in the order they begin, so what survives is a prefix of each: it must hold all that was acknowledged, may
 * hold what was under way, and must then be there exactly: events, order, prepared takes, notes and counters.
 */
import assert from 'node:assert/strict';
import type { SequenceRange } from '../../src/base/units.ts';
import type { Found, Line, SeenEvent } from './report.ts';

interface Put {
  readonly id: number;
  readonly count: number;
  readonly noted: boolean;
  first: number | undefined;
  /** When the parent read that it is durable, ms. */
  settledMs: number | undefined;
}

interface TakeRecord {
  readonly id: number;
  readonly change:
    | { readonly kind: 'commit' | 'prepare'; readonly events: readonly SeenEvent[] }
    | { readonly kind: 'resolve'; readonly of: number; readonly commit: boolean };
  settledMs: number | undefined;
}

/** An event that is not taken for good, by `put/index`. */
type EventState = { sequence: number | undefined; preparedBy: number | undefined };

/** Feeds on a child's lines; `check` holds what the next life found against them. */
export class Oracle {
  /** Acknowledgements read in all. */
  acks = 0;
  lastPut = 0;
  lastRecord = 0;
  lastPlain = 0;
  /** Puts and records of this life, in order. */
  #puts: Put[] = [];
  #records: TakeRecord[] = [];
  /** Events of settled lives and of this one's surviving puts, in order. */
  readonly #events: Map<string, EventState> = new Map();
  #putCount = 0;
  #takenCount = 0;
  #notedPut = 0;
  #recordNote = 0;
  #plainNote = 0;
  #plainSettled: { id: number; ms: number }[] = [];
  #sequenceMax = 0;

  read(line: Line, nowMs: number): void {
    if (line.say === 'begin put') {
      this.#puts.push({ ...line, first: undefined, settledMs: undefined });
      this.lastPut = line.id;
    } else if (line.say === 'acked put') this.#learn(line.id, line.first, nowMs, true);
    else if (line.say === 'begin take') {
      for (const [sequence, put, index] of line.events) this.#learn(put, sequence - index, nowMs, false);
      const kind = line.prepare ? 'prepare' : 'commit';
      this.#begin({ id: line.id, change: { kind, events: line.events }, settledMs: undefined });
    } else if (line.say === 'begin resolve') {
      this.#begin({ id: line.id, change: { kind: 'resolve', of: line.of, commit: line.commit }, settledMs: undefined });
    } else if (line.say === 'acked record') {
      const record = this.#records.find(({ id }) => id === line.id);
      assert.ok(record, `record ${line.id} was begun`);
      record.settledMs = nowMs;
      this.acks += 1;
    } else if (line.say === 'begin note') this.lastPlain = line.id;
    else if (line.say === 'acked note') {
      this.#plainSettled.push({ id: line.id, ms: nowMs });
      this.acks += 1;
    }
  }

  /**
   * Takes `found` as the state all goes on from. `hardBeforeMs`: what was acknowledged before this moment must be
   * there; Infinity where every acknowledgement is a promise.
   */
  check(found: Found, hardBeforeMs: number): void {
    const isHard = ({ settledMs }: { settledMs: number | undefined }) =>
      settledMs !== undefined && settledMs <= hardBeforeMs;
    for (const { kind, eventsLost, message } of found.damages) {
      assert.equal(kind, 'unprovenTail', message);
      assert.equal(eventsLost, 0, message);
    }
    this.#applyPuts(found, isHard);
    this.#applyRecords(found, isHard);
    const plain = this.#plainSettled.filter(({ ms }) => ms <= hardBeforeMs).at(-1)?.id ?? this.#plainNote;
    assert.ok(
      found.notes.plain >= plain && found.notes.plain <= this.lastPlain,
      `note ${found.notes.plain} ≥ ${plain}`,
    );
    this.#plainNote = found.notes.plain;
    this.#plainSettled = [];
    this.#compareEvents(found);
    this.#comparePrepared(found);
    const { put, taken, requeued, dropped, quarantined } = found.counters;
    assert.equal(taken, this.#takenCount, 'taken');
    assert.deepEqual([requeued, dropped], [0, 0]);
    assert.equal(quarantined, 0);
    assert.equal(found.depth, put - taken, 'depth');
    assert.equal(found.depth, this.#events.size, 'depth as counted here');
    this.#puts = [];
    this.#records = [];
  }

  #begin(record: TakeRecord): void {
    this.#records.push(record);
    this.lastRecord = record.id;
  }

  /** A put's first sequence is seen: it is durable. */
  #learn(id: number, first: number, nowMs: number, acked: boolean): void {
    if (acked) this.acks += 1;
    const put = this.#puts.find((one) => one.id === id);
    if (put === undefined) {
      assert.ok(!acked && this.#events.size > 0, `put ${id} was begun`);
      return;
    }
    assert.ok(put.first === undefined || put.first === first, `put ${id} starts at one sequence`);
    put.first = first;
    put.settledMs ??= nowMs;
  }

  /** The surviving puts are those that add up to the counter. */
  #applyPuts(found: Found, isHard: (put: Put) => boolean): void {
    const stored = found.counters.put;
    let survivors = 0;
    let noted = this.#notedPut;
    let sequence = this.#sequenceMax;
    while (this.#putCount < stored && survivors < this.#puts.length) {
      const put = this.#puts[survivors] as Put;
      survivors += 1;
      this.#putCount += put.count;
      if (put.noted) noted = put.id;
      if (put.first !== undefined) {
        assert.ok(put.first > sequence, `put ${put.id} stands behind the put before it`);
        sequence = put.first + put.count - 1;
      }
      for (let index = 0; index < put.count; index++) {
        const at = put.first === undefined ? undefined : put.first + index;
        this.#events.set(`${put.id}/${index}`, { sequence: at, preparedBy: undefined });
      }
    }
    assert.equal(stored, this.#putCount, 'whole puts add up to the counter');
    const lost = this.#puts.slice(survivors).filter(isHard);
    assert.deepEqual(lost, [], 'no acknowledged put is lost');
    assert.equal(found.notes.puts, noted, 'the note of the last put that carried one');
    this.#notedPut = noted;
  }

  #applyRecords(found: Found, isHard: (record: TakeRecord) => boolean): void {
    const note = found.notes.records;
    assert.ok(note >= this.#recordNote && note <= this.lastRecord, `record note ${note}`);
    const lost = this.#records.filter((record) => record.id > note && isHard(record));
    assert.deepEqual(lost, [], 'no acknowledged record is lost');
    for (const { id, change } of this.#records) {
      if (id > note) continue;
      if (change.kind === 'resolve') this.#resolve(change.of, change.commit);
      else {
        for (const [, put, index] of change.events) {
          const event = this.#events.get(`${put}/${index}`);
          assert.ok(event !== undefined && event.preparedBy === undefined, `${put}/${index} waits when it is taken`);
          if (change.kind === 'prepare') event.preparedBy = id;
          else this.#taken(put, index);
        }
      }
    }
    this.#recordNote = note;
  }

  #resolve(of: number, commit: boolean): void {
    for (const [key, event] of this.#events) {
      if (event.preparedBy !== of) continue;
      const [put, index] = key.split('/').map(Number) as [number, number];
      if (commit) this.#taken(put, index);
      else event.preparedBy = undefined;
    }
  }

  #taken(put: number, index: number): void {
    this.#events.delete(`${put}/${index}`);
    this.#takenCount += 1;
  }

  /** Exactly what waits is delivered, in order, each put in one piece. */
  #compareEvents(found: Found): void {
    const waiting = [...this.#events].filter(([, { preparedBy }]) => preparedBy === undefined).map(([key]) => key);
    const delivered = found.events.map(([, put, index]) => `${put}/${index}`);
    assert.deepEqual(delivered, waiting, 'what waits is delivered, in order');
    let before = 0;
    for (const [sequence, put, index] of found.events) {
      const event = this.#events.get(`${put}/${index}`) as EventState;
      event.sequence ??= sequence;
      assert.equal(sequence, event.sequence, `${put}/${index} keeps its sequence`);
      assert.ok(sequence > before, 'sequences ascend');
      before = sequence;
    }
    for (const { first, count } of this.#puts) {
      if (first !== undefined) this.#sequenceMax = Math.max(this.#sequenceMax, first + count - 1);
    }
    this.#sequenceMax = Math.max(this.#sequenceMax, before);
  }

  #comparePrepared(found: Found): void {
    const prepared = new Map<number, number[]>();
    for (const { sequence, preparedBy } of this.#events.values()) {
      if (preparedBy === undefined) continue;
      prepared.set(preparedBy, [...(prepared.get(preparedBy) ?? []), sequence as number]);
    }
    const actual = new Map(found.unresolved.map(({ record, ranges }) => [record, expand(ranges)]));
    assert.deepEqual(actual, prepared, 'prepared takes');
  }
}

function expand(ranges: readonly SequenceRange[]): number[] {
  return ranges.flatMap(({ first, last }) => Array.from({ length: last - first + 1 }, (_, index) => first + index));
}
