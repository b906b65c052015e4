/**
 * Directories that were missing while the log went on (missingDir: 'continue'). What this history knows of their
 * segments stands in the table; what it cannot know, the segments that were newer than all it found, is taken up when
 * the directory returns. For that, segment ids leave a gap which nothing else is given.
 */
import type { SegmentId, Sequence } from '../base/units.ts';
import type { Damage } from './damage.ts';
import { openSegment } from './recovery-candidates.ts';
import type { RecoveryInput } from './recovery-input.ts';
import { ChainReplay } from './recovery-replay.ts';
import { type SegmentInfo, sequencesOf } from './segment-info.ts';
import type { Absence } from './system-frames.ts';

/** More segments than a directory can have got after the last one that was found. */
const segmentIdGap: number = 2 ** 20;

/** What came of the directories that were, are or have just gone missing. */
export interface SettledAbsences {
  readonly absences: readonly Absence[];
  /** Segments that came back with their directory. */
  readonly adopted: readonly SegmentInfo[];
  /** Raised where a directory is newly missing. */
  readonly segmentIdMax: SegmentId;
  /** The next STATE must say something else than the last. */
  readonly changed: boolean;
  readonly newlyMissing: boolean;
}

/** @throws {ForebayError} FORMAT_UNSUPPORTED, of a segment that came back. */
export async function settleAbsences(
  input: RecoveryInput,
  known: readonly Absence[],
  live: readonly SegmentInfo[],
  segmentIdMax: SegmentId,
  damages: Damage[],
): Promise<SettledAbsences> {
  const missing = new Set(input.absentDirectories.map(({ id }) => id));
  const absences = known.filter(({ directoryId }) => missing.has(directoryId));
  const adopted: SegmentInfo[] = [];
  for (const absence of known) {
    if (!missing.has(absence.directoryId)) adopted.push(...(await adopt(input, absence, live, damages)));
  }
  const found = Math.max(0, ...live.map(({ id }) => id));
  const fresh = [...missing].filter((id) => !known.some(({ directoryId }) => directoryId === id));
  const raised = fresh.length > 0 ? segmentIdMax + segmentIdGap : segmentIdMax;
  for (const directoryId of fresh) {
    absences.push({ directoryId, afterSegmentId: found, beforeSegmentId: raised + 1 });
  }
  const changed = fresh.length > 0 || absences.length !== known.length;
  return { absences, adopted, segmentIdMax: raised, changed, newlyMissing: fresh.length > 0 };
}

/** Replays what a directory brought back: its events are put, what it acknowledged is acknowledged. */
async function adopt(
  input: RecoveryInput,
  absence: Absence,
  live: readonly SegmentInfo[],
  damages: Damage[],
): Promise<SegmentInfo[]> {
  const { owner, storage, clock, disk } = input;
  const segments: SegmentInfo[] = [];
  // A tail that stood before both histories was written again in each.
  const given = live.flatMap(sequencesOf);
  const isGiven = (sequence: Sequence) => given.some(({ first, last }) => first <= sequence && sequence <= last);
  for (const file of input.listing.segments) {
    const unknown = file.id > absence.afterSegmentId && file.id < absence.beforeSegmentId;
    if (file.directory.id !== absence.directoryId || !unknown || live.some(({ id }) => id === file.id)) continue;
    const opened = await openSegment({ disk, clock, storage, restore: () => false }, file, undefined);
    if (opened === undefined || opened === 'unreadable') continue;
    try {
      const replay = new ChainReplay({ owner, storage, clock, damages });
      // Read back from the disk after a mount, all of it counts as durable.
      await replay.segment(opened, undefined, true, isGiven);
      segments.push(...replay.segments);
    } finally {
      await opened.file.close();
    }
  }
  return segments;
}
