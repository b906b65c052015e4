/**
 * The durable channel: a directory on a disk, owned by one process, that loses nothing it acknowledged. The parts:
 * what it stands on, and how that is opened (channel-parts.ts), the log (wal/), the queue's state (queue/), the common
 * half (core.ts).
 */
import { ForebayError } from '../base/errors.ts';
import type { Sequence, SequenceRanges } from '../base/units.ts';
import { normalizeRanges } from '../queue/ranges.ts';
import type { Damage } from '../wal/damage.ts';
import type { Delivery, LostEvents } from '../wal/delivery.ts';
import type { IdentityParent } from '../wal/identity.ts';
import type { Log } from '../wal/log.ts';
import type { OpenedLog } from '../wal/log-open.ts';
import { keepDamagedBytes } from '../wal/quarantine-files.ts';
import { pendingEvents, sequencesOf } from '../wal/segment-info.ts';
import type { ChannelStats } from './channel.ts';
import { addNotice, type ChannelEnvironment, type FileChannelParts, openParts } from './channel-parts.ts';
import { compareCheckpoint } from './checkpoint-check.ts';
import { Checkpointer } from './checkpointer.ts';
import { ChannelCore } from './core.ts';
import { type OwnedDirectories, releaseLocks } from './directories.ts';
import type { FileBackend } from './file-backend.ts';
import { mayRepeat } from './may-repeat.ts';
import type { ChannelOptions } from './options.ts';

/** See Channel. */
export class FileChannel extends ChannelCore {
  readonly #environment: ChannelEnvironment;
  readonly #owned: OwnedDirectories;
  readonly #log: Log;
  readonly #delivery: Delivery;
  readonly #backend: FileBackend;
  readonly #checkpointer: Checkpointer;
  readonly #syncsByInterval: boolean;
  readonly #damages: Damage[];
  readonly #notices: string[];
  #checkpointOpened: Promise<void> = Promise.resolve();

  /**
   * Opens the channel in `directory`, made where missing, and owns it until `close`. Resolves when events can be put
   * and taken; damage does not make it throw, see `damages`.
   *
   * @throws {ForebayError} CONFIG_INVALID, CHANNEL_LOCKED, CHANNEL_DIR_MISSING, NOT_A_CHANNEL, FORMAT_UNSUPPORTED,
   *   KEY_WRONG, DIR_UNUSABLE, DISK_FULL (no room for the first segment).
   */
  static async open(
    directory: string,
    options: ChannelOptions = {},
    environment: Partial<ChannelEnvironment> = {},
  ): Promise<FileChannel> {
    return (await openChannel(directory, options, environment)).channel;
  }

  /** For `open` only. */
  constructor(parts: FileChannelParts) {
    const { backend, resolved, environment, opened } = parts;
    const { clock } = environment;
    const idPrefix = opened.generation.toString(36);
    super({ backend, state: backend.state, options: resolved, clock, idPrefix });
    this.#environment = environment;
    this.#syncsByInterval = resolved.fsync !== 'commit';
    this.#owned = parts.owned;
    this.#log = opened.log;
    this.#delivery = parts.delivery;
    this.#backend = backend;
    this.#damages = opened.damages;
    this.#notices = parts.notices;
    this.#checkpointer = new Checkpointer({
      channelId: parts.owned.identity.channelId,
      clock,
      log: opened.log,
      intervalMs: resolved.checkpointIntervalMs,
      snapshot: () => backend.snapshot(),
      leasedEvents: () => this.queueStats().leasedEvents,
      onNotice: (text) => this.#notice(text),
    });
    parts.events.room = () => this.capacity.changed();
    parts.events.lost = (lost) => void this.#lostOnRead(lost);
    backend.lostOnRead = (ranges) => this.#unread(ranges);
  }

  /** For `open` only: the checkpoint is opened once the channel is up. */
  startCheckpoint(directory: string, opened: OpenedLog): void {
    this.#checkpointOpened = this.#openCheckpoint(directory, opened);
  }

  /** Everything found damaged since the open, in the order of finding. */
  get damages(): readonly Damage[] {
    return this.#damages;
  }

  /** Where it came from, if it is a backup of another channel that may have delivered some of its events too. */
  get parent(): IdentityParent | undefined {
    return this.#owned.identity.parent;
  }

  /** Of what waits, what that channel may have delivered too. Empty where none of it waits any more. */
  mayRepeat(): SequenceRanges {
    return mayRepeat(this.parent, this.#log.segments.flatMap(sequencesOf), this.#backend.state);
  }

  /** Saves a checkpoint now. Also resolves where it cannot be saved: `stats().health` says so. */
  async checkpoint(): Promise<void> {
    await this.#checkpointOpened;
    await this.#checkpointer.save();
  }

  /** Resolves when the checkpoint was held against the log, or cannot be. For the channel tools. */
  async checkpointOpened(): Promise<void> {
    await this.#checkpointOpened;
  }

  /** What of `ranges` was taken or dropped and is still kept. For the channel tools. */
  acknowledgedOf(ranges: SequenceRanges): SequenceRanges {
    this.gate.checkOpen();
    return this.#backend.settledOf(ranges, 'acknowledged');
  }

  /**
   * Makes what of `ranges` (ascending, disjoint) is taken, dropped or lost, and still there, pending again; what else
   * they name stays as it is. Durable as a whole when it resolves, to how many events that are. They are delivered
   * before newer ones; what is lost because of this life's own reading, after the next open. For the channel tools.
   *
   * @throws {ForebayError} TRANSACTION_STATE, where `ranges` are none; TRANSACTION_TOO_LARGE; as a commit.
   */
  async requeue(ranges: SequenceRanges): Promise<number> {
    this.gate.checkOpen();
    const named = normalizeRanges(ranges);
    if (named instanceof ForebayError) throw named;
    this.gate.enter();
    try {
      return await this.#backend.requeue(named, (count) => this.capacity.came(count));
    } finally {
      this.takers.pump();
      this.gate.leave();
    }
  }

  stats(): ChannelStats {
    const { clock } = this.#environment;
    const oldest = this.#oldestEventMs();
    return {
      channelId: this.#owned.identity.channelId,
      ...this.queueStats(),
      bytesOnDisk: this.#log.bytesOnDisk,
      segments: this.#log.segments.length,
      oldestEventAgeMs: oldest === undefined ? null : Math.max(0, clock.wallMs() - oldest),
      checkpoint: this.#checkpointer.saved,
      health: this.#health(),
    };
  }

  protected override async closeBackend(): Promise<void> {
    await this.#checkpointOpened;
    await this.#delivery.close();
    const failedBefore = this.#log.failure !== undefined;
    await this.#log.close();
    const { failure } = this.#log;
    if (failure === undefined) await this.#checkpointer.save(true);
    await this.#checkpointer.close();
    await releaseLocks(this.#owned.locks);
    // By interval the last sync was this one: what it did not reach was acknowledged.
    if (failure !== undefined && !failedBefore && this.#syncsByInterval) throw failure;
  }

  #health(): ChannelStats['health'] {
    if (this.gate.isClosed) return { state: 'closed', reasons: [] };
    const { failure } = this.#log;
    if (failure !== undefined) return { state: 'failed', reasons: [failure.message] };
    const refusal = this.#log.refusesPuts();
    const absent = this.#owned.absent.map(({ path }) => `${path} is missing`);
    const damages = this.#damages.length === 0 ? [] : [`${this.#damages.length} damages were found`];
    const reasons = [...(refusal === undefined ? [] : [refusal.message]), ...absent, ...damages, ...this.#notices];
    return { state: reasons.length === 0 ? 'ok' : 'degraded', reasons };
  }

  #notice(text: string): void {
    addNotice(this.#notices, text);
  }

  async #openCheckpoint(directory: string, opened: OpenedLog): Promise<void> {
    const { openCheckpoint, disk } = this.#environment;
    const { channelId } = this.#owned.identity;
    const afterUncleanStop = !opened.clean;
    try {
      const { store, notice } = await openCheckpoint({ disk, directory, channelId, afterUncleanStop });
      if (notice !== undefined) this.#notice(notice);
      if (store === undefined) return;
      const record = await store.load();
      if (record !== undefined) this.#compare(record, opened);
      this.#checkpointer.use(store);
    } catch (error) {
      this.#notice(`no checkpoint in ${directory}: ${String(error)}`);
    }
  }

  /** What the checkpoint saw behind the log's end is lost, and counted so. */
  #compare(record: Parameters<typeof compareCheckpoint>[0], opened: OpenedLog): void {
    const { channelId } = this.#owned.identity;
    const log = { opened, segments: this.#log.segments, queue: this.#backend.state, channelId };
    const { notice, returned, lostEnd } = compareCheckpoint(record, log);
    if (notice !== undefined) this.#notice(notice);
    if (returned !== undefined) this.#damages.push(returned);
    if (lostEnd === undefined) return;
    this.#damages.push(lostEnd);
    const { sequences: ranges, path, offset } = lostEnd;
    const segment = this.#log.segments.find((one) => one.path === path) ?? this.#log.segments.at(-1);
    if (ranges.length === 0 || segment === undefined) return;
    const entry = { segmentId: segment.id, offset, bytes: 0, kind: 'lostEnd' as const, ranges };
    this.#log.quarantine(entry, () => this.#backend.lostEnd(ranges));
  }

  /** Damage met while delivering: kept, reported, and put into the log, so that it is not met again. */
  async #lostOnRead(lost: LostEvents): Promise<void> {
    const ranges = this.#backend.state.pendingOf(lost.ranges);
    if (ranges.length === 0) return;
    const { segment, offset, bytes, kind } = lost;
    const damage = damageOf(lost, ranges);
    this.#damages.push(damage);
    if (!(await keepDamagedBytes(this.#environment.disk, damage))) segment.pinned = true;
    this.#log.quarantine({ segmentId: segment.id, offset, bytes, kind, ranges }, () => this.#quarantined(ranges));
  }

  #quarantined(ranges: SequenceRanges): void {
    this.capacity.left(this.#backend.quarantine(ranges).reduce((sum, { first, last }) => sum + last - first + 1, 0));
  }

  #unread(ranges: SequenceRanges): void {
    const [range] = ranges;
    const segment = range && this.#log.segments.find((one) => range.first < one.nextSequence);
    if (segment === undefined) return;
    void this.#lostOnRead({ segment, offset: 0, bytes: 0, kind: 'frame', ranges });
  }

  #oldestEventMs(): number | undefined {
    for (const segment of this.#log.segments) {
      if (segment.maxTimeMs === 0 || pendingEvents(segment, this.#backend) === 0) continue;
      const first: Sequence = this.#backend.state.nextUnsettled(segment.firstSequence);
      return segment.marks.findLast((mark) => mark.sequence <= first)?.timeMs ?? segment.minTimeMs;
    }
    return undefined;
  }
}

/** An open channel with what it stands on, for verbs that are alone with it: see repair/. */
export interface OpenedChannel {
  readonly channel: FileChannel;
  readonly log: Log;
  readonly backend: FileBackend;
}

/** As `FileChannel.open`. */
export async function openChannel(
  directory: string,
  options: ChannelOptions,
  environment: Partial<ChannelEnvironment>,
): Promise<OpenedChannel> {
  const parts = await openParts(directory, options, environment);
  const channel = new FileChannel(parts);
  const { opened, backend } = parts;
  channel.startCheckpoint(parts.checkpointPath, opened);
  return { channel, log: opened.log, backend };
}

function damageOf(lost: LostEvents, sequences: SequenceRanges): Damage {
  const eventsLost = sequences.reduce((sum, { first, last }) => sum + last - first + 1, 0);
  const { segment, offset, bytes, kind } = lost;
  const message = 'met while delivering: these events do not hold and are lost';
  return { path: segment.path, offset, bytes, kind, eventsLost, sequences, message };
}
