/** Cuts what a process writes into lines, as Java's readLine does: `\n`, `\r` and `\r\n` each end one. */

/** A longer line becomes several events: the channel must be able to hold each. */
export const lineBytesMax = 67_108_864;

const newline = 10;
const carriageReturn = 13;

/** Holds the line that has no end yet. */
export class LineSplitter {
  readonly #lineMax: number;
  #parts: Buffer[] = [];
  #heldBytes = 0;
  /** A `\r` was the last byte: a `\n` now belongs to it. */
  #isAfterReturn = false;
  /** Pieces that were no whole lines. */
  cutLines = 0;

  constructor(lineMax: number = lineBytesMax) {
    this.#lineMax = lineMax;
  }

  /** The lines that end in `chunk`, as slices of it where they began in it. */
  push(chunk: Buffer): Buffer[] {
    const lines: Buffer[] = [];
    let from = this.#isAfterReturn && chunk[0] === newline ? 1 : 0;
    if (chunk.length > 0) this.#isAfterReturn = false;
    let nextNewline = chunk.indexOf(newline, from);
    let nextReturn = chunk.indexOf(carriageReturn, from);
    while (nextNewline >= 0 || nextReturn >= 0) {
      const isReturn = nextReturn >= 0 && (nextNewline < 0 || nextReturn < nextNewline);
      const end = isReturn ? nextReturn : nextNewline;
      this.#hold(chunk.subarray(from, end), lines);
      lines.push(this.#takeHeld());
      from = end + 1;
      if (isReturn && nextNewline === from) from += 1;
      this.#isAfterReturn = isReturn && end + 1 === chunk.length;
      if (nextNewline >= 0 && nextNewline < from) nextNewline = chunk.indexOf(newline, from);
      if (nextReturn >= 0 && nextReturn < from) nextReturn = chunk.indexOf(carriageReturn, from);
    }
    this.#hold(chunk.subarray(from), lines);
    return lines;
  }

  /** The last line, where it has no end. */
  end(): Buffer[] {
    return this.#heldBytes === 0 ? [] : [this.#takeHeld()];
  }

  #hold(part: Buffer, lines: Buffer[]): void {
    let rest = part;
    while (this.#heldBytes + rest.length > this.#lineMax) {
      const fits = this.#lineMax - this.#heldBytes;
      this.#parts.push(rest.subarray(0, fits));
      lines.push(this.#takeHeld());
      this.cutLines += 1;
      rest = rest.subarray(fits);
    }
    if (rest.length === 0) return;
    this.#parts.push(rest);
    this.#heldBytes += rest.length;
  }

  #takeHeld(): Buffer {
    const [only] = this.#parts;
    const line = this.#parts.length === 1 && only !== undefined ? only : Buffer.concat(this.#parts);
    this.#parts = [];
    this.#heldBytes = 0;
    return line;
  }
}
