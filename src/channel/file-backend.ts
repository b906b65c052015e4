/**
 * The log under a FileChannel: turns puts and records into frames, applies what became durable or is replayed to the
 * QueueState, and hands out events as delivery brings them.
 */
import { ForebayError } from '../base/errors.ts';
import { countSequences, type Sequence, type SequenceRange, type SequenceRanges } from '../base/units.ts';
import {
  type EventBatchPlan,
  eventBatchCodec,
  planEventBatch,
  readEventBatch,
  writeEventBatch,
} from '../codec/event-batch.ts';
import { payloadBytesMax } from '../codec/validate-event.ts';
import type { DeliveredEvent, Event } from '../event/event.ts';
import { ackHeader, type ControlRecord, decodeControl, encodeControl } from '../queue/control-record.ts';
import { decodeNotes, encodeNotes, type NoteChanges } from '../queue/notes.ts';
import { QueueState } from '../queue/queue-state.ts';
import { decodeRanges, encodeRanges } from '../queue/ranges.ts';
import { SequenceSet } from '../queue/sequence-set.ts';
import type { Delivery, LoadedFrame } from '../wal/delivery.ts';
import { type FrameOp, payloadOp } from '../wal/frame-op.ts';
import type { Log } from '../wal/log.ts';
import type { LogOwner, ReplayedFrame } from '../wal/log-owner.ts';
import { FrameFlag, FrameType } from '../wal/segment/frame-header.ts';
import { firstGroupOffset } from '../wal/segment/segment-header.ts';
import { eventCount, pendingEvents, type SegmentRecord, sequencesOf } from '../wal/segment-info.ts';
import type { ChannelBackend } from './backend.ts';
import { eventsBytes } from './event-bytes.ts';
import { WaitingBytes } from './waiting-bytes.ts';

const none: readonly DeliveredEvent[] = [];
const empty: Buffer = Buffer.alloc(0);
/** So many runs of given-back events are looked for at once. */
const revisitRangesMax = 4096;

const frameTypes: { readonly [kind in ControlRecord['kind']]: number } = {
  ack: FrameType.ack,
  drop: FrameType.drop,
  prepare: FrameType.prepare,
  resolve: FrameType.resolve,
  notes: FrameType.note,
};
const recordKinds: ReadonlyMap<number, ControlRecord['kind']> = new Map(
  (Object.keys(frameTypes) as ControlRecord['kind'][]).map((kind) => [frameTypes[kind], kind]),
);

/** One put transaction on its way into the log. */
class PutOp implements FrameOp {
  readonly type: number = FrameType.put;
  readonly flags: number;
  readonly codec: number = eventBatchCodec;
  readonly count: number;
  readonly rawBytes: number;
  baseSequence: Sequence = 0;
  readonly #plan: EventBatchPlan;
  readonly #stored: (first: Sequence, count: number) => void;
  readonly #failed: (error: ForebayError) => void;

  constructor(
    plan: EventBatchPlan,
    stored: (first: Sequence, count: number) => void,
    failed: (error: ForebayError) => void,
  ) {
    this.#plan = plan;
    this.#stored = stored;
    this.#failed = failed;
    this.flags = plan.notes === undefined ? 0 : FrameFlag.notes;
    this.count = plan.count;
    this.rawBytes = plan.bytes;
  }

  writePayload(target: Buffer, at: number): void {
    writeEventBatch(this.#plan, target, at);
  }

  durable(): void {
    this.#stored(this.baseSequence, this.count);
  }

  failed(error: ForebayError): void {
    this.#failed(error);
  }
}

/** What the backend is given once the log is open. */
export interface BackendLog {
  readonly log: Log;
  readonly delivery: Delivery;
}

/** See above. `attach` comes once, after recovery has replayed into it. */
export class FileBackend implements ChannelBackend, LogOwner {
  state: QueueState = new QueueState();
  #parts: BackendLog | undefined;
  /** Given back: served first. */
  readonly #returned = new SequenceSet();
  #revisited: readonly LoadedFrame[] = [];
  #revisiting: Promise<void> | undefined;
  /** Only where capacityBytes is set. */
  #bytes: WaitingBytes | undefined;
  /** Index in the frame that delivery peeks at. */
  #frameIndex = 0;
  /** Below this an event may be settled already: it was there before this process. */
  #settledBelow: Sequence = 0;

  /** `countBytes`: waitingBytes is asked for. */
  attach(parts: BackendLog, countBytes: boolean): void {
    this.#parts = parts;
    this.#settledBelow = parts.log.nextSequence;
    if (countBytes) this.#bytes = new WaitingBytes(this.state.depth, this.#estimateBytes());
  }

  get #log(): Log {
    return (this.#parts as BackendLog).log;
  }

  get #delivery(): Delivery {
    return (this.#parts as BackendLog).delivery;
  }

  // — storing —

  put(events: readonly Event[], notes: NoteChanges | undefined): Promise<SequenceRange> {
    const plan = planEventBatch(events, notes === undefined ? undefined : encodeNotes(notes));
    if (plan.bytes > payloadBytesMax) return Promise.reject(tooLarge(plan.bytes));
    return new Promise((resolve, reject) => {
      const stored = (first: Sequence, count: number) => {
        this.state.applyPut(count, notes);
        this.#bytes?.put(count, eventsBytes(events));
        resolve({ first, last: first + count - 1 });
      };
      this.#log.append(new PutOp(plan, stored, reject));
    });
  }

  record(record: ControlRecord, applied?: () => void): Promise<void> {
    const payload = encodeControl(record);
    const named = 'ranges' in record ? ackHeader(record.ranges) : undefined;
    return new Promise((resolve, reject) => {
      const op = payloadOp(frameTypes[record.kind], payload, {
        baseSequence: named?.baseSequence ?? 0,
        count: named?.count ?? 0,
        flags: named?.explicit === true ? FrameFlag.explicit : 0,
        durable: () => {
          this.#apply(record);
          if ('ranges' in record) this.#bytes?.settle(countSequences(record.ranges));
          applied?.();
          resolve();
        },
      });
      this.#log.append({ ...op, failed: reject });
    });
  }

  #apply(record: ControlRecord): void {
    if (record.kind === 'ack') this.state.applyAck(record.ranges, record.notes);
    else if (record.kind === 'drop') this.state.applyDrop(record.ranges, record.notes);
    else if (record.kind === 'prepare') this.state.applyPrepare(record.take, record.notes);
    else if (record.kind === 'resolve') this.state.applyResolve(record.id, record.outcome, record.notes);
    else this.state.applyNotes(record.notes);
  }

  /**
   * Makes what of `ranges` is acknowledged or lost, and still there, pending again, by one frame: whole or not at all.
   * Resolves to how many that were. `ready` is told so in the turn in which they can be claimed.
   *
   * @throws {ForebayError} TRANSACTION_TOO_LARGE, where so many single ranges do not fit a frame; WRITE_FAILED, ….
   */
  async requeue(ranges: SequenceRanges, ready: (count: number) => void): Promise<number> {
    const named = this.settledOf(ranges);
    if (named.length === 0) return 0;
    const payload = encodeRanges(named);
    if (payload.length > payloadBytesMax) throw tooLarge(payload.length);
    return new Promise((resolve, reject) => {
      const durable = () => {
        const count = this.#requeued(named);
        ready(count);
        resolve(count);
      };
      this.#log.append({ ...payloadOp(FrameType.rewind, payload, { durable }), failed: reject });
    });
  }

  /** As a replay of the frame does it. What was let go meanwhile is in no set any more, and stays away. */
  #requeued(named: SequenceRanges): number {
    const settled = this.settledOf(named);
    if (this.#bytes !== undefined) {
      for (const segment of this.#log.segments) {
        const events = countSequences(partsOfRanges(settled, sequencesOf(segment)));
        this.#bytes.put(events, this.#bytesOf(segment, events));
      }
    }
    const count = this.state.applyRequeue(named);
    this.#makeReady(settled);
    return count;
  }

  /** What of `ranges` is acknowledged or lost and stands in a segment that is there. */
  settledOf(ranges: SequenceRanges, which: 'acknowledged' | 'both' = 'both'): SequenceRanges {
    const live = this.#log.segments.filter(({ absent }) => !absent).flatMap(sequencesOf);
    const there = partsOfRanges(ranges, live);
    const settled = SequenceSet.of(partsOf(this.state.acked, there));
    if (which === 'both') settled.addAll(partsOf(this.state.quarantined, there));
    return settled.toRanges();
  }

  refusesPuts(): Error | undefined {
    return this.#log.refusesPuts();
  }

  // — taking —

  claim(max: number, maxBytes: number): readonly DeliveredEvent[] {
    let events: DeliveredEvent[] | undefined;
    if (!this.#returned.isEmpty) {
      events = this.#claimReturned(max, maxBytes);
      // Newer events may follow only where no older one waits.
      if (!this.#returned.isEmpty || events.length === 0) return this.#claimed(events);
    }
    return this.#claimed(this.#claimFresh(events, max, maxBytes));
  }

  #claimed(events: readonly DeliveredEvent[]): readonly DeliveredEvent[] {
    if (events.length > 0) this.#bytes?.claim(events.length, eventsBytes(events));
    return events;
  }

  #claimFresh(earlier: DeliveredEvent[] | undefined, max: number, maxBytes: number): readonly DeliveredEvent[] {
    let events = earlier;
    let room = max - (earlier?.length ?? 0);
    let bytes = maxBytes;
    for (const event of earlier ?? none) bytes -= event.body.length;
    for (let frame = this.#delivery.peek(); frame !== undefined && room > 0; frame = this.#delivery.peek()) {
      const from = this.#skipSettled(frame, this.#frameIndex);
      const to = from < frame.count ? this.#runEnd(frame, from, room, bytes, events === undefined) : from;
      if (to > from) {
        const run = frame.batch.deliver(from, to, frame.baseSequence + from);
        for (const event of run) bytes -= event.body.length;
        room -= run.length;
        if (events === undefined) events = run;
        else for (const event of run) events.push(event);
      }
      this.#frameIndex = to;
      if (to >= frame.count) {
        this.#frameIndex = 0;
        this.#delivery.advance();
      } else if (to === from) break;
    }
    return events ?? none;
  }

  /** The first index from `index` on whose event is not settled; the frame's count where all are. */
  #skipSettled(frame: LoadedFrame, index: number): number {
    const sequence = frame.baseSequence + index;
    if (sequence >= this.#settledBelow) return index;
    return Math.min(frame.count, this.state.nextUnsettled(sequence) - frame.baseSequence);
  }

  /** How far events from `from` on can be delivered in one go. */
  #runEnd(frame: LoadedFrame, from: number, room: number, maxBytes: number, mayBeLarger: boolean): number {
    const sequence = frame.baseSequence + from;
    const settled = sequence < this.#settledBelow ? this.state.nextSettled(sequence) : Number.POSITIVE_INFINITY;
    const limit = Math.min(frame.count, from + room, settled - frame.baseSequence);
    if (frame.bytes <= maxBytes) return limit;
    let bytes = 0;
    let to = from;
    while (to < limit) {
      bytes += frame.batch.bodyBytes(to);
      if (bytes > maxBytes && !(mayBeLarger && to === from)) break;
      to += 1;
    }
    return to;
  }

  #claimReturned(max: number, maxBytes: number): DeliveredEvent[] {
    const events: DeliveredEvent[] = [];
    let bytes = maxBytes;
    for (const frame of this.#revisited) {
      for (let index = 0; index < frame.count && events.length < max; index++) {
        const sequence = frame.baseSequence + index;
        const first = this.#returned.first();
        if (first === undefined || first < frame.baseSequence) break;
        if (!this.#returned.has(sequence)) continue;
        bytes -= frame.batch.bodyBytes(index);
        if (bytes < 0 && events.length > 0) return events;
        for (const event of frame.batch.deliver(index, index + 1, sequence)) events.push(event);
        this.#returned.removeRange(sequence, sequence);
      }
    }
    if (this.#returned.isEmpty) this.#revisited = [];
    return events;
  }

  whenClaimable(): Promise<void> | undefined {
    if (!this.#returned.isEmpty) return this.#revisitOnce();
    if (this.#delivery.peek() !== undefined) return Promise.resolve();
    return this.#delivery.isBehind ? this.#delivery.load() : undefined;
  }

  /** Concurrent calls share one reading; a caller may only want to know whether anything is ready. */
  #revisitOnce(): Promise<void> {
    if (this.#revisiting === undefined) {
      this.#revisiting = this.#revisit().finally(() => {
        this.#revisiting = undefined;
      });
      this.#revisiting.catch(() => undefined);
    }
    return this.#revisiting;
  }

  /** Reads given-back events again. What its place does not hold any more was reported by the reading. */
  async #revisit(): Promise<void> {
    const wanted = firstRanges(this.#returned, revisitRangesMax);
    const first = wanted[0];
    if (first === undefined) return;
    this.#revisited = await this.#delivery.revisit(wanted);
    const covered = this.#revisited.some(
      ({ baseSequence, count }) => baseSequence <= first.first && first.first < baseSequence + count,
    );
    // What was claimed meanwhile, out of frames of an earlier reading, was there.
    if (covered || !this.#returned.has(first.first)) return;
    const next = this.#revisited.find(({ baseSequence }) => baseSequence > first.first)?.baseSequence;
    const last = Math.min(first.last, (next ?? first.last + 1) - 1);
    const ranges = [{ first: first.first, last }];
    this.#returned.removeAll(ranges);
    this.lostOnRead(ranges);
  }

  /** Set by the channel: events that were there and cannot be read any more. */
  lostOnRead: (ranges: SequenceRanges) => void = () => undefined;

  giveBack(ranges: Iterable<SequenceRange>): void {
    const all = [...ranges];
    if (this.#bytes !== undefined) for (const { first, last } of all) this.#bytes.giveBack(last - first + 1);
    this.#makeReady(all);
  }

  #makeReady(ranges: SequenceRanges): void {
    const freshFrom = this.#delivery.freshFrom + this.#frameIndex;
    for (const { first, last } of ranges) {
      if (first < freshFrom) this.#returned.addRange(first, Math.min(last, freshFrom - 1));
    }
    this.#revisited = [];
  }

  waitingBytes(): number {
    return this.#bytes?.bytes ?? 0;
  }

  /** What waits at an open: each segment's bytes by the share of its events that wait. */
  #estimateBytes(): number {
    let bytes = 0;
    for (const segment of this.#log.segments) bytes += this.#bytesOf(segment, pendingEvents(segment, this));
    return bytes;
  }

  #bytesOf(segment: SegmentRecord, events: number): number {
    return events === 0 ? 0 : ((segment.endOffset - firstGroupOffset) * events) / eventCount(segment);
  }

  // — the log's owner —

  restore(snapshot: Buffer | undefined): boolean {
    const state = snapshot === undefined ? new QueueState() : QueueState.decode(snapshot);
    if (state === undefined) return false;
    this.state = state;
    return true;
  }

  replay(frame: ReplayedFrame): Sequence | undefined {
    if (frame.type === FrameType.put) return this.#replayPut(frame);
    if (frame.type === FrameType.rewind) {
      const ranges = decodeRanges(frame.payload ?? empty);
      if (ranges !== undefined) this.state.applyRequeue(ranges);
      return ranges === undefined ? undefined : lastOf(ranges);
    }
    const kind = recordKinds.get(frame.type);
    const { baseSequence, count, explicit } = frame;
    const record = kind && decodeControl(kind, frame.payload ?? empty, { baseSequence, count, explicit });
    if (record === undefined) return undefined;
    this.#apply(record);
    if ('ranges' in record) return lastOf(record.ranges);
    return record.kind === 'prepare' ? lastOf(record.take.ranges) : 0;
  }

  #replayPut(frame: ReplayedFrame): Sequence | undefined {
    let notes: NoteChanges | undefined;
    if (frame.payload !== undefined) {
      const batch = readEventBatch(frame.payload, frame.count);
      if (batch.kind !== 'batch') return undefined;
      notes = batch.notes === undefined ? undefined : decodeNotes(batch.notes);
    }
    this.state.applyPut(frame.count, notes);
    return frame.baseSequence + frame.count - 1;
  }

  lost(ranges: SequenceRanges): void {
    this.state.applyPut(countSequences(ranges), undefined);
    this.state.applyQuarantine(ranges);
  }

  lostEnd(ranges: SequenceRanges): void {
    this.state.applyLost(countSequences(ranges));
  }

  quarantine(ranges: SequenceRanges): SequenceRange[] {
    const pending = [...this.state.pendingOf(ranges)];
    this.state.applyQuarantine(pending);
    return pending;
  }

  lostOf(ranges: SequenceRanges): SequenceRange[] {
    return partsOf(this.state.quarantined, ranges);
  }

  readmit(ranges: SequenceRanges): void {
    this.state.applyRequeue(ranges);
  }

  settledCount(first: Sequence, last: Sequence): number {
    return this.state.acked.countRange(first, last) + this.state.quarantined.countRange(first, last);
  }

  forget(first: Sequence, last: Sequence): void {
    if (last < first) return;
    this.state.forget(first, last);
    // A frame in memory must not outlive the knowledge that its events are settled.
    if (this.#parts?.delivery.forget(first, last) === true) this.#frameIndex = 0;
  }

  snapshot(): Buffer {
    return this.state.encode();
  }
}

/** What of `ranges` is in the set. */
function partsOf(set: SequenceSet, ranges: SequenceRanges): SequenceRange[] {
  const parts: SequenceRange[] = [];
  for (const { first, last } of ranges) {
    for (const run of set.ranges(first)) {
      if (run.first > last) break;
      parts.push({ first: run.first, last: Math.min(run.last, last) });
    }
  }
  return parts;
}

/** What of `ranges` is in one of `others`; both ascend. */
function partsOfRanges(ranges: SequenceRanges, others: SequenceRanges): SequenceRange[] {
  const parts: SequenceRange[] = [];
  let at = 0;
  for (const { first, last } of others) {
    while ((ranges[at]?.last ?? first) < first) at += 1;
    for (let index = at; (ranges[index]?.first ?? Number.POSITIVE_INFINITY) <= last; index += 1) {
      const range = ranges[index] as SequenceRange;
      parts.push({ first: Math.max(first, range.first), last: Math.min(last, range.last) });
    }
  }
  return parts;
}

function firstRanges(set: SequenceSet, max: number): SequenceRange[] {
  const ranges: SequenceRange[] = [];
  for (const range of set.ranges()) {
    ranges.push(range);
    if (ranges.length === max) break;
  }
  return ranges;
}

function lastOf(ranges: SequenceRanges): Sequence {
  return ranges.at(-1)?.last ?? 0;
}

function tooLarge(actual: number): ForebayError {
  return new ForebayError(
    'TRANSACTION_TOO_LARGE',
    `the transaction takes ${actual} bytes encoded, more than ${payloadBytesMax}: put fewer or smaller events at once`,
    { expected: payloadBytesMax, actual, outcome: 'notStored' },
  );
}
