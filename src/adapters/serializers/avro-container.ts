/**
 * Avro object container files, as written (Avro 1.8 specification, "Object Container Files"):
 *
 *     "Obj" 01 | metadata map: avro.schema, avro.codec | sync (16)      the header
 *     count (long) | bytes (long) | data, maybe compressed | sync (16)  each block
 *
 * A long is zig-zag, then base 128 with the low groups first. What a writer needs of it is less code than driving a
 * general library, and blocks can be cut where a transaction ends.
 */
import { randomBytes } from 'node:crypto';
import { deflateRawSync } from 'node:zlib';
import { compressAvroSnappy } from '../../agent/contracts/formats/avro-snappy.ts';

/** Codecs that can be written, by Avro's names. */
export type AvroCodec = 'null' | 'deflate' | 'snappy';

/** How each stores a block's data. */
const codecs: Readonly<Record<AvroCodec, (data: Buffer) => Buffer>> = {
  null: (data) => data,
  deflate: (data) => deflateRawSync(data),
  snappy: compressAvroSnappy,
};

/** Whether `name` is that of a codec that can be written. */
export function isAvroCodec(name: string): name is AvroCodec {
  return Object.hasOwn(codecs, name);
}

/** Writes the parts of one container file. Holds no data: what was not kept of it can be cut off at any block's end. */
export class AvroContainer {
  readonly #schema: string;
  readonly #codec: AvroCodec;
  readonly #more: readonly (readonly [string, string])[];
  readonly #sync: Buffer = randomBytes(16);

  /** `more`: metadata besides the schema and the codec. */
  constructor(schema: string, codec: AvroCodec, more: readonly (readonly [string, string])[] = []) {
    this.#schema = schema;
    this.#codec = codec;
    this.#more = more;
  }

  /** What the file starts with. */
  header(): Buffer {
    // In the order in which Flume's come out of a HashMap.
    const metadata: (readonly [string, string])[] = [
      ['avro.schema', this.#schema],
      ['avro.codec', this.#codec],
      ...this.#more,
    ];
    const entries = metadata.flatMap((pair) =>
      pair.flatMap((text) => [long(Buffer.byteLength(text)), Buffer.from(text)]),
    );
    const magic = Buffer.from([0x4f, 0x62, 0x6a, 1]);
    return Buffer.concat([magic, long(metadata.length), ...entries, long(0), this.#sync]);
  }

  /** One block of `count` records, whose binary form `data` is. */
  block(count: number, data: Buffer): Buffer[] {
    return this.storedBlock(count, codecs[this.#codec](data));
  }

  /** The same of data that the codec was applied to already. */
  storedBlock(count: number, stored: Buffer): Buffer[] {
    return [long(count), long(stored.length), stored, this.#sync];
  }
}

function long(value: number): Buffer {
  const bytes = Buffer.alloc(longBytesMax);
  return bytes.subarray(0, writeLong(bytes, value, 0));
}

/** Of a safe integer. */
const longBytesMax = 8;

/** How many bytes `value` takes: an integer from 0, below 2^52. */
export function longBytes(value: number): number {
  let bytes = 1;
  for (let rest = value * 2; rest >= 0x80; rest = Math.floor(rest / 0x80)) bytes += 1;
  return bytes;
}

/** Writes `value`, an integer from 0 and below 2^52, at `at`. Returns where it ends. */
export function writeLong(out: Uint8Array, value: number, at: number): number {
  let end = at;
  let rest = value * 2;
  while (rest >= 0x80) {
    out[end++] = (rest % 0x80) | 0x80;
    rest = Math.floor(rest / 0x80);
  }
  out[end++] = rest;
  return end;
}
