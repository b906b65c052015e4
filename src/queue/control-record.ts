/**
 * Changes of state other than a put: what they are and what their frames carry. An acknowledgement of one range
 * without notes, the usual one, has no payload: base sequence and count of the frame header say it all.
 *
 *     ack, drop [one range: nothing | more: block of ranges]  notes
 *     prepare   text id, text consumer, block of ranges, text note (JSON), varint prepared at (ms), notes
 *     resolve   text id, varint 1 for commit or 0 for rollback, notes
 *     notes     notes
 *
 * Blocks and texts are a varint length and the bytes; notes go on to the end (notes.ts).
 */
import { invariant } from '../base/assert.ts';
import { countSequences, type SequenceRanges } from '../base/units.ts';
import { decodeNotes, encodeNotes, type NoteChanges, type NoteValue, parseJson } from './notes.ts';
import { decodeRanges, encodeRanges } from './ranges.ts';
import { ByteSink, ByteSource } from './varint.ts';

/** A prepared range: neither delivered nor dropped until resolved. */
export interface UnresolvedTake {
  readonly id: string;
  readonly consumer: string;
  readonly ranges: SequenceRanges;
  readonly note: NoteValue;
  /** Wall clock, ms. */
  readonly preparedAt: number;
}

/** A change of state other than a put; one frame of the log each. */
export type ControlRecord =
  | { readonly kind: 'ack'; readonly ranges: SequenceRanges; readonly notes: NoteChanges | undefined }
  /** As an acknowledgement, of events that were moved to dead letters or given up by a policy. */
  | { readonly kind: 'drop'; readonly ranges: SequenceRanges; readonly notes: NoteChanges | undefined }
  | { readonly kind: 'prepare'; readonly take: UnresolvedTake; readonly notes: NoteChanges | undefined }
  | {
      readonly kind: 'resolve';
      readonly id: string;
      readonly outcome: 'commit' | 'rollback';
      readonly notes: NoteChanges | undefined;
    }
  | { readonly kind: 'notes'; readonly notes: NoteChanges };

/** What the frame header of an acknowledgement or a drop says. `explicit`: the payload lists the ranges. */
export interface AckHeader {
  readonly baseSequence: number;
  readonly count: number;
  readonly explicit: boolean;
}

const none: Buffer = Buffer.alloc(0);

/** The header fields of an acknowledgement or a drop of `ranges`, which must not be empty. */
export function ackHeader(ranges: SequenceRanges): AckHeader {
  const first = ranges[0];
  invariant(first !== undefined, 'an acknowledgement names a range');
  return { baseSequence: first.first, count: countSequences(ranges), explicit: ranges.length > 1 };
}

/** The record's payload. What it holds must be checked: normal ranges, valid notes. */
export function encodeControl(record: ControlRecord): Buffer {
  if ('ranges' in record && record.ranges.length === 1 && record.notes === undefined) return none;
  const sink = new ByteSink();
  if ('ranges' in record) {
    if (record.ranges.length > 1) sink.block(encodeRanges(record.ranges));
  } else if (record.kind === 'prepare') {
    writeTake(sink, record.take);
  } else if (record.kind === 'resolve') {
    sink.text(record.id);
    sink.varint(record.outcome === 'commit' ? 1 : 0);
  }
  if (record.notes !== undefined) sink.bytes(encodeNotes(record.notes));
  return sink.finish();
}

/** The record of a payload, or undefined. Total. `header` counts for acknowledgements and drops only. */
export function decodeControl(
  kind: ControlRecord['kind'],
  bytes: Buffer,
  header: AckHeader,
): ControlRecord | undefined {
  const source = new ByteSource(bytes);
  if (kind === 'ack' || kind === 'drop') {
    const ranges = readAckRanges(source, header);
    const notes = readNotes(source);
    return ranges === undefined || notes === 'malformed' ? undefined : { kind, ranges, notes };
  }
  if (kind === 'prepare') {
    const take = readTake(source);
    const notes = readNotes(source);
    return take === undefined || notes === 'malformed' ? undefined : { kind, take, notes };
  }
  if (kind === 'resolve') {
    const id = source.text();
    const commits = source.varint();
    const notes = readNotes(source);
    if (id === undefined || (commits !== 0 && commits !== 1) || notes === 'malformed') return undefined;
    return { kind, id, outcome: commits === 1 ? 'commit' : 'rollback', notes };
  }
  const notes = readNotes(source);
  return notes === 'malformed' ? undefined : { kind, notes: notes ?? {} };
}

/** Appends a prepared take. */
export function writeTake(sink: ByteSink, take: UnresolvedTake): void {
  sink.text(take.id);
  sink.text(take.consumer);
  sink.block(encodeRanges(take.ranges));
  sink.text(JSON.stringify(take.note));
  sink.varint(take.preparedAt);
}

/** What `writeTake` wrote, or undefined. Total. */
export function readTake(source: ByteSource): UnresolvedTake | undefined {
  const id = source.text();
  const consumer = source.text();
  const rangeBytes = source.block();
  const noteText = source.text();
  const preparedAt = source.varint();
  if (id === undefined || consumer === undefined || rangeBytes === undefined || noteText === undefined)
    return undefined;
  const ranges = decodeRanges(rangeBytes);
  const note = parseJson(noteText);
  if (ranges === undefined || note === undefined || preparedAt < 0) return undefined;
  return { id, consumer, ranges, note, preparedAt };
}

function readAckRanges(source: ByteSource, header: AckHeader): SequenceRanges | undefined {
  const first = header.baseSequence;
  const { count } = header;
  // So written that a sum past the last safe integer cannot round its way back.
  if (!(first >= 1 && count >= 1 && count - 1 <= Number.MAX_SAFE_INTEGER - first)) return undefined;
  const last = first + count - 1;
  if (!header.explicit) return [{ first, last }];
  const rangeBytes = source.block();
  const ranges = rangeBytes === undefined ? undefined : decodeRanges(rangeBytes);
  if (ranges === undefined || ranges[0]?.first !== first) return undefined;
  return countSequences(ranges) === header.count ? ranges : undefined;
}

function readNotes(source: ByteSource): NoteChanges | undefined | 'malformed' {
  const bytes = source.rest();
  return bytes.length === 0 ? undefined : (decodeNotes(bytes) ?? 'malformed');
}
