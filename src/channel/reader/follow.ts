/**
 * Follows the log of a channel: its events one after the other, as they become durable. Between looks it keeps its
 * place and reads only what is new; from segment to segment it goes by their headers, and never needs the owner. What
 * is not proven yet is not there yet (log rule 19); what was let go before it was read, or is damaged, is told.
 */
import type { Clock } from '../../base/clock.ts';
import type { Disk, OwnerState } from '../../base/disk.ts';
import { ForebayError, isForebayError } from '../../base/errors.ts';
import type { Sequence } from '../../base/units.ts';
import type { ReadGroup } from '../../wal/group-reader.ts';
import { FrameType } from '../../wal/segment/frame-header.ts';
import { segmentPath } from '../../wal/segment-files.ts';
import { type SegmentInfo, sequencesOf } from '../../wal/segment-info.ts';
import type { ChannelView, ViewOptions } from './channel-view.ts';
import { type DumpedEvent, type DumpRange, dumpEvents, eventsIn, type PassedOver } from './dump.ts';
import { type FoundChannel, findChannel } from './find-channel.ts';
import { type DurableEnd, FollowPlace } from './follow-place.ts';
import { type ChainLink, linksBehind } from './segment-chain.ts';
import type { DamageStep } from './segment-walk.ts';

/** How to follow. */
export interface FollowOptions {
  /** From where on, among what the log still holds; without it from the end of the view. */
  readonly from: Pick<DumpRange, 'fromSequence' | 'fromMs'> | undefined;
  readonly checkpointDir: ViewOptions['checkpointDir'];
  /** Told of events that could not be had. `path`: where they were, or what came behind them. */
  readonly onPassedOver: (passed: PassedOver) => void;
}

/** Ascending. A transaction's at once: to hand them out one by one takes several times as long as to read them. */
export type FollowedBatch = Iterable<DumpedEvent>;

/** So often the directories are looked at as a whole: are they there, who owns them, what is in them. */
const lookEveryMs = 1000;
/** Nothing came for so long, and it is looked at whether that is damage; then after twice as long each time. */
const doubtAfterMs = 2000;
const doubtAfterMsMax = 600_000;

/** One follower; one caller at a time. */
export class Follower {
  readonly #path: string;
  readonly #view: ChannelView;
  readonly #options: FollowOptions;
  readonly #disk: Disk;
  readonly #clock: Clock;
  #found: FoundChannel;
  #isBegun = false;
  /** Where it stands, or behind which it waits for the next one. */
  #segment: SegmentInfo | undefined;
  #place: FollowPlace | undefined;
  /** The first sequence that was neither given nor told of. */
  #next: Sequence;
  /** Known to follow, ascending. */
  #ahead: ChainLink[] = [];
  #lookedAtMs: number;
  #newsAtMs: number;
  #doubtAfterMs = doubtAfterMs;

  /** `view`: of the channel at `path`, as of now. */
  constructor(path: string, view: ChannelView, options: FollowOptions) {
    const last = view.segments.at(-1);
    this.#path = path;
    this.#view = view;
    this.#options = options;
    this.#disk = view.disk;
    this.#clock = view.clock;
    this.#found = view.found;
    this.#segment = last;
    // What no later group proves comes when one does, or when the next owner has written it again.
    this.#next = options.from === undefined ? (last?.nextSequence ?? 1) : 1;
    this.#newsAtMs = this.#lookedAtMs = view.clock.monotonicMs();
  }

  /** As of the last look. */
  get owner(): OwnerState {
    return this.#found.owner;
  }

  /**
   * What is new since the last call: some events at a time, each of them and the whole run to their ends. States are
   * those of the view; what came since is pending. A transaction's events share bytes, which are good until the next
   * one is asked for.
   *
   * @throws {ForebayError} NOT_A_CHANNEL where the channel is there no more; KEY_WRONG where it got another key.
   */
  async *batches(): AsyncGenerator<FollowedBatch> {
    if (!this.#isBegun) yield* this.#retained();
    do {
      const end = await this.#place?.provenEnd();
      if (end !== undefined) yield* this.#readTo(end);
    } while ((await this.#isNewer()) && (yield* this.#advance()));
    yield* this.#lookForDamage();
  }

  /** Lets its file go. */
  async close(): Promise<void> {
    await this.#place?.close();
    this.#place = undefined;
  }

  /** What the view has, and then its end. */
  async *#retained(): AsyncGenerator<FollowedBatch> {
    this.#isBegun = true;
    const { from, onPassedOver } = this.#options;
    const last = this.#segment;
    // First of all: meanwhile it may be used again.
    if (last !== undefined) this.#place = await FollowPlace.open(last, this.#view);
    if (from === undefined) return;
    // An owner may come while it is read.
    const proven: ChannelView = { ...this.#view, owner: 'running', tail: [] };
    for await (const dumped of dumpEvents(proven, from, onPassedOver)) yield [dumped];
    this.#next = last?.nextSequence ?? 1;
    this.#newsAtMs = this.#clock.monotonicMs();
  }

  /** False where the segment is used again: the rest of it is gone. */
  async *#readTo(end: DurableEnd): AsyncGenerator<FollowedBatch, boolean> {
    const place = this.#place;
    while (place !== undefined) {
      const steps = await place.read(end);
      if (steps === undefined || steps.length === 0) return steps !== undefined;
      this.#hasNews();
      for (const step of steps) {
        if (step.kind === 'group') yield this.#inGroup(place, step.group);
        else this.#lost(place, step);
      }
    }
    return false;
  }

  *#inGroup(place: FollowPlace, { header: group, frames, bad }: ReadGroup): Generator<DumpedEvent> {
    if (group.events === 0) return;
    const { path, id: segmentId } = place.segment;
    for (const { lostFrom, lostTo } of bad) this.#passOver('damaged', path, lostFrom, lostTo);
    // A tail that the next owner wrote again may be known already.
    const range = { ...this.#options.from, fromSequence: Math.max(this.#next, this.#options.from?.fromSequence ?? 1) };
    for (const { header, payload } of frames) {
      if (header.type !== FrameType.put) continue;
      const raw = payload === undefined ? undefined : place.restore(header, payload);
      const { baseSequence, count } = header;
      if (raw === undefined) this.#passOver('damaged', path, baseSequence, baseSequence + count);
      else yield* eventsIn(this.#view.queue, { header, raw, timeMs: group.wallMs, segmentId }, range);
    }
    this.#next = Math.max(this.#next, group.nextSequence + group.events);
  }

  #lost({ segment }: FollowPlace, { lostFrom, lostTo }: DamageStep): void {
    this.#passOver('damaged', segment.path, lostFrom, lostTo);
    this.#next = Math.max(this.#next, lostTo);
  }

  /** `to` is not among them. */
  #passOver(why: PassedOver['why'], path: string, from: Sequence, to: Sequence): void {
    const first = Math.max(from, this.#next, this.#options.from?.fromSequence ?? 1);
    if (first < to) this.#options.onPassedOver({ why, path, first, last: to - 1 });
  }

  /** Whether there may be a newer segment. Once in a while also whether all else is as it was. */
  async #isNewer(): Promise<boolean> {
    if (this.#ahead.length > 0) return true;
    if (this.#clock.monotonicMs() - this.#lookedAtMs >= lookEveryMs) {
      await this.#lookAround();
      return true;
    }
    // Used again already: the log is far ahead.
    if (this.#place === undefined || !(await this.#place.isStill())) return true;
    const id = this.#segment?.id ?? 0;
    // Most often they are numbered one by one, and a look at one name costs less than a look at all.
    for (const directory of this.#found.present) {
      const entry = await this.#disk.entry(segmentPath(directory, id + 1)).catch(() => undefined);
      if (entry !== undefined) return true;
    }
    return false;
  }

  /** Goes on in the next segment, once this one is read to its end. False where there is none. */
  async *#advance(): AsyncGenerator<FollowedBatch, boolean> {
    if (this.#ahead.length === 0) this.#ahead = await this.#linksBehind();
    const link = this.#ahead.shift();
    if (link === undefined) return false;
    const { segment, previousId, previousEnd } = link;
    const before = this.#segment?.id === previousId ? this.#segment : undefined;
    const isWhole = before !== undefined && (yield* this.#readTo(previousEnd));
    if (!isWhole) this.#isGone(before, link);
    this.#next = Math.max(this.#next, previousEnd.nextSequence);
    await this.close();
    this.#segment = segment;
    this.#place = await FollowPlace.open(segment, this.#view);
    this.#hasNews();
    return true;
  }

  /** What is due of the segment before a link, or of several that nobody has seen. */
  #isGone(before: SegmentInfo | undefined, { segment, previousEnd: { nextSequence } }: ChainLink): void {
    const unseen = [{ first: this.#next, last: nextSequence - 1 }];
    const due = before === undefined ? unseen : sequencesOf({ ...before, nextSequence });
    for (const { first, last } of due) this.#passOver('gone', before?.path ?? segment.path, first, last + 1);
  }

  #linksBehind(): Promise<ChainLink[]> {
    const { identity, present } = this.#found;
    const { channelId } = identity;
    return linksBehind(this.#segment?.id ?? 0, {
      disk: this.#disk,
      clock: this.#clock,
      directories: present,
      channelId,
    });
  }

  /** Directories may have joined, the owner may be another; or there is no channel any more. */
  async #lookAround(): Promise<void> {
    const found = await this.#findAgain();
    const { channelId } = this.#found.identity;
    if (found === undefined || found.identity.channelId !== channelId || found.present.length === 0) {
      const what = found === undefined ? 'holds no channel any more' : 'holds another channel now, or none';
      throw new ForebayError('NOT_A_CHANNEL', `${this.#path} ${what}: what was followed was removed or replaced`, {
        path: this.#path,
      });
    }
    this.#found = found;
    this.#lookedAtMs = this.#clock.monotonicMs();
  }

  async #findAgain(): Promise<FoundChannel | undefined> {
    try {
      return await findChannel(this.#disk, this.#path, this.#options.checkpointDir);
    } catch (error) {
      if (isForebayError(error) && error.code === 'NOT_A_CHANNEL') return undefined;
      throw error;
    }
  }

  /** A damaged group looks like one that has not come yet, until it is looked at what stands behind. */
  async *#lookForDamage(): AsyncGenerator<FollowedBatch> {
    const place = this.#place;
    if (place === undefined || this.#clock.monotonicMs() - this.#newsAtMs < this.#doubtAfterMs) return;
    this.#doubtAfterMs = Math.min(2 * this.#doubtAfterMs, doubtAfterMsMax);
    const damage = await place.findDamage();
    if (damage === undefined || !(yield* this.#readTo(damage.before))) return;
    this.#lost(place, damage.step);
    place.goOnAt(damage.behind);
    this.#hasNews();
  }

  #hasNews(): void {
    this.#newsAtMs = this.#clock.monotonicMs();
    this.#doubtAfterMs = doubtAfterMs;
  }
}
