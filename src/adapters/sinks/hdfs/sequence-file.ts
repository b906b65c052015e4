/**
 * Hadoop's SequenceFile, version 6, as Flume's HDFSSequenceFile writes it. All numbers are big-endian; `vint` is
 * WritableUtils' (one byte from −112 to 127, else a byte for the length before the bytes), a `string` is a vint and
 * UTF-8.
 *
 *     file     "SEQ" 6 | key class: string | value class: string | compressed u8 | by block u8
 *              | codec class: string, where compressed | count of metadata i32 = 0 | sync (16)
 *     record   length of key and value i32 | length of key i32 | key i64 | value           where not compressed
 *     block    −1 i32 | sync (16) | records: vint | four parts, each a vint and compressed:
 *              lengths of keys (vints), keys, lengths of values (vints), values
 *     mark     −1 i32 | sync (16): where a reader of one split can begin
 *     value    BytesWritable: length i32 and bytes; Text: vint and bytes, whatever they are
 *
 * With a codec Flume always compresses by block. Each batch ends where a reader can begin and a file can be cut: with
 * a mark, or as a whole block. Whatever is appended to a file must carry the same sync, so whoever goes on with a file
 * keeps it.
 */
import type { Codec } from './compression.ts';

/** What a batch is made of. */
export interface SequenceRecord {
  /** Milliseconds since 1970: a safe integer. */
  readonly timestampMs: number;
  readonly body: Uint8Array;
}

/** What is the same in all of one file. */
interface SequenceFileOptions {
  /** `hdfs.writeFormat`. */
  readonly writeFormat: 'Writable' | 'Text';
  readonly codec: Codec | undefined;
  /** 16 bytes that should occur nowhere else: random, or a digest of the file's name. */
  readonly sync: Uint8Array;
}

const version = Buffer.from([0x53, 0x45, 0x51, 6]);
const syncBytes = 16;
const markBytes = 4 + syncBytes;
const keyBytes = 8;
/** Hadoop 3's SYNC_INTERVAL: a mark at least this often. */
const markIntervalBytes = 5 * 1024 * markBytes;
/** `io.seqfile.compress.blocksize`: a block ends with the record that reaches it. */
const blockBytesMax = 1_000_000;
const vintBytesMax = 5;

/** The bytes of one file, without a file. */
export class SequenceFileWriter {
  readonly #options: SequenceFileOptions;
  readonly #mark: Buffer;

  /** @throws {RangeError} If the sync has not 16 bytes: a bug of the caller. */
  constructor(options: SequenceFileOptions) {
    if (options.sync.length !== syncBytes) throw new RangeError(`a sync has ${syncBytes} bytes`);
    this.#options = options;
    this.#mark = Buffer.concat([Buffer.from([0xff, 0xff, 0xff, 0xff]), options.sync]);
  }

  /** What a new file starts with; one that is gone on with has it already. */
  header(): Buffer {
    const { writeFormat, codec, sync } = this.#options;
    const valueClass = writeFormat === 'Text' ? 'Text' : 'BytesWritable';
    return Buffer.concat([
      version,
      writableString('org.apache.hadoop.io.LongWritable'),
      writableString(`org.apache.hadoop.io.${valueClass}`),
      codec === undefined ? Buffer.from([0, 0]) : Buffer.concat([Buffer.from([1, 1]), writableString(codec.className)]),
      Buffer.alloc(4),
      sync,
    ]);
  }

  /** What one flush adds to the file. Nothing for no records. */
  async batch(records: readonly SequenceRecord[]): Promise<Buffer> {
    const { codec } = this.#options;
    if (codec === undefined) return this.#plain(records);
    const blocks = cutBlocks(records).map((block) => this.#block(block, codec));
    return Buffer.concat(await Promise.all(blocks));
  }

  #plain(records: readonly SequenceRecord[]): Buffer {
    if (records.length === 0) return Buffer.alloc(0);
    const room = records.reduce((sum, { body }) => sum + body.length + 8 + keyBytes + vintBytesMax, 0);
    const marks = 2 + Math.floor(room / markIntervalBytes);
    const out = Buffer.allocUnsafe(room + marks * markBytes);
    let at = 0;
    let lastMark = 0;
    for (const { timestampMs, body } of records) {
      if (at >= lastMark + markIntervalBytes) {
        at = put(out, at, this.#mark);
        lastMark = at;
      }
      const value = at + 8 + keyBytes;
      const end = this.#writeValue(out, value, body);
      out.writeInt32BE(keyBytes + end - value, at);
      out.writeInt32BE(keyBytes, at + 4);
      writeInt64(out, timestampMs, at + 8);
      at = end;
    }
    return out.subarray(0, put(out, at, this.#mark));
  }

  async #block(records: readonly SequenceRecord[], codec: Codec): Promise<Buffer> {
    const keyLengths = Buffer.alloc(records.length, keyBytes);
    const keys = Buffer.allocUnsafe(records.length * keyBytes);
    const valueLengths = Buffer.allocUnsafe(records.length * vintBytesMax);
    const values = Buffer.allocUnsafe(records.reduce((sum, { body }) => sum + body.length + vintBytesMax, 0));
    let lengthsEnd = 0;
    let valuesEnd = 0;
    for (const [index, { timestampMs, body }] of records.entries()) {
      writeInt64(keys, timestampMs, index * keyBytes);
      const end = this.#writeValue(values, valuesEnd, body);
      lengthsEnd = writeVint(valueLengths, lengthsEnd, end - valuesEnd);
      valuesEnd = end;
    }
    const parts = [keyLengths, keys, valueLengths.subarray(0, lengthsEnd), values.subarray(0, valuesEnd)];
    const compressed = await Promise.all(parts.map((part) => codec.compress(part)));
    return Buffer.concat([
      this.#mark,
      vint(records.length),
      ...compressed.flatMap((part) => [vint(part.length), part]),
    ]);
  }

  #writeValue(out: Buffer, at: number, body: Uint8Array): number {
    const { writeFormat } = this.#options;
    const bytesAt = writeFormat === 'Text' ? writeVint(out, at, body.length) : out.writeInt32BE(body.length, at);
    return put(out, bytesAt, body);
  }
}

/** Each block ends with the record that fills it. */
function cutBlocks(records: readonly SequenceRecord[]): SequenceRecord[][] {
  const blocks: SequenceRecord[][] = [];
  let block: SequenceRecord[] = [];
  let bytes = 0;
  for (const record of records) {
    if (block.length === 0) blocks.push(block);
    block.push(record);
    bytes += keyBytes + 4 + record.body.length;
    if (bytes < blockBytesMax) continue;
    block = [];
    bytes = 0;
  }
  return blocks;
}

function put(out: Buffer, at: number, bytes: Uint8Array): number {
  out.set(bytes, at);
  return at + bytes.length;
}

function writeInt64(out: Buffer, value: number, at: number): void {
  const high = Math.floor(value / 2 ** 32);
  out.writeInt32BE(high, at);
  out.writeUInt32BE(value - high * 2 ** 32, at + 4);
}

/** `value` from 0 to 2^31 − 1: a longer form begins with −112 less the count of its bytes. */
function writeVint(out: Buffer, at: number, value: number): number {
  if (value <= 127) return out.writeUInt8(value, at);
  const bytes = Math.ceil((32 - Math.clz32(value)) / 8);
  out.writeInt8(-112 - bytes, at);
  return out.writeUIntBE(value, at + 1, bytes);
}

function vint(value: number): Buffer {
  const out = Buffer.allocUnsafe(vintBytesMax);
  return out.subarray(0, writeVint(out, 0, value));
}

function writableString(text: string): Buffer {
  const bytes = Buffer.from(text);
  return Buffer.concat([vint(bytes.length), bytes]);
}
