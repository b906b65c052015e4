/**
 * A sequential reader's view of a segment: a window that slides forward, so that small looks cost no read each.
 * A page that cannot be read (EIO after several tries) reads as zeros and is remembered as unreadable.
 */

import { alignUp } from '../base/bytes.ts';
import type { Clock } from '../base/clock.ts';
import { type Disk, type DiskFile, pageBytes } from '../base/disk.ts';
import { type ByteOffset, kib } from '../base/units.ts';
import type { BufferPool } from './buffer-pool.ts';

/** Large enough for sequential speed. */
const windowBytesDefault: number = 256 * kib;
/** After a skip: who looks at headers alone reads a page or two of each group. Doubled while all is looked at. */
const windowBytesAfterSkip: number = 16 * kib;
/** Waits between tries of a read that failed, ms: log-format rule 20. */
const retryDelaysMs: readonly number[] = [100, 900, 2000];

/** Reads of so many bytes and more go into buffers that are used again. */
const pooledBytesMin: number = 64 * kib;

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
export async function openThrough(disk: Disk, path: string, clock: Clock, pastCache = false): Promise<DiskFile> {
  for (const delayMs of retryDelaysMs) {
    try {
      return await disk.open(path, { mode: 'read', pastCache });
    } catch {
      await new Promise<void>((resolve) => clock.after(delayMs, resolve, true));
    }
  }
  return disk.open(path, { mode: 'read', pastCache });
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
  /** What it was read into, where that is used again. */
  readonly pooled?: Buffer;
}

/** A chunk that is being read. */
interface Ahead {
  readonly end: ByteOffset;
  readonly chunk: Promise<Chunk>;
}

/** How much is read at once, and how many such reads are on their way beside the one that is used. */
export interface ReadingAhead {
  readonly windowBytes: number;
  readonly chunksAhead: number;
  /** All of it will be read: the first read has others beside it already. */
  readonly isWhole?: boolean;
  /** Where buffers come from, and go back to by `recycle` and `release`. Else each read has one of its own. */
  readonly buffers?: BufferPool | undefined;
}

const noChunk: Chunk = { base: 0, bytes: nothing };

/** See above. One caller at a time. */
export class ByteWindow {
  readonly unreadable: UnreadableBytes[] = [];
  readonly #file: DiskFile;
  readonly #clock: Clock;
  readonly #windowBytesMax: number;
  /** What the next read is of, at least. */
  #windowBytes: number;
  readonly #chunksAhead: number;
  readonly #isWhole: boolean;
  readonly #buffers: BufferPool | undefined;
  /** Chunks that were replaced, and that the caller may still look at. */
  #replaced: Chunk[] = [];
  #fileBytes: number;
  #chunk: Chunk = noChunk;
  /** What follows `#chunk`, on its way, in order: the disk works while this chunk is used. */
  #ahead: Ahead[] = [];

  /** `reading`: given where much is read in order. */
  constructor(file: DiskFile, fileBytes: number, clock: Clock, reading?: ReadingAhead) {
    this.#file = file;
    this.#fileBytes = fileBytes;
    this.#clock = clock;
    this.#windowBytesMax = reading?.windowBytes ?? windowBytesDefault;
    this.#windowBytes = this.#windowBytesMax;
    this.#chunksAhead = reading?.chunksAhead ?? 0;
    this.#isWhole = reading?.isWhole ?? false;
    this.#buffers = reading?.buffers;
  }

  /** More of the file may be viewed. */
  extendTo(fileBytes: number): void {
    this.#fileBytes = fileBytes;
  }

  /**
   * `bytes` bytes from `offset`, fewer where the file ends. A slice of a buffer that later calls replace but never
   * change, until `recycle`. Never allocates more than the file holds.
   */
  view(offset: ByteOffset, bytes: number): Buffer | Promise<Buffer> {
    const wanted = Math.max(0, Math.min(bytes, this.#fileBytes - offset));
    if (wanted === 0) return nothing;
    const { base, bytes: buffer } = this.#chunk;
    const at = offset - base;
    if (at >= 0 && at + wanted <= buffer.length) return buffer.subarray(at, at + wanted);
    return this.#load(offset, wanted);
  }

  /**
   * Calls `look` with each page of `[from, to)`, until it answers true. Behind what is in memory they stand in one
   * buffer, used again: what lies behind the end of a log is large, and nothing of it is kept.
   */
  async eachPage(from: ByteOffset, to: ByteOffset, look: (page: Buffer, at: ByteOffset) => boolean): Promise<void> {
    const end = Math.min(to, this.#fileBytes);
    const lookAll = (base: ByteOffset, bytes: Buffer): boolean => {
      for (let at = 0; at < bytes.length; at += pageBytes) {
        if (look(bytes.subarray(at, at + pageBytes), base + at)) return true;
      }
      return false;
    };
    const { base, bytes } = this.#chunk;
    const inMemory = base <= from ? bytes.subarray(from - base, end - base) : nothing;
    if (lookAll(from, inMemory)) return;
    const start = from + inMemory.length;
    const buffer = Buffer.allocUnsafeSlow(Math.max(0, Math.min(this.#windowBytesMax, end - start)));
    for (let at = start; at < end; at += buffer.length) {
      const target = buffer.subarray(0, Math.min(buffer.length, end - at));
      const read = await readThrough(this.#file, target, at, this.#clock, this.unreadable);
      if (lookAll(at, target.subarray(0, read)) || read < target.length) return;
    }
  }

  /** Whether `[from, to)` touches a page that could not be read. */
  isUnreadable(from: ByteOffset, to: ByteOffset): boolean {
    return this.unreadable.some((range) => range.from < to && from < range.to);
  }

  /** Whether `view` is a slice of a buffer that is used again after `recycle`. */
  lends(view: Buffer): boolean {
    const isOf = ({ pooled }: Chunk) => pooled !== undefined && pooled.buffer === view.buffer;
    return isOf(this.#chunk) || this.#replaced.some(isOf);
  }

  /** What was viewed so far is not looked at any more. */
  recycle(): void {
    if (this.#replaced.length > 0) for (const chunk of this.#replaced.splice(0)) this.#giveBack(chunk);
  }

  /** Nothing is viewed any more. */
  async release(): Promise<void> {
    const chunks = [...this.#replaced, this.#chunk, ...(await Promise.all(this.#ahead.map(({ chunk }) => chunk)))];
    this.#replaced = [];
    this.#chunk = noChunk;
    this.#ahead = [];
    for (const chunk of chunks) this.#giveBack(chunk);
  }

  #giveBack({ pooled }: Chunk): void {
    if (pooled !== undefined) this.#buffers?.give(pooled);
  }

  async #load(offset: ByteOffset, wanted: number): Promise<Buffer> {
    const before = this.#chunk;
    if (before.pooled !== undefined) this.#replaced.push(before);
    const [ahead] = this.#ahead;
    if (ahead !== undefined && offset >= before.base && offset + wanted <= ahead.end) {
      this.#ahead.shift();
      this.#chunk = await ahead.chunk;
    } else {
      this.#ahead = [];
      const isSkip = before !== noChunk && offset > before.base + before.bytes.length;
      if (this.#chunksAhead === 0) {
        this.#windowBytes = isSkip ? windowBytesAfterSkip : Math.min(2 * this.#windowBytes, this.#windowBytesMax);
      }
      const base = Math.floor(offset / pageBytes) * pageBytes;
      const end = Math.min(base + Math.max(this.#windowBytes, offset - base + wanted), this.#fileBytes);
      const chunk = this.#read(base, end - base);
      if (this.#isWhole) this.#readAhead(end);
      this.#chunk = await chunk;
    }
    const { base, bytes } = this.#chunk;
    const isInOrder = before !== noChunk && offset >= before.base && base <= before.base + before.bytes.length;
    if (isInOrder) this.#readAhead(base + bytes.length);
    if (offset >= base) return bytes.subarray(offset - base, offset - base + wanted);
    return Buffer.concat([before.bytes.subarray(offset - before.base), bytes], wanted);
  }

  #readAhead(chunkEnd: ByteOffset): void {
    while (this.#ahead.length < this.#chunksAhead) {
      const base = this.#ahead.at(-1)?.end ?? chunkEnd;
      const end = Math.min(base + this.#windowBytes, this.#fileBytes);
      if (end <= base) return;
      this.#ahead.push({ end, chunk: this.#read(base, end - base) });
    }
  }

  async #read(base: ByteOffset, bytes: number): Promise<Chunk> {
    // A larger frame has memory of its own, which may stay: it would only be copied out of a shared one. Of few bytes
    // there is little to use again, and an aligned buffer takes long to make.
    const isPooled = bytes >= pooledBytesMin && bytes <= this.#windowBytesMax;
    const pooled = isPooled ? this.#buffers?.take(bytes) : undefined;
    const target = pooled?.subarray(0, alignUp(bytes, pageBytes)) ?? Buffer.allocUnsafeSlow(bytes);
    const read = await readThrough(this.#file, target, base, this.#clock, this.unreadable);
    const filled = target.subarray(0, Math.min(read, bytes));
    return pooled === undefined ? { base, bytes: filled } : { base, bytes: filled, pooled };
  }
}
