/**
 * Walks the groups of one segment in order and says, step by step, what stands there. The same walk serves recovery
 * (where the log ends is unknown), delivery and verification (it is known). What a finding means is decided by
 * recovery-table.ts.
 */
import { isZero } from '../base/bytes.ts';
import type { Clock } from '../base/clock.ts';
import { type DiskFile, pageBytes } from '../base/disk.ts';
import type { ByteOffset, Sequence, Serial } from '../base/units.ts';
import { ByteWindow, type ReadingAhead } from './byte-window.ts';
import { groupEnd, type ReadGroup, readGroupFrames } from './group-reader.ts';
import { decide, type Finding } from './recovery-table.ts';
import { carriesEpoch, type GroupHeader, readGroupHeader } from './segment/group-header.ts';

/** What the next group must continue. */
export interface ScanPosition {
  readonly offset: ByteOffset;
  readonly serial: Serial;
  /** Undefined where the group before is not known. */
  readonly previousCrc: number | undefined;
  readonly generation: number;
  readonly nextSequence: Sequence;
}

/** What is walked, and what is known of it. */
export interface ScanOptions {
  readonly file: DiskFile;
  readonly fileBytes: number;
  readonly epoch: string;
  readonly recycled: boolean;
  readonly clock: Clock;
  /** Where the log of this segment ends, if known: everything before it was durable. */
  readonly end: { readonly offset: ByteOffset; readonly nextSequence: Sequence } | undefined;
  /** The gap its sequences may have: see segment-header.ts. */
  readonly tailEndSequence: Sequence;
  readonly resumeSequence: Sequence;
  readonly checkPuts: boolean;
  /** Given where much is read in order. */
  readonly reading?: ReadingAhead;
}

/** What stands at the position of the walk. */
export type ScanStep =
  | { readonly kind: 'group'; readonly group: ReadGroup }
  /** Damage: nothing that fits from `from` to `to`; the events from `lostFrom` up to, without, `lostTo` stood there. */
  | {
      readonly kind: 'damage';
      readonly from: ByteOffset;
      readonly to: ByteOffset;
      readonly lostFrom: Sequence;
      readonly lostTo: Sequence;
      readonly unreadable: boolean;
    }
  /** `tailBytes` > 0: bytes that are no log stand behind the end. `sequenceMax`: the largest any of them names. */
  | {
      readonly kind: 'end';
      readonly offset: ByteOffset;
      readonly tailBytes: number;
      readonly sequenceMax: Sequence;
      readonly decision: 'endOfLog' | 'endWithTail';
    };

/** One walk; one caller at a time. */
export class SegmentScanner {
  readonly window: ByteWindow;
  #options: ScanOptions;
  #position: ScanPosition;

  constructor(options: ScanOptions, start: ScanPosition) {
    this.#options = options;
    this.#position = start;
    this.window = new ByteWindow(
      options.file,
      options.end?.offset ?? options.fileBytes,
      options.clock,
      options.reading,
    );
  }

  /** The segment's log has grown: its end is there now. */
  extendTo(end: { readonly offset: ByteOffset; readonly nextSequence: Sequence }): void {
    this.#options = { ...this.#options, end };
    this.window.extendTo(end.offset);
  }

  /** Where the walk stands, and what it expects there. */
  get position(): ScanPosition {
    return this.#position;
  }

  async next(): Promise<ScanStep> {
    const { offset } = this.#position;
    const { end, fileBytes, epoch } = this.#options;
    if (end !== undefined && offset >= end.offset) return endStep(offset, 0, 0, 'endOfLog');
    const page = await this.window.view(offset, pageBytes);
    const header = readGroupHeader(page, 0, epoch, offset);
    if (header !== undefined && this.#fits(header)) return this.#group(header);
    if (offset >= fileBytes && end === undefined) return endStep(offset, 0, 0, 'endOfLog');
    return this.#anomaly(header);
  }

  #fits(header: GroupHeader): boolean {
    const { serial, previousCrc, generation, nextSequence } = this.#position;
    if (header.serial !== serial || header.nextSequence !== nextSequence) return false;
    if (previousCrc !== undefined && header.previousCrc !== previousCrc) return false;
    return header.generation >= generation;
  }

  async #group(header: GroupHeader): Promise<ScanStep> {
    const view = (offset: ByteOffset, bytes: number) => this.window.view(offset, bytes);
    const group = await readGroupFrames(header, view, this.#options.checkPuts);
    this.#position = this.#after(header);
    return { kind: 'group', group };
  }

  /** What follows sequence `next` − 1 in this segment: the gap behind a rewritten tail is passed over. */
  afterSequence(next: Sequence): Sequence {
    return next === this.#options.tailEndSequence ? this.#options.resumeSequence : next;
  }

  #after(header: GroupHeader): ScanPosition {
    return {
      offset: groupEnd(header),
      serial: header.serial + 1,
      previousCrc: header.crc,
      generation: header.generation,
      nextSequence: this.afterSequence(header.nextSequence + header.events),
    };
  }

  /** No group that fits at the position: looks at every later page for one that proves that something stood here. */
  async #anomaly(header: GroupHeader | undefined): Promise<ScanStep> {
    const from = this.#position;
    const { end } = this.#options;
    const search = await this.#search();
    const found: Finding = header === undefined ? search.found : 'voidGroup';
    const proven = end !== undefined || search.next !== undefined;
    const decision = decide(found, proven);
    if (decision !== 'skipToNextGroup') {
      const tail = decision === 'endWithTail' ? search.lastByte - from.offset : 0;
      return endStep(from.offset, Math.max(0, tail), search.sequenceMax, tail > 0 ? 'endWithTail' : 'endOfLog');
    }
    const to = search.next?.offset ?? (end as NonNullable<typeof end>).offset;
    const lostTo = search.next?.nextSequence ?? (end as NonNullable<typeof end>).nextSequence;
    this.#position = {
      offset: to,
      serial: search.next?.serial ?? from.serial,
      previousCrc: undefined,
      generation: search.next?.generation ?? from.generation,
      nextSequence: lostTo,
    };
    const unreadable = this.window.isUnreadable(from.offset, to);
    return { kind: 'damage', from: from.offset, to, lostFrom: from.nextSequence, lostTo, unreadable };
  }

  async #search(): Promise<Search> {
    const { epoch, end, fileBytes, recycled } = this.#options;
    const { offset, serial, generation } = this.#position;
    const limit = end?.offset ?? fileBytes;
    let lastByte = offset;
    let sequenceMax = 0;
    let next: GroupHeader | undefined;
    await this.window.eachPage(offset, limit, (page, at) => {
      const header = readGroupHeader(page, 0, epoch, at);
      if (header !== undefined) {
        const proves = end !== undefined || header.provenSerial >= serial;
        const later = header.serial > serial && header.generation >= generation && proves;
        if (later) {
          next = header;
          return true;
        }
        sequenceMax = Math.max(sequenceMax, header.nextSequence + header.events - 1);
      }
      // A file used before is full of other segments' bytes: only what carries this epoch can be ours.
      const ours = recycled ? header !== undefined || carriesEpoch(page, 0, epoch) : !isZero(page);
      if (ours || this.window.isUnreadable(at, at + page.length)) lastByte = at + page.length;
      return false;
    });
    if (next !== undefined) return { next, found: 'otherBytes', lastByte, sequenceMax };
    const found = lastByte > offset ? 'otherBytes' : 'nothingThere';
    return { next: undefined, found, lastByte, sequenceMax };
  }
}

interface Search {
  readonly next: GroupHeader | undefined;
  readonly found: 'nothingThere' | 'otherBytes';
  readonly lastByte: ByteOffset;
  readonly sequenceMax: Sequence;
}

function endStep(
  offset: ByteOffset,
  tailBytes: number,
  sequenceMax: Sequence,
  decision: 'endOfLog' | 'endWithTail',
): ScanStep {
  return { kind: 'end', offset, tailBytes, sequenceMax, decision };
}
