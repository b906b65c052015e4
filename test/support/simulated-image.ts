/**
 * A file's bytes as an array of pages that are never changed in place: a copy of a file shares them, so a
 * simulation can keep thousands of states.
 */
import { createHash } from 'node:crypto';

/** One page of an image. */
const imagePageBytes = 4096;
/** What a disk writes as a whole. */
export const sectorBytes = 512;

const zeroPage = Buffer.alloc(imagePageBytes);
const zeroHash = createHash('sha1').update(zeroPage).digest();
const pageHashes = new WeakMap<Buffer, Buffer>();

/** Bytes 0 to `bytes`; a page that is absent is a hole and reads as zeros. */
export class Image {
  readonly #pages: (Buffer | undefined)[];
  bytes: number;

  constructor(pages: (Buffer | undefined)[] = [], bytes = 0) {
    this.#pages = pages;
    this.bytes = bytes;
  }

  clone(): Image {
    return new Image(this.#pages.slice(), this.bytes);
  }

  /** `data` is kept: it must never change again. */
  write(data: Buffer, position: number): void {
    const end = position + data.length;
    for (let at = position; at < end; ) {
      const index = Math.floor(at / imagePageBytes);
      const from = at - index * imagePageBytes;
      const to = Math.min(imagePageBytes, from + end - at);
      const part = data.subarray(at - position, at - position + to - from);
      this.#pages[index] = part.length === imagePageBytes ? part : this.#patched(index, part, from);
      at += to - from;
    }
    this.bytes = Math.max(this.bytes, end);
  }

  read(target: Buffer, position: number): number {
    const end = Math.min(position + target.length, this.bytes);
    for (let at = position; at < end; ) {
      const index = Math.floor(at / imagePageBytes);
      const from = at - index * imagePageBytes;
      const to = Math.min(imagePageBytes, from + end - at);
      (this.#pages[index] ?? zeroPage).copy(target, at - position, from, to);
      at += to - from;
    }
    return Math.max(0, end - position);
  }

  truncate(bytes: number): void {
    if (bytes < this.bytes) {
      const index = Math.floor(bytes / imagePageBytes);
      const from = bytes - index * imagePageBytes;
      this.#pages.length = Math.min(this.#pages.length, from === 0 ? index : index + 1);
      if (from > 0 && this.#pages[index] !== undefined) {
        this.#pages[index] = this.#patched(index, Buffer.alloc(imagePageBytes - from), from);
      }
    }
    this.bytes = bytes;
  }

  /** Pages that a write there would have to add. */
  pagesMissing(position: number, bytes: number): number {
    let missing = 0;
    const last = Math.floor((position + bytes - 1) / imagePageBytes);
    for (let index = Math.floor(position / imagePageBytes); index <= last; index += 1) {
      if (this.#pages[index] === undefined) missing += 1;
    }
    return missing;
  }

  usedBytes(): number {
    return this.#pages.filter((page) => page !== undefined).length * imagePageBytes;
  }

  /** Equal for equal bytes, holes and zeros being the same. */
  fingerprint(): string {
    const hash = createHash('sha1').update(`${this.bytes}`);
    for (let index = 0; index * imagePageBytes < this.bytes; index += 1) {
      hash.update(pageHash(this.#pages[index] ?? zeroPage));
    }
    return hash.digest('hex');
  }

  #patched(index: number, part: Buffer, from: number): Buffer {
    const page = Buffer.from(this.#pages[index] ?? zeroPage);
    part.copy(page, from);
    return page;
  }
}

function pageHash(page: Buffer): Buffer {
  const known = pageHashes.get(page);
  if (known !== undefined) return known;
  // Most pages that a log fills ahead are zeros: comparing is faster than summing.
  const hash = page.equals(zeroPage) ? zeroHash : createHash('sha1').update(page).digest();
  pageHashes.set(page, hash);
  return hash;
}

/** The parts of `[position, position + bytes)` that lie in one sector each. */
export function sectorsOf(position: number, bytes: number): { sector: number; from: number; to: number }[] {
  const parts: { sector: number; from: number; to: number }[] = [];
  for (let at = position; at < position + bytes; ) {
    const sector = Math.floor(at / sectorBytes);
    const to = Math.min((sector + 1) * sectorBytes, position + bytes);
    parts.push({ sector, from: at, to });
    at = to;
  }
  return parts;
}
