/**
 * The second half of recovery: replays the segments from the base on, group by group. A group counts once a later
 * one proves it; what stays unproven at the end is the tail, kept apart to be rewritten before any use.
 */

import { alignUp } from '../base/bytes.ts';
import type { Clock } from '../base/clock.ts';
import { pageBytes } from '../base/disk.ts';
import { ForebayError } from '../base/errors.ts';
import type { ByteOffset, Sequence, SequenceRange, Serial } from '../base/units.ts';
import type { Damage } from './damage.ts';
import type { PayloadStorage } from './frame-payload.ts';
import { type BadFrame, groupEnd, type ReadFrame, type ReadGroup, readGroupFrames } from './group-reader.ts';
import type { LogOwner } from './log-owner.ts';
import type { Candidate } from './recovery-candidates.ts';
import { FrameFlag, type FrameHeader, FrameType, isSupportedType } from './segment/frame-header.ts';
import type { GroupHeader } from './segment/group-header.ts';
import { markEveryBytes, newSegmentInfo, type SegmentInfo, sequencesOf } from './segment-info.ts';
import type { ScanPosition, ScanStep } from './segment-scanner.ts';
import { decodeQuarantine, isCleanMark, type QuarantineEntry } from './system-frames.ts';

/** A frame of the unproven tail, to be written again. */
export interface TailFrame {
  readonly header: FrameHeader;
  /** Raw. */
  readonly payload: Buffer;
}

interface ReplayContext {
  readonly owner: LogOwner;
  readonly storage: PayloadStorage;
  readonly clock: Clock;
  readonly damages: Damage[];
}

/** Frames that speak of the log itself: never rewritten. */
const logFrames: ReadonlySet<number> = new Set([
  FrameType.state,
  FrameType.open,
  FrameType.mark,
  FrameType.seal,
  FrameType.cut,
]);

/** Stands for what cannot be decrypted. */
const unread: Buffer = Buffer.alloc(0);

/** One replay, segment by segment, ascending; its fields are the result. */
export class ChainReplay {
  readonly segments: SegmentInfo[] = [];
  readonly quarantine: QuarantineEntry[] = [];
  tail: TailFrame[] = [];
  nextSequence: Sequence = 1;
  sequenceMax: Sequence = 0;
  lastSerial: Serial = 0;
  lastCrc = 0;
  foundSerial: Serial = 0;
  foundNextSequence: Sequence = 1;
  generation = 0;
  endedClean = false;
  partsMissing = false;
  position: ScanPosition | undefined;
  #isGiven: (sequence: Sequence) => boolean = () => false;
  readonly #context: ReplayContext;

  constructor(context: ReplayContext) {
    this.#context = context;
  }

  get last(): SegmentInfo | undefined {
    return this.segments.at(-1);
  }

  /**
   * Replays one segment; `successor` is the next of the chain: what it follows was all durable. `isDurable`: all of it
   * counts so without one. `isGiven`: the event with this sequence stands elsewhere too, and was put there.
   */
  async segment(
    candidate: Candidate,
    successor: Candidate | undefined,
    isDurable = false,
    isGiven: (sequence: Sequence) => boolean = () => false,
  ): Promise<void> {
    this.#isGiven = isGiven;
    this.#noticeMissing(candidate);
    const info = newSegmentInfo(candidate);
    this.segments.push(info);
    this.nextSequence = candidate.header.firstSequence;
    this.lastSerial = candidate.header.firstSerial - 1;
    // What the header continues was there, whatever becomes of the segment's own groups.
    this.foundSerial = Math.max(this.foundSerial, this.lastSerial);
    this.foundNextSequence = Math.max(this.foundNextSequence, candidate.header.previousNextSequence);
    const waiting: ReadGroup[] = [];
    let step = candidate.firstStep;
    for (; step.kind !== 'end'; step = await candidate.scanner.next()) {
      if (step.kind === 'damage') {
        for (const group of waiting.splice(0)) this.#apply(candidate, info, group);
        this.#damage(candidate, info, step);
        continue;
      }
      // What the log went on without is void, also where the successor's header is lost and does not say so.
      if (successor !== undefined && standsAgain(step.group.header, successor)) break;
      refuseUnknownTypes(candidate.path, step.group);
      const proven = successor !== undefined || isDurable ? Number.POSITIVE_INFINITY : step.group.header.provenSerial;
      while (waiting[0] !== undefined && waiting[0].header.serial <= proven) {
        this.#apply(candidate, info, waiting.shift() as ReadGroup);
      }
      waiting.push(step.group);
    }
    if (successor !== undefined || isDurable)
      for (const group of waiting.splice(0)) this.#apply(candidate, info, group);
    else await this.#finish(candidate, info, waiting, step);
  }

  #noticeMissing(candidate: Candidate): void {
    const before = this.last;
    if (before === undefined || candidate.header.previousSegmentId === before.id) return;
    if (candidate.header.previousSegmentId === 0) return;
    this.partsMissing = true;
    const to = candidate.header.previousNextSequence;
    const ranges = to > this.nextSequence ? [{ first: this.nextSequence, last: to - 1 }] : [];
    this.#context.owner.lost(ranges);
    this.#report(candidate, 0, 0, 'segmentMissing', ranges, 'the segment before this one is missing');
  }

  #apply(candidate: Candidate, info: SegmentInfo, group: ReadGroup): void {
    const { header } = group;
    noteGroup(info, header);
    // First: in a rewritten tail a record may name events of its own group.
    info.nextSequence = Math.max(info.nextSequence, header.nextSequence + header.events);
    for (const frame of group.frames) this.#replay(candidate, info, frame);
    for (const bad of group.bad) this.#badFrame(candidate, info, bad);
    if (group.paddingDamaged) {
      const end = header.offset + header.bytes;
      this.#report(
        candidate,
        end,
        groupEnd(header) - end,
        'padding',
        [],
        'padding or a sum is not as written; no event is affected',
      );
    }
    info.endOffset = groupEnd(header);
    info.endSerial = header.serial;
    this.nextSequence = candidate.scanner.afterSequence(header.nextSequence + header.events);
    this.lastSerial = header.serial;
    this.lastCrc = header.crc;
    this.#found(header);
    this.generation = Math.max(this.generation, header.generation);
    this.sequenceMax = Math.max(this.sequenceMax, header.nextSequence + header.events - 1);
  }

  #found(header: GroupHeader): void {
    this.foundSerial = header.serial;
    this.foundNextSequence = Math.max(this.foundNextSequence, header.nextSequence + header.events);
  }

  #foundFrame(header: FrameHeader): void {
    if (header.type !== FrameType.put) return;
    this.foundNextSequence = Math.max(this.foundNextSequence, header.baseSequence + header.count);
  }

  #replay(candidate: Candidate, info: SegmentInfo, frame: ReadFrame): void {
    const { header } = frame;
    if (logFrames.has(header.type) || header.type >= 128) return;
    const isBeyondReach = candidate.payloads.isBeyondReach(header);
    // Without its key a record cannot be replayed; of a put the header says all that counts.
    if (isBeyondReach && header.type !== FrameType.put) return;
    const payload = frame.payload === undefined ? undefined : candidate.payloads.restore(header, frame.payload);
    const isUnread = frame.payload !== undefined && payload === undefined && !isBeyondReach;
    if (header.type === FrameType.quarantine) {
      const entries = payload === undefined ? undefined : applyQuarantine(this.#context.owner, payload);
      if (entries !== undefined) this.quarantine.push(...entries);
      return;
    }
    const { type, codec, baseSequence, count } = header;
    if (type === FrameType.put && this.#isGiven(baseSequence)) return;
    const explicit = (header.flags & FrameFlag.explicit) !== 0;
    const named = isUnread
      ? undefined
      : this.#context.owner.replay({ type, codec, explicit, baseSequence, count, payload });
    const place = { offset: frame.offset, bytes: header.storedBytes + 40 };
    if (named === undefined) {
      const isPut = type === FrameType.put;
      const bad = { ...place, header, lostFrom: baseSequence, lostTo: isPut ? baseSequence + count : baseSequence };
      this.#badFrame(candidate, info, bad);
    } else if (type !== FrameType.put && named >= Math.max(this.nextSequence, info.nextSequence)) {
      this.sequenceMax = Math.max(this.sequenceMax, named);
      const text = `a record names sequence ${named}, which the log has not given; new events continue behind it`;
      this.#report(candidate, place.offset, place.bytes, 'record', [], text);
    }
  }

  #badFrame(candidate: Candidate, info: SegmentInfo, bad: BadFrame): void {
    const ranges = bad.lostTo > bad.lostFrom ? [{ first: bad.lostFrom, last: bad.lostTo - 1 }] : [];
    this.#context.owner.lost(ranges);
    const kind = ranges.length > 0 ? 'frame' : 'record';
    const ofTheLog = bad.header !== undefined && logFrames.has(bad.header.type);
    const text =
      ranges.length > 0
        ? 'this transaction does not hold: its events are lost'
        : ofTheLog
          ? 'a record that the log keeps for itself does not hold: nothing is lost by it'
          : 'this record does not hold: what it acknowledged or noted comes back as it was before';
    this.#report(candidate, bad.offset, bad.bytes, kind, ranges, text);
    this.#quarantineEntry(info, bad.offset, bad.bytes, kind, ranges);
  }

  #damage(candidate: Candidate, info: SegmentInfo, step: ScanStep & { kind: 'damage' }): void {
    const ranges = givenBetween(info, step.lostFrom, step.lostTo);
    this.#context.owner.lost(ranges);
    const kind = step.unreadable ? 'unreadable' : 'group';
    this.#report(candidate, step.from, step.to - step.from, kind, ranges, 'no group that fits stands here');
    this.#quarantineEntry(info, step.from, step.to - step.from, kind, ranges);
    if (step.unreadable) info.pinned = true;
    info.nextSequence = Math.max(info.nextSequence, step.lostTo);
    // Known and counted: not what a checkpoint would have to tell.
    this.foundNextSequence = Math.max(this.foundNextSequence, step.lostTo);
    info.endOffset = step.to;
    this.nextSequence = step.lostTo;
  }

  #quarantineEntry(
    info: SegmentInfo,
    offset: ByteOffset,
    bytes: number,
    kind: QuarantineEntry['kind'],
    ranges: readonly SequenceRange[],
  ): void {
    if (ranges.length > 0) this.quarantine.push({ segmentId: info.id, offset, bytes, kind, ranges });
  }

  /** The newest segment's end: a clean MARK, or the tail. */
  async #finish(candidate: Candidate, info: SegmentInfo, waiting: readonly ReadGroup[], step: ScanStep): Promise<void> {
    const end = step as ScanStep & { kind: 'end' };
    this.sequenceMax = Math.max(this.sequenceMax, end.sequenceMax);
    const only = waiting.length === 1 ? (waiting[0] as ReadGroup) : undefined;
    if (only !== undefined && end.tailBytes === 0 && isCleanEnd(candidate, only)) {
      this.#apply(candidate, info, only);
      this.endedClean = true;
      this.position = candidate.scanner.position;
      return;
    }
    let whole = true;
    for (const group of waiting) {
      if (whole) whole = await this.#keepTail(candidate, group);
      else this.#reportTail(candidate, group.header.offset, alignUp(group.header.bytes, pageBytes));
    }
    if (end.decision === 'endWithTail') this.#reportTail(candidate, end.offset, end.tailBytes);
  }

  /** Rows 1b and 3. False where a frame of it does not hold: nothing behind it counts. */
  async #keepTail(candidate: Candidate, found: ReadGroup): Promise<boolean> {
    const view = (offset: ByteOffset, bytes: number) => candidate.scanner.window.view(offset, bytes);
    const group = await readGroupFrames(found.header, view, true);
    const firstBad = Math.min(...group.bad.map((bad) => bad.offset));
    const { header } = group;
    this.generation = Math.max(this.generation, header.generation);
    this.sequenceMax = Math.max(this.sequenceMax, header.nextSequence + header.events - 1);
    for (const frame of group.frames) {
      if (frame.offset > firstBad) break;
      if (logFrames.has(frame.header.type)) continue;
      const isUnread = candidate.payloads.isBeyondReach(frame.header);
      const payload = isUnread ? unread : candidate.payloads.restore(frame.header, frame.payload as Buffer);
      if (payload === undefined) {
        this.#reportTail(candidate, frame.offset, header.offset + header.bytes - frame.offset);
        return false;
      }
      this.tail.push({ header: frame.header, payload: Buffer.from(payload) });
    }
    const good = group.bad.length === 0;
    if (good) this.#found(header);
    else for (const { header: frame } of this.tail) this.#foundFrame(frame);
    const end = header.offset + header.bytes;
    if (!good) this.#reportTail(candidate, firstBad, end - firstBad);
    else if (group.paddingDamaged) this.#reportTail(candidate, end, groupEnd(header) - end);
    return good;
  }

  #reportTail(candidate: Candidate, offset: ByteOffset, bytes: number): void {
    const unread = candidate.scanner.window.isUnreadable(offset, offset + bytes);
    const text = unread
      ? 'bytes behind the last group that is known to be durable cannot be read: they are left where they are'
      : 'bytes behind the last group that is known to be durable: a write that was cut off; an open sets them aside';
    this.#report(candidate, offset, bytes, unread ? 'unreadable' : 'unprovenTail', [], text);
  }

  #report(
    candidate: Candidate,
    offset: ByteOffset,
    bytes: number,
    kind: Damage['kind'],
    sequences: readonly SequenceRange[],
    message: string,
  ): void {
    const eventsLost = sequences.reduce((sum, range) => sum + range.last - range.first + 1, 0);
    this.#context.damages.push({ path: candidate.path, offset, bytes, kind, eventsLost, sequences, message });
  }
}

/** Applies a QUARANTINE frame; its entries, or undefined where the payload is none. */
export function applyQuarantine(owner: LogOwner, payload: Buffer): QuarantineEntry[] | undefined {
  const entries = decodeQuarantine(payload);
  for (const { kind, ranges } of entries ?? []) {
    if (kind === 'lostEnd') owner.lostEnd(ranges);
    else owner.quarantine(ranges);
  }
  return entries;
}

/** Whether the group, or what of it is not replayed twice without harm, stands in the successor as well. */
function standsAgain({ serial, nextSequence, events }: GroupHeader, { header }: Candidate): boolean {
  return serial >= header.firstSerial || (events > 0 && nextSequence >= header.firstSequence);
}

type GroupNote = Pick<GroupHeader, 'offset' | 'serial' | 'nextSequence' | 'events' | 'wallMs'>;

/** Notes a group's time and place in its segment's record. */
export function noteGroup(info: SegmentInfo, group: GroupNote): void {
  if (group.events === 0) return;
  if (info.minTimeMs === 0) info.minTimeMs = group.wallMs;
  info.maxTimeMs = Math.max(info.maxTimeMs, group.wallMs);
  addMark(info, group);
}

/** Remembers the group's place, if it is far enough behind the last one remembered. */
export function addMark(info: SegmentInfo, group: GroupNote): void {
  const lastMark = info.marks.at(-1);
  if (lastMark !== undefined && group.offset - lastMark.offset < markEveryBytes) return;
  const { offset, serial, nextSequence, wallMs } = group;
  info.marks.push({ sequence: nextSequence, offset, serial, timeMs: wallMs });
}

/** What of `[from, to)` was ever given to an event of the segment. */
export function givenBetween(info: SegmentInfo, from: Sequence, to: Sequence): SequenceRange[] {
  const ranges: SequenceRange[] = [];
  for (const range of sequencesOf({ ...info, nextSequence: Math.max(to, info.nextSequence) })) {
    const first = Math.max(range.first, from);
    const last = Math.min(range.last, to - 1);
    if (last >= first) ranges.push({ first, last });
  }
  return ranges;
}

/** A MARK that says so, alone or, where the segment before was full, behind the STATE of a fresh one. */
function isCleanEnd(candidate: Candidate, group: ReadGroup): boolean {
  const mark = group.frames.at(-1);
  const before = group.frames.slice(0, -1);
  if (group.bad.length > 0 || group.paddingDamaged || mark?.payload === undefined) return false;
  if (mark.header.type !== FrameType.mark || before.some(({ header }) => header.type !== FrameType.state)) return false;
  // Any other MARK costs nothing where it is taken for one by a reader.
  if (candidate.payloads.isBeyondReach(mark.header)) return true;
  const payload = candidate.payloads.restore(mark.header, mark.payload);
  return payload !== undefined && isCleanMark(payload);
}

function refuseUnknownTypes(path: string, group: ReadGroup): void {
  const frame = group.frames.find(({ header }) => !isSupportedType(header.type));
  if (frame === undefined) return;
  const { offset, header } = frame;
  throw new ForebayError(
    'FORMAT_UNSUPPORTED',
    `${path} holds a frame of type ${header.type} at ${offset}, which this version does not know: use a newer one`,
    { path, offset, actual: header.type },
  );
}
