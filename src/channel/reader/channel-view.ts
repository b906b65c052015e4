/**
 * A channel as someone sees it who only reads: what an open would find, without an open. Beside a running owner it is
 * a moment of the log up to the last group that is known to be durable; what comes behind is not there yet, and is no
 * damage. docs/durability.md; log rule 19.
 */
import type { Clock } from '../../base/clock.ts';
import type { Disk, OwnerState } from '../../base/disk.ts';
import { isForebayError, systemCode } from '../../base/errors.ts';
import type { Sequence, SequenceRanges } from '../../base/units.ts';
import type { QueueState } from '../../queue/queue-state.ts';
import { type Damage, stillLost } from '../../wal/damage.ts';
import type { PayloadStorage } from '../../wal/frame-payload.ts';
import { keyChannelOf } from '../../wal/identity.ts';
import { findMisplaced, listedByContents } from '../../wal/misplaced-segments.ts';
import { type Recovered, recover } from '../../wal/recovery.ts';
import { applyQuarantine, type TailFrame } from '../../wal/recovery-replay.ts';
import { FrameFlag, FrameType } from '../../wal/segment/frame-header.ts';
import { listLogFiles } from '../../wal/segment-files.ts';
import type { SegmentInfo } from '../../wal/segment-info.ts';
import { FileBackend } from '../file-backend.ts';
import { ownKeys, readKeys } from '../keys.ts';
import type { EncryptionOptions } from '../options.ts';
import { type FoundChannel, findChannel } from './find-channel.ts';

/** How to look. */
export interface ViewOptions {
  /** Where it is not below the first data directory. */
  readonly checkpointDir?: string | undefined;
  readonly encryption?: EncryptionOptions | undefined;
  /** Segments that lie under each other's names are read as what they are, as after a repair. */
  readonly byContents?: boolean;
  /**
   * Encrypted with keys that are not given: read by its sums alone (log rule 14). What was taken, prepared or given up
   * is not known, and so all of it seems to wait; nor which segments there should be.
   */
  readonly withoutKeys?: boolean;
}

/** See above. */
export interface ChannelView {
  readonly found: FoundChannel;
  readonly owner: OwnerState;
  /** The live ones, ascending; some may be absent. */
  readonly segments: readonly SegmentInfo[];
  readonly queue: QueueState;
  /** Behind the last proven group, where no owner runs: an open takes them over, and they count already. */
  readonly tail: readonly TailFrame[];
  /** Beside an owner: records stand there that are not known to be durable yet, and do not count. */
  readonly hasUnproven: boolean;
  readonly damages: readonly Damage[];
  /** Events that had been given up for lost, and that an open takes up again: what held them is back. */
  readonly readmitted: SequenceRanges;
  /** The log was closed in order. */
  readonly isClean: boolean;
  readonly nextSequence: Sequence;
  /** What a checkpoint is held against. */
  readonly end: Pick<Recovered, 'foundSerial' | 'foundNextSequence' | 'generation'>;
  readonly storage: PayloadStorage;
  readonly disk: Disk;
  readonly clock: Clock;
}

/** A log that moves under the reader is read again; so often, and what is found then is taken for damage. */
const readsMax = 5;
const pauseMs = 150;

/**
 * Reads what an open would read, and changes nothing.
 *
 * @throws {ForebayError} NOT_A_CHANNEL, FORMAT_UNSUPPORTED, KEY_WRONG. Damage never throws.
 */
export async function viewChannel(
  path: string,
  options: ViewOptions,
  { disk, clock }: { readonly disk: Disk; readonly clock: Clock },
): Promise<ChannelView> {
  const found = await findChannel(disk, path, options.checkpointDir);
  const storage = await storageOf(found, options, path, disk);
  let earlier: readonly Damage[] = [];
  for (let reads = 1; ; reads += 1) {
    const read = await readOnce(found, options, storage, disk, clock);
    const isLast = reads === readsMax;
    if (read === undefined) {
      if (isLast) throw new Error(`${path}: files vanish as fast as they are read; look again later`);
    } else {
      const damages = found.owner === 'none' ? read.damages : read.damages.filter(isNoTail);
      const isStill = damages.every((one) => earlier.some((other) => isSame(one, other)));
      if (found.owner === 'none' || isStill || isLast) return makeView(found, read, damages, storage, disk, clock);
      earlier = damages;
    }
    await new Promise<void>((resolve) => clock.after(pauseMs, resolve, true));
  }
}

async function storageOf(
  { identity }: FoundChannel,
  { encryption, withoutKeys = false }: ViewOptions,
  path: string,
  disk: Disk,
): Promise<PayloadStorage> {
  const { channelId } = identity;
  const named = { channelId, keyChannelId: keyChannelOf(identity), compression: 'none', withoutKeys } as const;
  if (withoutKeys) return { ...named, keys: { activeKeyId: 0, masterKeys: new Map() } };
  return { ...named, keys: ownKeys(await readKeys(disk, encryption), 0, identity, path).ring };
}

interface ReadLog extends Recovered {
  readonly queue: QueueState;
}

/** Undefined where a file vanished meanwhile: an owner used it again. */
async function readOnce(
  { present, absent }: FoundChannel,
  { byContents = false }: ViewOptions,
  storage: PayloadStorage,
  disk: Disk,
  clock: Clock,
): Promise<ReadLog | undefined> {
  const owner = new FileBackend();
  try {
    const listed = await listLogFiles(disk, present);
    const { channelId } = storage;
    const misplaced = byContents ? await findMisplaced({ disk, clock, channelId, listing: listed }) : [];
    const listing = listedByContents(listed, misplaced);
    const recovered = await recover({
      disk,
      clock,
      listing,
      directories: present,
      absentDirectories: absent,
      storage,
      owner,
    });
    const told = storage.withoutKeys === true ? recovered.damages.filter(isOfSums) : recovered.damages;
    const damages = told.map((damage) => stillLost(damage, owner));
    return { ...recovered, damages, queue: owner.state };
  } catch (error) {
    if (isForebayError(error) || systemCode(error) !== 'ENOENT') throw error;
    return undefined;
  }
}

function makeView(
  found: FoundChannel,
  read: ReadLog,
  damages: readonly Damage[],
  storage: PayloadStorage,
  disk: Disk,
  clock: Clock,
): ChannelView {
  const { queue, segments, clean, nextSequence, foundSerial, foundNextSequence, generation } = read;
  const tail = found.owner === 'none' ? read.tail : [];
  for (const frame of tail) applyTail(queue, frame);
  const after = tail.reduce((next, { header }) => Math.max(next, endOf(header)), nextSequence);
  return {
    found,
    owner: found.owner,
    segments,
    queue,
    tail,
    hasUnproven: read.tail.length > tail.length,
    // What the tail acknowledges is not missed either.
    damages: [...found.damages, ...damages.map((damage) => stillLost(damage, ownerOf(queue)))],
    readmitted: read.readmitted,
    isClean: clean,
    nextSequence: after,
    end: { foundSerial, foundNextSequence, generation },
    storage,
    disk,
    clock,
  };
}

function endOf({ type, baseSequence, count }: TailFrame['header']): Sequence {
  return type === FrameType.put ? baseSequence + count : 0;
}

function ownerOf(queue: QueueState): FileBackend {
  const backend = new FileBackend();
  backend.state = queue;
  return backend;
}

/** As an open does once it has written it again. */
function applyTail(queue: QueueState, { header, payload }: TailFrame): void {
  const backend = ownerOf(queue);
  const { type, flags, codec, baseSequence, count } = header;
  if (type === FrameType.quarantine) {
    applyQuarantine(backend, payload);
    return;
  }
  const explicit = (flags & FrameFlag.explicit) !== 0;
  backend.replay({ type, codec, explicit, baseSequence, count, payload });
}

/** Not what only a STATE says: which segments there should be. One that does not hold, verify meets by itself. */
function isOfSums({ kind }: Damage): boolean {
  return kind !== 'segmentMissing' && kind !== 'state';
}

/** A write that is under way. */
function isNoTail({ kind }: Damage): boolean {
  return kind !== 'unprovenTail';
}

function isSame(one: Damage, other: Damage): boolean {
  return one.path === other.path && one.offset === other.offset && one.kind === other.kind;
}
