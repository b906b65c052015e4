/**
 * The segments the log consists of, oldest to newest, and their files: which are drained, which may go, where the next
 * one is put, whether there is room for it, and what its STATE says of all this.
 */

import type { ForebayError } from '../base/errors.ts';
import { isNoRoom } from '../base/errors.ts';
import type { SegmentId } from '../base/units.ts';
import { DiskRoom } from './disk-room.ts';
import { type FrameOp, payloadOp } from './frame-op.ts';
import { type FreePool, reserveFiles } from './free-pool.ts';
import type { LogOptions } from './log-options.ts';
import { FrameType } from './segment/frame-header.ts';
import type { LogDirectory } from './segment-files.ts';
import { pendingEvents, type SegmentInfo, toRecord } from './segment-info.ts';
import type { FileChoice } from './segment-starter.ts';
import { type Absence, applyReleases, encodeState, isRelease, type QuarantineEntry } from './system-frames.ts';

/** `fresh`: rather a new file than a used one. `reserve`: there is no room for a new file. */
export type SegmentPlace = 'any' | 'fresh' | 'reserve';

/** What an open found. */
export interface FoundSegments {
  readonly segments: readonly SegmentInfo[];
  readonly last: SegmentInfo | undefined;
  readonly segmentIdMax: SegmentId;
  readonly quarantine: readonly QuarantineEntry[];
  readonly absences: readonly Absence[];
}

/** See above. Changed by the log alone, one start at a time. */
export class LiveSegments {
  readonly #options: LogOptions;
  readonly #pool: FreePool;
  readonly #room: DiskRoom;
  readonly #absences: readonly Absence[];
  /** A write or sync of these failed: they are never written or synced again, under whatever name. */
  readonly #failedFiles: Set<string> = new Set();
  readonly #failedDirectories: Set<LogDirectory> = new Set();
  #all: readonly SegmentInfo[];
  #last: SegmentInfo | undefined;
  /** Out of the log as of the STATE that is on its way; their files are let go once it is durable. */
  #dropping: SegmentInfo[] = [];
  #quarantine: QuarantineEntry[];
  #idMax: SegmentId;

  constructor(options: LogOptions, pool: FreePool, found: FoundSegments) {
    this.#options = options;
    this.#pool = pool;
    this.#room = new DiskRoom(options, pool);
    this.#all = [...found.segments];
    this.#last = found.last;
    this.#idMax = found.segmentIdMax;
    this.#quarantine = [...found.quarantine];
    this.#absences = found.absences;
  }

  /** Ascending; the last is written to. */
  get all(): readonly SegmentInfo[] {
    return this.#all;
  }

  get last(): SegmentInfo | undefined {
    return this.#last;
  }

  get bytesOnDisk(): number {
    return this.#files.reduce((sum, segment) => sum + segment.fileBytes, 0) + this.#pool.bytes;
  }

  /** Paths of directories that failed and are left out. */
  get failedDirectories(): readonly string[] {
    return [...this.#failedDirectories].map((directory) => directory.path);
  }

  /** Names the log in errors. */
  get directoryPath(): string {
    return this.#options.directories[0]?.path ?? '';
  }

  get #files(): readonly SegmentInfo[] {
    return [...this.#all, ...this.#dropping];
  }

  /** A number that no file carries yet. */
  nextId(): SegmentId {
    this.#idMax += 1;
    return this.#idMax;
  }

  // — room —

  /** Why no segment of `bytes` can be started for a put; undefined where one can. */
  refusal(bytes: number): Promise<ForebayError | undefined> {
    return this.#room.refusal(this.#files, bytes, this.#usableDirectories());
  }

  /** Whether a start frees as many files as it takes (where that is not enough, more), and puts leave the reserve. */
  isReleasable(isMoreNeeded = false): boolean {
    const drained = this.#drained(true).length;
    const last = this.#last;
    const isLastDrained = last !== undefined && !last.pinned && pendingEvents(last, this.#options.owner) === 0;
    const afterStart = this.#pool.count + drained + (isLastDrained ? 1 : 0) - 1;
    return drained >= (isMoreNeeded ? 2 : 1) && this.#pool.count > 0 && afterStart >= reserveFiles;
  }

  /** Which files a segment of `needed` bytes may be put into. */
  choice(place: SegmentPlace, needed: number): FileChoice {
    const isOversize = needed > this.#options.segmentBytes;
    const directories = this.#usableDirectories();
    if (isOversize) return { spare: false, fresh: directories, reserve: false, lastResort: [] };
    // Past a limit of the options rather than not at all: takes never stop.
    if (place === 'reserve') return { spare: true, fresh: [], reserve: true, lastResort: directories };
    return { spare: place !== 'fresh', fresh: directories, reserve: true, lastResort: [] };
  }

  /** Where to go on after a write that failed: without room only a file that is written already will do. */
  placeAfter(error: unknown): SegmentPlace {
    return isNoRoom(error) && this.#pool.bytes > 0 ? 'reserve' : 'fresh';
  }

  // — starting a segment —

  /**
   * Takes what is drained out of the log; STATE for the segment that is being started. `keepsDrained`: a rewind is on
   * its way, which may name events of them.
   */
  stateOp(place: SegmentPlace, isRecovery: boolean, keepsDrained: boolean): FrameOp {
    const { owner } = this.#options;
    const drained = keepsDrained ? [] : this.#drained(place === 'reserve');
    // Recovery keeps what lost events: its tail may acknowledge some, and its report names the rest.
    const dropped = isRecovery ? drained.filter((segment) => !this.#hasLost(segment)) : drained;
    this.#dropping.push(...dropped);
    for (const segment of dropped) owner.forget(segment.firstSequence, segment.nextSequence - 1);
    this.#all = this.#all.filter((segment) => !dropped.includes(segment));
    const ids = new Set(this.#all.map((segment) => segment.id));
    this.#quarantine = this.#quarantine.filter((entry) => ids.has(entry.segmentId));
    const payload = encodeState({
      segments: this.#all.map(toRecord),
      quarantine: this.#quarantine,
      absences: this.#absences,
      owner: owner.snapshot(),
    });
    return payloadOp(FrameType.state, payload);
  }

  /** The segment's first group is durable. */
  add(segment: SegmentInfo): void {
    this.#last = segment;
    this.#all = [...this.#all, segment];
  }

  get hasDropped(): boolean {
    return this.#dropping.length > 0;
  }

  /** The STATE without them is durable: their files serve again. */
  async letDroppedGo(): Promise<void> {
    for (const segment of this.#dropping.splice(0)) {
      const directory = this.#options.directories.find(({ id }) => id === segment.directoryId);
      if (this.#failedFiles.has(segment.path)) await this.#pool.discard(segment.path);
      else if (directory !== undefined) await this.#pool.recycle(directory, segment.path);
    }
  }

  // — failure and damage —

  fileFailed(path: string): void {
    this.#failedFiles.add(path);
  }

  directoryFailed(directory: LogDirectory, error: unknown): void {
    if (isNoRoom(error)) return;
    if (this.#options.directories.length > 1) {
      this.#failedDirectories.add(directory);
      this.#pool.drop(directory);
    }
    const then = this.#options.directories.length > 1 ? 'is left out' : 'the log goes on in another file of it';
    this.#options.onNotice(`${directory.path} failed (${String(error)}); ${then}`);
  }

  /** Events that the log has recorded as not deliverable. */
  quarantined(entries: readonly QuarantineEntry[]): void {
    if (!entries.some(isRelease)) {
      this.#quarantine.push(...entries);
      return;
    }
    const { entries: left, released } = applyReleases([...this.#quarantine, ...entries]);
    this.#quarantine = left;
    for (const segment of this.#all) if (released.has(segment.id)) segment.pinned = false;
  }

  /** Segments with nothing live in them, the newest apart: a bad STATE can fall back to the one before. */
  #drained(underPressure: boolean): SegmentInfo[] {
    const { owner } = this.#options;
    const sealed = this.#all.filter((segment) => segment !== this.#last && !segment.pinned && !segment.absent);
    const empty = sealed.filter((segment) => pendingEvents(segment, owner) === 0);
    return underPressure ? empty : empty.filter((segment) => !this.#room.isRetained(segment, empty));
  }

  #hasLost({ firstSequence, nextSequence }: SegmentInfo): boolean {
    return this.#options.owner.lostOf([{ first: firstSequence, last: nextSequence - 1 }]).length > 0;
  }

  #usableDirectories(): LogDirectory[] {
    const { directories } = this.#options;
    const healthy = directories.filter((directory) => !this.#failedDirectories.has(directory));
    const all = healthy.length > 0 ? healthy : [...directories];
    const turn = this.#idMax % all.length;
    return [...all.slice(turn), ...all.slice(0, turn)];
  }
}
