/**
 * The frame header: one transaction or one record, with its stored payload, padded to 8 bytes. 40 bytes.
 *
 *    0 u32 stored bytes           4 u8 type      5 u8 flags      6 u16 payload codec
 *    8 u64 base sequence         16 u32 count   20 u32 raw bytes                 24 u32 key id
 *   28 u32 CRC of the stored payload            32 u32 reserved (zero)
 *   36 u32 CRC of 0..35, seeded with CRC(epoch ‖ u64 frame offset): a frame that was copied from elsewhere, or that
 *      stands inside an event's body, is never taken for one
 *
 * Normative text: docs/format.md#frame.
 */
import { alignUp, readU64, writeU64 } from '../../base/bytes.ts';
import type { ByteOffset, Sequence } from '../../base/units.ts';
import { crc32 } from '../../codec/checksum.ts';

/** Of a frame, before its payload. */
export const frameHeaderBytes = 40;
/** Frames start on multiples of this. */
export const frameAlignBytes = 8;
/** The header without its own CRC: what the group's CRC over its frames covers (with it, any header would do). */
export const frameFieldsBytes = 36;
const crcAt: number = frameFieldsBytes;
/** Bounds what a damaged length can make us read: a payload of 1 GiB, and the nonce and tag of its encryption. */
const storedBytesMax: number = 2 ** 30 + 28;

/** What a frame is. */
export const FrameType = {
  put: 1,
  ack: 2,
  prepare: 3,
  resolve: 4,
  note: 5,
  state: 6,
  open: 7,
  mark: 8,
  seal: 9,
  quarantine: 10,
  rewind: 11,
  drop: 12,
  cut: 13,
  relocate: 14,
} as const;
/** Types below this that are not in `FrameType` make a log unreadable to this version; from it on they are skipped. */
const skippableFrameType = 128;
/** Numbers that are taken, for what this version neither writes nor understands. */
const reservedTypes: ReadonlySet<number> = new Set([FrameType.relocate]);
const knownTypeMax = 14;

/** Bits of the flags field. `notes`: a PUT payload carries note changes, so a replay must read it. */
export const FrameFlag = { compressed: 1, encrypted: 2, explicit: 4, notes: 8 } as const;
const knownFlags = 15;

/** A frame header's fields, its own CRC apart. */
export interface FrameHeader {
  readonly storedBytes: number;
  readonly type: number;
  readonly flags: number;
  readonly codec: number;
  readonly baseSequence: Sequence;
  readonly count: number;
  readonly rawBytes: number;
  readonly keyId: number;
  readonly payloadCrc: number;
}

/** Bytes a frame takes in a group. */
export function frameSize(storedBytes: number): number {
  return alignUp(frameHeaderBytes + storedBytes, frameAlignBytes);
}

const seedScratch: Buffer = Buffer.alloc(8);
/** Frames come by the segment: the last epoch's CRC is the next one's nearly always. */
let seedEpoch = '';
let seedEpochCrc = 0;

function headerSeed(epoch: string, offset: ByteOffset): number {
  if (epoch !== seedEpoch) {
    seedEpochCrc = crc32(Buffer.from(epoch, 'hex'));
    seedEpoch = epoch;
  }
  writeU64(seedScratch, 0, offset);
  return crc32(seedScratch, seedEpochCrc);
}

/** Writes all fields but the header's own CRC at `at`. Without CRCs this is what encryption authenticates. */
export function writeFrameFields(header: FrameHeader, target: Buffer, at: number): void {
  target.writeUInt32LE(header.storedBytes, at);
  target.writeUInt8(header.type, at + 4);
  target.writeUInt8(header.flags, at + 5);
  target.writeUInt16LE(header.codec, at + 6);
  writeU64(target, at + 8, header.baseSequence);
  target.writeUInt32LE(header.count, at + 16);
  target.writeUInt32LE(header.rawBytes, at + 20);
  target.writeUInt32LE(header.keyId, at + 24);
  target.writeUInt32LE(header.payloadCrc, at + 28);
  target.writeUInt32LE(0, at + 32);
  target.writeUInt32LE(0, at + crcAt);
}

/** Completes the header at `at` for a frame that will stand at `offset` of the segment with `epoch`. */
export function sealFrameHeader(target: Buffer, at: number, epoch: string, offset: ByteOffset): void {
  target.writeUInt32LE(crc32(target.subarray(at, at + crcAt), headerSeed(epoch, offset)), at + crcAt);
}

/** What encryption authenticates beside the payload: the header without its CRCs. */
export function associatedData(header: FrameHeader): Buffer {
  const bytes = Buffer.alloc(frameHeaderBytes);
  writeFrameFields({ ...header, payloadCrc: 0 }, bytes, 0);
  return bytes.subarray(0, 28);
}

/** The frame header at `at` of `source`, which stands at `offset`; undefined where its CRC or a field does not fit. */
export function readFrameHeader(
  source: Buffer,
  at: number,
  epoch: string,
  offset: ByteOffset,
): FrameHeader | undefined {
  const header = decodeFrameHeader(source, at, epoch, offset);
  return typeof header === 'string' ? undefined : header;
}

/** The same; what is no header says which field does not hold, for reports. Total. */
export function decodeFrameHeader(source: Buffer, at: number, epoch: string, offset: ByteOffset): FrameHeader | string {
  if (at + frameHeaderBytes > source.length) return 'cut off';
  const crc = source.readUInt32LE(at + crcAt);
  if (crc32(source.subarray(at, at + crcAt), headerSeed(epoch, offset)) !== crc) return 'checksum';
  const header: FrameHeader = {
    storedBytes: source.readUInt32LE(at),
    type: source.readUInt8(at + 4),
    flags: source.readUInt8(at + 5),
    codec: source.readUInt16LE(at + 6),
    baseSequence: readU64(source, at + 8),
    count: source.readUInt32LE(at + 16),
    rawBytes: source.readUInt32LE(at + 20),
    keyId: source.readUInt32LE(at + 24),
    payloadCrc: source.readUInt32LE(at + 28),
  };
  if (header.storedBytes > storedBytesMax) return 'stored bytes';
  if ((header.flags & ~knownFlags) !== 0 && header.type < skippableFrameType) return 'flags';
  if (!(header.baseSequence >= 0)) return 'base sequence';
  return source.readUInt32LE(at + 32) === 0 ? header : 'reserved bytes';
}

/** Whether this version knows what the frame means, or may skip it. */
export function isSupportedType(type: number): boolean {
  return (type >= 1 && type <= knownTypeMax && !reservedTypes.has(type)) || type >= skippableFrameType;
}
