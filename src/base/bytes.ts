/** Little-endian u64 fields as safe integers, and the epoch that tells one life of a segment file from another. */
import { invariant } from './assert.ts';

const u32Range = 2 ** 32;

/** @throws {InvariantError} If `value` is no safe integer from 0. */
export function writeU64(target: Buffer, offset: number, value: number): void {
  invariant(Number.isSafeInteger(value) && value >= 0, 'a u64 field holds a safe integer');
  target.writeUInt32LE(value % u32Range, offset);
  target.writeUInt32LE(Math.floor(value / u32Range), offset + 4);
}

/** The u64 at `offset`; NaN where its top 11 bits are not zero, so that every comparison with it fails. */
export function readU64(source: Buffer, offset: number): number {
  const high = source.readUInt32LE(offset + 4);
  if (high >= 2 ** 21) return Number.NaN;
  return high * u32Range + source.readUInt32LE(offset);
}

/** `bytes` rounded up to a multiple of `unit`. */
export function alignUp(bytes: number, unit: number): number {
  return Math.ceil(bytes / unit) * unit;
}

/** Whether `bytes[from, to)` are all zero. */
export function isZero(bytes: Buffer, from = 0, to: number = bytes.length): boolean {
  for (let at = from; at < to; at += zeros.length) {
    const end = Math.min(at + zeros.length, to);
    if (bytes.compare(zeros, 0, end - at, at, end) !== 0) return false;
  }
  return true;
}

const zeros = Buffer.alloc(4096);
