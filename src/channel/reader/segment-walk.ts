/**
 * Reads one segment of a view from its first group to where its log ends. Beside a running owner a segment can be used
 * again in the middle of it: then the walk says so, and what it found of it counts for nothing.
 */
import type { DiskFile } from '../../base/disk.ts';
import { systemCode } from '../../base/errors.ts';
import type { ByteOffset } from '../../base/units.ts';
import { mib } from '../../base/units.ts';
import type { BufferPool } from '../../wal/buffer-pool.ts';
import { openThrough } from '../../wal/byte-window.ts';
import { PayloadReader } from '../../wal/frame-payload.ts';
import type { ReadGroup } from '../../wal/group-reader.ts';
import { firstGroupOffset, type SegmentHeader } from '../../wal/segment/segment-header.ts';
import { readFileHeader } from '../../wal/segment-files.ts';
import type { SegmentInfo } from '../../wal/segment-info.ts';
import { type ScanStep, SegmentScanner } from '../../wal/segment-scanner.ts';
import { checksumOf } from '../../wal/settled-places.ts';
import type { ChannelView } from './channel-view.ts';

/**
 * `verify` of 2 GB, nothing cached, disk alone 1.0–1.1 GB/s by dd: one read of 1 MiB ahead 0.5 GB/s, 2 of 1 MiB
 * 0.8–1.0, 2 of 4 MiB 1.2–1.3. Of 10 GB: through the system's cache 0.5–0.8 GB/s, past it 1.7, dd then 1.1–1.4.
 */
const windowBytes: number = 4 * mib;
const chunksAhead = 2;

/** How much of the groups is looked at. */
export interface WalkOptions {
  /** Also the payloads of puts; else only what stands around them. */
  readonly checksPuts: boolean;
  /** Read past the system's cache, into these. What a step holds is then good until the next one only. */
  readonly buffers?: BufferPool;
}

/** One segment, open. */
export class SegmentWalk {
  readonly segment: SegmentInfo;
  readonly payloads: PayloadReader;
  /** Of its two header pages, those that do not hold. */
  readonly damagedPages: number;
  readonly #view: ChannelView;
  readonly #file: DiskFile;
  readonly #scanner: SegmentScanner;

  private constructor(
    view: ChannelView,
    segment: SegmentInfo,
    opened: { readonly file: DiskFile; readonly damagedPages: number; readonly scanner: SegmentScanner },
  ) {
    this.segment = segment;
    this.#view = view;
    this.#file = opened.file;
    this.#scanner = opened.scanner;
    this.damagedPages = opened.damagedPages;
    this.payloads = new PayloadReader(view.storage, segment);
  }

  /** Undefined where the segment is there no more: the owner let it go, or its directory is absent. */
  static async open(
    view: ChannelView,
    segment: SegmentInfo,
    { checksPuts, buffers }: WalkOptions,
  ): Promise<SegmentWalk | undefined> {
    const { clock } = view;
    if (segment.absent) return undefined;
    const file = await openUnlessGone(view, segment.path, buffers !== undefined);
    if (file === undefined) return undefined;
    const isOwn = ({ epoch: one }: SegmentHeader) => one === segment.epoch;
    const { header, damagedPages } = await readFileHeader(file, clock, isOwn);
    if (view.owner !== 'none' && header !== undefined && header.epoch !== segment.epoch) {
      await file.close();
      return undefined;
    }
    const { epoch, recycled, tailEndSequence, resumeSequence, endOffset, nextSequence } = segment;
    const scanner = new SegmentScanner(
      {
        file,
        fileBytes: endOffset,
        epoch,
        recycled,
        clock,
        end: { offset: endOffset, nextSequence },
        tailEndSequence,
        resumeSequence,
        checkPuts: checksPuts,
        reading: { windowBytes, chunksAhead, isWhole: true, buffers },
      },
      {
        offset: firstGroupOffset,
        serial: segment.firstSerial,
        previousCrc: undefined,
        generation: 0,
        nextSequence: segment.firstSequence,
      },
    );
    return new SegmentWalk(view, segment, { file, damagedPages, scanner });
  }

  /** Where the walk stands. */
  get offset(): ByteOffset {
    return this.#scanner.position.offset;
  }

  /** The next group or damage; undefined at the end. What a group holds is good until the next call. */
  async next(): Promise<{ readonly kind: 'group'; readonly group: ReadGroup } | DamageStep | undefined> {
    this.#scanner.window.recycle();
    const step = await this.#scanner.next();
    return step.kind === 'end' ? undefined : step;
  }

  /** CRC-32 of bytes of its file, as they are there; undefined where they cannot be read. */
  checksum(offset: ByteOffset, bytes: number): Promise<number | undefined> {
    return checksumOf(this.#file, offset, bytes, this.#view.clock);
  }

  /** Whether it is still the segment that it was. */
  async isStill(): Promise<boolean> {
    if (this.#view.owner === 'none') return true;
    const { header } = await readFileHeader(this.#file, this.#view.clock);
    return header === undefined || header.epoch === this.segment.epoch;
  }

  async close(): Promise<void> {
    await this.#scanner.window.release();
    // Nothing was written to it.
    await this.#file.close().catch(() => undefined);
  }
}

/** An owner may have let go of it since it was listed. */
async function openUnlessGone(
  { disk, clock }: ChannelView,
  path: string,
  pastCache: boolean,
): Promise<DiskFile | undefined> {
  try {
    return await disk.open(path, { mode: 'read', pastCache });
  } catch (error) {
    return systemCode(error) === 'ENOENT' ? undefined : await openThrough(disk, path, clock);
  }
}

/** Nothing that fits stands there. */
export type DamageStep = ScanStep & { readonly kind: 'damage' };
