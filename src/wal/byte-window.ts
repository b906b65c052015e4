/**
 * A sequential reader's view of a segment: a window that slides forward, so that small looks cost no read each.
 * A page that cannot be read (EIO after several tries) reads as zeros and is remembered as unreadable.
 */
import type { Clock } from '../base/clock.ts';
import { type Disk, type DiskFile, pageBytes } from '../base/disk.ts';
import { type ByteOffset, kib } from '../base/units.ts';

/** Large enough for sequential speed, small enough to skip over large payloads: 256 KiB. */
const windowBytesDefault: number = 256 * kib;
/** Waits between tries of a read that failed, ms: log-format rule 20. */
const retryDelaysMs: readonly number[] = [100, 900, 2000];

const nothing: Buffer = Buffer.alloc(0);

/** What a segment's reads could not give. */
export interface UnreadableBytes {
  readonly from: ByteOffset;
  readonly to: ByteOffset;
}

/**
 * Fills `target` from `position`; resolves to the bytes there are (less at the end of the file). Unreadable pages
 * are zeroed and added to `unreadable`. Never rejects.
 */
export async function readThrough(
  file: DiskFile,
  target: Buffer,
  position: ByteOffset,
  clock: Clock,
  unreadable: UnreadableBytes[],
): Promise<number> {
  try {
    return await file.read(target, position);
  } catch {
    return readWithRetries(file, target, position, clock, unreadable);
  }
}

/** Opens a file to read, with tries as for a read. @throws What the last try did. */
export async function openThrough(disk: Disk, path: string, clock: Clock): Promise<DiskFile> {
  for (const delayMs of retryDelaysMs) {
    try {
      return await disk.open(path, { mode: 'read' });
    } catch {
      await new Promise<void>((resolve) => clock.after(delayMs, resolve, true));
    }
  }
  return disk.open(path, { mode: 'read' });
}

async function readWithRetries(
  file: DiskFile,
  target: Buffer,
  position: ByteOffset,
  clock: Clock,
  unreadable: UnreadableBytes[],
): Promise<number> {
  for (const delayMs of retryDelaysMs) {
    await new Promise<void>((resolve) => clock.after(delayMs, resolve, true));
    try {
      return await file.read(target, position);
    } catch {
      // The next try, or page by page below, decides.
    }
  }
  let total = 0;
  for (let at = 0; at < target.length; at += pageBytes) {
    const page = target.subarray(at, at + pageBytes);
    try {
      const bytes = await file.read(page, position + at);
      total = at + bytes;
      if (bytes < page.length) break;
    } catch {
      page.fill(0);
      unreadable.push({ from: position + at, to: position + at + page.length });
      total = at + page.length;
    }
  }
  return total;
}

/** A part of the file, in memory. */
interface Chunk {
  readonly base: ByteOffset;
  readonly bytes: Buffer;
}

const noChunk: Chunk = { base: 0, bytes: nothing };

/** See above. One caller at a time. */
export class ByteWindow {
  readonly unreadable: UnreadableBytes[] = [];
  readonly #file: DiskFile;
  readonly #clock: Clock;
  readonly #windowBytes: number;
  readonly #readsAhead: boolean;
  #fileBytes: number;
  #chunk: Chunk = noChunk;
  /** What follows `#chunk`, on its way: the disk works while this chunk is used. */
  #ahead: { readonly end: ByteOffset; readonly chunk: Promise<Chunk> } | undefined;

  /** `windowBytes`: given where much is read in order, and then read ahead by as much. */
  constructor(file: DiskFile, fileBytes: number, clock: Clock, windowBytes?: number) {
    this.#file = file;
    this.#fileBytes = fileBytes;
    this.#clock = clock;
    this.#windowBytes = windowBytes ?? windowBytesDefault;
    this.#readsAhead = windowBytes !== undefined;
  }

  /** More of the file may be viewed. */
  extendTo(fileBytes: number): void {
    this.#fileBytes = fileBytes;
  }

  /**
   * `bytes` bytes from `offset`, fewer where the file ends. A slice of a buffer that later calls replace but never
   * change. Never allocates more than the file holds.
   */
  view(offset: ByteOffset, bytes: number): Buffer | Promise<Buffer> {
    const wanted = Math.max(0, Math.min(bytes, this.#fileBytes - offset));
    if (wanted === 0) return nothing;
    const { base, bytes: buffer } = this.#chunk;
    const at = offset - base;
    if (at >= 0 && at + wanted <= buffer.length) return buffer.subarray(at, at + wanted);
    return this.#load(offset, wanted);
  }

  /** Whether `[from, to)` touches a page that could not be read. */
  isUnreadable(from: ByteOffset, to: ByteOffset): boolean {
    return this.unreadable.some((range) => range.from < to && from < range.to);
  }

  async #load(offset: ByteOffset, wanted: number): Promise<Buffer> {
    const before = this.#chunk;
    const ahead = this.#ahead;
    this.#ahead = undefined;
    if (ahead !== undefined && offset >= before.base && offset + wanted <= ahead.end) {
      this.#chunk = await ahead.chunk;
    } else {
      const base = Math.floor(offset / pageBytes) * pageBytes;
      this.#chunk = await this.#read(base, Math.max(this.#windowBytes, offset - base + wanted));
    }
    const { base, bytes } = this.#chunk;
    const isInOrder = before !== noChunk && offset >= before.base && base <= before.base + before.bytes.length;
    if (this.#readsAhead && isInOrder) this.#readAhead(base + bytes.length);
    if (offset >= base) return bytes.subarray(offset - base, offset - base + wanted);
    return Buffer.concat([before.bytes.subarray(offset - before.base), bytes], wanted);
  }

  #readAhead(base: ByteOffset): void {
    const end = Math.min(base + this.#windowBytes, this.#fileBytes);
    if (end > base) this.#ahead = { end, chunk: this.#read(base, end - base) };
  }

  async #read(base: ByteOffset, bytes: number): Promise<Chunk> {
    const buffer = Buffer.allocUnsafeSlow(Math.min(bytes, this.#fileBytes - base));
    const read = await readThrough(this.#file, buffer, base, this.#clock, this.unreadable);
    return { base, bytes: buffer.subarray(0, read) };
  }
}
