/**
 * The first half of recovery: from the newest segment backwards to the first whose STATE is good. Usually that is
 * the newest itself, whatever the backlog.
 */
import type { Clock } from '../base/clock.ts';
import { type Disk, type DiskFile, pageBytes } from '../base/disk.ts';
import type { ByteOffset, SegmentId } from '../base/units.ts';
import { readThrough } from './byte-window.ts';
import type { Damage } from './damage.ts';
import { PayloadReader, type PayloadStorage } from './frame-payload.ts';
import { groupEnd, type ReadFrame, readGroupFrames } from './group-reader.ts';
import { FrameType } from './segment/frame-header.ts';
import { GroupFlag, type GroupHeader, readGroupHeader } from './segment/group-header.ts';
import { firstGroupOffset, type SegmentHeader } from './segment/segment-header.ts';
import { type DirectoryListing, type LogDirectory, readFileHeader, type SegmentFile } from './segment-files.ts';
import { type ScanStep, SegmentScanner } from './segment-scanner.ts';
import { decodeState, type StatePayload } from './system-frames.ts';

/** A segment that recovery has opened: its header, and what its first group turned out to be. */
export interface Candidate {
  readonly path: string;
  readonly directory: LogDirectory;
  readonly file: DiskFile;
  readonly fileBytes: number;
  readonly header: SegmentHeader;
  /** False: its header is older than its first group; it was being started when the process died. */
  readonly hasGroups: boolean;
  readonly firstStep: ScanStep;
  readonly scanner: SegmentScanner;
  /** Good and restored: the base of the replay. */
  readonly state: StatePayload | undefined;
  readonly stateBad: boolean;
  readonly payloads: PayloadReader;
  readonly damages: readonly Damage[];
}

/** Where candidates are looked for. */
export interface CandidateSearch {
  readonly disk: Disk;
  readonly clock: Clock;
  readonly listing: DirectoryListing;
  readonly storage: PayloadStorage;
  /** Takes the owner's part of a STATE; false where it is none. */
  readonly restore: (snapshot: Buffer) => boolean;
}

/** Newest first, down to the one whose STATE was restored; what cannot be one is named. */
export interface FoundCandidates {
  readonly candidates: readonly Candidate[];
  readonly damages: readonly Damage[];
}

/** Looks at the segments, newest first. The caller closes the files. */
export async function findCandidates(search: CandidateSearch): Promise<FoundCandidates> {
  const found: Candidate[] = [];
  const damages: Damage[] = [];
  for (const file of [...search.listing.segments].reverse()) {
    const successor = found.findLast((candidate) => candidate.hasGroups);
    // Not in the chain: its first group failed, and the log went on elsewhere.
    const before = successor?.header.previousSegmentId ?? 0;
    if (before > 0 && file.id > before) continue;
    const candidate = await openSegment(search, file, successor);
    if (candidate === 'unreadable') damages.push(unreadableSegment(file.path));
    if (candidate === undefined || candidate === 'unreadable') continue;
    found.push(candidate);
    if (candidate.state !== undefined) break;
  }
  return { candidates: found, damages };
}

/** Opens one segment and reads its first group; `successor` is the next of the chain, where there is one. */
export async function openSegment(
  search: Omit<CandidateSearch, 'listing'>,
  named: SegmentFile,
  successor: Candidate | undefined,
): Promise<Candidate | 'unreadable' | undefined> {
  const { disk, clock, storage } = search;
  const file = await disk.open(named.path, { mode: 'read' });
  const fileBytes = await file.bytes();
  const { header: stored, damagedPages } = await readFileHeader(
    file,
    clock,
    ({ segmentId, channelId }) => segmentId === named.id && channelId === storage.channelId,
  );
  const header = stored ?? (await rebuildHeader(file, fileBytes, named.id, storage.channelId, clock));
  if (header === undefined || header.segmentId !== named.id || header.channelId !== storage.channelId) {
    await file.close();
    // A name is given only to a file whose header is durable: without one, what stood there is lost.
    return header === undefined ? 'unreadable' : undefined;
  }
  const scanner = scanSegment(file, fileBytes, header, clock, successor?.header);
  const firstStep = await scanner.next();
  const payloads = new PayloadReader(storage, {
    id: header.segmentId,
    epoch: header.epoch,
    generation: header.generation,
  });
  const stateFrame = stateFrameOf(firstStep);
  const state = readState(stateFrame, payloads);
  const walk = () => scanSegment(file, fileBytes, header, clock, undefined);
  const torn = successor === undefined ? await tornStart(firstStep, state, walk) : undefined;
  const restored = torn === undefined && state !== undefined && search.restore(state.owner);
  return {
    path: named.path,
    directory: named.directory,
    file,
    fileBytes,
    header,
    hasGroups: torn === undefined && (firstStep.kind !== 'end' || successor !== undefined),
    firstStep,
    scanner,
    state: restored ? state : undefined,
    stateBad: !restored && !(stateFrame !== undefined && payloads.isBeyondReach(stateFrame.header)),
    payloads,
    damages: [
      ...(damagedPages === 0 ? [] : [headerDamage(named.path, damagedPages)]),
      ...(torn === undefined ? [] : [tornDamage(named.path, torn)]),
    ],
  };
}

/** A walk over a segment from its first group on; its end is known where a successor names it. */
function scanSegment(
  file: DiskFile,
  fileBytes: number,
  header: SegmentHeader,
  clock: Clock,
  successor: SegmentHeader | undefined,
): SegmentScanner {
  const { epoch, recycled, tailEndSequence, resumeSequence } = header;
  const known = successor?.previousSegmentId === header.segmentId && successor.previousEnd > 0;
  const end = known ? { offset: successor.previousEnd, nextSequence: successor.previousNextSequence } : undefined;
  return new SegmentScanner(
    { file, fileBytes, epoch, recycled, clock, end, tailEndSequence, resumeSequence, checkPuts: false },
    {
      offset: firstGroupOffset,
      serial: header.firstSerial,
      previousCrc: undefined,
      generation: header.generation,
      nextSequence: header.firstSequence,
    },
  );
}

function stateFrameOf(step: ScanStep): ReadFrame | undefined {
  return step.kind === 'group' ? step.group.frames.find(({ header }) => header.type === FrameType.state) : undefined;
}

function readState(frame: ReadFrame | undefined, payloads: PayloadReader): StatePayload | undefined {
  if (frame?.payload === undefined) return undefined;
  const payload = payloads.restore(frame.header, frame.payload);
  return payload === undefined ? undefined : decodeState(payload);
}

/**
 * The first group, where it was cut off and nothing proves it: as if the segment had never been started. That holds
 * for one that an open wrote, which is its one commit point, so that the tail it carries still stands in the segment
 * before; and for one without its STATE. Any other keeps what of it is whole.
 */
async function tornStart(
  step: ScanStep,
  state: StatePayload | undefined,
  walk: () => SegmentScanner,
): Promise<GroupHeader | undefined> {
  if (step.kind !== 'group') return undefined;
  const { header } = step.group;
  if (state !== undefined && (header.flags & GroupFlag.open) === 0) return undefined;
  const scanner = walk();
  const view = (offset: ByteOffset, bytes: number) => scanner.window.view(offset, bytes);
  const { bad } = await readGroupFrames(header, view, true);
  if (bad.length === 0) return undefined;
  await scanner.next();
  for (let after = await scanner.next(); after.kind !== 'end'; after = await scanner.next()) {
    if (after.kind === 'damage' || after.group.header.provenSerial >= header.serial) return undefined;
  }
  return header;
}

function tornDamage(path: string, { offset, bytes }: GroupHeader): Damage {
  const message = 'the first group of this segment was cut off: as if it had never been started; an open sets it aside';
  return { path, offset, bytes, kind: 'unprovenTail', eventsLost: 0, sequences: [], message };
}

function headerDamage(path: string, damagedPages: number): Damage {
  return {
    path,
    offset: 0,
    bytes: damagedPages * pageBytes,
    kind: 'segmentHeader',
    eventsLost: 0,
    sequences: [],
    message:
      damagedPages === 1
        ? 'one of the two header pages of this segment does not hold; the other was used'
        : 'both header pages of this segment do not hold; what they said was taken from its groups',
  };
}

function unreadableSegment(path: string): Damage {
  return {
    path,
    offset: 0,
    bytes: 0,
    kind: 'segmentHeader',
    eventsLost: 0,
    sequences: [],
    message: 'neither header page nor any group of this segment holds: what stood in it cannot be told and is lost',
  };
}

/** Row 8: both header pages bad. The epoch is the first group's, or one that two groups share. */
async function rebuildHeader(
  file: DiskFile,
  fileBytes: number,
  segmentId: SegmentId,
  channelId: string,
  clock: Clock,
): Promise<SegmentHeader | undefined> {
  const groups: GroupHeader[] = [];
  const page = Buffer.alloc(pageBytes);
  let first: GroupHeader | undefined;
  for (let offset: ByteOffset = firstGroupOffset; offset < fileBytes && first === undefined; offset += pageBytes) {
    await readThrough(file, page, offset, clock, []);
    const group = readGroupHeader(page, 0, page.toString('hex', 8, 16), offset);
    if (group === undefined) continue;
    const isHead = offset === firstGroupOffset && (group.flags & GroupFlag.state) !== 0;
    first = isHead ? group : groups.find(({ epoch }) => epoch === group.epoch);
    groups.push(group);
  }
  if (first === undefined) return undefined;
  const end = groupEnd(first);
  await readThrough(file, page, end, clock, []);
  const second = readGroupHeader(page, 0, first.epoch, end);
  const tailEndSequence = first.nextSequence + first.events;
  return {
    channelId,
    segmentId,
    epoch: first.epoch,
    previousSegmentId: 0,
    // The first group may be what is lost: then one with a smaller serial stood before this.
    firstSerial: first.offset === firstGroupOffset ? first.serial : first.serial - 1,
    firstSequence: first.nextSequence,
    segmentBytes: fileBytes,
    createdMs: first.wallMs,
    generation: first.generation,
    recycled: true,
    previousEnd: 0,
    previousLastSerial: first.serial - 1,
    tailEndSequence,
    resumeSequence: second?.nextSequence ?? tailEndSequence,
    previousNextSequence: first.nextSequence,
  };
}
