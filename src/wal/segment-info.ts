/**
 * What is known of one live segment, and the table of all of them as STATE frames hold it. A segment's log ends
 * where its successor says (its header and the table agree on it): what stands behind that is void.
 */
import type { ByteOffset, SegmentId, Sequence, Serial } from '../base/units.ts';
import type { LogOwner } from './log-owner.ts';
import { firstGroupOffset, type SegmentHeader } from './segment/segment-header.ts';
import type { LogDirectory } from './segment-files.ts';

/** The part that STATE holds; a plain value. */
export interface SegmentRecord {
  readonly id: SegmentId;
  readonly epoch: string;
  /** Id of its data directory. */
  readonly directoryId: string;
  readonly firstSerial: Serial;
  readonly firstSequence: Sequence;
  /** Sequences from `tailEndSequence` up to, without, `resumeSequence` were never given: a gap. */
  readonly tailEndSequence: Sequence;
  readonly resumeSequence: Sequence;
  /** The end of its last sequence, exclusive. */
  readonly nextSequence: Sequence;
  /** Where its log ends. */
  readonly endOffset: ByteOffset;
  readonly endSerial: Serial;
  /** Wall clock of its first and last event, ms; 0 without events. */
  readonly minTimeMs: number;
  readonly maxTimeMs: number;
  readonly fileBytes: number;
  /** Not recycled until repaired: it holds bytes that could not be read or copied. */
  readonly pinned: boolean;
  /** Its directory was missing when this was written; its events are counted as quarantined. */
  readonly absent: boolean;
  readonly generation: number;
}

/** A known place in a segment: the group at `offset` starts at `sequence`. */
interface SegmentMark {
  readonly sequence: Sequence;
  readonly offset: ByteOffset;
  readonly serial: Serial;
  readonly timeMs: number;
}

/** A live segment as the process knows it; the last one grows. */
export interface SegmentInfo extends SegmentRecord {
  readonly path: string;
  readonly recycled: boolean;
  nextSequence: Sequence;
  endOffset: ByteOffset;
  endSerial: Serial;
  minTimeMs: number;
  maxTimeMs: number;
  fileBytes: number;
  pinned: boolean;
  absent: boolean;
  /** Ascending, about one for each `markEveryBytes`; empty where the segment was not written by this process. */
  readonly marks: SegmentMark[];
}

/** One mark for so many bytes of log: a lookup reads at most this much before it finds its frame. */
export const markEveryBytes = 262_144;

const numberFields = [
  'id',
  'firstSerial',
  'firstSequence',
  'tailEndSequence',
  'resumeSequence',
  'nextSequence',
  'endOffset',
  'endSerial',
  'minTimeMs',
  'maxTimeMs',
  'fileBytes',
  'generation',
] as const;

/** The part of `info` that a STATE holds. */
export function toRecord(info: SegmentInfo): SegmentRecord {
  const { path: _path, recycled: _recycled, marks: _marks, ...record } = info;
  return record;
}

/** Reads a table as unpacked from a STATE frame; undefined where it is none. Total. */
export function readSegmentTable(value: unknown): SegmentRecord[] | undefined {
  if (!Array.isArray(value)) return undefined;
  const table: SegmentRecord[] = [];
  for (const entry of value as unknown[]) {
    if (!isSegmentRecord(entry)) return undefined;
    table.push(entry);
  }
  return table;
}

function isSegmentRecord(value: unknown): value is SegmentRecord {
  if (typeof value !== 'object' || value === null) return false;
  const fields = value as Record<string, unknown>;
  for (const name of numberFields) {
    const field = fields[name];
    if (typeof field !== 'number' || !Number.isSafeInteger(field) || field < 0) return false;
  }
  if (typeof fields['epoch'] !== 'string' || fields['epoch'].length !== 16) return false;
  return typeof fields['directoryId'] === 'string' && typeof fields['pinned'] === 'boolean';
}

/** How many sequences the segment's events have. */
export function eventCount(segment: SegmentRecord): number {
  return sequencesOf(segment).reduce((sum, { first, last }) => sum + last - first + 1, 0);
}

/**
 * The sequences its events have: one or two ranges, or none. A tail that the segment was to hold, and that another
 * holds because its first group never counted, is none of its.
 */
export function sequencesOf(segment: SegmentRecord): { first: Sequence; last: Sequence }[] {
  const { firstSequence, tailEndSequence, resumeSequence, nextSequence } = segment;
  const ranges: { first: Sequence; last: Sequence }[] = [];
  const tailEnd = Math.min(tailEndSequence, nextSequence);
  if (tailEnd > firstSequence) ranges.push({ first: firstSequence, last: tailEnd - 1 });
  if (nextSequence > resumeSequence) ranges.push({ first: resumeSequence, last: nextSequence - 1 });
  return ranges;
}

/** How many of the segment's events still wait. */
export function pendingEvents(segment: SegmentRecord, owner: Pick<LogOwner, 'settledCount'>): number {
  const events = eventCount(segment);
  return events === 0 ? 0 : events - owner.settledCount(segment.firstSequence, segment.nextSequence - 1);
}

/** A segment as its header says it, with none of its groups counted yet. */
export function newSegmentInfo(segment: {
  readonly header: SegmentHeader;
  readonly directory: LogDirectory;
  readonly path: string;
  readonly fileBytes: number;
}): SegmentInfo {
  const { header, directory, path, fileBytes } = segment;
  return {
    id: header.segmentId,
    epoch: header.epoch,
    directoryId: directory.id,
    firstSerial: header.firstSerial,
    firstSequence: header.firstSequence,
    tailEndSequence: header.tailEndSequence,
    resumeSequence: header.resumeSequence,
    nextSequence: header.firstSequence,
    endOffset: firstGroupOffset,
    endSerial: header.firstSerial - 1,
    minTimeMs: 0,
    maxTimeMs: 0,
    fileBytes,
    pinned: false,
    absent: false,
    generation: header.generation,
    path,
    recycled: header.recycled,
    marks: [],
  };
}
