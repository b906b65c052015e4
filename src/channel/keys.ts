/** The channel's encryption keys: held against the fingerprints of its identity before anything else is read. */
import { timingSafeEqual } from 'node:crypto';
import type { Disk } from '../base/disk.ts';
import { ForebayError } from '../base/errors.ts';
import { keyFingerprint, masterKeyBytes } from '../codec/frame-cipher.ts';
import type { KeyRing } from '../wal/frame-payload.ts';
import { type Identity, type IdentityKey, keyChannelOf } from '../wal/identity.ts';
import type { EncryptionOptions } from './options.ts';

/** A key file is 32 raw bytes, or their 64 hex digits. */
const keyFileBytesMax = 128;

/** The keys given, checked, and the list of them for the identity. */
export interface OwnedKeys {
  readonly ring: KeyRing;
  /** What the identity must list from now on. */
  readonly keys: readonly IdentityKey[];
}

/** The master keys by id. @throws {ForebayError} KEY_WRONG, where a file of one cannot be read or holds none. */
export async function readKeys(
  disk: Disk,
  encryption: EncryptionOptions | undefined,
): Promise<ReadonlyMap<number, Buffer>> {
  const masterKeys = new Map<number, Buffer>();
  for (const [name, source] of Object.entries(encryption?.keys ?? {})) {
    const id = Number(name);
    masterKeys.set(id, typeof source === 'string' ? await readKey(disk, source, id) : Buffer.from(source));
  }
  return masterKeys;
}

/**
 * Holds the keys against those the channel in `path` was written with.
 * @throws {ForebayError} KEY_WRONG, where one of them is not given or is another one.
 */
export function ownKeys(
  masterKeys: ReadonlyMap<number, Buffer>,
  activeKeyId: number,
  identity: Identity,
  path: string,
): OwnedKeys {
  const channelId = Buffer.from(keyChannelOf(identity), 'hex');
  const fingerprints = new Map([...masterKeys].map(([id, key]) => [id, keyFingerprint(key, channelId)]));
  for (const { id, fingerprint } of identity.keys) {
    const given = fingerprints.get(id);
    if (given === undefined) throw wrong(id, 'is not given', path);
    if (!timingSafeEqual(Buffer.from(given), Buffer.from(fingerprint.padEnd(given.length).slice(0, given.length)))) {
      throw wrong(id, 'is another key than the one it was written with', path);
    }
  }
  const keys = [...identity.keys];
  if (activeKeyId !== 0 && !keys.some(({ id }) => id === activeKeyId)) {
    keys.push({ id: activeKeyId, fingerprint: fingerprints.get(activeKeyId) as string });
  }
  return { ring: { activeKeyId, masterKeys }, keys };
}

async function readKey(disk: Disk, path: string, id: number): Promise<Buffer> {
  const entry = await disk.entry(path);
  if (entry?.kind !== 'file' || entry.bytes > keyFileBytesMax) throw wrong(id, `cannot be read from ${path}`, path);
  const bytes = Buffer.alloc(entry.bytes);
  const file = await disk.open(path, { mode: 'read' });
  await file.read(bytes, 0).finally(() => file.close());
  const text = bytes.toString('latin1').trim();
  const key = bytes.length === masterKeyBytes ? bytes : Buffer.from(/^[0-9a-fA-F]{64}$/.test(text) ? text : '', 'hex');
  if (key.length !== masterKeyBytes) throw wrong(id, `in ${path} is neither 32 bytes nor 64 hex digits`, path);
  return key;
}

function wrong(id: number, what: string, path: string): ForebayError {
  const text = `the channel's encryption key ${id} ${what}: open with encryption.keys[${id}]`;
  return new ForebayError('KEY_WRONG', text, { path, actual: id });
}
