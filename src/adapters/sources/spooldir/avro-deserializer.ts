/** AVRO: each record of an Avro object container file is an event, its body the record's own bytes. */
import type { Event, Headers } from '../../../engine.ts';
import {
  type BlockHead,
  type ContainerHeader,
  codecOf,
  readableCodecs,
  readBlock,
  readBlockHead,
  readHeader,
} from './avro-container.ts';
import { schemaFingerprint } from './avro-fingerprint.ts';
import { type EndOf, endOfValues, recordType } from './avro-skip.ts';
import {
  type BatchLimits,
  batchBytesMax,
  type Deserializer,
  type DeserializerKind,
  type FileBatch,
  type SpooledFile,
} from './deserializer.ts';
import { FileProblem } from './file-problem.ts';

/** What the events say of their schema: its CRC-64-AVRO fingerprint, or all of it. */
export type SchemaHeader = 'HASH' | 'LITERAL';

/** Positions count records: a block is no place to stop at, it can hold more than a transaction takes. */
export function avroKind(schemaHeader: SchemaHeader): DeserializerKind {
  return {
    open: async (file, position) => {
      const header = await readHeader(file);
      const codec = codecOf(header);
      if (!readableCodecs.includes(codec)) {
        const allowed = readableCodecs.join(', ');
        throw new FileProblem(`${file.path} is an Avro file with the codec '${codec}': rewrite it with ${allowed}`);
      }
      const literal = header.metadata.get('avro.schema')?.toString() ?? '';
      const { endOf, hash } = schemaOf(literal, file.path);
      const added =
        schemaHeader === 'HASH' ? { 'flume.avro.schema.hash': hash } : { 'flume.avro.schema.literal': literal };
      const reader = new AvroReader(file, header, endOf, { ...file.headers, ...added });
      await reader.seek(position);
      return reader;
    },
    positionOf: async (file, flumeOffset) => {
      const header = await readHeader(file);
      let records = 0;
      // Flume marks the sync marker before the block it is in.
      for (let at = header.end; at < flumeOffset; ) {
        const block = await readBlockHead(file, at);
        if (block === undefined) break;
        records += block.records;
        at = block.end - header.sync.length;
        if (at >= flumeOffset) break;
        at = block.end;
      }
      return records;
    },
  };
}

function schemaOf(literal: string, path: string): { endOf: EndOf; hash: string } {
  try {
    const type = recordType(literal);
    return { endOf: endOfValues(type), hash: schemaFingerprint(type) };
  } catch (error) {
    throw new FileProblem(`${path} has an Avro schema that is not that of a record: ${String(error)}`);
  }
}

class AvroReader implements Deserializer {
  readonly #file: SpooledFile;
  readonly #header: ContainerHeader;
  readonly #endOf: EndOf;
  readonly #headers: Headers;
  /** The block that is read, its data, and where in it. */
  #block: BlockHead | undefined;
  #data: Buffer | undefined;
  #at = 0;
  #recordsLeft = 0;
  #position = 0;
  #damage: unknown;
  /** Of the blocks met, the latest last: which record each begins with. */
  readonly #starts: { readonly position: number; readonly offset: number }[] = [];

  constructor(file: SpooledFile, header: ContainerHeader, endOf: EndOf, headers: Headers) {
    this.#file = file;
    this.#header = header;
    this.#endOf = endOf;
    this.#headers = headers;
  }

  /** Passes whole blocks by their heads. */
  async seek(position: number): Promise<void> {
    await this.#enter(this.#header.end);
    while (this.#block !== undefined && this.#position + this.#block.records <= position) {
      this.#position += this.#block.records;
      await this.#enter(this.#block.end);
    }
    while (this.#position < position && this.#block !== undefined) await this.#record(this.#block);
  }

  async read(limits: BatchLimits): Promise<FileBatch | undefined> {
    const events: Event[] = [];
    let bytes = 0;
    while (this.#block !== undefined && events.length < limits.events && this.#position < limits.until) {
      if (bytes > batchBytesMax) break;
      try {
        const body = await this.#record(this.#block);
        events.push({ headers: this.#headers, body });
        bytes += body.length;
      } catch (error) {
        // What was read is given out first; who asks again meets the error.
        if (events.length === 0) throw error;
        break;
      }
    }
    if (events.length > 0) {
      return { events, to: this.#position, isLast: this.#block === undefined && this.#damage === undefined };
    }
    if (this.#damage !== undefined) throw this.#damage;
    return undefined;
  }

  flumeOffsetOf(position: number): number {
    const start = this.#starts.findLast((one) => one.position <= position);
    return Math.max(0, (start?.offset ?? 0) - this.#header.sync.length);
  }

  notice(): undefined {
    return undefined;
  }

  async #enter(offset: number): Promise<void> {
    this.#data = undefined;
    let block = await readBlockHead(this.#file, offset);
    while (block?.records === 0) block = await readBlockHead(this.#file, block.end);
    this.#block = block;
    this.#recordsLeft = block?.records ?? 0;
    this.#at = 0;
    // Transactions in flight are few: so are the blocks that a position can be asked for.
    if (this.#starts.length > 1000) this.#starts.splice(0, 500);
    this.#starts.push({ position: this.#position, offset: block?.offset ?? this.#file.sizeBytes });
  }

  async #record(block: BlockHead): Promise<Buffer> {
    this.#data ??= await readBlock(this.#file, this.#header, block);
    const end = this.#endOfRecord(this.#data, block);
    const body = this.#data.subarray(this.#at, end);
    this.#at = end;
    this.#position += 1;
    this.#recordsLeft -= 1;
    if (this.#recordsLeft === 0) await this.#leave(block);
    return body;
  }

  /** The next block may be damaged: that costs no record before it, and is said when more is asked for. */
  async #leave(block: BlockHead): Promise<void> {
    this.#block = undefined;
    try {
      await this.#enter(block.end);
    } catch (error) {
      this.#damage = error;
    }
  }

  #endOfRecord(data: Buffer, block: BlockHead): number {
    try {
      const end = this.#endOf(data, this.#at);
      if (end >= 0) return end;
    } catch {
      // Records within records, deeper than the stack: no writer made these.
    }
    const what = `record ${this.#position} cannot be read`;
    throw new FileProblem(`${this.#file.path} has a damaged Avro block at byte ${block.offset}: ${what}`);
  }
}
