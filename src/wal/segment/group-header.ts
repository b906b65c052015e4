/**
 * The group header: the unit of the log, everything written and synced together. 80 bytes, then frames.
 *
 *    0 u32 magic "FBGR"           4 u16 header bytes 80     6 u16 flags
 *    8 u64 epoch                 16 u32 offset / 4096      20 u32 bytes with header, before padding
 *   24 u64 serial                32 u64 provenSerial       40 u64 nextSequence before this group
 *   48 u32 events                52 u32 frames             56 u32 generation
 *   60 u32 CRC of the previous group's header              64 i64 wall clock, ms
 *   72 u32 CRC of the concatenated frame headers, bytes 0..35 of each           76 u32 CRC-32 of 0..75
 *
 * Normative text: docs/format.md#group.
 */
import { readU64, writeU64 } from '../../base/bytes.ts';
import { pageBytes } from '../../base/disk.ts';
import type { ByteOffset, Sequence, Serial } from '../../base/units.ts';
import { crc32 } from '../../codec/checksum.ts';

/** Of a group, before its first frame. */
export const groupHeaderBytes = 80;
const magic = 0x52474246;
const crcAt = 76;

/** Bits of the flags field. */
export const GroupFlag = { state: 1, seal: 2, open: 4, mark: 8, unsynced: 16 } as const;
const knownFlags = 31;

/** A group header's fields. */
export interface GroupHeader {
  readonly flags: number;
  /** 16 hex digits, its segment's. */
  readonly epoch: string;
  readonly offset: ByteOffset;
  /** With this header, before the padding to the next page. */
  readonly bytes: number;
  readonly serial: Serial;
  /** The last group whose sync had returned when this one was written. */
  readonly provenSerial: Serial;
  readonly nextSequence: Sequence;
  readonly events: number;
  readonly frames: number;
  readonly generation: number;
  readonly previousCrc: number;
  readonly wallMs: number;
  readonly framesCrc: number;
  /** This header's own CRC. */
  readonly crc: number;
}

/** Writes the header at `at` of `target`; gives its CRC. */
export function writeGroupHeader(header: Omit<GroupHeader, 'crc'>, target: Buffer, at: number): number {
  target.writeUInt32LE(magic, at);
  target.writeUInt16LE(groupHeaderBytes, at + 4);
  target.writeUInt16LE(header.flags, at + 6);
  target.write(header.epoch, at + 8, 'hex');
  target.writeUInt32LE(header.offset / pageBytes, at + 16);
  target.writeUInt32LE(header.bytes, at + 20);
  writeU64(target, at + 24, header.serial);
  writeU64(target, at + 32, header.provenSerial);
  writeU64(target, at + 40, header.nextSequence);
  target.writeUInt32LE(header.events, at + 48);
  target.writeUInt32LE(header.frames, at + 52);
  target.writeUInt32LE(header.generation, at + 56);
  target.writeUInt32LE(header.previousCrc, at + 60);
  writeU64(target, at + 64, header.wallMs);
  target.writeUInt32LE(header.framesCrc, at + 72);
  const crc = crc32(target.subarray(at, at + crcAt));
  target.writeUInt32LE(crc, at + crcAt);
  return crc;
}

/**
 * The group header at `at` of `source`, which stands at `offset` of the segment with `epoch`; undefined where the
 * bytes are anything else: bad CRC, another epoch or another place. Total.
 */
export function readGroupHeader(
  source: Buffer,
  at: number,
  epoch: string,
  offset: ByteOffset,
): GroupHeader | undefined {
  const header = decodeGroupHeader(source, at, epoch, offset);
  return typeof header === 'string' ? undefined : header;
}

/** The same; what is no header says which field does not hold, for reports. */
export function decodeGroupHeader(source: Buffer, at: number, epoch: string, offset: ByteOffset): GroupHeader | string {
  if (at + groupHeaderBytes > source.length) return 'cut off';
  if (source.readUInt32LE(at) !== magic) return 'magic';
  if (source.readUInt16LE(at + 4) !== groupHeaderBytes) return 'header bytes';
  if (source.readUInt32LE(at + 16) * pageBytes !== offset) return 'offset';
  if (source.toString('hex', at + 8, at + 16) !== epoch) return 'epoch';
  const crc = source.readUInt32LE(at + crcAt);
  if (crc32(source.subarray(at, at + crcAt)) !== crc) return 'checksum';
  const header: GroupHeader = {
    flags: source.readUInt16LE(at + 6),
    epoch,
    offset,
    bytes: source.readUInt32LE(at + 20),
    serial: readU64(source, at + 24),
    provenSerial: readU64(source, at + 32),
    nextSequence: readU64(source, at + 40),
    events: source.readUInt32LE(at + 48),
    frames: source.readUInt32LE(at + 52),
    generation: source.readUInt32LE(at + 56),
    previousCrc: source.readUInt32LE(at + 60),
    wallMs: readU64(source, at + 64),
    framesCrc: source.readUInt32LE(at + 72),
    crc,
  };
  return unsoundField(header) ?? header;
}

function unsoundField(header: GroupHeader): string | undefined {
  if ((header.flags & ~knownFlags) !== 0) return 'flags';
  if (header.bytes < groupHeaderBytes) return 'bytes';
  if (!(header.serial >= 1)) return 'serial';
  if (!(header.provenSerial < header.serial)) return 'proven serial, not below its own';
  if (!(header.nextSequence >= 1)) return 'next sequence';
  return header.wallMs >= 0 ? undefined : 'wall clock';
}

/** Whether the epoch stands at `at` where a group header has it: then a group of this segment was torn or damaged. */
export function carriesEpoch(source: Buffer, at: number, epoch: string): boolean {
  return at + 16 <= source.length && source.toString('hex', at + 8, at + 16) === epoch;
}
