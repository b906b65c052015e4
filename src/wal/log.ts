/**
 * The log: group commit over segments. Ops gather in an open group while the one before is on its way; one
 * positional write makes a group durable, and then all its ops are. A segment gets its first byte only after the
 * last group of the one before is durable; it starts with STATE, which makes older segments free.
 *
 * After a failed write or sync (log-format rule 6) the file is never touched again: a new segment says where the old
 * one ends, and only then are the waiting commits told that they were not stored.
 */

import { invariant } from '../base/assert.ts';
import { alignUp } from '../base/bytes.ts';
import type { Timer } from '../base/clock.ts';
import { pageBytes } from '../base/disk.ts';
import { type ForebayError, isNoRoom } from '../base/errors.ts';
import { type ByteOffset, kib, type Sequence, type Serial } from '../base/units.ts';
import { ActiveSegment } from './active-segment.ts';
import { BufferPool } from './buffer-pool.ts';
import { type FrameOp, payloadOp } from './frame-op.ts';
import { segmentCipher } from './frame-payload.ts';
import type { FreePool } from './free-pool.ts';
import { type FrameStorage, GroupBuilder, groupBytesMax } from './group-builder.ts';
import { type FoundSegments, LiveSegments, type SegmentPlace } from './live-segments.ts';
import { closedError, diskFull, logFailed, writeFailed } from './log-errors.ts';
import type { LogOptions } from './log-options.ts';
import { noteGroup } from './recovery-replay.ts';
import { FrameType } from './segment/frame-header.ts';
import { GroupFlag } from './segment/group-header.ts';
import { firstGroupOffset } from './segment/segment-header.ts';
import { newSegmentInfo, type SegmentInfo } from './segment-info.ts';
import { startSegment } from './segment-starter.ts';
import { encodeCut, encodeMark, encodeQuarantine, type QuarantineEntry } from './system-frames.ts';

/** So long after the last commit a MARK proves it. */
const markDelayMs = 100;
/** A group starts with a buffer of the last one's size, and of this one at least. */
const groupBytesMin: number = 64 * kib;
/** How often a full log looks for room. */
const roomCheckMs = 100;
/** A segment file that fails at its first group is given up; so many are tried before the channel fails. */
const startsMax = 3;

/** Where the log stands when it is opened for writing. */
export interface LogPosition extends FoundSegments {
  readonly serial: Serial;
  readonly headerCrc: number;
  readonly generation: number;
  readonly nextSequence: Sequence;
}

/** The last durable group. */
export interface LastGroup {
  readonly segment: SegmentInfo | undefined;
  readonly serial: Serial;
  readonly headerCrc: number;
  readonly offset: ByteOffset;
}

type LogState =
  | { readonly kind: 'open' }
  | { readonly kind: 'closed' }
  | { readonly kind: 'failed'; readonly error: ForebayError };

/** What a new segment starts with. */
interface StartPlan {
  readonly first: Sequence;
  readonly tailEnd: Sequence;
  readonly ops: readonly FrameOp[];
  readonly bytes: number;
  readonly place: SegmentPlace;
  /** The ops are what recovery found: they go into the first group as a whole, or the open fails. */
  readonly isRecovery?: boolean;
}

/** A segment's first group is on its way. */
interface Starting {
  readonly plan: StartPlan;
}

/** See above. One owner; `append` may be called at any time, `close` once. */
export class Log {
  readonly #options: LogOptions;
  readonly #pool: FreePool;
  readonly #buffers: BufferPool;
  readonly #live: LiveSegments;
  readonly #generation: number;
  #state: LogState = { kind: 'open' };
  #active: ActiveSegment | undefined;
  #starting: Starting | undefined;
  #storage: FrameStorage | undefined;
  #serial: Serial;
  #provenSerial: Serial;
  #headerCrc: number;
  #lastOffset: ByteOffset = 0;
  /** The next group's header says this. */
  #groupSequence: Sequence;
  /** The next event laid out gets this. */
  #nextSequence: Sequence;
  #open: GroupBuilder | undefined;
  #inFlightBytes = 0;
  #groupBytesHint: number = groupBytesMin;
  #startFailures = 0;
  /** Of the last STATE: the next one will be about as large. */
  #stateBytes = 0;
  #waiting: FrameOp[] = [];
  #busy = false;
  #scheduled = false;
  #full: ForebayError | undefined;
  #markTimer: Timer | undefined;
  #markedSerial: Serial;
  #syncTimer: Timer | undefined;
  #syncing: Promise<void> | undefined;
  #roomTimer: Timer | undefined;
  #isRoomDue = false;
  #idle: (() => void)[] = [];

  constructor(options: LogOptions, pool: FreePool, position: LogPosition) {
    this.#options = options;
    this.#pool = pool;
    this.#buffers = new BufferPool(options.disk);
    this.#live = new LiveSegments(options, pool, position);
    this.#serial = position.serial;
    this.#provenSerial = position.serial;
    this.#markedSerial = position.serial;
    this.#headerCrc = position.headerCrc;
    this.#generation = position.generation;
    this.#nextSequence = position.nextSequence;
    this.#groupSequence = position.nextSequence;
  }

  /** Live segments, ascending; the last is written to. */
  get segments(): readonly SegmentInfo[] {
    return this.#live.all;
  }

  get nextSequence(): Sequence {
    return this.#nextSequence;
  }

  /** The last durable group. */
  get position(): LastGroup {
    return { segment: this.#live.last, serial: this.#serial, headerCrc: this.#headerCrc, offset: this.#lastOffset };
  }

  /** The sequence behind the last durable event. */
  get durableNextSequence(): Sequence {
    return this.#groupSequence;
  }

  get bytesOnDisk(): number {
    return this.#live.bytesOnDisk;
  }

  get failure(): ForebayError | undefined {
    return this.#state.kind === 'failed' ? this.#state.error : undefined;
  }

  /** Paths of directories that failed and are left out. */
  get failedDirectories(): readonly string[] {
    return this.#live.failedDirectories;
  }

  refusesPuts(): ForebayError | undefined {
    return this.failure ?? this.#full;
  }

  /** Goes on in the last segment after an orderly close: `file` is open for writing. */
  continueIn(active: ActiveSegment): void {
    this.#active = active;
    this.#storage = this.#storageFor(active.info);
  }

  /** Hands an op to the log. It ends with `durable` or `failed`. */
  append(op: FrameOp): void {
    if (this.#state.kind !== 'open') {
      op.failed(this.#state.kind === 'failed' ? this.#state.error : closedError());
      return;
    }
    if (this.#waiting.length > 0 || !this.#lay(op)) this.#waiting.push(op);
    this.#schedule();
  }

  /** Resolves when everything appended so far has ended. */
  async settled(): Promise<void> {
    if (!this.#busy && !this.#scheduled) return;
    await new Promise<void>((resolve) => this.#idle.push(resolve));
  }

  /** No room for the reserve: puts would take what acknowledgements need. */
  lacksReserve(): void {
    this.#refusePuts(diskFull('no room for the reserve', this.#live.directoryPath));
  }

  /** By interval: what is written is durable when this resolves; `failure` says if it is not. */
  async sync(): Promise<void> {
    await this.#syncByInterval();
  }

  /**
   * Starts a segment with STATE and `ops` in its first group: how an open after an unclean stop commits what it
   * found, and where its unproven tail goes. Resolves when durable.
   * @throws What the last file failed with: nothing was changed.
   */
  async startAfresh(ops: readonly FrameOp[], resumeSequence: Sequence, why: string): Promise<void> {
    this.#busy = true;
    const tail = ops.filter((op) => op.type === FrameType.put);
    const first = tail[0]?.baseSequence ?? resumeSequence;
    const last = tail.at(-1);
    const tailEnd = last === undefined ? first : last.baseSequence + last.count;
    this.#nextSequence = resumeSequence;
    const bytes = ops.reduce((sum, op) => sum + op.rawBytes + 128, 0);
    await this.#start({ first, tailEnd, ops: [this.#cutOp(why), ...ops], bytes, place: 'fresh', isRecovery: true });
    // The tail was only proven to be readable: it must be durable before any of it is used.
    await this.#syncByInterval();
    this.#failIfNotStarted();
    this.#busy = false;
    this.#schedule();
  }

  /** Ends with a MARK that says so, then closes the file. */
  async close(): Promise<void> {
    await this.settled();
    this.#markTimer?.cancel();
    this.#syncTimer?.cancel();
    this.#roomTimer?.cancel();
    if (this.#state.kind === 'open' && this.#active !== undefined) {
      // By interval: first all else, so that the MARK proves it, and nothing is to be written again.
      await this.#syncByInterval();
      this.append(payloadOp(FrameType.mark, encodeMark(true)));
      await this.settled();
      await this.#syncByInterval();
    }
    await this.abandon();
  }

  /**
   * Lets go of the file and of all timers without a word on the disk: what an open that fails after all must do, before
   * another owner comes. Never rejects.
   */
  async abandon(): Promise<void> {
    if (this.#state.kind === 'open') this.#state = { kind: 'closed' };
    this.#options.disk.writers.delete(this);
    this.#markTimer?.cancel();
    this.#syncTimer?.cancel();
    this.#roomTimer?.cancel();
    await this.#retireActive();
  }

  /** Takes over entries that stand in the log already. */
  quarantined(entries: readonly QuarantineEntry[]): void {
    this.#live.quarantined(entries);
  }

  /** Records that events cannot be delivered; `durable` is called when that is on disk. */
  quarantine(entry: QuarantineEntry, durable: () => void): void {
    const apply = () => {
      this.#live.quarantined([entry]);
      durable();
    };
    this.append(payloadOp(FrameType.quarantine, encodeQuarantine([entry]), { durable: apply }));
  }

  // — laying out —

  /** Adds the op to the open group, if it fits there and in the segment. */
  #lay(op: FrameOp): boolean {
    const active = this.#active;
    if (active === undefined || this.#storage === undefined || this.#starting !== undefined) return false;
    const offset = active.info.endOffset + this.#inFlightBytes;
    if (this.#open === undefined) {
      if (offset >= active.limit) return false;
      this.#open = new GroupBuilder(this.#buffers, this.#storage, this.#groupBytesHint);
    }
    const bytes = this.#open.bytesWith(op);
    const tooLong = bytes > groupBytesMax && this.#open.ops.length > 0;
    if (tooLong || offset + bytes > active.limit) return false;
    this.#addTo(this.#open, op);
    return true;
  }

  #addTo(group: GroupBuilder, op: FrameOp): void {
    if (op.type === FrameType.put) {
      op.baseSequence = this.#nextSequence;
      this.#nextSequence += op.count;
    }
    group.add(op);
  }

  #schedule(): void {
    if (this.#busy || this.#scheduled) return;
    this.#scheduled = true;
    this.#options.disk.writers.add(this);
    setImmediate(() => {
      this.#scheduled = false;
      this.#busy = true;
      void this.#run();
    });
  }

  async #run(): Promise<void> {
    while (this.#state.kind === 'open') {
      if (this.#isRoomDue) await this.#lookForRoom();
      this.#layWaiting();
      if (this.#open !== undefined && this.#open.ops.length > 0) await this.#writeOpen();
      else if (this.#waiting.length > 0) await this.#rotate();
      else if (!this.#isRoomDue) break;
    }
    this.#busy = false;
    this.#options.disk.writers.delete(this);
    if (this.#state.kind === 'failed') this.#failAll(this.#state.error);
    this.#armTimers();
    for (const resolve of this.#idle.splice(0)) resolve();
  }

  #layWaiting(): void {
    let laid = 0;
    while (laid < this.#waiting.length && this.#lay(this.#waiting[laid] as FrameOp)) laid += 1;
    if (laid > 0) this.#waiting.splice(0, laid);
  }

  // — writing —

  async #writeOpen(): Promise<void> {
    const group = this.#open as GroupBuilder;
    const active = this.#active as ActiveSegment;
    this.#open = undefined;
    const { info } = active;
    const unsynced = this.#options.fsyncIntervalMs > 0;
    const place = {
      epoch: info.epoch,
      offset: info.endOffset,
      flags: flagsOf(group, unsynced),
      serial: this.#serial + 1,
      provenSerial: this.#provenSerial,
      nextSequence: this.#groupSequence,
      generation: this.#generation,
      previousCrc: this.#headerCrc,
      wallMs: Math.max(0, Math.floor(this.#options.clock.wallMs())),
    };
    const { bytes, headerCrc } = group.seal(place);
    this.#inFlightBytes = bytes.length;
    this.#groupBytesHint = Math.max(groupBytesMin, Math.min(bytes.length, groupBytesMax));
    try {
      await active.write(bytes, place.offset, this.#options.disk.writers.size === 1);
    } catch (error) {
      this.#inFlightBytes = 0;
      await this.#afterFailedWrite(group, error);
      return;
    }
    this.#inFlightBytes = 0;
    this.#serial = place.serial;
    this.#headerCrc = headerCrc;
    this.#lastOffset = place.offset;
    if (!unsynced) this.#provenSerial = place.serial;
    if ((place.flags & GroupFlag.mark) !== 0) this.#markedSerial = place.serial;
    const events = group.events;
    const { offset, serial, nextSequence, wallMs } = place;
    noteGroup(info, { offset, serial, nextSequence, wallMs, events });
    const after = place.nextSequence + events;
    this.#groupSequence = after === info.tailEndSequence ? info.resumeSequence : after;
    info.nextSequence = Math.max(info.nextSequence, after);
    info.endOffset = place.offset + bytes.length;
    info.endSerial = place.serial;
    if (this.#starting !== undefined) await this.#started(active);
    this.#publish(active, group, place.offset, bytes);
  }

  #publish(active: ActiveSegment, group: GroupBuilder, offset: number, bytes: Buffer): void {
    const place = { segmentId: active.info.id, groupOffset: offset };
    for (const op of group.ops) op.durable(place);
    const end = offset + bytes.length;
    const next = {
      offset: end,
      serial: this.#serial + 1,
      previousCrc: this.#headerCrc,
      generation: this.#generation,
      nextSequence: this.#groupSequence,
    };
    this.#options.onGroup({ segment: active.info, offset, bytes, built: group, next });
    group.release();
  }

  // — segments —

  /** The next op does not fit the active segment: starts another, or refuses puts where there is no room. */
  async #rotate(): Promise<void> {
    const next = this.#waiting[0] as FrameOp;
    const forPut = next.type === FrameType.put;
    const bytes = next.rawBytes;
    const refusal = await this.#live.refusal(this.#neededSoon(bytes));
    const isLarge = this.#neededSoon(bytes) > this.#options.segmentBytes;
    if (refusal !== undefined && forPut && !this.#live.isReleasable(isLarge)) {
      this.#refusePuts(refusal);
      return;
    }
    await this.#syncByInterval();
    // What a segment follows was synced: its header and STATE say so.
    if (this.#state.kind === 'failed') return;
    try {
      await this.#start({
        first: this.#nextSequence,
        tailEnd: this.#nextSequence,
        ops: [],
        // What needs a file of its own finds out anew whether there is room, once the drained ones have gone.
        bytes: refusal !== undefined && isLarge && forPut ? 0 : bytes,
        place: refusal === undefined ? 'any' : 'reserve',
      });
    } catch (error) {
      if (isNoRoom(error) && forPut) this.#refusePuts(diskFull(error, this.#live.directoryPath));
      else if (forPut && this.#waiting[0] === next && bytes > this.#options.segmentBytes / 2) {
        // It needs a file of its own, which is one try: nothing says yet that no other file can be started.
        this.#waiting.shift();
        next.failed(writeFailed(error, this.#live.directoryPath));
      } else this.#fail(error);
    }
  }

  /** The size of a segment for a STATE and ops of so many bytes. */
  #neededFor(bytes: number): number {
    return alignUp(firstGroupOffset + bytes + 4 * pageBytes, pageBytes);
  }

  /** The size of a segment for ops of so many bytes, where its STATE is somewhat larger than the last one. */
  #neededSoon(bytes: number): number {
    return this.#neededFor(Math.ceil(this.#stateBytes * 1.25) + pageBytes + bytes);
  }

  async #start(start: StartPlan): Promise<void> {
    const { last } = this.#live;
    await this.#retireActive();
    const rewinds = [...start.ops, ...this.#waiting].some(({ type }) => type === FrameType.rewind);
    const state = this.#live.stateOp(start.place, start.isRecovery === true, rewinds);
    this.#stateBytes = state.rawBytes;
    const needed = this.#neededFor(state.rawBytes + start.bytes);
    const started = await startSegment(
      {
        disk: this.#options.disk,
        random: this.#options.random,
        pool: this.#pool,
        writeThrough: this.#options.fsyncIntervalMs === 0,
        nextSegmentId: () => this.#live.nextId(),
        directoryFailed: (directory, error) => this.#live.directoryFailed(directory, error),
      },
      {
        channelId: this.#options.storage.channelId,
        previousSegmentId: last?.id ?? 0,
        firstSerial: this.#serial + 1,
        firstSequence: start.first,
        segmentBytes: Math.max(this.#options.segmentBytes, needed),
        createdMs: Math.max(0, Math.floor(this.#options.clock.wallMs())),
        generation: this.#generation,
        previousEnd: last?.endOffset ?? 0,
        previousLastSerial: this.#serial,
        tailEndSequence: start.tailEnd,
        resumeSequence: this.#nextSequence,
        previousNextSequence: last?.nextSequence ?? 1,
      },
      this.#live.choice(start.place, needed),
    );
    const { header, directory, file } = started;
    const info = newSegmentInfo(started);
    const { disk, clock } = this.#options;
    this.#active = new ActiveSegment({ info, directory, limit: header.segmentBytes, file, disk, clock });
    this.#storage = this.#storageFor(info);
    this.#groupSequence = header.firstSequence;
    const group = new GroupBuilder(this.#buffers, this.#storage, groupBytesMin);
    group.add(state);
    for (const op of start.ops) group.add(op);
    this.#starting = { plan: start };
    this.#open = group;
    if (start.ops.length === 0) this.#layFirst(group);
    await this.#writeOpen();
    this.#failIfNotStarted();
  }

  /** Ops that wait go into the first group too: one sync less. */
  #layFirst(group: GroupBuilder): void {
    const active = this.#active as ActiveSegment;
    let laid = 0;
    for (const op of this.#waiting) {
      const bytes = group.bytesWith(op);
      if ((bytes > groupBytesMax && laid > 0) || active.info.endOffset + bytes > active.limit) break;
      this.#addTo(group, op);
      laid += 1;
    }
    this.#waiting.splice(0, laid);
  }

  #failIfNotStarted(): void {
    if (this.#state.kind === 'failed') throw this.#state.error;
  }

  async #started(active: ActiveSegment): Promise<void> {
    this.#starting = undefined;
    this.#startFailures = 0;
    this.#live.add(active.info);
    // By interval: the STATE that lets them go must be durable before they do.
    if (this.#live.hasDropped) await this.#syncByInterval();
    if (this.#state.kind === 'failed') return;
    await this.#live.letDroppedGo();
    this.#notifyRoom();
  }

  async #retireActive(): Promise<void> {
    const active = this.#active;
    this.#active = undefined;
    this.#storage = undefined;
    await active?.file.close().catch(() => undefined);
  }

  #storageFor(info: SegmentInfo): FrameStorage {
    const { storage, random } = this.#options;
    const cipher = storage.keys.activeKeyId === 0 ? undefined : segmentCipher(storage, info, storage.keys.activeKeyId);
    invariant((cipher === undefined) === (storage.keys.activeKeyId === 0), 'the active key is in the ring');
    return { compression: storage.compression, cipher, random };
  }

  // — failure —

  /** Rule 6: a new segment says where the old one ends; then, and only then, the commits were not stored. */
  async #afterFailedWrite(group: GroupBuilder, error: unknown): Promise<void> {
    const active = this.#active as ActiveSegment;
    const full = isNoRoom(error);
    this.#live.fileFailed(active.info.path);
    if (this.#starting?.plan.isRecovery === true) {
      await this.#recoverElsewhere(this.#starting.plan, active, error);
      return;
    }
    const laid = this.#open;
    this.#open = undefined;
    this.#starting = undefined;
    this.#live.directoryFailed(active.directory, error);
    const failure = full ? diskFull(error, active.info.path) : writeFailed(error, active.info.path);
    const again = [...(full ? group.ops.filter(isControl) : []), ...(laid?.ops ?? [])].filter(isOwned);
    const lost = group.ops.filter((op) => isOwned(op) && !again.includes(op));
    this.#startFailures += 1;
    try {
      if (this.#startFailures >= startsMax) throw error;
      if (this.#options.fsyncIntervalMs > 0) await this.#endForWantOfRoom(error);
      const why = `a write failed: ${String(error)}`;
      const first = this.#nextSequence;
      const place = this.#live.placeAfter(error);
      await this.#start({ first, tailEnd: first, ops: [this.#cutOp(why)], bytes: 0, place });
    } catch (cause) {
      const failed = this.#fail(cause);
      const unknown = logFailed(failed.cause, this.#live.directoryPath, 'unknown');
      for (const op of group.ops.filter(isOwned)) op.failed(unknown);
      for (const op of again) if (!group.ops.includes(op)) op.failed(failed);
      return;
    }
    for (const op of lost) op.failed(failure);
    this.#waiting.unshift(...again);
    if (full) this.#refusePuts(failure);
  }

  /** By interval: no room for a write is no failed sync; what stands before it is sound. @throws Where it is not. */
  async #endForWantOfRoom(error: unknown): Promise<void> {
    if (!isNoRoom(error)) throw error;
    await this.#syncByInterval();
    this.#failIfNotStarted();
  }

  /** @throws What the file failed with, where no other does better: the old log still stands, nothing of it is lost. */
  async #recoverElsewhere(plan: StartPlan, active: ActiveSegment, error: unknown): Promise<void> {
    this.#starting = undefined;
    this.#live.directoryFailed(active.directory, error);
    this.#startFailures += 1;
    if (this.#startFailures >= startsMax) {
      await this.#retireActive();
      throw error;
    }
    await this.#start({ ...plan, place: this.#live.placeAfter(error) }).catch(() => {
      throw error;
    });
  }

  #cutOp(why: string): FrameOp {
    const { last } = this.#live;
    const cut = { segmentId: last?.id ?? 0, offset: last?.endOffset ?? 0, serial: this.#serial, why };
    return payloadOp(FrameType.cut, encodeCut(cut));
  }

  /** What is asked from now on is not stored; what is on its way to the disk is for its writer to tell. */
  #fail(cause: unknown): ForebayError {
    if (this.#state.kind === 'failed') return this.#state.error;
    const error = logFailed(cause, this.#live.directoryPath, 'notStored');
    this.#state = { kind: 'failed', error };
    this.#options.onRoom();
    return error;
  }

  #failAll(error: ForebayError): void {
    const ops = [...(this.#open?.ops ?? []), ...this.#waiting.splice(0)].filter(isOwned);
    this.#open = undefined;
    for (const op of ops) op.failed(error);
  }

  // — room —

  #refusePuts(refusal: ForebayError): void {
    this.#full = refusal;
    const puts = this.#waiting.filter((op) => op.type === FrameType.put);
    this.#waiting = this.#waiting.filter((op) => op.type !== FrameType.put);
    for (const op of puts) op.failed(refusal);
    this.#armRoomTimer();
  }

  #armRoomTimer(): void {
    this.#roomTimer?.cancel();
    this.#roomTimer = this.#options.clock.after(roomCheckMs, () => {
      this.#isRoomDue = true;
      this.#schedule();
    });
  }

  /** In turn with the writing: what it looks at must not change meanwhile. */
  async #lookForRoom(): Promise<void> {
    this.#isRoomDue = false;
    if (this.#full === undefined) return;
    const refusal = await this.#live.refusal(this.#neededSoon(0));
    if (refusal !== undefined && !this.#live.isReleasable()) {
      this.#armRoomTimer();
      return;
    }
    this.#full = undefined;
    this.#notifyRoom();
  }

  #notifyRoom(): void {
    if (this.#full === undefined) this.#options.onRoom();
  }

  // — timers —

  #armTimers(): void {
    if (this.#state.kind !== 'open') return;
    const { clock, fsyncIntervalMs } = this.#options;
    this.#markTimer?.cancel();
    if (this.#serial > this.#markedSerial) {
      this.#markTimer = clock.after(markDelayMs, () => this.append(payloadOp(FrameType.mark, encodeMark(false))));
    }
    if (fsyncIntervalMs > 0 && this.#provenSerial < this.#serial) {
      this.#syncTimer ??= clock.after(fsyncIntervalMs, () => {
        this.#syncTimer = undefined;
        void this.#syncByInterval();
      });
    }
  }

  /** Syncs what fsync by interval left unsynced. After a failure the file is never synced again. */
  async #syncByInterval(): Promise<void> {
    // One at a time: of two, the system tells only one that writing back failed.
    while (this.#syncing !== undefined) await this.#syncing;
    const active = this.#active;
    if (this.#options.fsyncIntervalMs === 0 || active === undefined || this.#provenSerial === this.#serial) return;
    if (this.#state.kind !== 'open') return;
    this.#syncing = this.#syncActive(active).finally(() => {
      this.#syncing = undefined;
    });
    await this.#syncing;
  }

  async #syncActive(active: ActiveSegment): Promise<void> {
    const serial = this.#serial;
    try {
      await active.file.sync();
      this.#provenSerial = Math.max(this.#provenSerial, serial);
    } catch (error) {
      this.#failAll(this.#fail(error));
    }
  }
}

function flagsOf(group: GroupBuilder, unsynced: boolean): number {
  let flags = unsynced ? GroupFlag.unsynced : 0;
  const first = group.ops[0]?.type;
  if (first === FrameType.state) flags |= GroupFlag.state;
  if (group.ops.some((op) => op.type === FrameType.open)) flags |= GroupFlag.open;
  if (first === FrameType.mark && group.ops.length === 1) flags |= GroupFlag.mark;
  return flags;
}

/** Ops that somebody waits for; the log's own are made anew where needed. */
function isOwned(op: FrameOp): boolean {
  return op.type !== FrameType.state && op.type !== FrameType.cut && op.type !== FrameType.mark;
}

function isControl(op: FrameOp): boolean {
  return op.type !== FrameType.put;
}
