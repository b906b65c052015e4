/**
 * The events of a channel one after the other, with what became of each: as many as there are, in memory that does not
 * grow with them. Order is by sequence; what cannot be read is passed over, and `verify` says what that is.
 */
import type { Sequence, SequenceRange } from '../../base/units.ts';
import { eventBatchCodec, readEventBatch } from '../../codec/event-batch.ts';
import type { DeliveredEvent } from '../../event/event.ts';
import type { QueueState } from '../../queue/queue-state.ts';
import type { FrameHeader } from '../../wal/segment/frame-header.ts';
import { FrameType } from '../../wal/segment/frame-header.ts';
import { type SegmentInfo, sequencesOf } from '../../wal/segment-info.ts';
import type { ChannelView } from './channel-view.ts';
import { SegmentWalk } from './segment-walk.ts';

/** `pending` may be leased by a running owner: leases are kept in its memory only. */
export type EventState = 'pending' | 'prepared' | 'acked' | 'lost';

/** Which events. */
export interface DumpRange {
  /** The first, by sequence or by the wall clock of its commit. Default: all. */
  readonly fromSequence?: Sequence;
  readonly fromMs?: number;
  /** The last, included. */
  readonly toSequence?: Sequence;
  readonly toMs?: number;
  /** Of this segment only. */
  readonly segmentId?: number;
}

/** One event as it stands. */
export interface DumpedEvent {
  readonly event: DeliveredEvent;
  /** Of its commit, wall clock. */
  readonly timeMs: number;
  readonly state: EventState;
  readonly segmentId: number;
}

/** Events that are passed over. `gone`: a running owner let them go meanwhile. */
export interface PassedOver extends SequenceRange {
  readonly why: 'damaged' | 'gone';
  readonly path: string;
}

/**
 * A transaction's events share bytes: use or copy them before the next one is asked for. `onPassedOver` is told of
 * those of the range, as far as sequences say, that cannot be had; what is absent is among the view's damages.
 */
export async function* dumpEvents(
  view: ChannelView,
  range: DumpRange,
  onPassedOver: (passed: PassedOver) => void = () => undefined,
): AsyncGenerator<DumpedEvent> {
  const { fromSequence = 1, toSequence = Number.MAX_SAFE_INTEGER } = range;
  for (const segment of view.segments) {
    if (!mayHold(segment, range)) continue;
    const { path } = segment;
    const pass = (why: PassedOver['why'], from: Sequence, to: Sequence): void => {
      const first = Math.max(from, fromSequence);
      const last = Math.min(to - 1, toSequence);
      if (first <= last) onPassedOver({ why, path, first, last });
    };
    yield* eventsOf(view, segment, range, pass);
  }
  const last = view.segments.at(-1);
  if (last === undefined || (range.segmentId !== undefined && range.segmentId !== last.id)) return;
  // Their group was not proven: its time is not known any more, but not before that of the last one.
  for (const { header, payload } of view.tail) {
    yield* eventsIn(view.queue, { header, raw: payload, timeMs: last.maxTimeMs, segmentId: last.id }, range);
  }
}

/** Of a transaction, which may have a million. */
const deliveredAtOnce = 256;

/** What became of an event. */
function stateOf(queue: QueueState, sequence: Sequence): EventState {
  if (queue.acked.has(sequence)) return 'acked';
  if (queue.preparedSet.has(sequence)) return 'prepared';
  return queue.quarantined.has(sequence) ? 'lost' : 'pending';
}

/** `to` is not among them. */
type Pass = (why: PassedOver['why'], from: Sequence, to: Sequence) => void;

async function* eventsOf(
  view: ChannelView,
  segment: SegmentInfo,
  range: DumpRange,
  pass: Pass,
): AsyncGenerator<DumpedEvent> {
  const walk = await SegmentWalk.open(view, segment, { checksPuts: true });
  if (walk === undefined) {
    if (!segment.absent) passFrom(1, segment, pass);
    return;
  }
  try {
    for (let step = await walk.next(); step !== undefined; step = await walk.next()) {
      if (step.kind === 'damage') {
        pass('damaged', step.lostFrom, step.lostTo);
        continue;
      }
      const { header: group, frames, bad } = step.group;
      const isOut = isBefore(group.nextSequence + group.events - 1, group.wallMs, range);
      if (isOut || group.events === 0) continue;
      if (range.toSequence !== undefined && group.nextSequence > range.toSequence) return;
      // Beside an owner the file may be another segment by now.
      if (!(await walk.isStill())) {
        passFrom(group.nextSequence, segment, pass);
        return;
      }
      for (const { lostFrom, lostTo } of bad) pass('damaged', lostFrom, lostTo);
      for (const { header, payload } of frames) {
        if (header.type !== FrameType.put) continue;
        const raw = payload === undefined ? undefined : walk.payloads.restore(header, payload);
        if (raw === undefined) {
          pass('damaged', header.baseSequence, header.baseSequence + header.count);
          continue;
        }
        yield* eventsIn(view.queue, { header, raw, timeMs: group.wallMs, segmentId: segment.id }, range);
      }
    }
  } finally {
    await walk.close();
  }
}

/** What was used again cannot be had from here on. */
function passFrom(next: Sequence, segment: SegmentInfo, pass: Pass): void {
  for (const { first, last } of sequencesOf(segment)) pass('gone', Math.max(first, next), last + 1);
}

/** A transaction as it was put. `raw`: what its payload restores to. */
export interface PutFrame {
  readonly header: FrameHeader;
  readonly raw: Buffer;
  readonly timeMs: number;
  readonly segmentId: number;
}

/** Those of the range. They alias `raw`. */
export function* eventsIn(
  queue: QueueState,
  { header, raw, timeMs, segmentId }: PutFrame,
  range: DumpRange,
): Generator<DumpedEvent> {
  const { type, codec, count, baseSequence } = header;
  const batch = type === FrameType.put && codec === eventBatchCodec ? readEventBatch(raw, count) : undefined;
  if (batch?.kind !== 'batch') return;
  for (let at = 0; at < count; at += deliveredAtOnce) {
    for (const event of batch.deliver(at, Math.min(at + deliveredAtOnce, count), baseSequence + at)) {
      if (isBefore(event.sequence, timeMs, range) || isBehind(event.sequence, timeMs, range)) continue;
      yield { event, timeMs, state: stateOf(queue, event.sequence), segmentId };
    }
  }
}

function isBefore(sequence: Sequence, timeMs: number, { fromSequence, fromMs }: DumpRange): boolean {
  return (fromSequence !== undefined && sequence < fromSequence) || (fromMs !== undefined && timeMs < fromMs);
}

function isBehind(sequence: Sequence, timeMs: number, { toSequence, toMs }: DumpRange): boolean {
  return (toSequence !== undefined && sequence > toSequence) || (toMs !== undefined && timeMs > toMs);
}

/** By what its record says, so that most segments need not be read. */
function mayHold(segment: SegmentInfo, range: DumpRange): boolean {
  const { id, firstSequence, nextSequence, minTimeMs, maxTimeMs } = segment;
  if (range.segmentId !== undefined && range.segmentId !== id) return false;
  if (isBefore(nextSequence - 1, maxTimeMs, range)) return false;
  return !isBehind(firstSequence, minTimeMs, range);
}
