/**
 * A copy of a channel in one new directory, made beside a running owner. It is the channel as it stood at one moment
 * between begin and end, up to the last group that was known to be durable, and a channel of its own: with another id,
 * which knows whose copy it is and from which sequence on both may deliver the same events. docs/decisions/0016.
 *
 * What a moment needs is the segments that live then. They are copied while the owner goes on; then the log is looked
 * at again, and what it has got since is copied too. When nothing is missing, that look is the moment.
 */
import { basename, join } from 'node:path';
import type { Clock } from '../../base/clock.ts';
import type { Disk } from '../../base/disk.ts';
import type { Random } from '../../base/random.ts';
import type { ByteOffset, SegmentId, Sequence } from '../../base/units.ts';
import type { Damage } from '../../wal/damage.ts';
import { type Identity, keyChannelOf } from '../../wal/identity.ts';
import { firstGroupOffset } from '../../wal/segment/segment-header.ts';
import type { SegmentInfo } from '../../wal/segment-info.ts';
import { checksumOf, readSettledPlaces, type SettledPlace, writeSettledPlaces } from '../../wal/settled-places.ts';
import { type ChannelView, type ViewOptions, viewChannel } from '../reader/channel-view.ts';
import { givenRanges } from '../reader/given-ranges.ts';
import { verifyChannel } from '../reader/verify.ts';
import { BackupDestination } from './destination.ts';
import { SegmentCopies } from './segment-copies.ts';

/** What is to be copied, and where to. */
export interface BackupOptions {
  /** Any one data directory of the channel. */
  readonly source: string;
  /** Empty, or not there. */
  readonly destination: string;
  readonly view: ViewOptions;
  readonly signal?: AbortSignal | undefined;
  /** Of both files' bytes. */
  readonly onProgress?: (done: number, total: number) => void;
}

/** What a backup stands on. */
export interface BackupEnvironment {
  readonly disk: Disk;
  readonly clock: Clock;
  readonly random: Random;
}

/** What was made. */
export interface BackupReport {
  readonly channelId: string;
  readonly parentChannelId: string;
  readonly segments: number;
  readonly bytes: number;
  /** In all segments, taken ones included. */
  readonly events: number;
  readonly depth: number;
  /** From here on the parent may deliver what the copy delivers too. */
  readonly mayRepeatFrom: Sequence;
  /** In the copy; and what the channel itself lacks. */
  readonly damages: readonly Damage[];
}

/** Looks at the log so often; each time the owner has let a segment go before it was copied. */
const roundsMax = 100;
/** What was durable when the backup began is in it, once the owner's next group or its MARK (100 ms) proves that. */
const proofWaitMs = 50;
const proofWaitsMax = 40;

/**
 * Makes a backup, and reads every byte of it once more. Where it rejects, the destination is empty again, or says that
 * it is no backup.
 *
 * @throws {ForebayError} DIR_UNUSABLE, where the destination is not empty; as `viewChannel`. What the disk answers. The
 *   signal's reason.
 */
export async function backupChannel(options: BackupOptions, environment: BackupEnvironment): Promise<BackupReport> {
  const { disk, clock, random } = environment;
  const view = await viewChannel(options.source, options.view, environment);
  const { present, checkpointPath, identity } = view.found;
  const sources = [...present.map(({ path }) => path), ...(checkpointPath === undefined ? [] : [checkpointPath])];
  const startedAt = new Date(clock.wallMs()).toISOString();
  const destination = await BackupDestination.begin(disk, options.destination, sources, {
    channelId: identity.channelId,
    startedAt,
  });
  const channelId = random.bytes(16).toString('hex');
  let taken: Copied;
  try {
    taken = await copyMoment(options, environment, destination, channelId);
    await copySettledPlaces(taken, destination.path, channelId, environment);
    options.signal?.throwIfAborted();
    await destination.publish(identityOf(taken.view, destination.path, channelId));
  } catch (error) {
    await destination.clear();
    throw error;
  }
  const copy = await viewChannel(destination.path, { encryption: options.view.encryption }, environment);
  const { events, damages } = await verifyChannel(copy);
  return {
    channelId,
    parentChannelId: identity.channelId,
    segments: taken.segments,
    bytes: taken.bytes,
    events,
    depth: copy.queue.depth,
    mayRepeatFrom: firstOpen(taken.view),
    damages: [...taken.view.damages.filter(({ kind }) => kind === 'absent'), ...damages],
  };
}

interface Copied {
  /** The moment. */
  readonly view: ChannelView;
  readonly segments: number;
  readonly bytes: number;
}

async function copyMoment(
  { source, view: viewOptions, signal, onProgress }: BackupOptions,
  environment: BackupEnvironment,
  destination: BackupDestination,
  channelId: string,
): Promise<Copied> {
  let done = 0;
  let total = 0;
  const onBytes = (bytes: number): void => {
    done += bytes;
    onProgress?.(done, Math.max(done, total));
  };
  const { disk, clock } = environment;
  const copies = new SegmentCopies({ disk, clock, destination, channelId, signal, onBytes });
  let dueSerial: number | undefined;
  let waits = 0;
  for (let round = 0; round < roundsMax; ) {
    signal?.throwIfAborted();
    const view = await viewChannel(source, viewOptions, environment);
    const wanted = await wantedOf(view);
    dueSerial ??= view.hasUnproven ? view.end.foundSerial : 0;
    total = done;
    for (const [segment, to] of wanted) total += copies.missingBytes(segment, to);
    let isWhole = true;
    for (const [segment, to] of wanted) {
      isWhole = await copies.copy(segment, to, view.owner === 'none');
      if (!isWhole) break;
    }
    if (!isWhole) round += 1;
    if (!isWhole) continue;
    const provenSerial = Math.max(0, ...[...wanted.keys()].map(({ endSerial }) => endSerial));
    if (view.owner !== 'none' && provenSerial < dueSerial && waits < proofWaitsMax) {
      waits += 1;
      await new Promise<void>((resolve) => clock.after(proofWaitMs, resolve, true));
      continue;
    }
    const kept = new Map<SegmentId, ByteOffset>([...wanted].map(([{ id }, to]) => [id, to]));
    return { view, segments: wanted.size, bytes: await copies.finish(kept) };
  }
  throw new Error(`${source}: segments are let go faster than they can be copied; try again when less is going on`);
}

/** The segments of the moment, and up to where each counts. */
async function wantedOf({ segments, owner, disk }: ChannelView): Promise<Map<SegmentInfo, ByteOffset>> {
  const wanted = new Map<SegmentInfo, ByteOffset>();
  const there = segments.filter(({ absent }) => !absent);
  const last = there.at(-1);
  for (const segment of there) {
    // At rest, an open would take over what stands behind the last group that is proven.
    const isOpenEnd = segment === last && owner === 'none';
    const to = isOpenEnd ? ((await disk.entry(segment.path))?.bytes ?? 0) : segment.endOffset;
    // Only just begun: all that counts stands in the segment before.
    if (to > firstGroupOffset || segments.length === 1) wanted.set(segment, to);
  }
  return wanted;
}

function identityOf(view: ChannelView, path: string, channelId: string): Identity {
  const { identity } = view.found;
  return {
    channelId,
    directoryId: 'd1',
    directories: [{ id: 'd1', path }],
    keys: identity.keys,
    revision: 1,
    forming: false,
    parent: {
      channelId: identity.channelId,
      keyChannelId: keyChannelOf(identity),
      mayRepeatFrom: firstOpen(view),
      nextSequence: view.nextSequence,
      copiedAt: Math.max(0, Math.floor(view.clock.wallMs())),
    },
  };
}

/** The first event that is not acknowledged; the next one to be put where all are. */
function firstOpen(view: ChannelView): Sequence {
  for (const range of givenRanges(view)) {
    const [open] = view.queue.pendingOf([range]);
    if (open !== undefined) return open.first;
  }
  return view.nextSequence;
}

/** Damage that a repair has settled is settled in the copy too. */
async function copySettledPlaces(
  { view }: Copied,
  directory: string,
  channelId: string,
  { disk, clock, random }: BackupEnvironment,
): Promise<void> {
  const { identity, present } = view.found;
  const there = new Map(view.segments.filter(({ absent }) => !absent).map((segment) => [segment.id, segment]));
  const places: SettledPlace[] = [];
  for (const place of await readSettledPlaces(disk, present, identity.channelId)) {
    const segment = there.get(place.segmentId);
    if (segment?.epoch !== place.epoch) continue;
    // What could not be read there can be read here.
    const crc = place.crc ?? (await crcOf(join(directory, basename(segment.path)), place, { disk, clock }));
    places.push({ ...place, crc });
  }
  if (places.length === 0) return;
  const settledMs = Math.max(0, Math.floor(clock.wallMs()));
  await writeSettledPlaces(disk, random, { directory, channelId, settledMs, places });
}

async function crcOf(
  path: string,
  { offset, bytes }: SettledPlace,
  { disk, clock }: Pick<BackupEnvironment, 'disk' | 'clock'>,
): Promise<number | null> {
  const file = await disk.open(path, { mode: 'read' });
  return (await checksumOf(file, offset, bytes, clock).finally(() => file.close())) ?? null;
}
