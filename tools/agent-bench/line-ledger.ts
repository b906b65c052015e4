/**
 * Whether an agent's output is its input: each line once, as it was, in whatever order and however many files. Lines
 * are known by the number they carry, so that a million of them need neither sorting nor a set: one checksum and one
 * counter each.
 */
import { closeSync, openSync, readdirSync, readSync } from 'node:fs';
import { join } from 'node:path';
import { crc32 } from '../../src/codec/checksum.ts';

/** What stands before a line's number, of nine digits. */
const mark = 'rid=';
const digits = 9;
const readBytes = 4 * 1024 * 1024;

/** What is wrong with an output; all zero where nothing is. */
export interface OutputFaults {
  readonly missing: number;
  /** Lines too many of those that stand there more than once. */
  readonly repeated: number;
  /** Lines whose bytes are not those of the input's line of that number, and lines without a known number. */
  readonly changed: number;
}

/** The lines of an input. */
export class LineLedger {
  readonly #checksums: Uint32Array;

  /** Of the files in `directory`, which carry the numbers from 0 below `lines`. */
  constructor(directory: string, lines: number) {
    this.#checksums = new Uint32Array(lines);
    const seen = new Uint8Array(lines);
    forEachLine(directory, (line) => {
      const number = numberOf(line);
      if (number >= lines || seen[number] === 1)
        throw new Error(`${directory} has line ${number} twice, or no ${mark}`);
      seen[number] = 1;
      this.#checksums[number] = crc32(line);
    });
    if (seen.includes(0)) throw new Error(`${directory} lacks line ${seen.indexOf(0)} of ${lines}`);
  }

  /** All files in `directory`, held against the input. */
  faultsOf(directory: string): OutputFaults {
    const seen = new Uint8Array(this.#checksums.length);
    let repeated = 0;
    let changed = 0;
    forEachLine(directory, (line) => {
      const number = numberOf(line);
      if (this.#checksums[number] !== crc32(line)) changed += 1;
      else if (seen[number] === 1) repeated += 1;
      else seen[number] = 1;
    });
    const missing = seen.reduce((sum, one) => sum + 1 - one, 0);
    return { missing, repeated, changed };
  }
}

function numberOf(line: Buffer): number {
  const at = line.lastIndexOf(mark);
  if (at < 0) return Number.POSITIVE_INFINITY;
  const text = line.toString('latin1', at + mark.length, at + mark.length + digits);
  return /^\d{9}$/.test(text) ? Number(text) : Number.POSITIVE_INFINITY;
}

/** Of regular files, without their line feeds; what stands behind the last one counts as a line. */
function forEachLine(directory: string, call: (line: Buffer) => void): void {
  for (const entry of readdirSync(directory, { withFileTypes: true })) {
    if (entry.isFile()) linesOfFile(join(directory, entry.name), call);
  }
}

function linesOfFile(path: string, call: (line: Buffer) => void): void {
  const file = openSync(path, 'r');
  try {
    const buffer = Buffer.allocUnsafe(readBytes);
    let kept = 0;
    for (;;) {
      const count = readSync(file, buffer, kept, buffer.length - kept, null);
      const bytes = buffer.subarray(0, kept + count);
      let from = 0;
      for (let end = bytes.indexOf(10); end >= 0; end = bytes.indexOf(10, from)) {
        call(bytes.subarray(from, end));
        from = end + 1;
      }
      kept = bytes.length - from;
      if (count === 0 || kept === buffer.length) {
        if (kept > 0) call(bytes.subarray(from));
        if (count === 0) return;
        kept = 0;
      } else buffer.copyWithin(0, from, bytes.length);
    }
  } finally {
    closeSync(file);
  }
}
