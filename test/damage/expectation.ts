/**
 * What a damaged log must still give: the frames that hold, replayed in order. Promise 3 says which may be missing:
 * the frame that holds the damaged byte, or the group whose header does.
 */

import type { ByteOffset, Sequence, SequenceRange } from '../../src/base/units.ts';
import { FileBackend } from '../../src/channel/file-backend.ts';
import { FrameFlag, FrameType, frameHeaderBytes } from '../../src/wal/segment/frame-header.ts';
import { groupHeaderBytes } from '../../src/wal/segment/group-header.ts';
import type { Files, FrameAt, GroupAt, ReferenceLog } from './reference-log.ts';

/** What an open must lead to. */
export interface Expectation {
  /** Delivered, in order. */
  readonly pending: readonly Sequence[];
  /** Put, never taken by what is left of the log, and gone. */
  readonly lost: readonly Sequence[];
  readonly prepared: readonly Sequence[];
  readonly notes: Readonly<Record<string, unknown>>;
}

/** What is gone of a log. */
export interface Gone {
  readonly isGone: (frame: FrameAt) => boolean;
  /** Its header, and with it all it holds. */
  readonly isGroupGone?: (group: GroupAt) => boolean;
  /** A checkpoint of the close is there: it knows what stood at the log's end, which nothing behind proves. */
  readonly endIsKnown: boolean;
  /** The newest segment, if not even the header of its first group is left: as if it had not been started. */
  readonly neverStarted?: string | undefined;
  /** The segment whose STATE is gone on from. */
  readonly base?: string | undefined;
}

/** What is left of the whole log. */
export function expectAll(reference: ReferenceLog): Expectation {
  return expectWithout(reference, { isGone: () => false, endIsKnown: true });
}

/** Replays all frames but those that are gone. */
export function expectWithout(
  reference: ReferenceLog,
  { isGone, isGroupGone = () => false, endIsKnown, neverStarted, base }: Gone,
): Expectation {
  const { state, stored, gone } = replay(reference, isGone, neverStarted, base);
  const end = endOf(reference, isGroupGone);
  const takenAtEnd = end.length === 0 ? undefined : replay(reference, () => false, undefined).state.acked;
  const isLost = (sequence: Sequence) => {
    if (state.acked.has(sequence)) return false;
    const isAtEnd = end.some(({ header: { baseSequence, count } }) => {
      return baseSequence <= sequence && sequence < baseSequence + count;
    });
    return !isAtEnd || (endIsKnown && takenAtEnd?.has(sequence) === false);
  };
  return {
    pending: stored.filter((sequence) => !state.acked.has(sequence) && !state.preparedSet.has(sequence)),
    lost: gone.filter(isLost),
    // Lost or not: what was prepared is for its sink to settle.
    prepared: state.preparedSet.toRanges().flatMap(expand),
    notes: Object.fromEntries(state.notes.keys().map((key) => [key, state.notes.get(key)])),
  };
}

/**
 * What of the log does not stand in `files` as it did. What older segments hold beside events stands in the STATE of
 * the newest whose STATE holds, and is not missed.
 */
export function goneOf(reference: ReferenceLog, files: Files): Omit<Gone, 'endIsKnown'> {
  const newest = reference.segments.at(-1);
  const isSame = (path: string, from: ByteOffset, to: ByteOffset) => {
    const now = files.get(path)?.subarray(from, to);
    return now !== undefined && reference.files.get(path)?.subarray(from, to).equals(now) === true;
  };
  const isWhole = ({ path, header: { offset } }: GroupAt) => isSame(path, offset, offset + groupHeaderBytes);
  const damaged = new Set(reference.groups.filter((group) => !isWhole(group)));
  const isDamaged = ({ path, offset, header, group }: FrameAt) =>
    damaged.has(group) || !isSame(path, offset, offset + frameHeaderBytes + header.storedBytes);
  const gone = new Set(reference.frames.filter(isDamaged));
  const ofNewest = reference.groups.filter(({ path }) => path === newest?.path);
  for (const frame of unprovenRest(
    reference,
    ofNewest.findLast((group) => !damaged.has(group)),
    gone,
  ))
    gone.add(frame);
  const firstIsWhole = ![...gone].some(({ group }) => group === ofNewest[0]);
  const othersAreGone = ofNewest.slice(1).every((group) => damaged.has(group));
  const headerIsGone = [0, 4096].every((at) => newest !== undefined && !isSame(newest.path, at, at + 4096));
  // Neither its header nor its first group says any more where the segment before it ends.
  const startIsUnknown = headerIsGone && ofNewest[0] !== undefined && damaged.has(ofNewest[0]);
  const hasStarted = ((firstIsWhole && !headerIsGone) || !othersAreGone) && !startIsUnknown;
  const states = reference.frames.filter(({ header }) => header.type === FrameType.state);
  const base = states.findLast((frame) => !gone.has(frame))?.path ?? '';
  return {
    base,
    isGroupGone: (group) => damaged.has(group),
    isGone: (frame) => gone.has(frame) && (frame.header.type === FrameType.put || frame.path >= base),
    neverStarted: hasStarted || reference.segments.length === 1 ? undefined : newest?.path,
  };
}

/** Of the last group that is there, what stands behind its first bad frame: nothing proves that it was durable. */
function unprovenRest(reference: ReferenceLog, last: GroupAt | undefined, gone: ReadonlySet<FrameAt>): FrameAt[] {
  const frames = reference.frames.filter(({ group }) => group === last);
  const firstBad = frames.findIndex((frame) => gone.has(frame));
  return firstBad < 0 ? [] : frames.slice(firstBad);
}

/** Puts of the newest segment that no group behind them proves. */
function endOf(reference: ReferenceLog, isGroupGone: (group: GroupAt) => boolean): FrameAt[] {
  const newest = reference.groups.filter(({ path }) => path === reference.segments.at(-1)?.path);
  const last = newest.findLastIndex((group) => !isGroupGone(group));
  const end = new Set(newest.slice(Math.max(0, last)));
  return reference.frames.filter(({ group, header }) => end.has(group) && header.type === FrameType.put);
}

function replay(
  reference: ReferenceLog,
  isGone: (frame: FrameAt) => boolean,
  neverStarted: string | undefined,
  base: string | undefined = '',
) {
  const backend = new FileBackend();
  const stored: Sequence[] = [];
  const gone: Sequence[] = [];
  for (const frame of reference.frames) {
    const { type, flags, codec, baseSequence, count } = frame.header;
    if (!replayed.has(type) || isVoid(reference, frame, neverStarted)) continue;
    // A tail that stands twice counts once.
    if (type === FrameType.put && stored.includes(baseSequence)) continue;
    const missing = isGone(frame);
    const sequences = Array.from({ length: count }, (_, index) => baseSequence + index);
    if (type === FrameType.put) (missing ? gone : stored).push(...sequences);
    // Its notes stand in a later STATE.
    if (missing && (frame.path >= base || type !== FrameType.put)) continue;
    const notes = type !== FrameType.put || (flags & FrameFlag.notes) !== 0;
    const explicit = (flags & FrameFlag.explicit) !== 0;
    backend.replay({ type, codec, explicit, baseSequence, count, payload: notes ? frame.payload : undefined });
  }
  const whole = new Set(stored);
  return { state: backend.state, stored, gone: gone.filter((sequence) => !whole.has(sequence)) };
}

const replayed: ReadonlySet<number> = new Set([
  FrameType.put,
  FrameType.ack,
  FrameType.drop,
  FrameType.prepare,
  FrameType.resolve,
  FrameType.note,
]);

/**
 * In a segment behind where its successor says that it ends: a tail that was written again in the next one. It counts
 * where nothing is left of that one's first group.
 */
function isVoid(reference: ReferenceLog, frame: FrameAt, neverStarted: string | undefined): boolean {
  const index = reference.segments.findIndex(({ path }) => path === frame.path);
  const successor = reference.segments[index + 1];
  if (successor?.path === neverStarted) return false;
  return successor !== undefined && frame.group.header.offset >= successor.header.previousEnd;
}

/** All sequences of a range. */
export function expand({ first, last }: SequenceRange): Sequence[] {
  return Array.from({ length: last - first + 1 }, (_, index) => first + index);
}

/** Ascending sequences as ranges. */
export function rangesOf(sequences: readonly Sequence[]): SequenceRange[] {
  const ranges: { first: Sequence; last: Sequence }[] = [];
  for (const sequence of [...sequences].sort((a, b) => a - b)) {
    const last = ranges.at(-1);
    if (last !== undefined && sequence <= last.last + 1) last.last = sequence;
    else ranges.push({ first: sequence, last: sequence });
  }
  return ranges;
}
