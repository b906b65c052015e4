/** `hdfs.fileType = SequenceFile`: the time of an event is the key, its body the value; other headers are not kept. */
import { randomBytes } from 'node:crypto';
import type { Undeliverable } from '../../../agent/contracts/components.ts';
import type { Clock, DeliveredEvent, Headers } from '../../../engine.ts';
import type { Codec } from './compression.ts';
import { timeOf } from './event-time.ts';
import type { RecordWriter } from './record-writer.ts';
import { SequenceFileWriter, type SequenceRecord } from './sequence-file.ts';

interface SequenceOptions {
  readonly writeFormat: 'Writable' | 'Text';
  readonly codec: Codec | undefined;
  readonly clock: Clock;
}

/** A record's length is a Java int: the key's 8 bytes, at most 5 for the body's length, and the body. */
const bodyBytesMax = 2 ** 31 - 1 - 8 - 5;
/** So is that of a block's part: a million bytes before the body, and a sixth more where snappy finds no repeats. */
const bodyBytesMaxInBlock = 1.5 * 2 ** 30;
/** Of a record without its body: two lengths, the key, the body's length. */
const overheadBytes = 20;
const syncPattern = /^[0-9a-f]{32}$/;
const nothing = Buffer.alloc(0);

/** The continuation is the file's sync, in hex. */
export class SequenceRecordWriter implements RecordWriter {
  readonly continuation: string;
  readonly #clock: Clock;
  readonly #bodyBytesMax: number;
  readonly #file: SequenceFileWriter;
  #waiting: SequenceRecord[] = [];
  #waitingBytes = 0;

  /** @throws {RangeError} If the continuation is no sync: a bug of the caller. */
  constructor({ writeFormat, codec, clock }: SequenceOptions, continuation?: string) {
    this.continuation = continuation ?? randomBytes(16).toString('hex');
    if (!syncPattern.test(this.continuation)) {
      throw new RangeError(`a SequenceFile cannot be gone on with by '${this.continuation}'`);
    }
    this.#clock = clock;
    this.#bodyBytesMax = codec === undefined ? bodyBytesMax : bodyBytesMaxInBlock;
    this.#file = new SequenceFileWriter({ writeFormat, codec, sync: Buffer.from(this.continuation, 'hex') });
  }

  get waitingBytes(): number {
    return this.#waitingBytes;
  }

  header(): Buffer {
    return this.#file.header();
  }

  add(events: readonly DeliveredEvent[]): readonly Undeliverable[] {
    const refused: Undeliverable[] = [];
    const taken: SequenceRecord[] = [];
    let bytes = 0;
    for (const event of events) {
      const { headers, body } = event;
      const time = timeOf(headers);
      if (body.length > this.#bodyBytesMax) refused.push({ event, reason: tooLong(body.length, this.#bodyBytesMax) });
      else if (time === 'malformed') refused.push({ event, reason: noTime(headers) });
      else {
        taken.push({ timestampMs: time === 'missing' ? this.#clock.wallMs() : time, body });
        bytes += body.length;
      }
    }
    const copy = Buffer.allocUnsafe(bytes);
    let at = 0;
    for (const { timestampMs, body } of taken) {
      copy.set(body, at);
      this.#waiting.push({ timestampMs, body: copy.subarray(at, at + body.length) });
      at += body.length;
    }
    this.#waitingBytes += bytes + taken.length * overheadBytes;
    return refused;
  }

  async flush(): Promise<Buffer> {
    const records = this.#waiting;
    this.#waiting = [];
    this.#waitingBytes = 0;
    return records.length === 0 ? nothing : await this.#file.batch(records);
  }
}

function tooLong(bytes: number, bytesMax: number): string {
  const limit = `a record of such a SequenceFile holds ${bytesMax}`;
  return `its body has ${bytes} bytes, and ${limit}: write it with hdfs.fileType = DataStream`;
}

function noTime(headers: Headers): string {
  const text = JSON.stringify(String(headers['timestamp']).slice(0, 60));
  const cure = 'correct it where it is set, or remove it (interceptor remove_header)';
  return `its header timestamp is ${text}, no time in ms, and a SequenceFile has it as key: ${cure}`;
}
