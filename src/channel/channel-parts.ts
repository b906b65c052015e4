/**
 * What a durable channel stands on, opened in its order: directories and identity, keys, the log with what the queue
 * makes of it, delivery. Gives all of it back where one of them fails.
 */
import { join, resolve } from 'node:path';
import { type Clock, systemClock } from '../base/clock.ts';
import type { Disk } from '../base/disk.ts';
import { nodeDisk } from '../base/disk-node.ts';
import { ForebayError, isForebayError, systemCode } from '../base/errors.ts';
import { type Random, systemRandom } from '../base/random.ts';
import { memoryCheckpointStore } from '../checkpoint/memory.ts';
import type { CheckpointStore } from '../checkpoint/store.ts';
import { zstdAvailable } from '../codec/stored-payload.ts';
import type { Damage } from '../wal/damage.ts';
import { Delivery, type LostEvents } from '../wal/delivery.ts';
import { keyChannelOf } from '../wal/identity.ts';
import { type OpenedLog, openLog } from '../wal/log-open.ts';
import { pendingEvents, type SegmentInfo } from '../wal/segment-info.ts';
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

/** Adds what has not been said yet. */
export function addNotice(notices: string[], text: string): void {
  if (notices.length < noticesMax && !notices.includes(text)) notices.push(text);
}

/** What a channel is made of, all of it open. */
export interface FileChannelParts {
  readonly checkpointPath: string;
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

/** @throws {ForebayError} See `FileChannel.open`. */
export async function openParts(
  directory: string,
  options: ChannelOptions,
  environment: Partial<ChannelEnvironment>,
): Promise<FileChannelParts> {
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

async function openOwned(
  owned: OwnedDirectories,
  { ring, keys }: OwnedKeys,
  checkpointPath: string,
  resolved: ResolvedOptions,
  environment: ChannelEnvironment,
): Promise<FileChannelParts> {
  const { disk, clock, random } = environment;
  const { identity, present, absent } = owned;
  const { channelId } = identity;
  const storage = { channelId, keyChannelId: keyChannelOf(identity), keys: ring, compression: resolved.compression };
  const backend = new FileBackend();
  const notices: string[] = [];
  const events: LogEvents = { room: () => undefined, lost: () => undefined };
  const segments: { current: () => readonly SegmentInfo[] } = { current: () => [] };
  const delivery = new Delivery({
    disk,
    clock,
    storage,
    pastCache: resolved.fsync === 'commit',
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
      onNotice: (text) => addNotice(notices, text),
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
  return { checkpointPath, backend, resolved, environment, owned, opened, delivery, notices, events };
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
