/**
 * Opens the checkpoint in LMDB: the only door to it, and the only one that loads its native add-on, on demand.
 *
 * Damage to data.mdb ends a process that opens, reads or writes it. So that none can do so twice:
 *
 *     | found                                   | stop before  | done                                       |
 *     | the marker                              | any          | set aside unopened                         |
 *     | data.mdb shorter than sealed            | any          | set aside unopened                         |
 *     | data.mdb, its CRC as sealed             | clean        | opened                                     |
 *     | data.mdb, its CRC not as sealed         | clean        | set aside unopened                         |
 *     | data.mdb, seal absent, damaged, no CRC, | any          | a child copies it; the copy is opened      |
 *     |   or of an earlier form                 |              |                                            |
 *     | data.mdb, long enough                   | unclean      | a child copies it; the copy is opened      |
 *     | the child died, failed or was slow      |              | set aside                                  |
 *     | opened: record damaged or of another channel           | closed, set aside                          |
 *
 * and wherever nothing is left, a fresh environment is made. This process opens only files that are byte for byte
 * what LMDB left, or that a process without damage has just written. Damage that comes while a file is open is met
 * once; the stop was unclean then, and a child meets it next.
 */
import { InvariantError } from '../base/assert.ts';
import { type Clock, systemClock } from '../base/clock.ts';
import type { Disk } from '../base/disk.ts';
import { type Random, systemRandom } from '../base/random.ts';
import { mib } from '../base/units.ts';
import {
  breakSeal,
  type CheckpointFiles,
  checkpointFiles,
  copyPath,
  dropMarker,
  measure,
  raiseMarker,
  readSeal,
  removeCopies,
  setAside,
} from './lmdb-files.ts';
import { rebuild } from './lmdb-rebuild.ts';
import { type Environment, environmentOptions, findFault, type LmdbModule, LmdbStore } from './lmdb-store.ts';
import type { OpenedCheckpoint } from './store.ts';

/** Those with a `?` default to the system's. */
export interface LmdbCheckpointOptions {
  /** The channel's identity: an environment of another channel is set aside. */
  readonly channelId: string;
  /** Whether the channel was not closed in good order: then a child process reads the environment first. */
  readonly afterUncleanStop: boolean;
  readonly clock?: Clock;
  readonly random?: Random;
  /** What gives the add-on; for tests of its absence. */
  readonly loadLmdb?: () => Promise<LmdbModule>;
}

/**
 * What opening came to. `unavailable`: no checkpoint can be had just now, and the channel works without; `cause` is
 * what the system or the loader said.
 */
export type LmdbCheckpoint =
  | ({ readonly kind: 'opened' } & OpenedCheckpoint)
  | { readonly kind: 'unavailable'; readonly why: string; readonly cause: unknown };

/** A copy is no larger than its source; this much more must be free before one is made. */
const spareBytes: number = 4 * mib;

interface Room {
  readonly lmdb: LmdbModule;
  readonly disk: Disk;
  readonly files: CheckpointFiles;
  readonly channelId: string;
  readonly clock: Clock;
  readonly random: Random;
}

type SetAside = NonNullable<OpenedCheckpoint['setAside']>;

/**
 * Opens the checkpoint in `directory`, made where missing. `disk` must be the real one: LMDB reads and writes its
 * file by itself. The caller holds the channel's lock, so that nobody else has it open. Other files of the
 * directory are not touched.
 *
 * Never throws for what the disk, the add-on or the stored bytes are like: `unavailable` says so instead.
 */
export async function openLmdbCheckpoint(
  disk: Disk,
  directory: string,
  options: LmdbCheckpointOptions,
): Promise<LmdbCheckpoint> {
  let lmdb: LmdbModule;
  try {
    lmdb = await (options.loadLmdb ?? (() => import('lmdb')))();
  } catch (cause) {
    return { kind: 'unavailable', why: `the lmdb add-on does not load: ${messageOf(cause)}`, cause };
  }
  const { channelId, clock = systemClock, random = systemRandom } = options;
  const room: Room = { lmdb, disk, files: checkpointFiles(directory), channelId, clock, random };
  try {
    await disk.makeDirectory(directory);
    const opened = await open(room, options.afterUncleanStop);
    return { kind: 'opened', ...opened };
  } catch (cause) {
    if (cause instanceof InvariantError) throw cause;
    return { kind: 'unavailable', why: `no checkpoint in ${directory}: ${messageOf(cause)}`, cause };
  }
}

async function open(room: Room, afterUncleanStop: boolean): Promise<OpenedCheckpoint> {
  const { disk, files, clock, random } = room;
  const found = await judge(disk, files, afterUncleanStop);
  let why = found.kind === 'unusable' ? found.why : undefined;
  if (found.kind === 'suspect') why = await replaceByCopy(room);
  let aside: SetAside | undefined;
  if (why !== undefined) aside = { path: await setAside(disk, files, clock, random), why };

  await raiseMarker(disk, files);
  let environment = await tryOpen(room);
  if (typeof environment === 'string') {
    aside = { path: await setAside(disk, files, clock, random), why: environment };
    environment = await openEnvironment(room);
  }
  await dropMarker(disk, files);
  const store = new LmdbStore(disk, files, clock, environment);
  return aside === undefined ? { store } : { store, setAside: aside };
}

type Found =
  | { readonly kind: 'absent' }
  | { readonly kind: 'sealed' }
  | { readonly kind: 'suspect' }
  | { readonly kind: 'unusable'; readonly why: string };

/** The table above, as far as it can be told without opening anything. */
async function judge(disk: Disk, files: CheckpointFiles, afterUncleanStop: boolean): Promise<Found> {
  const entry = await disk.entry(files.data);
  if (entry === undefined) return { kind: 'absent' };
  if ((await disk.entry(files.marker)) !== undefined) {
    return { kind: 'unusable', why: 'the process that opened it last did not survive that, or was killed at it' };
  }
  const seal = await readSeal(disk, files);
  if (seal === undefined) return { kind: 'suspect' };
  if (entry.bytes < seal.bytes) {
    return { kind: 'unusable', why: `it has ${entry.bytes} bytes, ${seal.bytes} were recorded` };
  }
  if (afterUncleanStop || seal.crc === null) return { kind: 'suspect' };
  // Not read where its length tells: damage can make it longer than anybody would wait for.
  const actual = entry.bytes === seal.bytes ? await measure(disk, files.data) : undefined;
  if (actual?.bytes === seal.bytes && actual.crc === seal.crc) return { kind: 'sealed' };
  return { kind: 'unusable', why: 'its bytes are not those of the last save' };
}

/** Puts a child's copy in the place of data.mdb; else says why not, and data.mdb is as it was. */
async function replaceByCopy({ disk, files, random }: Room): Promise<string | undefined> {
  // A page number that is damaged makes the file as long as it says, with nothing in between.
  const bytes = (await disk.entry(files.data))?.storedBytes ?? 0;
  const free = await disk.freeBytes(files.directory);
  // Thrown, not told: with the environment untouched, a later opening with room finds it as it was.
  if (free < bytes + spareBytes) throw new Error(`${free} bytes are free, too few to copy it`);
  await removeCopies(disk, files);
  await disk.unlink(files.lock);
  const copy = copyPath(files, random);
  const why = await rebuild(files.data, copy);
  if (why === undefined) {
    await breakSeal(disk, files);
    await disk.rename(copy, files.data);
    await disk.syncDirectory(files.directory);
  }
  await removeCopies(disk, files);
  return why;
}

/** The environment, or what is wrong with it; then it is closed. */
async function tryOpen(room: Room): Promise<Environment | string> {
  const existed = (await room.disk.entry(room.files.data)) !== undefined;
  let environment: Environment;
  try {
    environment = await openEnvironment(room);
  } catch (error) {
    if (!existed) throw error;
    return `LMDB does not open it: ${messageOf(error)}`;
  }
  let fault: string | undefined;
  try {
    fault = findFault(environment, room.channelId);
  } catch (error) {
    fault = `LMDB does not read it: ${messageOf(error)}`;
  }
  if (fault === undefined) return environment;
  await environment.close();
  return fault;
}

/** The lock file is made anew: nobody else has the environment open, and a damaged one is as deadly. */
async function openEnvironment({ lmdb, disk, files }: Room): Promise<Environment> {
  await disk.unlink(files.lock);
  return lmdb.open<Buffer, Buffer>({ ...environmentOptions, path: files.data });
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
