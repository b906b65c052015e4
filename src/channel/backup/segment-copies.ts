/**
 * Copies of segments, made while their owner may go on: each is read and written, never linked, so that no block is
 * shared. A segment grows at its end only; one that was used again meanwhile says so by its epoch. A copy has the bytes
 * of the original but for the channel's id in both header pages.
 */
import { basename } from 'node:path';
import type { Clock } from '../../base/clock.ts';
import { type Disk, type DiskFile, pageBytes } from '../../base/disk.ts';
import { systemCode } from '../../base/errors.ts';
import { type ByteOffset, mib, type SegmentId } from '../../base/units.ts';
import { readThrough } from '../../wal/byte-window.ts';
import { firstGroupOffset, type SegmentHeader, writeSegmentHeader } from '../../wal/segment/segment-header.ts';
import { readFileHeader } from '../../wal/segment-files.ts';
import type { SegmentInfo } from '../../wal/segment-info.ts';
import type { BackupDestination } from './destination.ts';

const chunkBytes: number = mib;

/** What copies are made with. */
export interface CopyOptions {
  readonly disk: Disk;
  readonly clock: Clock;
  readonly destination: BackupDestination;
  /** The copy's. */
  readonly channelId: string;
  readonly signal: AbortSignal | undefined;
  readonly onBytes: (bytes: number) => void;
}

interface SegmentCopy {
  readonly path: string;
  readonly epoch: string;
  /** What the header said before anything was copied: another one where it is damaged or another file's. */
  readonly headerEpoch: string | undefined;
  /** Copied so far. */
  bytes: number;
}

/** See above. One call at a time. */
export class SegmentCopies {
  readonly #options: CopyOptions;
  readonly #copies: Map<SegmentId, SegmentCopy> = new Map();

  constructor(options: CopyOptions) {
    this.#options = options;
  }

  /** How much of the segment is still to be copied. */
  missingBytes({ id, epoch }: SegmentInfo, to: ByteOffset): number {
    const copy = this.#copies.get(id);
    return Math.max(0, to - (copy?.epoch === epoch ? copy.bytes : 0));
  }

  /**
   * Copies the segment up to `to`, as far as that is not done yet. False where it is not there any more. `isAtRest`: no
   * owner was running when it was listed.
   * @throws The signal's reason; what the disk answers.
   */
  async copy(segment: SegmentInfo, to: ByteOffset, isAtRest: boolean): Promise<boolean> {
    if (this.missingBytes(segment, to) === 0) return true;
    const { disk } = this.#options;
    let source: DiskFile;
    try {
      source = await disk.open(segment.path, { mode: 'read' });
    } catch (error) {
      if (systemCode(error) === 'ENOENT') return false;
      throw error;
    }
    try {
      return await this.#copyFrom(source, segment, to, isAtRest);
    } finally {
      await source.close();
    }
  }

  /** Leaves the copies of `kept`, each as long as given, durable; the others go. Answers their bytes. */
  async finish(kept: ReadonlyMap<SegmentId, ByteOffset>): Promise<number> {
    const { disk, destination } = this.#options;
    let bytes = 0;
    for (const [id, { path }] of this.#copies) {
      const end = kept.get(id);
      if (end === undefined) {
        await destination.remove(path);
        continue;
      }
      const file = await disk.open(path, { mode: 'write' });
      try {
        await file.truncate(end);
        await file.sync();
      } finally {
        await file.close();
      }
      bytes += end;
    }
    return bytes;
  }

  async #copyFrom(source: DiskFile, segment: SegmentInfo, to: ByteOffset, isAtRest: boolean): Promise<boolean> {
    const { disk } = this.#options;
    const copy = await this.#copyOf(source, segment);
    if (copy.headerEpoch !== undefined && copy.headerEpoch !== segment.epoch && !isAtRest) return false;
    const target = await disk.open(copy.path, { mode: 'write' });
    try {
      const end = await this.#transfer(source, target, copy.bytes, to);
      // Its header is written before anything else is: what was read before it changed was the segment's own.
      if ((await this.#headerOf(source, segment))?.epoch !== copy.headerEpoch) return false;
      copy.bytes = end;
      return true;
    } finally {
      await target.close();
    }
  }

  /** A copy that has its header pages. */
  async #copyOf(source: DiskFile, segment: SegmentInfo): Promise<SegmentCopy> {
    const { disk, clock, destination, channelId } = this.#options;
    const { id, epoch, path } = segment;
    const known = this.#copies.get(id);
    if (known?.epoch === epoch) return known;
    const header = await this.#headerOf(source, segment);
    const pages = Buffer.alloc(firstGroupOffset);
    // Where neither page holds, the copy's do not either: an open takes the rest from the groups, there as here.
    if (header === undefined) await readThrough(source, pages, 0, clock, []);
    else writeSegmentHeader({ ...header, channelId }, pages);
    const copyPath = destination.willMake(basename(path));
    await disk.unlink(copyPath);
    const file = await disk.open(copyPath, { mode: 'create' });
    await file.write(pages, 0).finally(() => file.close());
    this.#options.onBytes(firstGroupOffset);
    const copy = { path: copyPath, epoch, headerEpoch: header?.epoch, bytes: firstGroupOffset };
    this.#copies.set(id, copy);
    return copy;
  }

  async #transfer(source: DiskFile, target: DiskFile, from: ByteOffset, to: ByteOffset): Promise<ByteOffset> {
    const { clock, signal, onBytes } = this.#options;
    const chunk = Buffer.allocUnsafe(Math.min(chunkBytes, Math.max(pageBytes, to - from)));
    let at = from;
    while (at < to) {
      signal?.throwIfAborted();
      const part = chunk.subarray(0, Math.min(chunk.length, to - at));
      const read = await readThrough(source, part, at, clock, []);
      if (read === 0) break;
      await target.write(part.subarray(0, read), at);
      at += read;
      onBytes(read);
    }
    return at;
  }

  async #headerOf(source: DiskFile, { epoch }: SegmentInfo): Promise<SegmentHeader | undefined> {
    return (await readFileHeader(source, this.#options.clock, (one) => one.epoch === epoch)).header;
  }
}
