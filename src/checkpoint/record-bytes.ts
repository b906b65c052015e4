/**
 * The bytes a checkpoint store keeps: one record and, a group each, the index. Values carry their own CRC-32, so
 * that what a store hands out was written by this code, whatever became of the file under it. Keys compare as
 * bytes in the order of what they stand for, so they are big-endian.
 *
 *     record   0 u32 magic "FBCP"    4 u16 version 1     6 u16 bytes of channelId
 *              8 u64 segmentId      16 8 bytes epoch    24 u64 offset     32 u64 serial
 *             40 u32 headerCrc      44 u32 flags (1 = clean)              48 u64 nextSequence
 *             56 f64 savedAt, ms    64 u32 bytes of state                 68 u32 CRC-32 of all the rest
 *             72 channelId, UTF-8, then the state
 *
 *     index    0 u64 segmentId       8 u64 offset       16 f64 timeMs     24 u32 CRC-32 of the key and 0..23
 *
 *     keys     01                                       the record
 *              02, sequence u64                         an index entry by sequence
 *              03, time u64, 2^53 - 1 - sequence u64    the same by time; no value of its own
 */
import { crc32 } from 'node:zlib';
import { invariant } from '../base/assert.ts';
import { readU64, writeU64 } from '../base/bytes.ts';
import type { Sequence } from '../base/units.ts';
import type { CheckpointRecord, IndexEntry } from './store.ts';

const magic = 0x50434246;
const version = 1;
const headBytes = 72;
const crcOffset = 68;
const cleanFlag = 1;
const indexValueBytes = 28;
const indexCrcOffset = 24;
const u32Range = 2 ** 32;

/** The record's key. */
export const recordKey: Buffer = Buffer.from([1]);
/** Above every key of the index by sequence, below every key of the index by time. */
export const sequenceKeysEnd: Buffer = Buffer.from([3]);
/** Above every key. */
export const timeKeysEnd: Buffer = Buffer.from([4]);
/** Where the index by time has no value of its own, this stands: an empty value is no value to every store. */
export const timeValue: Buffer = Buffer.from([0]);

const epochPattern = /^[0-9a-f]{16}$/;

/** @throws {InvariantError} If a field is out of its range: a bug in the caller. */
export function encodeRecord(record: CheckpointRecord): Buffer {
  const channelId = Buffer.from(record.channelId);
  invariant(channelId.length > 0 && channelId.length <= 0xffff, 'a channel id has 1 to 65,535 bytes');
  invariant(epochPattern.test(record.epoch), 'an epoch is 16 hex digits');
  const bytes = Buffer.alloc(headBytes + channelId.length + record.state.length);
  bytes.writeUInt32LE(magic, 0);
  bytes.writeUInt16LE(version, 4);
  bytes.writeUInt16LE(channelId.length, 6);
  writeU64(bytes, 8, record.segmentId);
  bytes.write(record.epoch, 16, 'hex');
  writeU64(bytes, 24, record.offset);
  writeU64(bytes, 32, record.serial);
  bytes.writeUInt32LE(record.headerCrc, 40);
  bytes.writeUInt32LE(record.clean ? cleanFlag : 0, 44);
  writeU64(bytes, 48, record.nextSequence);
  bytes.writeDoubleLE(record.savedAt, 56);
  bytes.writeUInt32LE(record.state.length, 64);
  channelId.copy(bytes, headBytes);
  record.state.copy(bytes, headBytes + channelId.length);
  bytes.writeUInt32LE(recordCrc(bytes), crcOffset);
  return bytes;
}

/** Total: undefined for anything `encodeRecord` did not write. `state` aliases `bytes`. */
export function decodeRecord(bytes: Buffer): CheckpointRecord | undefined {
  if (bytes.length < headBytes) return undefined;
  if (bytes.readUInt32LE(0) !== magic || bytes.readUInt16LE(4) !== version) return undefined;
  const stateStart = headBytes + bytes.readUInt16LE(6);
  if (stateStart + bytes.readUInt32LE(64) !== bytes.length) return undefined;
  if (bytes.readUInt32LE(crcOffset) !== recordCrc(bytes)) return undefined;
  return {
    channelId: bytes.toString('utf8', headBytes, stateStart),
    segmentId: readU64(bytes, 8),
    epoch: bytes.toString('hex', 16, 24),
    offset: readU64(bytes, 24),
    serial: readU64(bytes, 32),
    headerCrc: bytes.readUInt32LE(40),
    nextSequence: readU64(bytes, 48),
    clean: (bytes.readUInt32LE(44) & cleanFlag) !== 0,
    savedAt: bytes.readDoubleLE(56),
    state: bytes.subarray(stateStart),
  };
}

function recordCrc(bytes: Buffer): number {
  return crc32(bytes.subarray(crcOffset + 4), crc32(bytes.subarray(0, crcOffset)));
}

/** @throws {InvariantError} If `sequence` is no safe integer from 0. */
export function sequenceKey(sequence: Sequence): Buffer {
  const key = Buffer.alloc(9);
  key[0] = 2;
  writeOrdered(key, 1, sequence);
  return key;
}

/**
 * Where times are equal the smaller sequence has the larger key, so that a search backwards from a time meets it
 * first: who reads on from there misses none of the group's siblings. Times outside 1970…2^53 count as the bound.
 */
export function timeKey(timeMs: number, sequence: Sequence): Buffer {
  const key = Buffer.alloc(17);
  key[0] = 3;
  writeOrdered(key, 1, clampTime(timeMs));
  writeOrdered(key, 9, Number.MAX_SAFE_INTEGER - sequence);
  return key;
}

/** Total: undefined for bytes that are no key of the index by time. */
export function sequenceOfTimeKey(key: Buffer): Sequence | undefined {
  if (key.length !== 17 || key[0] !== 3) return undefined;
  const sequence = Number.MAX_SAFE_INTEGER - readOrdered(key, 9);
  return sequence >= 0 ? sequence : undefined;
}

/** @throws {InvariantError} If a field is out of its range: a bug in the caller. */
export function encodeIndexValue(entry: IndexEntry): Buffer {
  const bytes = Buffer.alloc(indexValueBytes);
  writeU64(bytes, 0, entry.segmentId);
  writeU64(bytes, 8, entry.offset);
  bytes.writeDoubleLE(entry.timeMs, 16);
  bytes.writeUInt32LE(indexCrc(sequenceKey(entry.sequence), bytes), indexCrcOffset);
  return bytes;
}

/** Total: undefined where `key` and `bytes` are not what was written together. */
export function decodeIndexEntry(key: Buffer, bytes: Buffer): IndexEntry | undefined {
  if (key.length !== 9 || key[0] !== 2 || bytes.length !== indexValueBytes) return undefined;
  if (bytes.readUInt32LE(indexCrcOffset) !== indexCrc(key, bytes)) return undefined;
  return {
    sequence: readOrdered(key, 1),
    segmentId: readU64(bytes, 0),
    offset: readU64(bytes, 8),
    timeMs: bytes.readDoubleLE(16),
  };
}

function indexCrc(key: Buffer, bytes: Buffer): number {
  return crc32(bytes.subarray(0, indexCrcOffset), crc32(key));
}

function clampTime(timeMs: number): number {
  return Math.min(Math.max(Math.floor(timeMs), 0), Number.MAX_SAFE_INTEGER);
}

function writeOrdered(target: Buffer, offset: number, value: number): void {
  invariant(Number.isSafeInteger(value) && value >= 0, 'a key field holds a safe integer');
  target.writeUInt32BE(Math.floor(value / u32Range), offset);
  target.writeUInt32BE(value % u32Range, offset + 4);
}

function readOrdered(source: Buffer, offset: number): number {
  return source.readUInt32BE(offset) * u32Range + source.readUInt32BE(offset + 4);
}
