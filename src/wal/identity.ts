/**
 * The identity file `channel.json`, one in every directory of a channel: which channel, which directory of it, what
 * the others are. It is why an unmounted volume is noticed, never taken for a fresh channel (log-format rule 16).
 * JSON with a CRC of its own; docs/format.md#identity.
 */
import { join } from 'node:path';
import type { Disk } from '../base/disk.ts';
import type { Sequence } from '../base/units.ts';
import { writeWhole } from '../base/write-whole.ts';
import { crc32 } from '../codec/checksum.ts';

/** The identity's file name. */
export const identityName = 'channel.json';
const formatVersion = 1;
const fileBytesMax = 1_048_576;
/** That of an identity with a parent. */
const parentFeature = 'parent';

/** A data directory: an id that is never given twice, and where it was last found. */
export interface IdentityDirectory {
  readonly id: string;
  readonly path: string;
}

/** A key the channel was ever written with. The fingerprint does not give it away. */
export interface IdentityKey {
  readonly id: number;
  readonly fingerprint: string;
}

/** What an identity file says. */
export interface Identity {
  /** 32 hex digits. */
  readonly channelId: string;
  /** The directory this file stands in; `checkpoint` for the checkpoint directory. */
  readonly directoryId: string;
  readonly directories: readonly IdentityDirectory[];
  readonly keys: readonly IdentityKey[];
  /** Grows with every change; the largest of all copies counts. */
  readonly revision: number;
  /** The channel is being created: no log was ever started. */
  readonly forming: boolean;
  /** It is a backup of another channel. */
  readonly parent?: IdentityParent;
}

/** Of which channel this is a copy, and what of it the other may have delivered too. */
export interface IdentityParent {
  /** The other's. */
  readonly channelId: string;
  /** The channel whose id all keys are derived from: the first of a line of copies. */
  readonly keyChannelId: string;
  /** Events from here on, up to without `nextSequence`, were not acknowledged when the copy was made. */
  readonly mayRepeatFrom: Sequence;
  readonly nextSequence: Sequence;
  /** Wall clock, ms. */
  readonly copiedAt: number;
}

/** The channel whose id the keys of this one are derived from. */
export function keyChannelOf({ channelId, parent }: Identity): string {
  return parent?.keyChannelId ?? channelId;
}

/** What an identity file turned out to be. */
export type ReadIdentity =
  | { readonly kind: 'identity'; readonly identity: Identity }
  | { readonly kind: 'none' | 'damaged' }
  | { readonly kind: 'unsupported'; readonly what: string };

/** Reads the identity of `directory`. Total but for what the disk throws. */
export async function readIdentity(disk: Disk, directory: string): Promise<ReadIdentity> {
  const path = join(directory, identityName);
  const entry = await disk.entry(path);
  if (entry === undefined) return { kind: 'none' };
  if (entry.kind !== 'file' || entry.bytes > fileBytesMax) return { kind: 'damaged' };
  const bytes = Buffer.alloc(entry.bytes);
  const file = await disk.open(path, { mode: 'read' });
  await file.read(bytes, 0).finally(() => file.close());
  return decodeIdentity(bytes.toString('utf8'));
}

/** Writes the identity durably: whole or not at all. */
export async function writeIdentity(disk: Disk, directory: string, identity: Identity): Promise<void> {
  const bytes = Buffer.from(encodeIdentity(identity));
  await writeWhole(disk, join(directory, identityName), (file) => file.write(bytes, 0));
}

/** The file's text. */
export function encodeIdentity(identity: Identity): string {
  const { channelId, directoryId, directories, keys, revision, forming, parent } = identity;
  const content = {
    version: formatVersion,
    features: parent === undefined ? [] : [parentFeature],
    channelId,
    directoryId,
    directories,
    keys,
    revision,
    forming,
    parent,
  };
  const crc = crc32(Buffer.from(JSON.stringify(content)));
  return `${JSON.stringify({ content, crc }, null, 2)}\n`;
}

/** What a file's text says. Total. */
export function decodeIdentity(text: string): ReadIdentity {
  let parsed: unknown;
  try {
    parsed = JSON.parse(text);
  } catch {
    return { kind: 'damaged' };
  }
  if (!isRecord(parsed) || !isRecord(parsed['content'])) return { kind: 'damaged' };
  const { content } = parsed;
  if (crc32(Buffer.from(JSON.stringify(content))) !== parsed['crc']) return { kind: 'damaged' };
  if (content['version'] !== formatVersion)
    return { kind: 'unsupported', what: `version ${String(content['version'])}` };
  const features = content['features'];
  const unknown = Array.isArray(features) ? features.filter((one) => one !== parentFeature) : [];
  if (unknown.length > 0) return { kind: 'unsupported', what: `features ${unknown.join()}` };
  const { channelId, directoryId, directories, keys, revision, forming, parent } = content;
  const sound =
    isChannelId(channelId) &&
    typeof directoryId === 'string' &&
    typeof revision === 'number' &&
    typeof forming === 'boolean';
  if (!sound || !isDirectories(directories) || !isKeys(keys)) return { kind: 'damaged' };
  const identity = { channelId, directoryId, directories, keys, revision, forming };
  if (parent === undefined) return { kind: 'identity', identity };
  return isParent(parent) ? { kind: 'identity', identity: { ...identity, parent } } : { kind: 'damaged' };
}

function isChannelId(value: unknown): value is string {
  return typeof value === 'string' && /^[0-9a-f]{32}$/.test(value);
}

function isParent(value: unknown): value is IdentityParent {
  if (!isRecord(value) || !isChannelId(value['channelId']) || !isChannelId(value['keyChannelId'])) return false;
  const numbers = [value['mayRepeatFrom'], value['nextSequence'], value['copiedAt']];
  return numbers.every((one) => Number.isSafeInteger(one) && Number(one) >= 0);
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function isDirectories(value: unknown): value is IdentityDirectory[] {
  if (!Array.isArray(value)) return false;
  return value.every((item) => isRecord(item) && typeof item['id'] === 'string' && typeof item['path'] === 'string');
}

function isKeys(value: unknown): value is IdentityKey[] {
  if (!Array.isArray(value)) return false;
  return value.every((key) => isRecord(key) && typeof key['id'] === 'number' && typeof key['fingerprint'] === 'string');
}
