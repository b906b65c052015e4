/**
 * The segment header: page 0 of a segment file, and again as page 1.
 *
 *    0  8  magic "FBSEG\r\n\x1a"       8 u16 major     10 u16 minor
 *   12 u32 incompat   16 u32 ro_compat  20 u32 compat          (0–23 and 4092 never change)
 *   24 16  channel id                  40 u64 segment id        48 u64 epoch (random, not 0)
 *   56 u64 previous segment id         64 u64 first serial      72 u64 first sequence
 *   80 u64 segment bytes               88 i64 created, ms       96 u32 generation
 *  100 u8 alignment shift 12          101 u8 checksum kind 1   102 u8 1 = the file was used before   103 u8 zero
 *  104 u64 previous segment's end: groups at or after this offset of it are void
 *  112 u64 previous segment's last serial
 *  120 u64 end of the rewritten tail: the first group's events end before this sequence
 *  128 u64 resume sequence: the first event after the first group has it
 *  136 u64 the sequence after the previous segment's last
 *  … zero …                          4092 u32 CRC-32 of 0..4091
 *
 * Normative text: docs/format.md#segment-header. The fields at 104–143 stand in the header, so that where
 * a segment ends, and the only gap its sequences may have, are known even when its groups are damaged.
 */
import { isZero, readU64, writeU64 } from '../../base/bytes.ts';
import { pageBytes } from '../../base/disk.ts';
import type { ByteOffset, SegmentId, Sequence, Serial } from '../../base/units.ts';
import { crc32 } from '../../codec/checksum.ts';

const magic: Buffer = Buffer.from('FBSEG\r\n\x1a', 'latin1');
const formatMajor = 1;
const formatMinor = 0;
const alignmentShift = 12;
const checksumKindCrc32 = 1;
const crcAt = pageBytes - 4;
const usedEnd = 144;

/** Where the first group of a segment starts: behind the two header pages. */
export const firstGroupOffset: number = 2 * pageBytes;

/** A segment header's fields; the diagram says more of each. */
export interface SegmentHeader {
  /** 32 hex digits. */
  readonly channelId: string;
  readonly segmentId: SegmentId;
  /** 16 hex digits, not all zero. */
  readonly epoch: string;
  /** 0 in a channel's first segment. */
  readonly previousSegmentId: SegmentId;
  readonly firstSerial: Serial;
  readonly firstSequence: Sequence;
  readonly segmentBytes: number;
  readonly createdMs: number;
  readonly generation: number;
  /** The file held another segment before: bytes behind the log's end mean nothing. */
  readonly recycled: boolean;
  readonly previousEnd: ByteOffset;
  readonly previousLastSerial: Serial;
  readonly tailEndSequence: Sequence;
  readonly resumeSequence: Sequence;
  readonly previousNextSequence: Sequence;
}

/** `why` names the field that does not hold, for reports. */
export type DecodedSegmentHeader =
  | { readonly kind: 'header'; readonly header: SegmentHeader }
  | { readonly kind: 'damaged'; readonly why: string }
  | { readonly kind: 'unsupported'; readonly what: string };

/** Both header pages, ready to be written at offset 0. Fills `target` (8192 bytes). */
export function writeSegmentHeader(header: SegmentHeader, target: Buffer): void {
  const page = target.subarray(0, pageBytes).fill(0);
  magic.copy(page, 0);
  page.writeUInt16LE(formatMajor, 8);
  page.writeUInt16LE(formatMinor, 10);
  page.write(header.channelId, 24, 'hex');
  writeU64(page, 40, header.segmentId);
  page.write(header.epoch, 48, 'hex');
  writeU64(page, 56, header.previousSegmentId);
  writeU64(page, 64, header.firstSerial);
  writeU64(page, 72, header.firstSequence);
  writeU64(page, 80, header.segmentBytes);
  writeU64(page, 88, header.createdMs);
  page.writeUInt32LE(header.generation, 96);
  page.writeUInt8(alignmentShift, 100);
  page.writeUInt8(checksumKindCrc32, 101);
  page.writeUInt8(header.recycled ? 1 : 0, 102);
  writeU64(page, 104, header.previousEnd);
  writeU64(page, 112, header.previousLastSerial);
  writeU64(page, 120, header.tailEndSequence);
  writeU64(page, 128, header.resumeSequence);
  writeU64(page, 136, header.previousNextSequence);
  page.writeUInt32LE(crc32(page.subarray(0, crcAt)), crcAt);
  page.copy(target, pageBytes);
}

/** Reads one header page. Total: an unknown version counts only in a page whose CRC holds. */
export function readSegmentHeader(page: Buffer): DecodedSegmentHeader {
  if (page.length < pageBytes || page.compare(magic, 0, 8, 0, 8) !== 0) return { kind: 'damaged', why: 'magic' };
  if (crc32(page.subarray(0, crcAt)) !== page.readUInt32LE(crcAt)) return { kind: 'damaged', why: 'checksum' };
  const unsupported = unsupportedFeature(page);
  if (unsupported !== undefined) return { kind: 'unsupported', what: unsupported };
  const header: SegmentHeader = {
    channelId: page.toString('hex', 24, 40),
    segmentId: readU64(page, 40),
    epoch: page.toString('hex', 48, 56),
    previousSegmentId: readU64(page, 56),
    firstSerial: readU64(page, 64),
    firstSequence: readU64(page, 72),
    segmentBytes: readU64(page, 80),
    createdMs: readU64(page, 88),
    generation: page.readUInt32LE(96),
    recycled: page.readUInt8(102) === 1,
    previousEnd: readU64(page, 104),
    previousLastSerial: readU64(page, 112),
    tailEndSequence: readU64(page, 120),
    resumeSequence: readU64(page, 128),
    previousNextSequence: readU64(page, 136),
  };
  const why = unsoundField(header, page);
  return why === undefined ? { kind: 'header', header } : { kind: 'damaged', why };
}

function unsupportedFeature(page: Buffer): string | undefined {
  const major = page.readUInt16LE(8);
  if (major !== formatMajor) return `format version ${major}`;
  const incompat = page.readUInt32LE(12);
  if (incompat !== 0) return `incompatible feature bits 0x${incompat.toString(16)}`;
  // Everything that reads a segment today is about to write behind it.
  const readOnly = page.readUInt32LE(16);
  if (readOnly !== 0) return `feature bits 0x${readOnly.toString(16)}, which allow reading only`;
  const shift = page.readUInt8(100);
  if (shift !== alignmentShift) return `alignment 2^${shift}`;
  const checksumKind = page.readUInt8(101);
  if (checksumKind !== checksumKindCrc32) return `checksum kind ${checksumKind}`;
  return undefined;
}

function unsoundField(header: SegmentHeader, page: Buffer): string | undefined {
  const { firstSequence, tailEndSequence, resumeSequence } = header;
  if (header.epoch === '0000000000000000') return 'epoch';
  if (!(header.segmentId > header.previousSegmentId)) return 'segment id, not above the previous one';
  if (!(firstSequence >= 1)) return 'first sequence';
  if (!(tailEndSequence >= firstSequence)) return 'end of the rewritten tail, before the first sequence';
  if (!(resumeSequence >= tailEndSequence)) return 'resume sequence, before the end of the rewritten tail';
  if (!(header.firstSerial > header.previousLastSerial)) return 'first serial, not above the last one before';
  if (!(header.segmentBytes > firstGroupOffset)) return 'segment bytes';
  if (!(header.createdMs >= 0)) return 'created';
  if (!(header.previousEnd >= 0)) return "previous segment's end";
  if (!(header.previousNextSequence >= 0)) return 'sequence after the previous segment';
  if (page.readUInt8(102) > 1 || page.readUInt8(103) !== 0) return 'used before';
  return isZero(page, usedEnd, crcAt) ? undefined : 'reserved bytes';
}
