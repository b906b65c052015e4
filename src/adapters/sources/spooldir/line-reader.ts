/**
 * LINE: each line of a file is an event. Newlines are looked for in the bytes; where file and events are UTF-8, bodies
 * are slices of what was read, and nothing is decoded. A position is a byte offset.
 */
import { isUtf8 } from 'node:buffer';
import type { Event } from '../../../engine.ts';
import { Chunks } from './chunks.ts';
import {
  type BatchLimits,
  batchBytesMax,
  type Deserializer,
  type FileBatch,
  type SpooledFile,
} from './deserializer.ts';
import { FileProblem } from './file-problem.ts';
import { type LineText, utf8Cut } from './line-text.ts';

/** No character takes more bytes in any charset of Java's. */
const charBytesMax = 8;
/** An event's body has no room for more. */
const lineBytesMax = 512 * 1024 * 1024;

/** See Deserializer. */
export class LineReader implements Deserializer {
  readonly #file: SpooledFile;
  readonly #charsMax: number;
  readonly #text: LineText;
  readonly #chunks: Chunks;
  /** So many bytes without a newline can be cut. */
  readonly #cutBytes: number;
  /** Read and not yet given out: from `#at`, which is `#base + #at` in the file. */
  #bytes: Buffer = Buffer.alloc(0);
  #at = 0;
  #base: number;
  /** Up to here the bytes are valid UTF-8, and whole lines. */
  #validTo = 0;
  #isAtEnd = false;
  #cutCount = 0;
  #firstCutOffset = 0;

  constructor(file: SpooledFile, position: number, options: { readonly charsMax: number; readonly text: LineText }) {
    this.#file = file;
    this.#charsMax = options.charsMax;
    this.#text = options.text;
    this.#base = position;
    this.#chunks = new Chunks(file, position);
    this.#cutBytes = Math.min(lineBytesMax, options.charsMax * charBytesMax);
  }

  async read(limits: BatchLimits): Promise<FileBatch | undefined> {
    const events: Event[] = [];
    const from = this.#base + this.#at;
    try {
      while (!this.#take(events, limits, from)) {
        if (this.#isAtEnd) break;
        await this.#fill();
      }
    } catch (error) {
      // What was read is given out first; who asks again meets the error.
      if (events.length === 0) throw error;
    }
    if (events.length === 0) return undefined;
    const to = this.#base + this.#at;
    return { events, to, isLast: to >= this.#file.sizeBytes };
  }

  flumeOffsetOf(position: number): number {
    return position;
  }

  notice(): string | undefined {
    if (this.#cutCount === 0) return undefined;
    const what = `lines of ${this.#file.path} were cut ${this.#cutCount} times after ${this.#charsMax} characters`;
    return `${what}, the first at byte ${this.#firstCutOffset}: the rest comes next (deserializer.maxLineLength)`;
  }

  /** Whole lines of what is in memory. True where the batch is full; else more bytes are needed. */
  #take(events: Event[], limits: BatchLimits, from: number): boolean {
    const { headers } = this.#file;
    const { newline } = this.#text;
    const isFast = this.#text.isUtf8 && newline.length === 1;
    while (events.length < limits.events) {
      const offset = this.#base + this.#at;
      if (events.length > 0 && (offset >= limits.until || offset - from >= batchBytesMax)) return true;
      const end = isFast ? this.#bytes.indexOf(10, this.#at) : this.#newlineFrom(this.#at);
      if (end >= 0 && end < this.#validTo && end - this.#at < this.#charsMax) {
        events.push({ headers, body: this.#bytes.subarray(this.#at, end) });
        this.#at = end + 1;
        continue;
      }
      const body = this.#slowLine(end);
      if (body === undefined) return false;
      events.push({ headers, body });
    }
    return true;
  }

  /** A line that is long, last, or to be decoded. Undefined where it is not all there. */
  #slowLine(newlineAt: number): Buffer | undefined {
    const start = this.#at;
    const available = this.#bytes.length - start;
    const isWhole = newlineAt >= 0;
    if (!isWhole && !this.#isAtEnd && available < this.#cutBytes) return undefined;
    if (available === 0) return undefined;
    const end = isWhole ? newlineAt : this.#bytes.length;
    const next = isWhole ? newlineAt + this.#text.newline.length : end;
    const { body, taken } = this.#text.isUtf8 ? this.#utf8Line(start, end) : this.#textLine(start, end);
    this.#at = taken === undefined ? next : start + taken;
    if (taken !== undefined && (taken < end - start || (!isWhole && !this.#isAtEnd))) {
      if (this.#cutCount === 0) this.#firstCutOffset = this.#base + start;
      this.#cutCount += 1;
    }
    return body;
  }

  /** `taken`: the bytes of it, where the line is cut. */
  #utf8Line(start: number, end: number): { body: Buffer; taken: number | undefined } {
    // Shorter in bytes is shorter in characters.
    const cut = end - start < this.#charsMax ? -1 : utf8Cut(this.#bytes, start, end, this.#charsMax);
    const line = this.#bytes.subarray(start, cut < 0 ? end : cut);
    const taken = cut < 0 ? undefined : cut - start;
    if (start + line.length <= this.#validTo || isUtf8(line)) return { body: line, taken };
    return { body: this.#text.encode(this.#decoded(line, start)), taken };
  }

  #textLine(start: number, end: number): { body: Buffer; taken: number | undefined } {
    const limited = this.#bytes.subarray(start, Math.min(end, start + this.#cutBytes));
    const text = this.#decoded(limited, start);
    if (text.length < this.#charsMax) return { body: this.#text.encode(text), taken: undefined };
    const taken = this.#text.cutBytes(limited, this.#charsMax);
    return { body: this.#text.encode(this.#decoded(limited.subarray(0, taken), start)), taken };
  }

  #decoded(line: Buffer, start: number): string {
    const text = this.#text.decode(line);
    if (text !== undefined) return text;
    const where = `the line at byte ${this.#base + start} of ${this.#file.path}`;
    throw new FileProblem(
      `${where} is not ${this.#text.charset}: set inputCharset to the file's charset, ` +
        'or decodeErrorPolicy to REPLACE or IGNORE',
    );
  }

  /** Of two or four bytes it starts on a boundary of its own. */
  #newlineFrom(from: number): number {
    const { newline } = this.#text;
    let at = this.#bytes.indexOf(newline, from);
    while (at >= 0 && (at - from) % newline.length !== 0) at = this.#bytes.indexOf(newline, at + 1);
    return at;
  }

  /** More bytes: up to a newline, or as many as can be cut. What they join is copied once. */
  async #fill(): Promise<void> {
    const parts = [this.#bytes.subarray(this.#at)];
    let bytes = parts[0]?.length ?? 0;
    for (;;) {
      const chunk = await this.#chunks.next();
      if (chunk === undefined) {
        this.#isAtEnd = true;
        break;
      }
      parts.push(chunk);
      bytes += chunk.length;
      if (chunk.includes(10) || bytes >= this.#cutBytes) break;
    }
    this.#base += this.#at;
    this.#at = 0;
    this.#bytes = parts[0]?.length === 0 && parts.length === 2 ? (parts[1] as Buffer) : Buffer.concat(parts);
    this.#validTo = 0;
    if (!this.#text.isUtf8) return;
    const lines = this.#bytes.lastIndexOf(10) + 1;
    if (isUtf8(this.#bytes.subarray(0, lines))) this.#validTo = lines;
  }
}
