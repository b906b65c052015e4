/**
 * Lays frames into one aligned buffer, to be written and synced together. Payloads and their CRCs are laid down
 * as the ops come, while the group before is on its way; what depends on the place is filled in by `seal`.
 */

import { alignUp } from '../base/bytes.ts';
import { pageBytes } from '../base/disk.ts';
import type { Random } from '../base/random.ts';
import { type ByteOffset, mib, type Sequence, type Serial } from '../base/units.ts';
import { crc32 } from '../codec/checksum.ts';
import type { FrameCipher } from '../codec/frame-cipher.ts';
import { type Compression, storePayload } from '../codec/stored-payload.ts';
import type { BufferPool } from './buffer-pool.ts';
import type { FrameOp } from './frame-op.ts';
import {
  associatedData,
  FrameFlag,
  type FrameHeader,
  FrameType,
  frameFieldsBytes,
  frameHeaderBytes,
  frameSize,
  sealFrameHeader,
  writeFrameFields,
} from './segment/frame-header.ts';
import { groupHeaderBytes, writeGroupHeader } from './segment/group-header.ts';

/** Beyond this a group is not made longer: more only adds latency (log-format rule 12). One frame may be longer. */
export const groupBytesMax: number = 8 * mib;
/** What encryption adds to a payload: nonce and tag. */
const cipherBytes = 28;
const nonceBytes = 12;

/** How payloads are stored in one segment. */
export interface FrameStorage {
  readonly compression: Compression;
  readonly cipher: FrameCipher | undefined;
  readonly random: Random;
}

/** The fields of a group header that the builder does not know. */
export interface GroupPlace {
  readonly epoch: string;
  readonly offset: ByteOffset;
  readonly flags: number;
  readonly serial: Serial;
  readonly provenSerial: Serial;
  readonly nextSequence: Sequence;
  readonly generation: number;
  readonly previousCrc: number;
  readonly wallMs: number;
}

/** A PUT frame of a group that was built: where its parts are in `GroupBuilder.bytes`. */
export interface BuiltFrame {
  readonly header: FrameHeader;
  /** Offset of the stored payload in the group. */
  readonly payloadAt: number;
}

/** One group: `add` until it is full, `seal` once, then `release`. */
export class GroupBuilder {
  readonly ops: FrameOp[] = [];
  readonly frames: BuiltFrame[] = [];
  readonly #pool: BufferPool;
  readonly #storage: FrameStorage;
  #buffer: Buffer;
  #end: number = groupHeaderBytes;
  #events = 0;

  constructor(pool: BufferPool, storage: FrameStorage, bytesHint: number) {
    this.#pool = pool;
    this.#storage = storage;
    this.#buffer = pool.take(bytesHint);
  }

  get events(): number {
    return this.#events;
  }

  /** Bytes so far, without padding. */
  get bytes(): number {
    return this.#end;
  }

  /** What the group would take on disk, at most, with `op` added. */
  bytesWith(op: FrameOp): number {
    const overhead = this.#storage.cipher === undefined ? 0 : cipherBytes;
    return alignUp(this.#end + frameSize(op.rawBytes + overhead), pageBytes);
  }

  /** Adds the op; `op.baseSequence` is set already. */
  add(op: FrameOp): void {
    this.#reserve(this.bytesWith(op));
    const { compression, cipher } = this.#storage;
    const payloadAt = this.#end + frameHeaderBytes;
    const plain = cipher === undefined && compression === 'none';
    const header = plain ? this.#layPlain(op, payloadAt) : this.#layTransformed(op, payloadAt);
    writeFrameFields(header, this.#buffer, this.#end);
    const end = this.#end + frameSize(header.storedBytes);
    this.#buffer.fill(0, payloadAt + header.storedBytes, end);
    this.frames.push({ header, payloadAt });
    this.ops.push(op);
    if (op.type === FrameType.put) this.#events += op.count;
    this.#end = end;
  }

  #layPlain(op: FrameOp, payloadAt: number): FrameHeader {
    op.writePayload(this.#buffer, payloadAt);
    const payloadCrc = crc32(this.#buffer.subarray(payloadAt, payloadAt + op.rawBytes));
    // Spelled out, here and in `seal`: a spread of what holds a CRC costs microseconds, half of a small commit.
    return {
      storedBytes: op.rawBytes,
      type: op.type,
      flags: op.flags,
      codec: op.codec,
      baseSequence: op.baseSequence,
      count: op.count,
      rawBytes: op.rawBytes,
      keyId: 0,
      payloadCrc,
    };
  }

  #layTransformed(op: FrameOp, payloadAt: number): FrameHeader {
    const { compression, cipher, random } = this.#storage;
    const raw = Buffer.allocUnsafe(op.rawBytes);
    op.writePayload(raw, 0);
    const compress = storePayload(raw, { compression, associatedData: raw.subarray(0, 0), nonce: raw.subarray(0, 0) });
    const flags = op.flags | (compress.compressed ? FrameFlag.compressed : 0);
    const fields = frameFields(op);
    let stored = compress.stored;
    let header: FrameHeader = { ...fields, storedBytes: stored.length, flags, keyId: 0, payloadCrc: 0 };
    if (cipher !== undefined) {
      const storedBytes = stored.length + cipherBytes;
      header = { ...header, storedBytes, flags: flags | FrameFlag.encrypted, keyId: cipher.keyId };
      const nonce = random.bytes(nonceBytes);
      stored = storePayload(stored, {
        compression: 'none',
        cipher,
        associatedData: associatedData(header),
        nonce,
      }).stored;
    }
    stored.copy(this.#buffer, payloadAt);
    return { ...header, payloadCrc: crc32(stored) };
  }

  /** Fills in what depends on the place. The whole group, padded, ready to be written at `place.offset`. */
  seal(place: GroupPlace): { readonly bytes: Buffer; readonly headerCrc: number } {
    const buffer = this.#buffer;
    let framesCrc = 0;
    for (const frame of this.frames) {
      const at = frame.payloadAt - frameHeaderBytes;
      sealFrameHeader(buffer, at, place.epoch, place.offset + at);
      framesCrc = crc32(buffer.subarray(at, at + frameFieldsBytes), framesCrc);
    }
    const headerCrc = writeGroupHeader(
      {
        flags: place.flags,
        epoch: place.epoch,
        offset: place.offset,
        bytes: this.#end,
        serial: place.serial,
        provenSerial: place.provenSerial,
        nextSequence: place.nextSequence,
        events: this.#events,
        frames: this.frames.length,
        generation: place.generation,
        previousCrc: place.previousCrc,
        wallMs: place.wallMs,
        framesCrc,
      },
      buffer,
      0,
    );
    const padded = alignUp(this.#end, pageBytes);
    buffer.fill(0, this.#end, padded);
    return { bytes: buffer.subarray(0, padded), headerCrc };
  }

  /** The buffer goes back to the pool: nobody reads this group from memory. */
  release(): void {
    this.#pool.give(this.#buffer);
  }

  #reserve(bytes: number): void {
    if (bytes <= this.#buffer.length) return;
    const larger = this.#pool.take(bytes);
    this.#buffer.copy(larger, 0, 0, this.#end);
    this.#pool.give(this.#buffer);
    this.#buffer = larger;
  }
}

function frameFields(op: FrameOp): Pick<FrameHeader, 'type' | 'codec' | 'baseSequence' | 'count' | 'rawBytes'> {
  const { type, codec, baseSequence, count, rawBytes } = op;
  return { type, codec, baseSequence, count, rawBytes };
}
