/**
 * Lines of a growing file: big reads, lines that are slices of what was read. A `\r` before the `\n` is not part of a
 * line. What comes after the last `\n` is held until its end is there.
 */
import type { FileHandle } from 'node:fs/promises';

/** One line without its end, and where it begins in the file. */
export interface Line {
  readonly body: Buffer;
  readonly offset: number;
}

/** Reads of a file with much to read. */
const chunkBytes = 262_144;
const chunkBytesMin = 4096;
/** A batch of long lines is cut here, so that batches in flight do not fill the memory. */
const batchBytesMax = 8_388_608;
/** A longer line becomes several events: the channel must be able to hold each. */
export const lineBytesMax = 67_108_864;

const newline = 10;
const carriageReturn = 13;
const nothing = Buffer.alloc(0);

/** Reads forward from one position; what it handed out stays unchanged. */
export class LineReader {
  readonly #handle: FileHandle;
  readonly #lineMax: number;
  /** Of `#buffer[#from]` in the file. */
  #position: number;
  #buffer: Buffer = nothing;
  #from = 0;
  #to = 0;
  /** No newline is between `#from` and here. */
  #scanned = 0;
  /** Pieces that were no whole lines. */
  cutLines = 0;

  constructor(handle: FileHandle, position: number, lineMax: number = lineBytesMax) {
    this.#handle = handle;
    this.#position = position;
    this.#lineMax = lineMax;
  }

  /** Where the next line begins. */
  get position(): number {
    return this.#position;
  }

  /** Up to where the file was read. */
  get readTo(): number {
    return this.#position + this.#to - this.#from;
  }

  /** Goes on at `position` with nothing held. */
  seek(position: number): void {
    this.#position = position;
    this.#buffer = nothing;
    this.#from = 0;
    this.#to = 0;
    this.#scanned = 0;
  }

  /**
   * Up to `countMax` lines that begin before `until`; fewer at the end of the file, whose size is about `sizeHint`.
   * `withRest`: also the last one, without its end.
   */
  async read(countMax: number, until: number, sizeHint: number, withRest: boolean): Promise<Line[]> {
    const lines: Line[] = [];
    const start = this.#position;
    while (lines.length < countMax && this.#position < until && this.#position - start < batchBytesMax) {
      const line = this.#nextLine();
      if (line !== undefined) lines.push(line);
      else if (!(await this.#fill(sizeHint))) {
        if (withRest && this.#to > this.#from) lines.push(this.#take(this.#to, this.#to));
        break;
      }
    }
    if (this.#from === this.#to) this.seek(this.#position);
    return lines;
  }

  #nextLine(): Line | undefined {
    const at = this.#buffer.indexOf(newline, this.#scanned);
    if (at >= 0 && at < this.#to && at - this.#from <= this.#lineMax) {
      const hasReturn = at > this.#from && this.#buffer[at - 1] === carriageReturn;
      return this.#take(hasReturn ? at - 1 : at, at + 1);
    }
    this.#scanned = at >= 0 && at < this.#to ? at : this.#to;
    if (this.#to - this.#from <= this.#lineMax) return undefined;
    this.cutLines += 1;
    return this.#take(this.#from + this.#lineMax, this.#from + this.#lineMax);
  }

  #take(end: number, next: number): Line {
    const line = { body: this.#buffer.subarray(this.#from, end), offset: this.#position };
    this.#position += next - this.#from;
    this.#from = next;
    this.#scanned = next;
    return line;
  }

  /** False at the end of the file. Memory follows what was read, never what a size claims. */
  async #fill(sizeHint: number): Promise<boolean> {
    const held = this.#to - this.#from;
    if (this.#buffer.length - this.#to < Math.max(chunkBytesMin / 2, held / 2)) {
      const wanted = Math.min(Math.max(sizeHint - this.readTo + 1, chunkBytesMin), chunkBytes);
      const grown = Buffer.allocUnsafeSlow(held + Math.max(wanted, held));
      this.#buffer.copy(grown, 0, this.#from, this.#to);
      this.#scanned -= this.#from;
      this.#buffer = grown;
      this.#from = 0;
      this.#to = held;
    }
    const room = this.#buffer.length - this.#to;
    const { bytesRead } = await this.#handle.read(this.#buffer, this.#to, room, this.readTo);
    this.#to += bytesRead;
    return bytesRead > 0;
  }
}
