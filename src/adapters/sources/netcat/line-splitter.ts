/** Lines out of the bytes of a connection, none longer than allowed: one that never ends is found out early. */

const lineFeed = 0x0a;

/** One connection's lines, in UTF-8. Keeps at most one line that has not ended. */
export class LineSplitter {
  readonly #charsMax: number;
  /** Of the line that has not ended. */
  #parts: Buffer[] = [];
  #partsBytes = 0;
  /** A byte is at most a character: below this many bytes the line cannot be too long. */
  #checkAtBytes: number;
  #isTooLong = false;

  /** `charsMax`: of a line with its line feed, in UTF-16 units as Java counts. */
  constructor(charsMax: number) {
    this.#charsMax = charsMax;
    this.#checkAtBytes = charsMax;
  }

  /** A line was longer than allowed. It and all that follows it is not given out. */
  get isTooLong(): boolean {
    return this.#isTooLong;
  }

  /** The line that has not ended; empty where there is none. */
  get rest(): Buffer {
    return Buffer.concat(this.#parts);
  }

  /** The lines that end in `chunk`, without their line feeds. They may share its memory. */
  push(chunk: Buffer): Buffer[] {
    const lines: Buffer[] = [];
    let start = 0;
    while (!this.#isTooLong) {
      const end = chunk.indexOf(lineFeed, start);
      this.#keep(end < 0 ? Buffer.from(chunk.subarray(start)) : chunk.subarray(start, end));
      if (this.#partsBytes >= this.#checkAtBytes) this.#checkLength();
      if (end < 0 || this.#isTooLong) break;
      lines.push(this.#takeLine());
      start = end + 1;
    }
    return lines;
  }

  #keep(part: Buffer): void {
    if (part.length > 0) this.#parts.push(part);
    this.#partsBytes += part.length;
  }

  #takeLine(): Buffer {
    const [only] = this.#parts;
    const line = only !== undefined && this.#parts.length === 1 ? only : Buffer.concat(this.#parts);
    this.#parts = [];
    this.#partsBytes = 0;
    this.#checkAtBytes = this.#charsMax;
    return line;
  }

  #checkLength(): void {
    const line = Buffer.concat(this.#parts);
    this.#parts = [line];
    const chars = countChars(line);
    if (chars >= this.#charsMax) this.#isTooLong = true;
    else this.#checkAtBytes = line.length + this.#charsMax - chars;
  }
}

/** How many UTF-16 units the UTF-8 of `bytes` comes to. */
function countChars(bytes: Buffer): number {
  let chars = 0;
  for (const byte of bytes) {
    // All but continuation bytes begin a character; one of four bytes is a surrogate pair.
    if ((byte & 0xc0) !== 0x80) chars += byte >= 0xf0 ? 2 : 1;
  }
  return chars;
}
