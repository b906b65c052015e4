/**
 * An Avro file whose records have `headers` and `body`, read as events, from any place on: Flume's own (avro_event),
 * what an export has written, or anybody's. Its bytes may be damaged, or meant to do harm: nothing is allocated because
 * they claim it, and no count is believed. (avsc's decoder goes round as often as a map of ten bytes says that it has
 * entries, and inflates whatever there is.)
 */
import { createHash } from 'node:crypto';
import { open, stat } from 'node:fs/promises';
import type { types } from 'avsc';
import {
  type BlockHead,
  type ContainerHeader,
  codecOf,
  readableCodecs,
  readBlock,
  readBlockHead,
  readHeader,
} from '../../adapters/sources/spooldir/avro-container.ts';
import { type EndOf, endOfValues, recordType } from '../../adapters/sources/spooldir/avro-skip.ts';
import { readExactly, type SpooledFile } from '../../adapters/sources/spooldir/deserializer.ts';
import { FileProblem } from '../../adapters/sources/spooldir/file-problem.ts';
import { ForebayError } from '../../base/errors.ts';
import type { Event } from '../../event/event.ts';
import { HeadersReader, sizedAt } from './avro-headers.ts';

/** Between two records: that many of the block at `offset` are before it. */
export interface AvroPosition {
  readonly offset: number;
  readonly record: number;
}

/** One event of the file. */
export interface PlacedEvent {
  /** Good as long as it is referred to. */
  readonly event: Event;
  /** Behind it. */
  readonly next: AvroPosition;
}

const identityBytes = 16;
const hashedAtOnce = 1024 * 1024;

/** See above. */
export class AvroEventFile {
  readonly path: string;
  readonly sizeBytes: number;
  /** Before the first record. */
  readonly begin: AvroPosition;
  /**
   * What tells it from other files, wherever it lies and however it is called: a hash of its header, in which the
   * writer's random sync marker is, and of its first block, for writers whose marker is no random one. What is behind
   * is not in it: a copy that was cut off, or a file that has grown, is the same file.
   */
  readonly identity: string;
  readonly #file: SpooledFile;
  readonly #header: ContainerHeader;
  readonly #layout: RecordLayout;

  private constructor(parts: FileParts) {
    const { file, header, layout, identity } = parts;
    this.path = file.path;
    this.sizeBytes = file.sizeBytes;
    this.begin = { offset: header.end, record: 0 };
    this.identity = identity;
    this.#file = file;
    this.#header = header;
    this.#layout = layout;
  }

  /** @throws {ForebayError} DATA_DAMAGED; FORMAT_UNSUPPORTED, where its records are no events, or for its codec. */
  static async open(path: string): Promise<AvroEventFile> {
    // A pipe would keep it waiting.
    if (!(await stat(path)).isFile()) throw unsupported(path, 'is no file', 'a file, which can be gone on with');
    const handle = await open(path, 'r');
    try {
      const file: SpooledFile = { handle, path, sizeBytes: (await handle.stat()).size, headers: {} };
      const header = await asDamage(path, 0, () => readHeader(file));
      const codec = codecOf(header);
      if (!readableCodecs.includes(codec)) {
        throw unsupported(path, `has the codec '${codec}'`, `one of ${readableCodecs.join(', ')}: rewrite it`);
      }
      const layout = layoutOf(path, header.metadata.get('avro.schema')?.toString() ?? '');
      const block = await asDamage(path, header.end, () => readBlockHead(file, header.end));
      const identity = await identityOf(file, block?.end ?? header.end);
      return new AvroEventFile({ file, header, layout, identity });
    } catch (error) {
      await handle.close();
      throw error;
    }
  }

  /** @throws {ForebayError} DATA_DAMAGED, with the offset of the block; what was before it has been given out. */
  async *events(from: AvroPosition): AsyncGenerator<PlacedEvent> {
    let { record } = from;
    for (let { offset } = from; ; record = 0) {
      const block = await asDamage(this.path, offset, () => readBlockHead(this.#file, offset));
      if (block === undefined) return;
      if (block.records > 0) {
        const data = await asDamage(this.path, offset, () => readBlock(this.#file, this.#header, block));
        yield* this.#eventsOf(block, data, record);
      }
      offset = block.end;
    }
  }

  /** Whether a block ends there: true of every place that this file was read up to. */
  async isBlockEnd(offset: number): Promise<boolean> {
    const { sync, end } = this.#header;
    if (offset < end || offset > this.sizeBytes) return false;
    return (await readExactly(this.#file, offset - sync.length, sync.length)).equals(sync);
  }

  async close(): Promise<void> {
    await this.#file.handle.close();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  *#eventsOf(block: BlockHead, data: Buffer, from: number): Generator<PlacedEvent> {
    const { offset, records, end } = block;
    let at = 0;
    for (let record = 0; record < records; record += 1) {
      const read = this.#layout.read(data, at);
      if (read === undefined) throw damaged(this.path, offset, `its record ${record + 1} of ${records} cannot be read`);
      at = read.end;
      const isLast = record + 1 === records;
      // Before it is given out: behind it the block counts as read.
      if (isLast && at !== data.length) {
        throw damaged(this.path, offset, `it holds more than the ${records} records that it names`);
      }
      if (record < from) continue;
      yield { event: read.event, next: isLast ? { offset: end, record: 0 } : { offset, record: record + 1 } };
    }
  }
}

interface FileParts {
  readonly file: SpooledFile;
  readonly header: ContainerHeader;
  readonly layout: RecordLayout;
  readonly identity: string;
}

async function identityOf(file: SpooledFile, end: number): Promise<string> {
  const hash = createHash('sha256');
  for (let at = 0; at < end; at += hashedAtOnce) {
    hash.update(await readExactly(file, at, Math.min(hashedAtOnce, end - at)));
  }
  return hash.digest('hex').slice(0, 2 * identityBytes);
}

/** Where in a record its event is. */
class RecordLayout {
  /** In the order of the bytes. */
  readonly #fields: readonly { readonly name: string; readonly endOf: EndOf }[];
  readonly #headers = new HeadersReader();

  constructor(record: types.RecordType) {
    const known = new Map<types.RecordType['fields'][number]['type'], EndOf>();
    this.#fields = record.fields.map(({ name, type }) => ({ name, endOf: endOfValues(type, known) }));
  }

  /** The event at `at`, and where its record ends; undefined where there is none. Total. */
  read(data: Buffer, at: number): { readonly event: Event; readonly end: number } | undefined {
    let headers: Event['headers'] | undefined;
    let body: Buffer | undefined;
    let start = at;
    for (const { name, endOf } of this.#fields) {
      const end = endWithin(endOf, data, start);
      if (end < 0) return undefined;
      if (name === 'headers') headers = this.#headers.read(data.subarray(start, end));
      if (name === 'body') body = sizedAt(data, start)?.bytes;
      start = end;
    }
    return headers === undefined || body === undefined ? undefined : { event: { headers, body }, end: start };
  }
}

function endWithin(endOf: EndOf, data: Buffer, at: number): number {
  try {
    return endOf(data, at);
  } catch {
    // Records within records, deeper than the stack: no writer made these.
    return -1;
  }
}

function layoutOf(path: string, literal: string): RecordLayout {
  const expected = 'a record with `headers`, a map of string, and `body`, bytes';
  let record: types.RecordType;
  try {
    record = recordType(literal) as types.RecordType;
  } catch (error) {
    throw unsupported(path, `has a schema that is not that of a record (${String(error).slice(0, 200)})`, expected);
  }
  const typeOf = (name: string) => record.fields.find((field) => field.name === name)?.type;
  const [headers, body] = [typeOf('headers'), typeOf('body')];
  const isMap = headers?.typeName === 'map' && (headers as types.MapType).valuesType.typeName === 'string';
  if (!isMap)
    throw unsupported(path, `${headers === undefined ? 'has no' : 'has another'} field \`headers\``, expected);
  if (body?.typeName === 'bytes') return new RecordLayout(record);
  throw unsupported(path, `${body === undefined ? 'has no' : 'has another'} field \`body\``, expected);
}

/** What is wrong with the bytes, as an error that says where. */
async function asDamage<Result>(path: string, offset: number, read: () => Promise<Result>): Promise<Result> {
  try {
    return await read();
  } catch (cause) {
    if (!(cause instanceof FileProblem)) throw cause;
    throw new ForebayError('DATA_DAMAGED', cause.message, { path, offset, cause });
  }
}

function damaged(path: string, offset: number, what: string): ForebayError {
  const text = `${path} has a damaged Avro block at byte ${offset}: ${what}`;
  return new ForebayError('DATA_DAMAGED', text, { path, offset });
}

function unsupported(path: string, what: string, expected: string): ForebayError {
  return new ForebayError('FORMAT_UNSUPPORTED', `${path} ${what}: due is ${expected}`, { path, expected });
}
