/**
 * What becomes of a payload on its way into a frame and back: compressed if that helps, then encrypted. The
 * frame's checksum covers the result, so damage is told without a key.
 *
 *     compressed   algorithm u8 (1 deflate-raw, 2 zstd) | its output
 *     encrypted    nonce 12 | AES-256-GCM of the above | tag 16
 */
import { createCipheriv, createDecipheriv } from 'node:crypto';
import * as zlib from 'node:zlib';
import { invariant } from '../base/assert.ts';
import { kib } from '../base/units.ts';
import type { FrameCipher } from './frame-cipher.ts';
import { payloadBytesMax } from './validate-event.ts';

/** Of the nonce that `storePayload` is given: fresh random bytes for each frame. */
const nonceBytes = 12;
const tagBytes = 16;
const cipherName = 'aes-256-gcm';

const algorithmDeflate = 1;
const algorithmZstd = 2;
/** Access log lines, Node 20.20: level 1 329 MB/s and 7.0 : 1, level 3 304 and 7.4, level 6 150 and 8.1. */
const deflateLevel = 1;
/** Smaller payloads are stored as they are: setting up an algorithm costs more than they can save. */
const compressibleBytesMin = 128;
/** What inflating allocates at a time, so that a claim of 1 GiB costs nothing before the data is there. */
const inflateChunkBytesMax: number = 256 * kib;

/** What to compress with, where that makes a payload smaller. */
export type Compression = 'none' | 'zstd' | 'deflate';

/** zstd as Node 22.15 and later have it; the types are those of Node 20. */
interface ZstdFunctions {
  readonly constants: object;
  readonly zstdCompressSync?: (source: Buffer) => Buffer;
  readonly zstdDecompressSync?: (source: Buffer, options: { maxOutputLength: number; chunkSize: number }) => Buffer;
}
const { zstdCompressSync, zstdDecompressSync }: ZstdFunctions = zlib;

/** Whether this Node has zstd. Without, `compression: 'zstd'` must be refused before anything is stored. */
export const zstdAvailable: boolean = zstdCompressSync !== undefined && zstdDecompressSync !== undefined;

/** How to store a payload. */
export interface StoreOptions {
  readonly compression: Compression;
  /** Absent: stored in clear. */
  readonly cipher?: FrameCipher | undefined;
  /** Authenticated, not stored: the frame header without its CRCs. */
  readonly associatedData: Buffer;
  /** 12 bytes, never used twice with one key. Only read where there is a cipher. */
  readonly nonce: Buffer;
}

/** The bytes for the frame, and the flags that its header must say. `stored` may be the raw payload itself. */
export interface StoredPayload {
  readonly stored: Buffer;
  readonly compressed: boolean;
  readonly encrypted: boolean;
}

/** What the frame header says about a stored payload. */
export interface StoredForm {
  readonly compressed: boolean;
  readonly encrypted: boolean;
  /** Of the payload before compression. */
  readonly rawBytes: number;
}

/**
 * `keyWrong`: the bytes are whole (their CRC was checked before), but not encrypted with this key for this
 * header. `unsupported`: an algorithm that this version or this Node does not have.
 */
export type RestoredPayload =
  | { readonly kind: 'payload'; readonly payload: Buffer }
  | { readonly kind: 'malformed' | 'keyWrong' | 'keyMissing' | 'unsupported' };

/**
 * What to store for `raw`. `stored` is `raw` itself where neither helps nor is asked for.
 *
 * @throws {InvariantError} If zstd is asked for and not available: a bug in the caller.
 */
export function storePayload(raw: Buffer, options: StoreOptions): StoredPayload {
  const smaller = compress(raw, options.compression);
  const compressed = smaller !== undefined;
  const clear = smaller ?? raw;
  if (options.cipher === undefined) return { stored: clear, compressed, encrypted: false };
  return { stored: encrypt(clear, options.cipher, options), compressed, encrypted: true };
}

/**
 * The payload that `stored` holds. Total: never throws. What it builds has at most `form.rawBytes`, itself at
 * most `payloadBytesMax`; while inflating as much again in pieces, and only as the data really grows to that.
 * May alias `stored`.
 */
export function restorePayload(
  stored: Buffer,
  form: StoredForm,
  cipher: FrameCipher | undefined,
  associatedData: Buffer,
): RestoredPayload {
  if (form.rawBytes > payloadBytesMax || stored.length > payloadBytesMax + nonceBytes + tagBytes) {
    return { kind: 'malformed' };
  }
  const clear = form.encrypted ? decrypt(stored, cipher, associatedData) : stored;
  if (!Buffer.isBuffer(clear)) return clear;
  const payload = form.compressed ? decompress(clear, form.rawBytes) : clear;
  if (!Buffer.isBuffer(payload)) return payload;
  return payload.length === form.rawBytes ? { kind: 'payload', payload } : { kind: 'malformed' };
}

/** Undefined where nothing is saved. */
function compress(raw: Buffer, compression: Compression): Buffer | undefined {
  if (compression === 'none' || raw.length < compressibleBytesMin) return undefined;
  const algorithm = compression === 'zstd' ? algorithmZstd : algorithmDeflate;
  const output = compression === 'zstd' ? zstdCompress(raw) : zlib.deflateRawSync(raw, { level: deflateLevel });
  if (1 + output.length >= raw.length) return undefined;
  return Buffer.concat([Buffer.of(algorithm), output]);
}

function zstdCompress(raw: Buffer): Buffer {
  invariant(zstdCompressSync !== undefined, 'zstd was refused where Node has none');
  return zstdCompressSync(raw);
}

function decompress(bytes: Buffer, rawBytes: number): Buffer | RestoredPayload {
  const algorithm = bytes[0];
  if (algorithm === undefined || algorithm === 0 || rawBytes === 0) return { kind: 'malformed' };
  const source = bytes.subarray(1);
  const limits = { maxOutputLength: rawBytes, chunkSize: Math.max(64, Math.min(rawBytes, inflateChunkBytesMax)) };
  try {
    if (algorithm === algorithmDeflate) return zlib.inflateRawSync(source, limits);
    if (algorithm === algorithmZstd && zstdDecompressSync !== undefined) return zstdDecompressSync(source, limits);
  } catch {
    return { kind: 'malformed' };
  }
  return { kind: 'unsupported' };
}

function encrypt(clear: Buffer, key: FrameCipher, { nonce, associatedData }: StoreOptions): Buffer {
  invariant(nonce.length === nonceBytes, 'a nonce has 12 bytes');
  const cipher = createCipheriv(cipherName, key.dataKey, nonce, { authTagLength: tagBytes });
  cipher.setAAD(associatedData);
  const secret = cipher.update(clear);
  return Buffer.concat([nonce, secret, cipher.final(), cipher.getAuthTag()]);
}

function decrypt(stored: Buffer, key: FrameCipher | undefined, associatedData: Buffer): Buffer | RestoredPayload {
  if (stored.length < nonceBytes + tagBytes) return { kind: 'malformed' };
  if (key === undefined) return { kind: 'keyMissing' };
  const tagAt = stored.length - tagBytes;
  const cipher = createDecipheriv(cipherName, key.dataKey, stored.subarray(0, nonceBytes), { authTagLength: tagBytes });
  cipher.setAAD(associatedData);
  cipher.setAuthTag(stored.subarray(tagAt));
  const clear = cipher.update(stored.subarray(nonceBytes, tagAt));
  try {
    cipher.final();
  } catch {
    return { kind: 'keyWrong' };
  }
  return clear;
}
