/** Whether there is room for another segment, and which drained segments are kept for replay. */
import { ForebayError } from '../base/errors.ts';
import type { FreePool } from './free-pool.ts';
import type { LogOptions } from './log-options.ts';
import type { LogDirectory } from './segment-files.ts';
import type { SegmentInfo } from './segment-info.ts';

/** See above. */
export class DiskRoom {
  readonly #options: LogOptions;
  readonly #pool: FreePool;

  constructor(options: LogOptions, pool: FreePool) {
    this.#options = options;
    this.#pool = pool;
  }

  /** Why no segment of `bytes` (or the usual size, if more) can be started for a put; undefined where one can. */
  async refusal(
    segments: readonly SegmentInfo[],
    bytes: number,
    directories: readonly LogDirectory[],
  ): Promise<ForebayError | undefined> {
    const { segmentBytes, maxDiskBytes, disk } = this.#options;
    if (this.#pool.hasSpare) {
      if (bytes <= segmentBytes) return undefined;
      await this.#pool.dropSpares();
    }
    const wanted = Math.max(segmentBytes, bytes);
    const used = segments.reduce((sum, segment) => sum + segment.fileBytes, 0) + this.#pool.bytes;
    if (used + this.#pool.missingBytes + wanted > maxDiskBytes) return overQuota(used, maxDiskBytes);
    if (!this.#pool.hasReserve && !(await this.#pool.fillReserve(directories))) return this.#full(directories, 0);
    for (const directory of directories) {
      // Where the disk does not say, the write will.
      const free = await disk.freeBytes(directory.path).catch(() => Number.POSITIVE_INFINITY);
      if (free - wanted >= this.#options.minimumFreeBytes) return undefined;
    }
    return this.#full(directories, this.#options.minimumFreeBytes + wanted);
  }

  /** Whether a drained segment is still kept for rewind and replay. A time in the future counts as now (rule 15). */
  isRetained(segment: SegmentInfo, drained: readonly SegmentInfo[]): boolean {
    const { retentionMs, retentionBytes, clock } = this.#options;
    if (segment.maxTimeMs === 0 || (retentionMs === 0 && retentionBytes === 0)) return false;
    const ageMs = Math.max(0, clock.wallMs() - segment.maxTimeMs);
    const young = retentionMs > 0 && ageMs < retentionMs;
    if (retentionBytes === 0) return young;
    const newer = drained.filter((other) => other.id >= segment.id);
    const fits = newer.reduce((sum, other) => sum + other.fileBytes, 0) <= retentionBytes;
    return fits && (young || retentionMs === 0);
  }

  #full(directories: readonly LogDirectory[], expected: number): ForebayError {
    const path = directories[0]?.path ?? '';
    return new ForebayError(
      'DISK_FULL',
      `less than minimumFreeBytes and a segment is free on ${path}: takes go on; puts resume when there is room`,
      { path, expected, outcome: 'notStored' },
    );
  }
}

function overQuota(used: number, maxDiskBytes: number): ForebayError {
  return new ForebayError(
    'DISK_FULL',
    `another segment would pass maxDiskBytes: takes go on; puts resume by themselves when segments are free again`,
    { expected: maxDiskBytes, actual: used, outcome: 'notStored' },
  );
}
