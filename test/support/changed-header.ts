/** Changes one field of a header in a golden channel, makes its checksum good, and says what an open makes of it. */
import { crc32 } from 'node:zlib';
import { isForebayError } from '../../src/base/errors.ts';
import { contentsOf, openGolden } from './golden-channel.ts';

/** A field: its offset in the header, its bytes, and what it is changed to. */
export interface FieldChange {
  readonly at: number;
  readonly bytes: 1 | 2 | 4 | 8;
  readonly to: number;
}

/** Writes the change into the header that starts at `start`. Negative values only with 8 bytes. */
export function changeField(target: Buffer, start: number, { at, bytes, to }: FieldChange): void {
  if (bytes === 8) target.writeBigInt64LE(BigInt(to), start + at);
  else target.writeUIntLE(to, start + at, bytes);
}

/** The checksum of both header pages anew. */
export function sealPages(segment: Buffer): void {
  for (const page of [0, 4096]) segment.writeUInt32LE(crc32(segment.subarray(page, page + 4092)), page + 4092);
}

/** The checksum of the group header at `at` anew. */
export function sealGroup(segment: Buffer, at: number): void {
  segment.writeUInt32LE(crc32(segment.subarray(at, at + 76)), at + 76);
}

/** The checksum of the frame header at `at` anew. */
export function sealFrame(segment: Buffer, at: number): void {
  const seed = Buffer.alloc(16);
  segment.copy(seed, 0, 48, 56);
  seed.writeBigUInt64LE(BigInt(at), 8);
  segment.writeUInt32LE(crc32(segment.subarray(at, at + 36), crc32(seed)), at + 36);
}

/**
 * `as written`, or how it differs: an error's code and end, or damages (kind@segment:offset, events lost), events
 * delivered, and the put counter where it differs from 36.
 */
export async function outcomeOf(files: ReadonlyMap<string, Buffer>): Promise<string> {
  try {
    const channel = await openGolden('plain', files);
    const { events, counters } = await contentsOf(channel);
    // What delivery meets is written down in the background.
    await channel.notes.set('written', true);
    const damages = channel.damages.map(({ kind, path, offset, eventsLost }) => {
      const segment = /([0-9a-f])\.seg$/.exec(path)?.[1] ?? path;
      return `${kind}@${segment}:${offset}${eventsLost > 0 ? ` lost ${eventsLost}` : ''}`;
    });
    await channel.close();
    if (events.length !== 21) damages.push(`${events.length} events`);
    if (counters['put'] !== 36) damages.push(`put ${counters['put']}`);
    return damages.length === 0 ? 'as written' : damages.join(', ');
  } catch (error) {
    if (!isForebayError(error)) throw error;
    return `${error.code}: ${error.actual}`;
  }
}
