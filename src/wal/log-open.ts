/**
 * Opens the log for writing: recovers, then commits what recovery found. After an orderly close the last segment goes
 * on; after anything else a new segment starts, whose first group holds the state, where the old log ends, and the
 * unproven tail once more. That group is recovery's one commit point: before it is durable nothing was changed, after
 * it nothing is left to do (docs/decisions/0002).
 */

import type { Random } from '../base/random.ts';
import type { Sequence, Serial } from '../base/units.ts';
import { ActiveSegment } from './active-segment.ts';
import { type Damage, stillLost } from './damage.ts';
import { type FrameOp, payloadOp } from './frame-op.ts';
import { FreePool } from './free-pool.ts';
import { Log } from './log.ts';
import type { LogOptions } from './log-options.ts';
import { keepDamagedBytes } from './quarantine-files.ts';
import { type Recovered, recover } from './recovery.ts';
import { applyQuarantine, type TailFrame } from './recovery-replay.ts';
import { FrameFlag, FrameType } from './segment/frame-header.ts';
import { type DirectoryListing, type LogDirectory, listLogFiles, readFileHeader } from './segment-files.ts';
import type { SegmentInfo } from './segment-info.ts';
import { restoreNames } from './segment-names.ts';
import { encodeOpen } from './system-frames.ts';

/** What an open after an unclean stop leaves free at least, so that no sequence is given twice (log-format rule 3). */
const sequenceGap: number = 2 ** 20;
/**
 * The gap is so many times that, at random: where the newest segment is lost as a whole, nothing else tells its
 * sequences from those the next one gets, which began behind the same group.
 */
const sequenceGapTimesMax = 64;
/** More where a segment or a directory is missing: above all that a history nobody can see may have given. */
const sequenceGapWide: number = 2 ** 32;

/** The log, ready to be written, and what recovery found. */
export interface OpenedLog {
  readonly log: Log;
  readonly damages: Damage[];
  /** The log was closed in order before. */
  readonly clean: boolean;
  readonly generation: number;
  /** The last group found, and the sequence behind the last event found: what the checkpoint is held against. */
  readonly foundSerial: Serial;
  readonly foundNextSequence: Sequence;
}

/**
 * @param isNew No log was ever made here: a channel that is being created.
 * @throws {ForebayError} FORMAT_UNSUPPORTED; or what the disk answered where no segment could be started.
 */
export async function openLog(options: LogOptions, isNew: boolean): Promise<OpenedLog> {
  const made: { log?: Log } = {};
  try {
    return await openMade(options, isNew, made);
  } catch (error) {
    await made.log?.abandon();
    throw error;
  }
}

/** `made.log`: what has to be let go of where this throws. */
async function openMade(options: LogOptions, isNew: boolean, made: { log?: Log }): Promise<OpenedLog> {
  const { disk, directories, clock, random, owner } = options;
  const { listing, recovered } = await recoverNamed(options);
  if (!isNew && listing.segments.length === 0) recovered.damages.push(noSegment(directories));
  for (const path of listing.leftovers) await disk.unlink(path);
  const pool = new FreePool(options);
  await pool.adopt(listing.free);
  const notCopied = new Set<string>();
  for (const damage of recovered.damages) {
    if (!(await keepOrPin(options, recovered, stillLost(damage, owner)))) notCopied.add(damage.path);
  }
  const generation = recovered.generation + 1;
  const log = new Log(options, pool, {
    segments: recovered.segments,
    last: recovered.last,
    // Serials never go back: a group that holds the tail again has the serial of the tail's last.
    serial: Math.max(recovered.lastSerial, recovered.foundSerial - 1),
    headerCrc: recovered.lastCrc,
    generation,
    nextSequence: recovered.nextSequence,
    segmentIdMax: recovered.segmentIdMax,
    quarantine: recovered.quarantine,
    absences: recovered.absences,
  });
  made.log = log;
  const open = payloadOp(
    FrameType.open,
    encodeOpen({ generation, wallMs: Math.max(0, Math.floor(clock.wallMs())), clean: recovered.clean }),
  );
  const resume = resumeSequence(recovered, isNew, random);
  if (recovered.continueAt !== undefined && (await continueLast(options, recovered, log))) {
    log.append(open);
    await log.settled();
    // Without a trace of this open the next one would find an orderly end, and give these sequences again.
    await log.sync();
  } else {
    const why = isNew ? 'a new channel' : recovered.clean ? 'no room' : 'the channel was not closed in order';
    const tail = recovered.tail.map((frame) => tailOp(frame, options, log));
    await log.startAfresh([...tail, open], resume, why);
  }
  if (log.failure !== undefined) throw log.failure;
  const strays = recovered.partsMissing ? [] : recovered.strays.filter((path) => !notCopied.has(path));
  await freeStrays(options, listing, strays, pool);
  if (!(await pool.fillReserve(directories))) log.lacksReserve();
  const { foundSerial, foundNextSequence } = recovered;
  const damages = recovered.damages.map((damage) => stillLost(damage, owner));
  const clean = recovered.clean || isNew;
  return { log, damages, clean, generation, foundSerial, foundNextSequence };
}

function resumeSequence(recovered: Recovered, isNew: boolean, random: Random): number {
  if (isNew) return 1;
  if (recovered.clean) return recovered.nextSequence;
  const after = Math.max(recovered.nextSequence, recovered.sequenceMax + 1);
  const nothing = recovered.segments.length === 0;
  const gap = sequenceGap * (1 + (random.bytes(2).readUInt16LE() % sequenceGapTimesMax));
  return after + (recovered.partsMissing || nothing ? sequenceGapWide : gap);
}

/** Recovers; a second time where segments had to be given their names back first. */
async function recoverNamed(options: LogOptions): Promise<{ listing: DirectoryListing; recovered: Recovered }> {
  const { disk, directories, clock, absentDirectories, storage, owner } = options;
  const listing = await listLogFiles(disk, directories);
  const recovered = await recover({ disk, clock, listing, directories, absentDirectories, storage, owner });
  const { channelId } = storage;
  const damages = await restoreNames({ disk, clock, channelId, listing }, recovered.strays);
  if (damages.length === 0) return { listing, recovered };
  const renamed = await listLogFiles(disk, directories);
  const again = await recover({ disk, clock, listing: renamed, directories, absentDirectories, storage, owner });
  again.damages.push(...damages);
  return { listing: renamed, recovered: again };
}

/** Row 17: nothing says what stood there; the checkpoint may, later. */
function noSegment(directories: readonly LogDirectory[]): Damage {
  const message = 'no segment is there, though the channel was in use: what it held is lost';
  const path = directories[0]?.path ?? '';
  return { path, offset: 0, bytes: 0, kind: 'segmentMissing', eventsLost: 0, sequences: [], message };
}

/** Bytes that could not be copied must stay where they are. */
async function keepOrPin(options: LogOptions, recovered: Recovered, damage: Damage): Promise<boolean> {
  const kept = await keepDamagedBytes(options.disk, damage);
  const segment = recovered.segments.find(({ path }) => path === damage.path);
  if (segment !== undefined && damage.kind === 'unreadable' && !kept) segment.pinned = true;
  return kept;
}

async function continueLast(options: LogOptions, recovered: Recovered, log: Log): Promise<boolean> {
  const info = recovered.last as SegmentInfo;
  const directory = options.directories.find(({ id }) => id === info.directoryId);
  if (directory === undefined) return false;
  const { disk, clock, fsyncIntervalMs, segmentBytes } = options;
  if (info.endOffset + 2 * 4096 > segmentBytes) return false;
  const file = await disk.open(info.path, { mode: 'write', writeThrough: fsyncIntervalMs === 0 });
  try {
    // Its last group may stand in the cache only, and what follows it would call it proven.
    await file.sync();
  } catch {
    await file.close().catch(() => undefined);
    return false;
  }
  log.continueIn(new ActiveSegment({ info, directory, limit: segmentBytes, file, disk, clock }));
  return true;
}

/** A frame of the unproven tail, as it was; applied when it is durable at last. */
function tailOp(frame: TailFrame, options: LogOptions, log: Log): FrameOp {
  const { type, flags, codec, baseSequence, count } = frame.header;
  const explicit = (flags & FrameFlag.explicit) !== 0;
  const notes = (flags & FrameFlag.notes) !== 0;
  const replayed = { type, codec, explicit, baseSequence, count };
  const payload = type === FrameType.put && !notes ? undefined : frame.payload;
  return payloadOp(type, frame.payload, {
    baseSequence,
    count,
    codec,
    flags: flags & (FrameFlag.explicit | FrameFlag.notes),
    durable: () => {
      if (type !== FrameType.quarantine) options.owner.replay({ ...replayed, payload });
      else log.quarantined(applyQuarantine(options.owner, frame.payload) ?? []);
    },
  });
}

/** Files with a segment's name that no STATE lists: drained or never started. Another channel's are left alone. */
async function freeStrays(
  options: LogOptions,
  listing: DirectoryListing,
  strays: readonly string[],
  pool: FreePool,
): Promise<void> {
  for (const path of strays) {
    const found = listing.segments.find((segment) => segment.path === path);
    if (found === undefined) continue;
    const file = await options.disk.open(path, { mode: 'read' });
    const { header } = await readFileHeader(file, options.clock).finally(() => file.close());
    if (header?.channelId !== options.storage.channelId) {
      const what = header === undefined ? 'has no header that holds' : 'belongs to another channel';
      options.onNotice(`${path} ${what} and was left alone`);
    } else await pool.recycle(found.directory, path);
  }
}
