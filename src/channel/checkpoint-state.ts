/**
 * What a checkpoint says of the channel: which sequences its segments hold, and the queue's state. The first makes a
 * loss exact where the log's end is gone, and with it what said where its sequences have gaps.
 *
 *     block ranges of sequences that the live segments gave to events, varint 2, varint events leased at the time,
 *     then the state as STATE frames hold it; without the two numbers where an earlier version wrote it
 */
import type { SequenceRange, SequenceRanges } from '../base/units.ts';
import { QueueState } from '../queue/queue-state.ts';
import { decodeRanges, encodeRanges } from '../queue/ranges.ts';
import { ByteSink, ByteSource } from '../queue/varint.ts';
import { type SegmentRecord, sequencesOf } from '../wal/segment-info.ts';

/** Where no state begins: its first number is 1. */
const leasesFollow = 2;

/** See above. */
export interface CheckpointState {
  readonly given: SequenceRanges;
  /** Events that consumers held; undefined where it does not say. */
  readonly leasedEvents: number | undefined;
  readonly queue: QueueState;
}

/** `segments`: the live ones, ascending. `snapshot`: of the queue's state at the same moment. */
export function encodeCheckpointState(
  segments: readonly SegmentRecord[],
  leasedEvents: number,
  snapshot: Buffer,
): Buffer {
  const given: { first: number; last: number }[] = [];
  for (const { first, last } of segments.flatMap(sequencesOf)) {
    const before = given.at(-1);
    if (before === undefined || first > before.last + 1) given.push({ first, last });
    else before.last = Math.max(before.last, last);
  }
  const sink = new ByteSink();
  sink.block(encodeRanges(given));
  sink.varint(leasesFollow);
  sink.varint(leasedEvents);
  sink.bytes(snapshot);
  return sink.finish();
}

/** What `encodeCheckpointState` wrote, or undefined. Total. */
export function decodeCheckpointState(bytes: Buffer): CheckpointState | undefined {
  const source = new ByteSource(bytes);
  const block = source.block();
  const given = block === undefined ? undefined : decodeRanges(block);
  const rest = source.rest();
  const { leasedEvents, state } = readLeases(rest);
  const queue = QueueState.decode(state);
  return given === undefined || queue === undefined ? undefined : { given, leasedEvents, queue };
}

function readLeases(bytes: Buffer): { readonly leasedEvents: number | undefined; readonly state: Buffer } {
  const source = new ByteSource(bytes);
  if (source.varint() !== leasesFollow) return { leasedEvents: undefined, state: bytes };
  const leasedEvents = source.varint();
  return { leasedEvents: leasedEvents < 0 ? undefined : leasedEvents, state: source.rest() };
}

/** What of `ranges` is at or behind `from`. */
export function rangesFrom(ranges: SequenceRanges, from: number): SequenceRange[] {
  return ranges.flatMap(({ first, last }) => (last < from ? [] : [{ first: Math.max(first, from), last }]));
}
