/** From a frame as stored to its raw payload: decryption and decompression with the segment's own key. */

import type { SegmentId } from '../base/units.ts';
import { deriveSegmentKey, type FrameCipher } from '../codec/frame-cipher.ts';
import { type Compression, restorePayload } from '../codec/stored-payload.ts';
import { associatedData, FrameFlag, type FrameHeader } from './segment/frame-header.ts';

/** The channel's keys by id. Empty where nothing is encrypted. */
export interface KeyRing {
  readonly activeKeyId: number;
  readonly masterKeys: ReadonlyMap<number, Buffer>;
}

/** What a segment's keys are derived from. */
export interface SegmentIdentity {
  readonly id: SegmentId;
  readonly epoch: string;
  readonly generation: number;
}

/** How the payloads of a channel are stored. */
export interface PayloadStorage {
  readonly channelId: string;
  /** Whose id keys are derived from, where that is another's: see identity.ts. */
  readonly keyChannelId?: string;
  readonly keys: KeyRing;
  /** What no given key decrypts is no damage: the sums alone are looked at. Never with an owner. */
  readonly withoutKeys?: boolean;
  readonly compression: Compression;
}

/** The cipher of `keyId` for one segment; undefined where the ring has no such key. */
export function segmentCipher(
  storage: PayloadStorage,
  segment: SegmentIdentity,
  keyId: number,
): FrameCipher | undefined {
  const masterKey = storage.keys.masterKeys.get(keyId);
  if (masterKey === undefined) return undefined;
  const channelId = Buffer.from(storage.keyChannelId ?? storage.channelId, 'hex');
  const epoch = Buffer.from(segment.epoch, 'hex');
  return { keyId, dataKey: deriveSegmentKey(masterKey, channelId, segment.id, epoch, segment.generation) };
}

/** Restores the payloads of one segment's frames; derives each key once. */
export class PayloadReader {
  readonly #storage: PayloadStorage;
  readonly #segment: SegmentIdentity;
  readonly #ciphers = new Map<number, FrameCipher | undefined>();

  constructor(storage: PayloadStorage, segment: SegmentIdentity) {
    this.#storage = storage;
    this.#segment = segment;
  }

  /** The raw payload, a slice of `stored` where that is plain; undefined where it cannot be restored: damage. */
  restore(header: FrameHeader, stored: Buffer): Buffer | undefined {
    const compressed = (header.flags & FrameFlag.compressed) !== 0;
    const encrypted = (header.flags & FrameFlag.encrypted) !== 0;
    if (!compressed && !encrypted) return stored.length === header.rawBytes ? stored : undefined;
    const cipher = encrypted ? this.#cipher(header.keyId) : undefined;
    const form = { compressed, encrypted, rawBytes: header.rawBytes };
    const restored = restorePayload(stored, form, cipher, associatedData(header));
    return restored.kind === 'payload' ? restored.payload : undefined;
  }

  /** Whether nobody can say what stands in it, for want of a key. */
  isBeyondReach({ flags, keyId }: FrameHeader): boolean {
    if (this.#storage.withoutKeys !== true) return false;
    return (flags & FrameFlag.encrypted) !== 0 && this.#cipher(keyId) === undefined;
  }

  #cipher(keyId: number): FrameCipher | undefined {
    if (!this.#ciphers.has(keyId)) this.#ciphers.set(keyId, segmentCipher(this.#storage, this.#segment, keyId));
    return this.#ciphers.get(keyId);
  }
}
