/**
 * A channel's directories: found or made, checked, locked, identified. Everything that may make `open` throw for a
 * reason other than damage is decided here, before a byte of the log is touched.
 */
import { dirname, resolve } from 'node:path';
import type { Disk, DiskLock } from '../base/disk.ts';
import { ForebayError, isForebayError, isNoRoom, systemCode } from '../base/errors.ts';
import type { Random } from '../base/random.ts';
import { type Identity, type IdentityDirectory, identityName, readIdentity, writeIdentity } from '../wal/identity.ts';
import type { LogDirectory } from '../wal/segment-files.ts';
import { checkpointDirectoryId, isMisplaced } from './misplaced-identity.ts';

/** The lock's file, one in each data directory; never unlinked. */
export const lockName = 'owner.lock';
/** What may lie in a directory that is to become a channel's. */
const harmlessNames: ReadonlySet<string> = new Set([lockName, 'lost+found', 'checkpoint', `${identityName}.new`]);

/** Which directories a channel is opened with. */
export interface DirectoryOptions {
  readonly disk: Disk;
  readonly random: Random;
  /** Absolute; the first is the one the channel is opened with, if dataDirs does not say otherwise. */
  readonly dataPaths: readonly string[];
  readonly checkpointPath: string;
  readonly missingDir: 'fail' | 'continue';
}

/** A channel's directories, locked. */
export interface OwnedDirectories {
  readonly identity: Identity;
  readonly present: readonly LogDirectory[];
  readonly absent: readonly LogDirectory[];
  readonly locks: readonly DiskLock[];
  /** No log was ever started here. */
  readonly isNew: boolean;
  /** Identity files that did not hold and were written again. */
  readonly repaired: readonly string[];
  /** Every directory, the checkpoint's included, holds this identity already. */
  readonly isPublished: boolean;
}

interface FoundDirectory {
  readonly path: string;
  readonly identity: Identity | undefined;
  readonly damaged: boolean;
}

/** @throws {ForebayError} CHANNEL_LOCKED, CHANNEL_DIR_MISSING, NOT_A_CHANNEL, FORMAT_UNSUPPORTED, DIR_UNUSABLE. */
export async function ownDirectories(options: DirectoryOptions): Promise<OwnedDirectories> {
  const { disk, dataPaths, checkpointPath } = options;
  const found: FoundDirectory[] = [];
  for (const path of dataPaths) found.push(await examine(disk, path));
  const checkpoint = await examine(disk, checkpointPath);
  const known = newest([...found, checkpoint]);
  if (known === undefined) return create(options, found);
  for (const { path, identity } of found) {
    if (identity !== undefined && identity.channelId !== known.channelId) throw otherChannel(path, known, identity);
  }
  return adopt(options, withoutMisplaced(found), known, checkpoint.identity);
}

/** Records a change of the identity in every directory, the checkpoint's included. */
export async function publishIdentity(
  disk: Disk,
  owned: Pick<OwnedDirectories, 'identity' | 'present'>,
  checkpointPath: string,
  change: Partial<Pick<Identity, 'forming' | 'keys'>>,
): Promise<Identity> {
  const identity: Identity = { ...owned.identity, ...change, revision: owned.identity.revision + 1 };
  for (const { id, path } of owned.present) await writeIdentity(disk, path, { ...identity, directoryId: id });
  await disk.makeDirectory(checkpointPath);
  await writeIdentity(disk, checkpointPath, { ...identity, directoryId: checkpointDirectoryId });
  return identity;
}

/** What is published needs no room: only its names are made durable, in case its publishing was cut off there. */
export async function confirmIdentity(
  disk: Disk,
  owned: Pick<OwnedDirectories, 'present'>,
  checkpointPath: string,
): Promise<void> {
  for (const { path } of owned.present) await disk.syncDirectory(path);
  await disk.syncDirectory(checkpointPath);
}

/** Releases what was locked; for an open that fails later. */
export async function releaseLocks(locks: readonly DiskLock[]): Promise<void> {
  for (const lock of locks) await lock.release();
}

async function examine(disk: Disk, path: string): Promise<FoundDirectory> {
  const entry = await usable(path, () => disk.entry(path));
  if (entry === undefined) return { path, identity: undefined, damaged: false };
  if (entry.kind !== 'directory') {
    throw new ForebayError('NOT_A_CHANNEL', `${path} is not a directory: name a directory for the channel`, { path });
  }
  const read = await usable(path, () => readIdentity(disk, path));
  if (read.kind === 'unsupported') {
    throw new ForebayError(
      'FORMAT_UNSUPPORTED',
      `${path} belongs to a channel of a newer forebay (${read.what}): open it with that version`,
      { path, actual: read.what },
    );
  }
  if (read.kind === 'identity') return { path, identity: read.identity, damaged: false };
  return { path, identity: undefined, damaged: read.kind === 'damaged' };
}

/** A copy that speaks of another directory is as good as damaged. */
function withoutMisplaced(found: readonly FoundDirectory[]): FoundDirectory[] {
  const copyIn = (path: string) => found.find((one) => one.path === path)?.identity;
  return found.map((one) => {
    const { path, identity } = one;
    if (identity === undefined || !isMisplaced(path, identity, copyIn)) return one;
    return { path, identity: undefined, damaged: true };
  });
}

function newest(found: readonly FoundDirectory[]): Identity | undefined {
  const identities = found.flatMap(({ identity }) => (identity === undefined ? [] : [identity]));
  return identities.reduce<Identity | undefined>(
    (best, identity) => (best === undefined || identity.revision > best.revision ? identity : best),
    undefined,
  );
}

/** No directory has an identity: a new channel, unless something else lives there. */
async function create(options: DirectoryOptions, found: readonly FoundDirectory[]): Promise<OwnedDirectories> {
  const { disk, random } = options;
  for (const { path, damaged } of found) {
    if (damaged) throw damagedIdentity(path);
    await refuseForeign(disk, path);
    await refuseNetwork(disk, path);
  }
  for (const { path } of found) await usable(path, () => disk.makeDirectory(path));
  const directories = found.map(({ path }, index) => ({ id: `d${index + 1}`, path }));
  const locks = await lockDirectories(disk, directories);
  const channelId = random.bytes(16).toString('hex');
  const identity: Identity = { channelId, directoryId: 'd1', directories, keys: [], revision: 1, forming: true };
  try {
    for (const { id, path } of directories) {
      await usable(path, () => writeIdentity(disk, path, { ...identity, directoryId: id }));
    }
  } catch (error) {
    await releaseLocks(locks);
    throw error;
  }
  return { identity, present: directories, absent: [], locks, isNew: true, repaired: [], isPublished: false };
}

/** Some directory knows the channel: every other one must, join, or be missing. */
async function adopt(
  options: DirectoryOptions,
  found: readonly FoundDirectory[],
  known: Identity,
  checkpoint: Identity | undefined,
): Promise<OwnedDirectories> {
  const { disk, missingDir } = options;
  const present: IdentityDirectory[] = [];
  const joining: IdentityDirectory[] = [];
  const repaired: string[] = [];
  for (const { path, identity, damaged } of found) {
    const listed = known.directories.find((one) => one.id === identity?.directoryId || one.path === path);
    if (identity !== undefined && listed !== undefined) present.push({ id: listed.id, path });
    else if (listed !== undefined && (damaged || known.forming)) {
      present.push({ id: listed.id, path });
      repaired.push(path);
    } else if (listed === undefined && !damaged) joining.push({ id: nextId(known, joining), path });
    else if (damaged) throw damagedIdentity(path);
  }
  const absent: IdentityDirectory[] = [];
  const copies = [...found.map((one) => one.identity), checkpoint];
  for (const listed of known.directories) {
    if (present.some(({ id }) => id === listed.id)) continue;
    const elsewhere = await examine(disk, listed.path);
    const back = elsewhere.identity?.channelId === known.channelId && elsewhere.identity.directoryId === listed.id;
    if (back) copies.push(elsewhere.identity);
    if (back) present.push(listed);
    else absent.push(listed);
  }
  if (absent[0] !== undefined && missingDir === 'fail') throw missing(absent[0].path);
  if (present.length + joining.length === 0) throw missing((absent[0] as IdentityDirectory).path);
  const all = [...present, ...joining];
  for (const { path } of joining) await refuseForeign(disk, path);
  for (const { path } of all) await refuseNetwork(disk, path);
  for (const { path } of all) await usable(path, () => disk.makeDirectory(path));
  const locks = await lockDirectories(disk, all);
  const identity = { ...known, directories: mergeDirectories(known, all) };
  try {
    for (const { id, path } of all) {
      if (repaired.includes(path) || joining.some((one) => one.path === path)) {
        await usable(path, () => writeIdentity(disk, path, { ...identity, directoryId: id }));
      }
    }
  } catch (error) {
    await releaseLocks(locks);
    throw error;
  }
  const isSame = JSON.stringify(identity.directories) === JSON.stringify(known.directories);
  const isAtCheckpoint = checkpoint?.directoryId === checkpointDirectoryId;
  const isPublished = isSame && !known.forming && isAtCheckpoint && copies.every((copy) => isCopy(known, copy));
  const told = known.forming ? [] : repaired;
  return { identity, present: all, absent, locks, isNew: known.forming, repaired: told, isPublished };
}

function isCopy(known: Identity, copy: Identity | undefined): boolean {
  return copy?.channelId === known.channelId && copy.revision === known.revision;
}

/** Ids are never given twice. */
function nextId(known: Identity, joining: readonly IdentityDirectory[]): string {
  const used = [...known.directories, ...joining].map(({ id }) => Number(id.slice(1)));
  return `d${Math.max(0, ...used) + 1}`;
}

function mergeDirectories(known: Identity, present: readonly IdentityDirectory[]): IdentityDirectory[] {
  const merged = known.directories.map((listed) => present.find(({ id }) => id === listed.id) ?? listed);
  return [...merged, ...present.filter(({ id }) => !merged.some((listed) => listed.id === id))];
}

/** Takes the lock of each. @throws {ForebayError} CHANNEL_LOCKED, where another has one of them: then none is kept. */
export async function lockDirectories(disk: Disk, directories: readonly LogDirectory[]): Promise<DiskLock[]> {
  const locks: DiskLock[] = [];
  try {
    for (const { path } of directories) {
      const lock = await usable(path, () => disk.lock(resolve(path, lockName)));
      if (lock === undefined) throw locked(path);
      locks.push(lock);
    }
    return locks;
  } catch (error) {
    await releaseLocks(locks);
    throw error;
  }
}

async function refuseForeign(disk: Disk, path: string): Promise<void> {
  const names = (await usable(path, () => disk.list(path))) ?? [];
  const foreign = names.find((name) => !harmlessNames.has(name) && !name.startsWith('.'));
  if (foreign === undefined) return;
  throw new ForebayError(
    'NOT_A_CHANNEL',
    `${path} holds '${foreign}' and no channel: name an empty directory, or the one the channel is in`,
    { path, actual: foreign },
  );
}

/** Where there is no such directory yet: by the first above it that there is. */
async function refuseNetwork(disk: Disk, path: string): Promise<void> {
  let existing = path;
  while (existing !== dirname(existing) && (await usable(path, () => disk.entry(existing))) === undefined) {
    existing = dirname(existing);
  }
  if ((await usable(path, () => disk.locality(existing))) !== 'network') return;
  throw new ForebayError(
    'DIR_UNUSABLE',
    `${path} is on a network file system, where neither locks nor syncs can be relied on: use a local disk`,
    { path },
  );
}

/** What the system refuses becomes DIR_UNUSABLE. */
async function usable<T>(path: string, call: () => Promise<T>): Promise<T> {
  try {
    return await call();
  } catch (error) {
    if (isForebayError(error)) throw error;
    const code = systemCode(error);
    if (code === undefined) throw error;
    if (code === 'ENOTDIR' || code === 'EEXIST') {
      throw new ForebayError('NOT_A_CHANNEL', `${path} is not a directory: name a directory for the channel`, {
        path,
        cause: error,
      });
    }
    throw unusable(path, error);
  }
}

/** What the system said about `path`, as an error of ours: DISK_FULL or DIR_UNUSABLE. */
export function unusable(path: string, cause: unknown): ForebayError {
  const code = systemCode(cause) ?? '';
  if (isNoRoom(cause)) {
    const text = `no room in ${path} to open the channel (${code}): free some, and open it again`;
    return new ForebayError('DISK_FULL', text, { path, actual: code, outcome: 'notStored', cause });
  }
  const refused = code === 'EACCES' || code === 'EPERM' || code === 'EROFS';
  const todo = refused ? 'give this user write permission' : "see the system's log for what is wrong with the disk";
  return new ForebayError('DIR_UNUSABLE', `${path} cannot be used (${String(cause)}): ${todo}`, {
    path,
    actual: code,
    cause,
  });
}

function locked(path: string): ForebayError {
  const text = `${path} is owned by another process, or opened already in this one: close that channel first`;
  return new ForebayError('CHANNEL_LOCKED', text, { path });
}

function missing(path: string): ForebayError {
  return new ForebayError(
    'CHANNEL_DIR_MISSING',
    `${path} belongs to this channel and is absent or empty: mount it, or open with missingDir: 'continue'`,
    { path },
  );
}

function damagedIdentity(path: string): ForebayError {
  return new ForebayError(
    'NOT_A_CHANNEL',
    `${path}/${identityName} does not hold and no other directory of the channel has a copy: restore it from a backup`,
    { path },
  );
}

function otherChannel(path: string, known: Identity, identity: Identity): ForebayError {
  return new ForebayError('NOT_A_CHANNEL', `${path} belongs to another channel: name the directories of one channel`, {
    path,
    expected: known.channelId,
    actual: identity.channelId,
  });
}
