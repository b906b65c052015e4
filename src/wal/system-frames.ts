/**
 * Payloads of the log's own frames: STATE, OPEN, MARK, CUT, QUARANTINE. MessagePack maps; docs/format.md#system-frames.
 * Readers are total: undefined for anything else.
 */

import type { ByteOffset, SegmentId, Sequence, SequenceRange, Serial } from '../base/units.ts';
import { packValue, unpackValue } from '../codec/values.ts';
import { readSegmentTable, type SegmentRecord } from './segment-info.ts';

/** Everything a replay needs that stood in earlier segments. */
export interface StatePayload {
  /** The live segments before the one this stands in. */
  readonly segments: readonly SegmentRecord[];
  readonly quarantine: readonly QuarantineEntry[];
  readonly absences: readonly Absence[];
  /** The channel's own state, opaque here. */
  readonly owner: Buffer;
}

/** A directory was missing. Its segments between the two ids, both excluded, are unknown to this history. */
export interface Absence {
  readonly directoryId: string;
  readonly afterSegmentId: SegmentId;
  readonly beforeSegmentId: SegmentId;
}

/** Events that cannot be delivered, and why. */
export interface QuarantineEntry {
  readonly segmentId: SegmentId;
  readonly offset: ByteOffset;
  readonly bytes: number;
  readonly kind: DamageKind;
  readonly ranges: readonly SequenceRange[];
}

/** What a damage is. `absent`: its directory is missing. `lostEnd`: the log ends before what the checkpoint saw. */
export type DamageKind =
  | 'frame'
  | 'group'
  | 'segmentHeader'
  | 'segmentMissing'
  | 'state'
  | 'record'
  | 'unreadable'
  | 'absent'
  | 'lostEnd'
  | 'unprovenTail'
  | 'padding'
  | 'identity'
  | 'sequences'
  | 'checkpoint';

const damageKinds: ReadonlySet<string> = new Set<DamageKind>([
  'frame',
  'group',
  'segmentHeader',
  'segmentMissing',
  'state',
  'record',
  'unreadable',
  'absent',
  'lostEnd',
  'unprovenTail',
  'padding',
  'identity',
  'sequences',
  'checkpoint',
]);

/** The payload of STATE. */
export function encodeState(state: StatePayload): Buffer {
  const { segments, quarantine, absences, owner } = state;
  return packValue({ segments, quarantine, absences, owner });
}

/** What `encodeState` was given, or undefined. Total. */
export function decodeState(payload: Buffer): StatePayload | undefined {
  const value = unpackRecord(payload);
  if (value === undefined) return undefined;
  const segments = readSegmentTable(value['segments']);
  const quarantine = readQuarantine(value['quarantine']);
  const absences = readAbsences(value['absences']);
  const owner = value['owner'];
  if (segments === undefined || quarantine === undefined || absences === undefined || !(owner instanceof Uint8Array))
    return undefined;
  return { segments, quarantine, absences, owner: Buffer.from(owner) };
}

/** The payload of QUARANTINE. */
export function encodeQuarantine(entries: readonly QuarantineEntry[]): Buffer {
  return packValue(entries);
}

/** What `encodeQuarantine` was given, or undefined. Total. */
export function decodeQuarantine(payload: Buffer): QuarantineEntry[] | undefined {
  const unpacked = unpackValue(payload);
  return unpacked.kind === 'value' ? readQuarantine(unpacked.value) : undefined;
}

/**
 * An entry that says that a repair has settled what of a segment could not be read or copied: as soon as nothing of it
 * waits, it may go. No other entry of this kind is without sequences.
 */
export function releaseEntry(segmentId: SegmentId): QuarantineEntry {
  return { segmentId, offset: 0, bytes: 0, kind: 'unreadable', ranges: [] };
}

/** Whether it is one. */
export function isRelease({ kind, ranges }: QuarantineEntry): boolean {
  return kind === 'unreadable' && ranges.length === 0;
}

/** `entries` in the order of the log, without those that a later release settles; and which segments are released. */
export function applyReleases(entries: readonly QuarantineEntry[]): {
  readonly entries: QuarantineEntry[];
  readonly released: ReadonlySet<SegmentId>;
} {
  let left: QuarantineEntry[] = [];
  const released = new Set<SegmentId>();
  for (const entry of entries) {
    if (!isRelease(entry)) {
      left.push(entry);
      if (entry.kind === 'unreadable') released.delete(entry.segmentId);
    } else {
      left = left.filter(({ kind, segmentId }) => kind !== 'unreadable' || segmentId !== entry.segmentId);
      released.add(entry.segmentId);
    }
  }
  return { entries: left, released };
}

/** An OPEN frame: a process took over the log. */
export interface OpenPayload {
  readonly generation: number;
  readonly wallMs: number;
  /** The open before had been closed in order. */
  readonly clean: boolean;
}

/** The payload of OPEN. */
export function encodeOpen(open: OpenPayload): Buffer {
  return packValue(open);
}

/** A MARK frame: proves the group before it. `clean`: the log was closed in order, nothing follows. */
export function encodeMark(clean: boolean): Buffer {
  return packValue({ clean });
}

/** Whether it is a MARK's payload that says so. Total. */
export function isCleanMark(payload: Buffer): boolean {
  return unpackRecord(payload)?.['clean'] === true;
}

/** A CUT frame: why the segment before ends where its successor's header says. */
export interface CutPayload {
  readonly segmentId: SegmentId;
  readonly offset: ByteOffset;
  readonly serial: Serial;
  readonly why: string;
}

/** The payload of CUT. */
export function encodeCut(cut: CutPayload): Buffer {
  return packValue(cut);
}

function unpackRecord(payload: Buffer): Record<string, unknown> | undefined {
  const unpacked = unpackValue(payload);
  if (unpacked.kind !== 'value' || typeof unpacked.value !== 'object' || unpacked.value === null) return undefined;
  return unpacked.value as Record<string, unknown>;
}

function readQuarantine(value: unknown): QuarantineEntry[] | undefined {
  if (!Array.isArray(value)) return undefined;
  const entries: QuarantineEntry[] = [];
  for (const item of value as unknown[]) {
    if (typeof item !== 'object' || item === null) return undefined;
    const { segmentId, offset, bytes, kind, ranges } = item as Record<string, unknown>;
    if (!isCount(segmentId) || !isCount(offset) || !isCount(bytes)) return undefined;
    if (typeof kind !== 'string' || !damageKinds.has(kind) || !isRanges(ranges)) return undefined;
    entries.push({ segmentId, offset, bytes, kind: kind as DamageKind, ranges });
  }
  return entries;
}

function readAbsences(value: unknown): Absence[] | undefined {
  if (!Array.isArray(value)) return undefined;
  const absences: Absence[] = [];
  for (const item of value as unknown[]) {
    if (typeof item !== 'object' || item === null) return undefined;
    const { directoryId, afterSegmentId, beforeSegmentId } = item as Record<string, unknown>;
    if (typeof directoryId !== 'string' || !isCount(afterSegmentId) || !isCount(beforeSegmentId)) return undefined;
    absences.push({ directoryId, afterSegmentId, beforeSegmentId });
  }
  return absences;
}

function isRanges(value: unknown): value is { first: Sequence; last: Sequence }[] {
  if (!Array.isArray(value)) return false;
  return (value as unknown[]).every((range) => {
    if (typeof range !== 'object' || range === null) return false;
    const { first, last } = range as Record<string, unknown>;
    return isCount(first) && isCount(last) && first >= 1 && last >= first;
  });
}

function isCount(value: unknown): value is number {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0;
}
