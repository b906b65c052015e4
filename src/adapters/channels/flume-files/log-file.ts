/**
 * One log file of Flume's file channel: records from its beginning to where Flume would stop, or one at its place.
 *
 *     u8 op: 127 record, 0 nothing, 128 end   i32 big-endian length   payload
 */
import { createCipheriv } from 'node:crypto';
import { type FileHandle, open } from 'node:fs/promises';
import type { Event } from '../../../engine.ts';
import type { LogEncryption } from './log-meta.ts';
import { type FlumeRecord, readEvent, readRecord, recordPrefixBytes } from './records.ts';

/** A record and where it stands. */
export interface PlacedRecord {
  readonly record: FlumeRecord;
  readonly offset: number;
}

/** What of a file cannot be read, and why. Flume refuses to start over most of these. */
export interface LogDamage {
  readonly path: string;
  readonly offset: number;
  readonly message: string;
}

/** What a file is read with. */
export interface LogFileOptions {
  readonly path: string;
  readonly fileId: number;
  /** With its key; undefined where the file is in the clear. */
  readonly encryption: (LogEncryption & { readonly key: Buffer }) | undefined;
}

const opRecord = 0x7f;
const opEnd = 0x80;
const headBytes = 5;
/** A payload of a commit, which is always so long. */
const commitBytes = 31;
/** Flume's files end below 2 GiB; an event is much less. */
const payloadBytesMax = 1024 * 1024 * 1024;
const windowBytes = 1024 * 1024;

/** See above. Closed by whoever opened it. */
export class FlumeLogFile {
  readonly path: string;
  readonly fileId: number;
  readonly #options: LogFileOptions;
  readonly #file: FileHandle;
  readonly #bytes: number;
  #window: Buffer = Buffer.alloc(0);
  #windowAt = 0;

  private constructor(options: LogFileOptions, file: FileHandle, bytes: number) {
    this.path = options.path;
    this.fileId = options.fileId;
    this.#options = options;
    this.#file = file;
    this.#bytes = bytes;
  }

  static async open(options: LogFileOptions): Promise<FlumeLogFile> {
    const file = await open(options.path);
    const { size } = await file.stat();
    return new FlumeLogFile(options, file, size);
  }

  async close(): Promise<void> {
    await this.#file.close();
  }

  /**
   * In order. In the place of a record that cannot be read what is wrong with it: as behind Flume's own integrity tool,
   * what follows counts. Two of them in a row end it. Returns what ended it, where that was not its end.
   */
  async *records(): AsyncGenerator<PlacedRecord | LogDamage, LogDamage | undefined> {
    let isBehindDamage = false;
    for (let offset = 0; offset < this.#bytes; ) {
      const head = await this.#read(offset, headBytes);
      const op = head[0];
      if (op === opEnd || head.length < headBytes) return undefined;
      const length = head.readInt32BE(1);
      if (op !== opRecord && op !== 0)
        return this.#damage(offset, `a record begins with ${op}, which is none of Flume's`);
      if (length < 0 || length > payloadBytesMax || offset + headBytes + length > this.#bytes) {
        return this.#damage(offset, `a record of ${length} bytes does not end in the file: it was cut off there`);
      }
      if (op === opRecord) {
        const prefix = await this.#read(offset + headBytes, Math.min(length, recordPrefixBytes));
        const record = this.#isEmptyCommit(prefix, length) ? 'none' : readRecord(this.#decrypted(prefix));
        if (record === undefined) {
          const damage = this.#damage(offset, 'a record cannot be read: damage, or another key');
          if (isBehindDamage) return damage;
          yield damage;
        } else if (record !== 'none') yield { record, offset };
        isBehindDamage = record === undefined;
      }
      offset += headBytes + length;
    }
    return undefined;
  }

  /** The event that was put at `offset`, or what is wrong with it. */
  async event(offset: number): Promise<Event | LogDamage> {
    const head = await this.#read(offset, headBytes);
    const length = head.length < headBytes ? -1 : head.readInt32BE(1);
    if (head[0] === 0) return this.#damage(offset, "Flume's integrity tool has taken this event out");
    if (head[0] !== opRecord || length < 0 || offset + headBytes + length > this.#bytes) {
      return this.#damage(offset, 'no record stands where an event was put');
    }
    const payload = await this.#read(offset + headBytes, length);
    const event = readEvent(this.#decrypted(payload));
    return typeof event === 'string' ? this.#damage(offset, event) : event;
  }

  /**
   * Flume writes a commit again, of a buffer that it has used up, where another thread has closed the file between the
   * commit's write and its sync: the commit itself is in the file before, and was synced as that was closed. Flume does
   * not start over what it wrote there, unless a checkpoint lets it begin behind it.
   */
  #isEmptyCommit(payload: Buffer, length: number): boolean {
    return this.#options.encryption === undefined && length === commitBytes && payload.every((byte) => byte === 0);
  }

  #damage(offset: number, message: string): LogDamage {
    return { path: this.path, offset, message };
  }

  /** A slice that is good until the next read; fewer bytes at the end of the file. */
  async #read(offset: number, bytes: number): Promise<Buffer> {
    const from = offset - this.#windowAt;
    if (from >= 0 && from + bytes <= this.#window.length) return this.#window.subarray(from, from + bytes);
    const wanted = Math.max(0, Math.min(Math.max(bytes, windowBytes), this.#bytes - offset));
    const target = this.#window.buffer.byteLength === wanted ? this.#window : Buffer.allocUnsafeSlow(wanted);
    let read = 0;
    while (read < wanted) {
      const { bytesRead } = await this.#file.read(target, read, wanted - read, offset + read);
      if (bytesRead === 0) break;
      read += bytesRead;
    }
    this.#window = target.subarray(0, read);
    this.#windowAt = offset;
    return this.#window.subarray(0, bytes);
  }

  /** In counter mode the way in is the way out; each record begins anew. A copy. */
  #decrypted(bytes: Buffer): Buffer {
    const { encryption } = this.#options;
    if (encryption === undefined) return Buffer.from(bytes);
    const { key, parameters } = encryption;
    return createCipheriv(`aes-${key.length * 8}-ctr`, key, parameters).update(bytes);
  }
}
