/**
 * The durable channel: a directory on a disk, owned by one process, that loses nothing it acknowledged. The parts:
 * directories and identity (directories.ts), the log (wal/), the queue's state (queue/), the common half (core.ts).
 */
import { join, resolve } from 'node:path';
import { type Clock, systemClock } from '../base/clock.ts';
import type { Disk } from '../base/disk.ts';
import { nodeDisk } from '../base/disk-node.ts';
import { ForebayError, isForebayError, systemCode } from '../base/errors.ts';
import { type Random, systemRandom } from '../base/random.ts';
import type { Sequence, SequenceRanges } from '../base/units.ts';
import { memoryCheckpointStore } from '../checkpoint/memory.ts';
import type { CheckpointStore } from '../checkpoint/store.ts';
import { zstdAvailable } from '../codec/stored-payload.ts';
import type { Damage } from '../wal/damage.ts';
import { Delivery, type LostEvents } from '../wal/delivery.ts';
import type { Log } from '../wal/log.ts';
import { type OpenedLog, openLog } from '../wal/log-open.ts';
import { keepDamagedBytes } from '../wal/quarantine-files.ts';
import type { SegmentInfo } from '../wal/segment-info.ts';
import { pendingEvents } from '../wal/segment-info.ts';
import type { ChannelStats } from './channel.ts';
import { compareCheckpoint } from './checkpoint-check.ts';
import { Checkpointer } from './checkpointer.ts';
import { ChannelCore } from './core.ts';
import {
  confirmIdentity,
  type OwnedDirectories,
  ownDirectories,
  publishIdentity,
  releaseLocks,
  unusable,
} from './directories.ts';
import { FileBackend } from './file-backend.ts';
import { type OwnedKeys, ownKeys, readKeys } from './keys.ts';
import { type ChannelOptions, type ResolvedOptions, resolveOptions } from './options.ts';

/** How a channel reaches its checkpoint: opened after the channel is up, in the background. */
export type OpenCheckpoint = (context: {
  readonly disk: Disk;
  readonly directory: string;
  readonly channelId: string;
  readonly afterUncleanStop: boolean;
}) => Promise<{ readonly store: CheckpointStore | undefined; readonly notice: string | undefined }>;

/** What a channel stands on; the system's own by default. */
export interface ChannelEnvironment {
  readonly disk: Disk;
  readonly clock: Clock;
  readonly random: Random;
  readonly openCheckpoint: OpenCheckpoint;
}

const hourMs = 3_600_000;
/** Small quotas get small segments, so that space comes back in steps. */
const segmentsPerQuota = 8;
const segmentBytesMin = 65_536;
const noticesMax = 100;

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
    const resolved = resolveOptions(options);
    refuseWithoutZstd(resolved);
    const parts: ChannelEnvironment = {
      disk: environment.disk ?? nodeDisk(),
      clock: environment.clock ?? systemClock,
      random: environment.random ?? systemRandom,
      openCheckpoint: environment.openCheckpoint ?? openers[resolved.checkpoint],
    };
    const root = resolve(directory);
    const dataPaths = (resolved.dataDirs ?? [root]).map((path) => resolve(path));
    const checkpointPath = resolve(resolved.checkpointDir ?? join(root, 'checkpoint'));
    const { disk, random } = parts;
    const { missingDir } = resolved;
    const masterKeys = await readKeys(disk, resolved.encryption);
    const owned = await ownDirectories({ disk, random, dataPaths, checkpointPath, missingDir });
    try {
      const keys = ownKeys(masterKeys, resolved.encryption?.activeKey ?? 0, owned.identity, dataPaths[0] as string);
      return await openOwned(owned, keys, checkpointPath, resolved, parts);
    } catch (error) {
      await releaseLocks(owned.locks);
      throw isForebayError(error) || systemCode(error) === undefined ? error : unusable(dataPaths[0] as string, error);
    }
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

  /** Saves a checkpoint now. Also resolves where it cannot be saved: `stats().health` says so. */
  async checkpoint(): Promise<void> {
    await this.#checkpointOpened;
    await this.#checkpointer.save();
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
    if (this.#notices.length < noticesMax && !this.#notices.includes(text)) this.#notices.push(text);
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

interface FileChannelParts {
  readonly backend: FileBackend;
  readonly resolved: ResolvedOptions;
  readonly environment: ChannelEnvironment;
  readonly owned: OwnedDirectories;
  readonly opened: OpenedLog;
  readonly delivery: Delivery;
  readonly notices: string[];
  readonly events: LogEvents;
}

/** What the log tells, before and after there is a channel to hear it. */
interface LogEvents {
  room: () => void;
  lost: (lost: LostEvents) => void;
}

async function openOwned(
  owned: OwnedDirectories,
  { ring, keys }: OwnedKeys,
  checkpointPath: string,
  resolved: ResolvedOptions,
  environment: ChannelEnvironment,
): Promise<FileChannel> {
  const { disk, clock, random } = environment;
  const { identity, present, absent } = owned;
  const storage = { channelId: identity.channelId, keys: ring, compression: resolved.compression };
  const backend = new FileBackend();
  const notices: string[] = [];
  const events: LogEvents = { room: () => undefined, lost: () => undefined };
  const segments: { current: () => readonly SegmentInfo[] } = { current: () => [] };
  const delivery = new Delivery({
    disk,
    clock,
    storage,
    segments: () => segments.current(),
    hasPending: (segment) => pendingEvents(segment, backend) > 0,
    onLost: (lost) => events.lost(lost),
  });
  // A key must be known before the first frame is written with it.
  const isPublished = owned.isPublished && keys.length === identity.keys.length;
  if (keys.length !== identity.keys.length) await publishIdentity(disk, owned, checkpointPath, { keys });
  const opened = await openLog(
    {
      disk,
      clock,
      random,
      directories: present,
      absentDirectories: absent,
      storage,
      ...sizes(resolved),
      owner: backend,
      onGroup: (group) => delivery.publish(group),
      onRoom: () => events.room(),
      onNotice: (text) => {
        if (notices.length < noticesMax && !notices.includes(text)) notices.push(text);
      },
    },
    owned.isNew,
  );
  segments.current = () => opened.log.segments;
  backend.attach({ log: opened.log, delivery }, resolved.capacityBytes !== undefined);
  delivery.start();
  try {
    if (isPublished) await confirmIdentity(disk, owned, checkpointPath);
    else await publishIdentity(disk, owned, checkpointPath, { forming: false, keys });
  } catch (error) {
    await opened.log.abandon();
    throw error;
  }
  for (const path of owned.repaired) opened.damages.push(identityDamage(path));
  const channel = new FileChannel({ backend, resolved, environment, owned, opened, delivery, notices, events });
  channel.startCheckpoint(checkpointPath, opened);
  return channel;
}

function sizes(resolved: ResolvedOptions) {
  const maxDiskBytes = resolved.maxDiskBytes ?? Number.POSITIVE_INFINITY;
  const byQuota = Math.floor(maxDiskBytes / segmentsPerQuota / 4096) * 4096;
  const aligned = Math.ceil(resolved.segmentBytes / 4096) * 4096;
  return {
    segmentBytes: Math.max(segmentBytesMin, Math.min(aligned, byQuota)),
    maxDiskBytes,
    minimumFreeBytes: resolved.minimumFreeBytes,
    retentionMs: resolved.retentionHours * hourMs,
    retentionBytes: resolved.retentionBytes,
    fsyncIntervalMs: resolved.fsync === 'commit' ? 0 : resolved.fsync.intervalMs,
  };
}

const openers: { readonly [kind in ResolvedOptions['checkpoint']]: OpenCheckpoint } = {
  memory: async () => ({ store: memoryCheckpointStore(), notice: undefined }),
  lmdb: async ({ disk, directory, channelId, afterUncleanStop }) => {
    const { openLmdbCheckpoint } = await import('../checkpoint/lmdb.ts');
    const opened = await openLmdbCheckpoint(disk, directory, { channelId, afterUncleanStop });
    if (opened.kind === 'unavailable') return { store: undefined, notice: opened.why };
    const aside = opened.setAside;
    const notice = aside === undefined ? undefined : `the checkpoint was set aside in ${aside.path}: ${aside.why}`;
    return { store: opened.store, notice };
  },
};

function damageOf(lost: LostEvents, sequences: SequenceRanges): Damage {
  const eventsLost = sequences.reduce((sum, { first, last }) => sum + last - first + 1, 0);
  const { segment, offset, bytes, kind } = lost;
  const message = 'met while delivering: these events do not hold and are lost';
  return { path: segment.path, offset, bytes, kind, eventsLost, sequences, message };
}

function identityDamage(path: string): Damage {
  const message = 'the identity file did not hold; it was written again from another directory';
  return {
    path: join(path, 'channel.json'),
    offset: 0,
    bytes: 0,
    kind: 'identity',
    eventsLost: 0,
    sequences: [],
    message,
  };
}

function refuseWithoutZstd(options: ResolvedOptions): void {
  if (options.compression !== 'zstd' || zstdAvailable) return;
  throw new ForebayError(
    'FORMAT_UNSUPPORTED',
    `compression 'zstd' needs Node 22.15 or later, this is ${process.version}: use 'deflate'`,
    { expected: '22.15', actual: process.version },
  );
}
