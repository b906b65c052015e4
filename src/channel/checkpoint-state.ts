/**
 * What a checkpoint says of the channel: which sequences its segments hold, and the queue's state. The first makes a
 * loss exact where the log's end is gone, and with it what said where its sequences have gaps.
 *
 *     block ranges of sequences that the live segments gave to events, then the state as STATE frames hold it
 */
import type { SequenceRange, SequenceRanges } from '../base/units.ts';
import { QueueState } from '../queue/queue-state.ts';
import { decodeRanges, encodeRanges } from '../queue/ranges.ts';
import { ByteSink, ByteSource } from '../queue/varint.ts';
import { type SegmentRecord, sequencesOf } from '../wal/segment-info.ts';

/** See above. */
export interface CheckpointState {
  readonly given: SequenceRanges;
  readonly queue: QueueState;
}

/** `segments`: the live ones, ascending. `snapshot`: of the queue's state at the same moment. */
export function encodeCheckpointState(segments: readonly SegmentRecord[], snapshot: Buffer): Buffer {
  const given: { first: number; last: number }[] = [];
  for (const { first, last } of segments.flatMap(sequencesOf)) {
    const before = given.at(-1);
    if (before === undefined || first > before.last + 1) given.push({ first, last });
    else before.last = Math.max(before.last, last);
  }
  const sink = new ByteSink();
  sink.block(encodeRanges(given));
  sink.bytes(snapshot);
  return sink.finish();
}

/** What `encodeCheckpointState` wrote, or undefined. Total. */
export function decodeCheckpointState(bytes: Buffer): CheckpointState | undefined {
  const source = new ByteSource(bytes);
  const block = source.block();
  const given = block === undefined ? undefined : decodeRanges(block);
  const queue = QueueState.decode(source.rest());
  return given === undefined || queue === undefined ? undefined : { given, queue };
}

/** What of `ranges` is at or behind `from`. */
export function rangesFrom(ranges: SequenceRanges, from: number): SequenceRange[] {
  return ranges.flatMap(({ first, last }) => (last < from ? [] : [{ first: Math.max(first, from), last }]));
}
