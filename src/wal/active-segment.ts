/** The segment that groups are written into: its file, where the next group goes, and how it is written fast. */
import type { Clock } from '../base/clock.ts';
import { type Disk, type DiskFile, pageBytes } from '../base/disk.ts';
import { type ByteOffset, kib, mib } from '../base/units.ts';
import type { LogDirectory } from './segment-files.ts';
import type { SegmentInfo } from './segment-info.ts';

/** Groups up to this go into space that was filled with zeros ahead: 7.6–10.7 k/s against 4.9–6.2 k/s appending. */
const smallGroupBytes: number = 64 * kib;
const fillAheadBytes: number = mib;
/** Up to this a group may be written while the thread waits: no thread pool, 8–10 k/s against 6.5 k/s (0020). */
const waitingWriteBytesMax: number = 128 * kib;
/** A write slower than this sends the next ones through the thread pool. */
const waitingWriteMsMax = 1;
/** So many groups go through the thread pool after a slow one: 1 % slow ones keep to the rule above. */
const groupsAfterSlowWrite = 100;

/** One at a time; closed by whoever starts the next. */
export class ActiveSegment {
  readonly info: SegmentInfo;
  readonly directory: LogDirectory;
  /** Groups end at or before this offset. */
  readonly limit: ByteOffset;
  readonly file: DiskFile;
  readonly #disk: Disk;
  readonly #clock: Clock;
  #groupsToPool = 0;
  #zeros: Buffer | undefined;

  constructor(parts: {
    readonly info: SegmentInfo;
    readonly directory: LogDirectory;
    readonly limit: ByteOffset;
    readonly file: DiskFile;
    readonly disk: Disk;
    readonly clock: Clock;
  }) {
    this.info = parts.info;
    this.directory = parts.directory;
    this.limit = parts.limit;
    this.file = parts.file;
    this.#disk = parts.disk;
    this.#clock = parts.clock;
  }

  /**
   * Writes a whole group at `offset`; durable when it resolves, if the file writes through. `mayWait`: nobody else has
   * a write to make on this thread, so that it may wait for this one.
   */
  async write(group: Buffer, offset: ByteOffset, mayWait: boolean): Promise<void> {
    const end = offset + group.length;
    if (group.length <= smallGroupBytes && end > this.info.fileBytes) await this.#fillAhead();
    if (mayWait && group.length <= waitingWriteBytesMax && this.#groupsToPool === 0) {
      const startMs = this.#clock.monotonicMs();
      this.file.writeSync(group, offset);
      if (this.#clock.monotonicMs() - startMs > waitingWriteMsMax) this.#groupsToPool = groupsAfterSlowWrite;
    } else {
      if (this.#groupsToPool > 0) this.#groupsToPool -= 1;
      await this.file.write(group, offset);
    }
    if (end > this.info.fileBytes) this.info.fileBytes = end;
  }

  async #fillAhead(): Promise<void> {
    const from = this.info.fileBytes;
    const bytes = Math.min(fillAheadBytes, Math.floor((this.limit - from) / pageBytes) * pageBytes);
    if (bytes <= 0) return;
    this.#zeros ??= this.#disk.allocate(Math.min(fillAheadBytes, bytes)).fill(0);
    // Also where it fails for want of room: the error may be its sync's, and then the file is not to be touched again.
    await this.file.write(this.#zeros.subarray(0, Math.min(bytes, this.#zeros.length)), from);
    this.info.fileBytes = from + Math.min(bytes, this.#zeros.length);
  }
}
