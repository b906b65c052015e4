/**
 * Segment files that were missing when the log went on without them, and that are there again: a mount that came late,
 * a file that was put back. Their events were given up for lost; now they wait again.
 */
import { countSequences, type SequenceRange, type SequenceRanges } from '../base/units.ts';
import type { Damage } from './damage.ts';
import type { LogOwner } from './log-owner.ts';
import { openSegment } from './recovery-candidates.ts';
import type { RecoveryInput } from './recovery-input.ts';
import { ChainReplay } from './recovery-replay.ts';
import type { SegmentFile } from './segment-files.ts';
import { type SegmentInfo, sequencesOf } from './segment-info.ts';

/** What came back. */
export interface ReturnedSegments {
  readonly segments: readonly SegmentInfo[];
  /** Events that wait again. */
  readonly readmitted: SequenceRanges;
}

/** Everything that a lost event can have for a number. */
const all: SequenceRanges = [{ first: 1, last: Number.MAX_SAFE_INTEGER }];

/**
 * Looks among the files that no STATE lists for those that hold lost events, and readmits what reads well. Only where
 * the segment that follows is `live`: it says where the one before ends.
 *
 * @throws {ForebayError} FORMAT_UNSUPPORTED
 */
export async function takeBackSegments(input: RecoveryInput, live: readonly SegmentInfo[]): Promise<ReturnedSegments> {
  const { owner, listing } = input;
  const segments: SegmentInfo[] = [];
  const readmitted: SequenceRange[] = [];
  if (owner.lostOf(all).length === 0) return { segments, readmitted };
  for (const file of listing.segments) {
    const next = live.find(({ id, absent }) => id > file.id && !absent);
    if (next === undefined || live.some(({ id }) => id === file.id)) continue;
    const found = await readBetween(input, file, next);
    if (found === undefined) continue;
    const lost = owner.lostOf(sequencesOf(found.segment));
    const ranges = without(lost, found.gaps);
    if (countSequences(ranges) === 0) continue;
    owner.readmit(ranges);
    readmitted.push(...ranges);
    segments.push(found.segment);
  }
  return { segments, readmitted };
}

interface FoundSegment {
  readonly segment: SegmentInfo;
  /** What of it does not hold. */
  readonly gaps: SequenceRanges;
}

async function readBetween(
  { disk, clock, storage, listing }: RecoveryInput,
  file: SegmentFile,
  next: SegmentInfo,
): Promise<FoundSegment | undefined> {
  const search = { disk, clock, storage, restore: () => false };
  const nextFile = listing.segments.find(({ id }) => id === next.id);
  const successor = nextFile === undefined ? undefined : await openSegment(search, nextFile, undefined);
  if (successor === undefined || successor === 'unreadable') return undefined;
  try {
    if (successor.header.previousSegmentId !== file.id) return undefined;
    const opened = await openSegment(search, file, successor);
    if (opened === undefined || opened === 'unreadable') return undefined;
    try {
      const damages: Damage[] = [];
      const replay = new ChainReplay({ owner: nobody, storage, clock, damages });
      await replay.segment(opened, successor);
      const [segment] = replay.segments;
      return segment && { segment, gaps: damages.flatMap(({ sequences }) => sequences) };
    } finally {
      await opened.file.close();
    }
  } finally {
    await successor.file.close();
  }
}

/** What the segment says was known when it was there the first time. */
const nobody: LogOwner = {
  restore: () => false,
  replay: () => 0,
  lost: () => undefined,
  lostEnd: () => undefined,
  quarantine: () => [],
  lostOf: () => [],
  readmit: () => undefined,
  settledCount: () => 0,
  forget: () => undefined,
  snapshot: () => Buffer.alloc(0),
};

function without(ranges: SequenceRanges, gaps: SequenceRanges): SequenceRanges {
  return gaps.reduce<SequenceRanges>((left, gap) => {
    return left.flatMap(({ first, last }) => {
      const parts = [
        { first, last: Math.min(last, gap.first - 1) },
        { first: Math.max(first, gap.last + 1), last },
      ];
      return parts.filter((part) => part.last >= part.first);
    });
  }, ranges);
}
