/**
 * A channel's directories for someone who only looks: found by any one of them, nothing locked, nothing written. What
 * a copy of the identity lacks, the others say.
 */
import { join, resolve } from 'node:path';
import type { Disk, OwnerState } from '../../base/disk.ts';
import { ForebayError } from '../../base/errors.ts';
import type { Damage } from '../../wal/damage.ts';
import { type Identity, identityName, type ReadIdentity, readIdentity } from '../../wal/identity.ts';
import type { LogDirectory } from '../../wal/segment-files.ts';
import { lockName } from '../directories.ts';
import { checkpointDirectoryId, isMisplaced } from '../misplaced-identity.ts';

/** See above. */
export interface FoundChannel {
  /** The newest of all copies. */
  readonly identity: Identity;
  readonly present: readonly LogDirectory[];
  readonly absent: readonly LogDirectory[];
  /** Where it is known: it is not among what an identity lists. */
  readonly checkpointPath: string | undefined;
  readonly owner: OwnerState;
  /** Copies of the identity that do not hold. */
  readonly damages: readonly Damage[];
}

const checkpointName = 'checkpoint';

/**
 * `path`: a data directory, or the checkpoint's. `checkpointPath`: where it is not below the first data directory.
 *
 * @throws {ForebayError} NOT_A_CHANNEL, FORMAT_UNSUPPORTED.
 */
export async function findChannel(disk: Disk, path: string, checkpointPath?: string): Promise<FoundChannel> {
  const given = resolve(path);
  const damages: Damage[] = [];
  const copies = new Map<string, Identity>();
  const look = async (directory: string): Promise<Identity | undefined> => {
    const read = await readCopy(disk, directory);
    if (read.kind === 'damaged') damages.push(identityDamage(directory));
    if (read.kind === 'identity') copies.set(directory, read.identity);
    return read.kind === 'identity' ? read.identity : undefined;
  };
  const own = await look(given);
  const below = resolve(checkpointPath ?? join(given, checkpointName));
  const beside = await look(below);
  const first = newest([own, beside]);
  if (first === undefined) throw notAChannel(given, damages.length > 0, await isFlumes(disk, given));
  const listed = first.directories.filter(({ path: one }) => one !== given);
  for (const { path: one } of listed) await look(one);
  const ours = [...copies].filter(([, one]) => one.channelId === first.channelId);
  const identity = newest(ours.map(([, one]) => one)) ?? first;
  const isElsewhere = ([directory, copy]: readonly [string, Identity]): boolean => {
    const isOwn = copy.directories.some((one) => one.path === directory && one.id === copy.directoryId);
    if (directory === below) return copy.directoryId !== checkpointDirectoryId && !isOwn;
    return isMisplaced(directory, copy, (one) => (one === below ? undefined : copies.get(one)));
  };
  const all = ours.filter((one) => !isElsewhere(one));
  for (const [directory] of ours.filter(isElsewhere)) damages.push(identityDamage(directory));
  const isCheckpoint = all.some(
    ([directory, copy]) => directory === given && copy.directoryId === checkpointDirectoryId,
  );
  const present: LogDirectory[] = [];
  const absent: LogDirectory[] = [];
  for (const { id, path: one } of identity.directories) {
    const at = all.find(([directory, copy]) => copy.directoryId === id && directory !== below)?.[0];
    // A copy that does not hold says nothing: the name does.
    const isDamaged = damages.some((damage) => damage.path === join(one, identityName));
    if (at !== undefined) present.push({ id, path: at });
    else if (isDamaged) present.push({ id, path: one });
    else absent.push({ id, path: one });
  }
  const owners = await Promise.all(present.map(({ path: one }) => disk.owner(join(one, lockName))));
  const found = isCheckpoint ? given : beside === undefined ? checkpointPath : below;
  return { identity, present, absent, checkpointPath: found, owner: worst(owners), damages };
}

/** What cannot be looked into is not there. */
async function readCopy(disk: Disk, directory: string): Promise<ReadIdentity> {
  const read = await readIdentity(disk, directory);
  if (read.kind !== 'unsupported') return read;
  const text = `${directory} belongs to a channel of a newer forebay (${read.what}): look into it with that version`;
  throw new ForebayError('FORMAT_UNSUPPORTED', text, { path: directory, actual: read.what });
}

function newest(identities: readonly (Identity | undefined)[]): Identity | undefined {
  const known = identities.filter((one): one is Identity => one !== undefined);
  return known.reduce<Identity | undefined>(
    (best, one) => (best === undefined || one.revision > best.revision ? one : best),
    undefined,
  );
}

function worst(owners: readonly OwnerState[]): OwnerState {
  return owners.find((one) => one === 'running') ?? owners.find((one) => one === 'unknown') ?? 'none';
}

/** Whether Apache Flume's file channel has written there. */
async function isFlumes(disk: Disk, path: string): Promise<boolean> {
  const names = (await disk.list(path)) ?? [];
  return names.some((name) => /^log-\d+(\.meta)?$/.test(name));
}

function notAChannel(path: string, isDamaged: boolean, isFlume: boolean): ForebayError {
  const what = isFlume
    ? `it is Apache Flume's, which \`forebay channel import-flume\` takes over`
    : `name one of its data directories (it has a ${identityName})`;
  const text = isDamaged
    ? `${join(path, identityName)} does not hold: name another data directory of the channel, which has a copy`
    : `${path} holds no channel: ${what}`;
  return new ForebayError('NOT_A_CHANNEL', text, { path });
}

function identityDamage(directory: string): Damage {
  const message = 'this copy of the identity does not hold; the next open writes it again from another directory';
  const path = join(directory, identityName);
  return { path, offset: 0, bytes: 0, kind: 'identity', eventsLost: 0, sequences: [], message };
}
