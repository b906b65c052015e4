/**
 * What a rewind would bring back, and what it cannot: events that were taken are there for as long as their segment is
 * kept (retention), and nothing tells more of those that are gone than their numbers.
 */
import type { Sequence, SequenceRange, SequenceRanges } from '../../base/units.ts';
import { SequenceSet } from '../../queue/sequence-set.ts';
import { readFileHeader } from '../../wal/segment-files.ts';
import { type SegmentInfo, sequencesOf } from '../../wal/segment-info.ts';
import type { ChannelView } from './channel-view.ts';
import { givenRanges } from './given-ranges.ts';
import { SegmentWalk } from './segment-walk.ts';

/** From where on: a sequence, or the wall clock of a commit. */
export type RewindStart = { readonly fromSequence: Sequence } | { readonly fromMs: number };

/** See above. All counts are of sequences from `fromSequence` on. */
export interface RewindPlan {
  /** By time: the first event that was committed then or later. */
  readonly fromSequence: Sequence;
  /** Taken or dropped, and still there. */
  readonly acknowledged: SequenceRanges;
  readonly pendingEvents: number;
  readonly preparedEvents: number;
  /** Damaged, or in a directory that is missing. */
  readonly lostEvents: number;
  /** Given to events that are not there any more; by time, what may have been committed then. */
  readonly notKept: SequenceRanges;
}

/** Reads as little as it can, and changes nothing. */
export async function planRewind(view: ChannelView, start: RewindStart): Promise<RewindPlan> {
  const fromSequence = 'fromMs' in start ? await firstAt(view, start.fromMs) : Math.max(1, start.fromSequence);
  const { queue, nextSequence } = view;
  const given = new SequenceSet();
  for (const { first, last } of givenRanges(view)) {
    if (last >= fromSequence) given.addRange(Math.max(first, fromSequence), last);
  }
  const ranges = given.toRanges();
  const acknowledged = SequenceSet.of(ranges);
  acknowledged.removeAll(queue.pendingOf(ranges));
  const lostEvents = ranges.reduce((sum, { first, last }) => sum + queue.quarantined.countRange(first, last), 0);
  for (const { first, last } of queue.quarantined.ranges(fromSequence)) acknowledged.removeRange(first, last);
  const preparedEvents = queue.preparedSet.countRange(fromSequence, Math.max(fromSequence, nextSequence));
  const pending = given.count - acknowledged.count - lostEvents - preparedEvents;
  return {
    fromSequence,
    acknowledged: acknowledged.toRanges(),
    pendingEvents: Math.max(0, pending),
    preparedEvents,
    lostEvents,
    notKept: await notKept(view, 'fromMs' in start ? reachOf(view, start.fromMs, fromSequence) : fromSequence),
  };
}

/** Where nothing older is there that was committed before, there may have been more. */
function reachOf({ segments }: ChannelView, fromMs: number, fromSequence: Sequence): Sequence {
  const oldest = segments.find(({ maxTimeMs }) => maxTimeMs > 0);
  return oldest === undefined || oldest.minTimeMs >= fromMs ? 1 : fromSequence;
}

async function firstAt(view: ChannelView, fromMs: number): Promise<Sequence> {
  for (const segment of view.segments) {
    const [first] = sequencesOf(segment);
    if (first === undefined || segment.maxTimeMs < fromMs) continue;
    if (segment.minTimeMs >= fromMs) return first.first;
    const found = await firstWithin(view, segment, fromMs);
    if (found !== undefined) return found;
  }
  return view.nextSequence;
}

async function firstWithin(view: ChannelView, segment: SegmentInfo, fromMs: number): Promise<Sequence | undefined> {
  const walk = await SegmentWalk.open(view, segment, { checksPuts: false });
  if (walk === undefined) return undefined;
  try {
    for (let step = await walk.next(); step !== undefined; step = await walk.next()) {
      if (step.kind === 'damage') continue;
      const { events, wallMs, nextSequence } = step.group.header;
      if (events > 0 && wallMs >= fromMs) return nextSequence;
    }
    return undefined;
  } finally {
    await walk.close();
  }
}

/** Holes between the segments that are there, without the sequences that were never given, as far as headers say. */
async function notKept(view: ChannelView, from: Sequence): Promise<SequenceRange[]> {
  const holes: SequenceRange[] = [];
  let expected = from;
  for (const segment of view.segments) {
    const [first] = sequencesOf(segment);
    if (first === undefined) continue;
    if (first.first > expected) {
      const end = Math.min(first.first, await givenBefore(view, segment));
      if (end > expected) holes.push({ first: expected, last: end - 1 });
    }
    expected = Math.max(expected, segment.nextSequence);
  }
  return holes;
}

/** The sequence behind the last one that was given before the segment. */
async function givenBefore(
  { disk, clock }: ChannelView,
  { path, absent, firstSequence }: SegmentInfo,
): Promise<Sequence> {
  if (absent) return firstSequence;
  const file = await disk.open(path, { mode: 'read' });
  const { header } = await readFileHeader(file, clock).finally(() => file.close());
  return header?.previousNextSequence ?? firstSequence;
}
