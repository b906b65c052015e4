/**
 * Takes one group apart: its frames, each checked by itself, and what is damaged between them. Damage costs the
 * transaction that holds it and no other: behind a bad frame header the next one is searched for.
 */
import { alignUp, isZero } from '../base/bytes.ts';
import { pageBytes } from '../base/disk.ts';
import type { ByteOffset, Sequence } from '../base/units.ts';
import { crc32 } from '../codec/checksum.ts';
import {
  FrameFlag,
  type FrameHeader,
  FrameType,
  frameAlignBytes,
  frameFieldsBytes,
  frameHeaderBytes,
  frameSize,
  readFrameHeader,
} from './segment/frame-header.ts';
import { type GroupHeader, groupHeaderBytes } from './segment/group-header.ts';

/** A frame whose header holds. `payload` is undefined where it was not read: a PUT that no check was asked for. */
export interface ReadFrame {
  readonly header: FrameHeader;
  readonly offset: ByteOffset;
  readonly payload: Buffer | undefined;
}

/** Bytes of a group that hold no good frame. `header` is there where only the payload is bad. */
export interface BadFrame {
  readonly offset: ByteOffset;
  readonly bytes: number;
  readonly header: FrameHeader | undefined;
  /** Events it held: from, up to without. Equal where none. */
  readonly lostFrom: Sequence;
  readonly lostTo: Sequence;
}

/** A group taken apart: every byte of it is in a good frame, in a bad one or padding. */
export interface ReadGroup {
  readonly header: GroupHeader;
  readonly frames: readonly ReadFrame[];
  readonly bad: readonly BadFrame[];
  /** Bytes that must be zero and are not, or frames that are not those the group was written with; costs no event. */
  readonly paddingDamaged: boolean;
}

/** Where the next group starts. */
export function groupEnd(header: GroupHeader): ByteOffset {
  return header.offset + alignUp(header.bytes, pageBytes);
}

/** Gives bytes of the segment: fewer than asked for only at its end. */
export type ViewBytes = (offset: ByteOffset, bytes: number) => Buffer | Promise<Buffer>;

/** Reads the frames of a group. `checkPuts`: PUT payloads too, else only those that carry notes. Total. */
export async function readGroupFrames(header: GroupHeader, view: ViewBytes, checkPuts: boolean): Promise<ReadGroup> {
  const end = header.offset + header.bytes;
  const frames: ReadFrame[] = [];
  const bad: Mutable<BadFrame>[] = [];
  let running = header.nextSequence;
  let paddingDamaged = false;
  let framesCrc = 0;
  let offset: ByteOffset = header.offset + groupHeaderBytes;
  while (offset + frameHeaderBytes <= end) {
    const head = await settled(view(offset, frameHeaderBytes));
    const frame = readFrameHeader(head, 0, header.epoch, offset);
    if (frame === undefined || offset + frameHeaderBytes + frame.storedBytes > end) {
      const next = await findFrame(header, offset + frameAlignBytes, end, view);
      bad.push({ offset, bytes: next - offset, header: undefined, lostFrom: running, lostTo: running });
      offset = next;
      continue;
    }
    framesCrc = crc32(head.subarray(0, frameFieldsBytes), framesCrc);
    if (frame.type === FrameType.put) {
      attributeGap(bad, running, frame.baseSequence);
      running = frame.baseSequence + frame.count;
    }
    const size = frameSize(frame.storedBytes);
    const needed = checkPuts || frame.type !== FrameType.put || (frame.flags & FrameFlag.notes) !== 0;
    const stored = needed ? await settled(view(offset + frameHeaderBytes, size - frameHeaderBytes)) : undefined;
    if (stored === undefined || payloadHolds(frame, stored)) {
      const payload = stored?.subarray(0, frame.storedBytes);
      frames.push({ header: frame, offset, payload });
      if (stored !== undefined && !isZero(stored, frame.storedBytes)) paddingDamaged = true;
    } else {
      const lostFrom = frame.type === FrameType.put ? frame.baseSequence : running;
      bad.push({ offset, bytes: size, header: frame, lostFrom, lostTo: running });
    }
    offset += size;
  }
  if (offset < end) bad.push({ offset, bytes: end - offset, header: undefined, lostFrom: running, lostTo: running });
  attributeGap(bad, running, header.nextSequence + header.events);
  const asWritten = frames.length === header.frames && framesCrc === header.framesCrc;
  if (bad.length === 0 && !asWritten) paddingDamaged = true;
  const padding = await settled(view(end, groupEnd(header) - end));
  return { header, frames, bad, paddingDamaged: paddingDamaged || !isZero(padding) };
}

type Mutable<T> = { -readonly [K in keyof T]: T[K] };

function settled(bytes: Buffer | Promise<Buffer>): Buffer | Promise<Buffer> {
  return bytes;
}

function payloadHolds(frame: FrameHeader, stored: Buffer): boolean {
  if (stored.length < frame.storedBytes) return false;
  return crc32(stored.subarray(0, frame.storedBytes)) === frame.payloadCrc;
}

/** Sequences between two good PUT frames stood in the headerless damage before. */
function attributeGap(bad: Mutable<BadFrame>[], running: Sequence, next: Sequence): void {
  const last = bad.at(-1);
  if (last === undefined || next <= running) return;
  if (last.lostFrom === last.lostTo) last.lostFrom = running;
  last.lostTo = next;
}

/** The offset of the next frame header that holds, or `end`. */
async function findFrame(header: GroupHeader, from: ByteOffset, end: ByteOffset, view: ViewBytes): Promise<ByteOffset> {
  for (let offset = from; offset + frameHeaderBytes <= end; offset += frameAlignBytes) {
    const head = await settled(view(offset, frameHeaderBytes));
    if (readFrameHeader(head, 0, header.epoch, offset) !== undefined) return offset;
  }
  return end;
}
