/**
 * The bytes a checkpoint store keeps: one record, with its own CRC-32, so that what a store hands out was written by
 * this code, whatever became of the file under it.
 *
 *     record   0 u32 magic "FBCP"    4 u16 version 1     6 u16 bytes of channelId
 *              8 u64 segmentId      16 8 bytes epoch    24 u64 offset     32 u64 serial
 *             40 u32 headerCrc      44 u32 flags (1 = clean)              48 u64 nextSequence
 *             56 f64 savedAt, ms    64 u32 bytes of state                 68 u32 CRC-32 of all the rest
 *             72 channelId, UTF-8, then the state
 *
 * Its key is the byte 01. Below 02 and 03 an earlier version kept an index of the log's groups.
 */
import { crc32 } from 'node:zlib';
import { invariant } from '../base/assert.ts';
import { readU64, writeU64 } from '../base/bytes.ts';
import type { CheckpointRecord } from './store.ts';

const magic = 0x50434246;
const version = 1;
const headBytes = 72;
const crcOffset = 68;
const cleanFlag = 1;

/** The record's key. */
export const recordKey: Buffer = Buffer.from([1]);

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
