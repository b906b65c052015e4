/**
 * The keys of an encrypted channel: log-format rule 14. A master key never encrypts anything itself; each
 * segment of each generation has its own data key, so that random 96-bit nonces stay far from repeating.
 */
import { hkdfSync } from 'node:crypto';
import { invariant } from '../base/assert.ts';

/** What the option `encryption.keys` must give. */
export const masterKeyBytes = 32;
const dataKeyBytes = 32;
const fingerprintBytes = 16;
const channelIdBytes = 16;
const epochBytes = 8;
/** Told apart by their first bytes, so that no input of one is an input of the other. */
const segmentLabel = 'forebay segment key v1\0';
const fingerprintLabel = 'forebay key fingerprint v1\0';

/** What a frame is encrypted with. */
export interface FrameCipher {
  /** Which master key, as in the options and in frame headers. */
  readonly keyId: number;
  /** `deriveSegmentKey`'s: 32 bytes. */
  readonly dataKey: Buffer;
}

/**
 * The 32-byte key of one segment: HKDF-SHA-256 of the master key (32 bytes), without salt, for the channel id
 * (16 bytes) ‖ segment id u64 ‖ epoch (8 bytes) ‖ generation u32, little-endian, behind a label.
 */
export function deriveSegmentKey(
  masterKey: Buffer,
  channelId: Buffer,
  segmentId: number,
  epoch: Buffer,
  generation: number,
): Buffer {
  invariant(epoch.length === epochBytes, 'an epoch has 8 bytes');
  const numbers = Buffer.alloc(12);
  numbers.writeBigUInt64LE(BigInt(segmentId), 0);
  numbers.writeUInt32LE(generation, 8);
  const segment = Buffer.concat([numbers.subarray(0, 8), epoch, numbers.subarray(8)]);
  return derive(masterKey, channelId, segmentLabel, segment, dataKeyBytes);
}

/**
 * What the identity file keeps to tell a wrong master key: 32 hex digits that say nothing about the key and
 * differ between channels.
 */
export function keyFingerprint(masterKey: Buffer, channelId: Buffer): string {
  return derive(masterKey, channelId, fingerprintLabel, Buffer.alloc(0), fingerprintBytes).toString('hex');
}

function derive(masterKey: Buffer, channelId: Buffer, label: string, rest: Buffer, bytes: number): Buffer {
  invariant(masterKey.length === masterKeyBytes, 'a master key has 32 bytes');
  invariant(channelId.length === channelIdBytes, 'a channel id has 16 bytes');
  const info = Buffer.concat([Buffer.from(label), channelId, rest]);
  return Buffer.from(hkdfSync('sha256', masterKey, Buffer.alloc(0), info, bytes));
}
