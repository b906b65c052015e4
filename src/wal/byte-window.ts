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

/** See above. One caller at a time. */
export class ByteWindow {
  readonly unreadable: UnreadableBytes[] = [];
  readonly #file: DiskFile;
  readonly #clock: Clock;
  readonly #windowBytes: number;
  readonly #readsAhead: boolean;
  #scratch: Buffer | undefined;
  #fileBytes: number;
  #buffer: Buffer = Buffer.alloc(0);
  #base: ByteOffset = 0;

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
    const at = offset - this.#base;
    if (at >= 0 && at + wanted <= this.#buffer.length) return this.#buffer.subarray(at, at + wanted);
    return this.#load(offset, wanted);
  }

  /** Whether `[from, to)` touches a page that could not be read. */
  isUnreadable(from: ByteOffset, to: ByteOffset): boolean {
    return this.unreadable.some((range) => range.from < to && from < range.to);
  }

  /** Brings the next window into the system's cache while this one is used. What it answers is not used. */
  #warm(offset: ByteOffset): void {
    const bytes = Math.min(this.#windowBytes, this.#fileBytes - offset);
    if (bytes <= 0) return;
    this.#scratch ??= Buffer.allocUnsafeSlow(this.#windowBytes);
    this.#file.read(this.#scratch.subarray(0, bytes), offset).catch(() => undefined);
  }

  async #load(offset: ByteOffset, wanted: number): Promise<Buffer> {
    const base = Math.floor(offset / pageBytes) * pageBytes;
    const bytes = Math.min(Math.max(this.#windowBytes, offset - base + wanted), this.#fileBytes - base);
    const buffer = Buffer.allocUnsafeSlow(bytes);
    const read = await readThrough(this.#file, buffer, base, this.#clock, this.unreadable);
    this.#buffer = buffer.subarray(0, read);
    this.#base = base;
    if (this.#readsAhead) this.#warm(base + bytes);
    return this.#buffer.subarray(offset - base, offset - base + wanted);
  }
}
