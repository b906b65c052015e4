/**
 * Reads one segment of a view from its first group to where its log ends. Beside a running owner a segment can be used
 * again in the middle of it: then the walk says so, and what it found of it counts for nothing.
 */
import type { DiskFile } from '../../base/disk.ts';
import { systemCode } from '../../base/errors.ts';
import type { ByteOffset } from '../../base/units.ts';
import { mib } from '../../base/units.ts';
import { openThrough } from '../../wal/byte-window.ts';
import { PayloadReader } from '../../wal/frame-payload.ts';
import type { ReadGroup } from '../../wal/group-reader.ts';
import { firstGroupOffset } from '../../wal/segment/segment-header.ts';
import { readFileHeader } from '../../wal/segment-files.ts';
import type { SegmentInfo } from '../../wal/segment-info.ts';
import { type ScanStep, SegmentScanner } from '../../wal/segment-scanner.ts';
import type { ChannelView } from './channel-view.ts';

/** Read at once: near the disk's own rate. */
const windowBytes: number = mib;

/** How much of the groups is looked at. */
export interface WalkOptions {
  /** Also the payloads of puts; else only what stands around them. */
  readonly checksPuts: boolean;
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
    { checksPuts }: WalkOptions,
  ): Promise<SegmentWalk | undefined> {
    const { clock } = view;
    if (segment.absent) return undefined;
    const file = await openUnlessGone(view, segment.path);
    if (file === undefined) return undefined;
    const { header, damagedPages } = await readFileHeader(file, clock);
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
        windowBytes,
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
    const step = await this.#scanner.next();
    return step.kind === 'end' ? undefined : step;
  }

  /** Whether it is still the segment that it was. */
  async isStill(): Promise<boolean> {
    if (this.#view.owner === 'none') return true;
    const { header } = await readFileHeader(this.#file, this.#view.clock);
    return header === undefined || header.epoch === this.segment.epoch;
  }

  async close(): Promise<void> {
    // Nothing was written to it.
    await this.#file.close().catch(() => undefined);
  }
}

/** An owner may have let go of it since it was listed. */
async function openUnlessGone({ disk, clock }: ChannelView, path: string): Promise<DiskFile | undefined> {
  try {
    return await disk.open(path, { mode: 'read' });
  } catch (error) {
    return systemCode(error) === 'ENOENT' ? undefined : await openThrough(disk, path, clock);
  }
}

/** Nothing that fits stands there. */
export type DamageStep = ScanStep & { readonly kind: 'damage' };
