/**
 * Variable-length unsigned integers (LEB128) up to 2^53 − 1, and the growing buffer they are written to. Sequence
 * sets and control records are made of them. Reading is total: it answers -1, never throws.
 */
import { isUtf8 } from 'node:buffer';
import { invariant } from '../base/assert.ts';

/** What `ByteSource.varint` answers where no canonical varint stands. */
export const malformedVarint: number = -1;

const continueBit = 0x80;
/** Seven bits a byte: 53 bits need eight. */
const varintBytesMax = 8;

/** How many bytes `value` takes. */
export function varintBytes(value: number): number {
  let bytes = 1;
  for (let rest = value; rest >= continueBit; rest = Math.floor(rest / continueBit)) bytes++;
  return bytes;
}

/** Bytes written one after another. */
export class ByteSink {
  #buffer: Buffer = Buffer.allocUnsafe(64);
  #length = 0;

  /** @throws {InvariantError} If `value` is no safe integer from 0. */
  varint(value: number): void {
    invariant(Number.isSafeInteger(value) && value >= 0, 'a varint is a safe integer');
    this.#reserve(varintBytesMax);
    let rest = value;
    while (rest >= continueBit) {
      this.#buffer[this.#length++] = (rest % continueBit) | continueBit;
      rest = Math.floor(rest / continueBit);
    }
    this.#buffer[this.#length++] = rest;
  }

  u32(value: number): void {
    this.#reserve(4);
    this.#length = this.#buffer.writeUInt32LE(value, this.#length);
  }

  bytes(bytes: Uint8Array): void {
    this.#reserve(bytes.length);
    this.#buffer.set(bytes, this.#length);
    this.#length += bytes.length;
  }

  /** The length as a varint, then the bytes. */
  block(bytes: Uint8Array): void {
    this.varint(bytes.length);
    this.bytes(bytes);
  }

  /** A block of UTF-8. */
  text(text: string): void {
    this.block(Buffer.from(text));
  }

  /** What was written. The sink must not be used afterwards. */
  finish(): Buffer {
    return this.#buffer.subarray(0, this.#length);
  }

  #reserve(bytes: number): void {
    const needed = this.#length + bytes;
    if (needed <= this.#buffer.length) return;
    const grown = Buffer.allocUnsafe(Math.max(needed, this.#buffer.length * 2));
    this.#buffer.copy(grown, 0, 0, this.#length);
    this.#buffer = grown;
  }
}

/** Bytes read one after another. */
export class ByteSource {
  readonly #bytes: Buffer;
  #at = 0;

  constructor(bytes: Buffer) {
    this.#bytes = bytes;
  }

  get isAtEnd(): boolean {
    return this.#at >= this.#bytes.length;
  }

  /** The next varint; `malformedVarint` where it is cut, above 2^53 − 1 or longer than needed. */
  varint(): number {
    let value = 0;
    let unit = 1;
    for (let index = 0; index < varintBytesMax; index++) {
      const byte = this.#bytes[this.#at++];
      if (byte === undefined) return malformedVarint;
      value += (byte % continueBit) * unit;
      if (byte < continueBit) {
        const canonical = byte !== 0 || index === 0;
        return canonical && Number.isSafeInteger(value) ? value : malformedVarint;
      }
      unit *= continueBit;
    }
    return malformedVarint;
  }

  /** The next `count` bytes, a view; undefined where there are fewer. */
  take(count: number): Buffer | undefined {
    if (count < 0 || this.#at + count > this.#bytes.length) return undefined;
    this.#at += count;
    return this.#bytes.subarray(this.#at - count, this.#at);
  }

  /** A block of `ByteSink.block`, a view; undefined where it is cut. */
  block(): Buffer | undefined {
    const bytes = this.varint();
    return bytes === malformedVarint ? undefined : this.take(bytes);
  }

  /** A text of `ByteSink.text`; undefined where it is cut or no UTF-8. */
  text(): string | undefined {
    const bytes = this.block();
    return bytes !== undefined && isUtf8(bytes) ? bytes.toString() : undefined;
  }

  /** All that is left, a view. */
  rest(): Buffer {
    return this.#bytes.subarray(this.#at);
  }
}
