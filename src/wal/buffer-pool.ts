/**
 * Aligned buffers for groups, used again: a fresh megabyte costs its page faults, which at full speed is a tenth
 * of a core.
 */
import type { Disk } from '../base/disk.ts';
import { kib, mib } from '../base/units.ts';

/** The sizes kept; a group grows from one to the next. The largest holds a full group (groupBytesMax). */
const sizes: readonly number[] = [64 * kib, 256 * kib, mib, 4 * mib, 8 * mib];
/** One on its way, one that fills, one spare. */
const keptPerSizeMax = 3;

/** See above. What was taken must be given back at most once. */
export class BufferPool {
  readonly #disk: Disk;
  readonly #free = new Map<number, Buffer[]>();

  constructor(disk: Disk) {
    this.#disk = disk;
  }

  /** An aligned buffer of at least `bytes`. Its content is whatever it was. */
  take(bytes: number): Buffer {
    const size = sizes.find((candidate) => candidate >= bytes) ?? Math.ceil(bytes / 4096) * 4096;
    return this.#free.get(size)?.pop() ?? this.#disk.allocate(size);
  }

  /** Gives back a buffer that nothing refers to any more. */
  give(buffer: Buffer): void {
    if (!sizes.includes(buffer.length)) return;
    const kept = this.#free.get(buffer.length) ?? [];
    if (kept.length < keptPerSizeMax) kept.push(buffer);
    this.#free.set(buffer.length, kept);
  }
}
