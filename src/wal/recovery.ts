/**
 * Recovery: from what lies in the directories to the channel's state. The newest good STATE and the replay of what
 * follows it, whatever the backlog. Nothing is written here; log.ts acts on the result. The cases are the rows of
 * recovery-table.ts.
 */
import type { SegmentId, Sequence, SequenceRange, SequenceRanges, Serial } from '../base/units.ts';
import { settleAbsences } from './absence.ts';
import type { Damage } from './damage.ts';
import { type Candidate, findCandidates } from './recovery-candidates.ts';
import type { RecoveryInput } from './recovery-input.ts';
import { ChainReplay, type TailFrame } from './recovery-replay.ts';
import { takeBackSegments } from './returned-segments.ts';
import { segmentPath } from './segment-files.ts';
import { type SegmentInfo, type SegmentRecord, sequencesOf } from './segment-info.ts';
import type { ScanPosition } from './segment-scanner.ts';
import { type Absence, applyReleases, type QuarantineEntry } from './system-frames.ts';

/** What recovery found. Nothing on the disk was changed for it. */
export interface Recovered {
  /** The live segments, ascending, the last one included. */
  readonly segments: SegmentInfo[];
  /** The newest of this history. */
  readonly last: SegmentInfo | undefined;
  readonly absences: readonly Absence[];
  /** Where the last one goes on; undefined where a new segment must be started. */
  readonly continueAt: ScanPosition | undefined;
  /** True after an orderly close. */
  readonly clean: boolean;
  /** Accepted but unproven: to be rewritten. Not applied to the owner yet. */
  readonly tail: readonly TailFrame[];
  /** What the first group of a new segment continues. */
  readonly lastSerial: Serial;
  readonly lastCrc: number;
  readonly generation: number;
  readonly nextSequence: Sequence;
  /** The last group that counts, the tail's included; and the sequence behind the last event that counts. */
  readonly foundSerial: Serial;
  readonly foundNextSequence: Sequence;
  /** The largest sequence named anywhere. */
  readonly sequenceMax: Sequence;
  readonly segmentIdMax: SegmentId;
  readonly damages: Damage[];
  readonly quarantine: QuarantineEntry[];
  /** Events that had been given up, and wait again: what held them is back. */
  readonly readmitted: SequenceRanges;
  /** Segment files that belong to no live segment: for the free pool. */
  readonly strays: readonly string[];
  /** A segment or a directory is missing, or no segment was readable though there were some. */
  readonly partsMissing: boolean;
}

/** @throws {ForebayError} FORMAT_UNSUPPORTED. Damage never throws. */
export async function recover(input: RecoveryInput): Promise<Recovered> {
  const { disk, clock, listing, storage } = input;
  const restore = (snapshot: Buffer) => input.owner.restore(snapshot);
  const found = await findCandidates({ disk, clock, listing, storage, restore });
  try {
    return await replayCandidates(input, found.candidates, found.damages);
  } finally {
    for (const candidate of found.candidates) await candidate.file.close();
  }
}

async function replayCandidates(
  input: RecoveryInput,
  found: readonly Candidate[],
  unreadable: readonly Damage[],
): Promise<Recovered> {
  const { owner, listing, storage, clock } = input;
  const base = found.find((candidate) => candidate.state !== undefined);
  const chain = chainFrom(found, base);
  if (base === undefined) owner.restore(undefined);
  const damages = [...unreadable, ...found.flatMap((candidate) => candidate.damages)];
  for (const candidate of found) {
    if (candidate.stateBad && candidate.hasGroups) damages.push(stateDamage(candidate));
    if (!candidate.hasGroups) damages.push(...tornStart(candidate));
  }
  const replay = new ChainReplay({ owner, storage, clock, damages });
  for (const [index, candidate] of chain.entries()) await replay.segment(candidate, chain[index + 1]);
  const table = settleTable(input, base?.state?.segments ?? [], damages);
  const readmitted = readmitReturned(input, base?.state?.quarantine ?? [], replay);
  const last = replay.last;
  const newest = found[0];
  const own = [...table.segments, ...replay.segments];
  const segmentIdMax = Math.max(0, ...own.map(({ id }) => id), ...listing.segments.map(({ id }) => id));
  const away = await settleAbsences(input, base?.state?.absences ?? [], own, segmentIdMax, damages);
  const known = [...own, ...away.adopted].sort((a, b) => a.id - b.id);
  const returned = await takeBackSegments(input, known);
  const segments = [...known, ...returned.segments].sort((a, b) => a.id - b.id);
  const { entries: quarantine, released } = applyReleases([...replay.quarantine, ...table.quarantine]);
  for (const segment of segments) if (released.has(segment.id)) segment.pinned = false;
  keepUnreadable(segments, quarantine);
  const partsMissing = table.partsMissing || replay.partsMissing || unreadable.length > 0 || away.newlyMissing;
  const clean = replay.endedClean && newest === chain.at(-1) && !partsMissing && damages.length === 0;
  const live = new Set(segments.map((segment) => segment.path));
  const isChanged = away.changed || returned.segments.length > 0;
  return {
    segments,
    last,
    absences: away.absences,
    continueAt: clean && !isChanged && last !== undefined ? replay.position : undefined,
    clean,
    tail: replay.tail,
    lastSerial: replay.lastSerial,
    lastCrc: replay.lastCrc,
    generation: Math.max(replay.generation, ...found.map((candidate) => candidate.header.generation)),
    nextSequence: replay.nextSequence,
    foundSerial: replay.foundSerial,
    foundNextSequence: replay.foundNextSequence,
    sequenceMax: Math.max(
      replay.sequenceMax,
      table.sequenceMax,
      ...found.map(({ header }) => header.resumeSequence - 1),
      ...found.map(({ firstStep }) => (firstStep.kind === 'end' ? firstStep.sequenceMax : 0)),
    ),
    segmentIdMax: away.segmentIdMax,
    damages,
    quarantine,
    readmitted: [...readmitted, ...returned.readmitted],
    strays: listing.segments.filter((file) => !live.has(file.path)).map((file) => file.path),
    partsMissing,
  };
}

/** What could not be read may be readable one day: its segment stays. */
function keepUnreadable(segments: readonly SegmentInfo[], quarantine: readonly QuarantineEntry[]): void {
  for (const { kind, segmentId } of quarantine) {
    const segment = segments.find(({ id }) => id === segmentId);
    if (kind === 'unreadable' && segment !== undefined) segment.pinned = true;
  }
}

/** From the base to the newest segment that has groups; all that have groups where no STATE is good. */
function chainFrom(found: readonly Candidate[], base: Candidate | undefined): Candidate[] {
  const real = found.filter((candidate) => candidate.hasGroups).reverse();
  return base === undefined ? real : real.filter((candidate) => candidate.header.segmentId >= base.header.segmentId);
}

function stateDamage(candidate: Candidate): Damage {
  return {
    path: candidate.path,
    offset: 8192,
    bytes: 0,
    kind: 'state',
    eventsLost: 0,
    sequences: [],
    message: 'the STATE at the head of this segment does not hold; an earlier one and a longer replay replace it',
  };
}

/** A segment whose first group does not hold and that no other group follows: a write that was cut off, or damage. */
function tornStart({ path, firstStep }: Candidate): Damage[] {
  if (firstStep.kind !== 'end' || firstStep.tailBytes === 0) return [];
  const message = 'the first group of this segment does not hold: a write that was cut off; an open sets it aside';
  const { offset, tailBytes: bytes } = firstStep;
  return [{ path, offset, bytes, kind: 'unprovenTail', eventsLost: 0, sequences: [], message }];
}

interface SettledTable {
  readonly segments: SegmentInfo[];
  readonly quarantine: QuarantineEntry[];
  readonly sequenceMax: Sequence;
  readonly partsMissing: boolean;
}

/** Turns the base's table into live segments; what is missing is quarantined (rows 10 and 11). */
function settleTable(input: RecoveryInput, records: readonly SegmentRecord[], damages: Damage[]): SettledTable {
  const segments: SegmentInfo[] = [];
  const quarantine: QuarantineEntry[] = [];
  let sequenceMax = 0;
  let partsMissing = false;
  const files = new Map(input.listing.segments.map((file) => [file.id, file]));
  for (const record of records) {
    sequenceMax = Math.max(sequenceMax, record.nextSequence - 1);
    const file = files.get(record.id);
    const absent = input.absentDirectories.find((directory) => directory.id === record.directoryId);
    const home = file?.directory ?? absent ?? input.directories[0];
    if (home === undefined) continue;
    const path = file?.path ?? segmentPath(home, record.id);
    if (file !== undefined) {
      // Where it lies counts: a backup puts what was in several directories into one.
      const directoryId = file.directory.id;
      segments.push({ ...record, directoryId, absent: false, path, recycled: false, marks: [] });
      continue;
    }
    const kind = absent === undefined ? 'segmentMissing' : 'absent';
    const ranges = record.absent ? [] : input.owner.quarantine(sequencesOf(record));
    if (absent !== undefined) segments.push({ ...record, absent: true, path, recycled: false, marks: [] });
    if (absent !== undefined || ranges.length > 0) partsMissing = true;
    if (ranges.length === 0) continue;
    quarantine.push({ segmentId: record.id, offset: 0, bytes: 0, kind, ranges });
    damages.push(missingDamage(path, kind, ranges));
  }
  return { segments, quarantine, sequenceMax, partsMissing };
}

function missingDamage(path: string, kind: 'segmentMissing' | 'absent', ranges: readonly SequenceRange[]): Damage {
  const eventsLost = ranges.reduce((sum, range) => sum + range.last - range.first + 1, 0);
  const message =
    kind === 'absent'
      ? 'its data directory is missing: these events are held back until it returns'
      : 'the segment file is missing, though its directory is there: these events are lost';
  return { path, offset: 0, bytes: 0, kind, eventsLost, sequences: ranges, message };
}

/** Keeps the quarantine list; entries of segments whose directory returned are gone from it. */
function readmitReturned(
  { listing, owner }: RecoveryInput,
  entries: readonly QuarantineEntry[],
  replay: ChainReplay,
): SequenceRanges {
  const present = new Set(listing.segments.map((file) => file.id));
  const isBack = ({ kind, segmentId }: QuarantineEntry) => kind === 'absent' && present.has(segmentId);
  // They are older than what the replay met.
  replay.quarantine.unshift(...entries.filter((entry) => !isBack(entry)));
  const readmitted = entries.filter(isBack).flatMap(({ ranges }) => owner.lostOf(ranges));
  owner.readmit(readmitted);
  return readmitted;
}
