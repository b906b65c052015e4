/**
 * Damage that a repair has dealt with: its bytes stay in their segment, a copy of them is kept, and a report in
 * `quarantine/` of that directory names each place with the CRC of what stands there. Exactly that is settled; a bit
 * that changes later is a new damage. docs/decisions/0015.
 *
 *     quarantine/repair-<ms>-<random>.json         { content: { version, channelId, settledMs, places, kept }, crc }
 *     quarantine/<segment>-<offset>-<crc>.bin      the bytes of one place
 */
import { basename, dirname, join } from 'node:path';
import type { Clock } from '../base/clock.ts';
import type { Disk, DiskFile } from '../base/disk.ts';
import type { Random } from '../base/random.ts';
import { type ByteOffset, mib, type SegmentId, type SequenceRanges } from '../base/units.ts';
import { writeWhole } from '../base/write-whole.ts';
import { crc32 } from '../codec/checksum.ts';
import { openThrough, readThrough, type UnreadableBytes } from './byte-window.ts';
import type { Damage } from './damage.ts';
import type { LogDirectory } from './segment-files.ts';
import type { DamageKind } from './system-frames.ts';

/** One place of a segment. */
export interface SettledPlace {
  readonly segmentId: SegmentId;
  /** Of the segment: its number alone could be another's one day. */
  readonly epoch: string;
  readonly offset: ByteOffset;
  readonly bytes: number;
  /** CRC-32 of the bytes as they stood there; null: they could not be read. */
  readonly crc: number | null;
  readonly kind: DamageKind;
  /** The events that it cost. */
  readonly sequences: SequenceRanges;
}

/** The directory beside the segments. */
export const quarantineName = 'quarantine';
const reportName = /^repair-\d+-[0-9a-f]+\.json$/;
const formatVersion = 1;
const reportBytesMax: number = 64 * mib;
const chunkBytes: number = mib;

/** What earlier repairs settled, of all `directories`. A report that does not hold settles nothing. */
export async function readSettledPlaces(
  disk: Disk,
  directories: readonly LogDirectory[],
  channelId: string,
): Promise<SettledPlace[]> {
  const places: SettledPlace[] = [];
  for (const { path } of directories) {
    const directory = join(path, quarantineName);
    const names = (await disk.list(directory).catch(() => undefined)) ?? [];
    for (const name of names) {
      if (!reportName.test(name)) continue;
      // What cannot be read settles nothing either.
      const text = await readText(disk, join(directory, name)).catch(() => '');
      places.push(...decodeReport(text, channelId));
    }
  }
  return places;
}

/** A damage whose bytes were copied: for people. */
export interface KeptDamage extends Damage {
  /** Where the copy is; null: the bytes cannot be read, there was no room, or there are none. */
  readonly copy: string | null;
}

/** Where a report of damage in a directory goes, and what it says. */
export interface SettledReport {
  readonly directory: string;
  readonly channelId: string;
  readonly settledMs: number;
  readonly places: readonly SettledPlace[];
  readonly kept?: readonly KeptDamage[];
}

/** Writes a report durably: whole or not at all. */
export async function writeSettledPlaces(disk: Disk, random: Random, report: SettledReport): Promise<void> {
  const { channelId, settledMs, places, kept = [] } = report;
  const directory = join(report.directory, quarantineName);
  const content = { version: formatVersion, channelId, settledMs, places, kept };
  const text = `${JSON.stringify({ content, crc: crc32(Buffer.from(JSON.stringify(content))) }, null, 2)}\n`;
  await disk.makeDirectory(directory);
  const path = join(directory, `repair-${settledMs}-${random.bytes(4).toString('hex')}.json`);
  await writeWhole(disk, path, async (file) => {
    await file.write(Buffer.from(text), 0);
  });
}

/**
 * Copies bytes of a segment into `quarantine/` beside it, durably; a copy that is there already is good. Resolves to
 * the path of the copy. @throws What the disk answers, where there is no room.
 */
export async function keepBytes(
  disk: Disk,
  clock: Clock,
  place: { readonly path: string; readonly offset: ByteOffset; readonly bytes: number; readonly crc: number },
): Promise<string> {
  const directory = join(dirname(place.path), quarantineName);
  const segment = basename(place.path).replace(/\.seg$/, '');
  const path = join(directory, `${segment}-${place.offset}-${place.crc.toString(16).padStart(8, '0')}.bin`);
  if ((await disk.entry(path)) !== undefined) return path;
  await disk.makeDirectory(directory);
  const source = await openThrough(disk, place.path, clock);
  try {
    await writeWhole(disk, path, async (file) => {
      await eachChunk(source, place.offset, place.bytes, clock, (chunk, at) => file.write(chunk, at));
    });
  } finally {
    await source.close().catch(() => undefined);
  }
  return path;
}

/** CRC-32 of bytes of a file, as far as it reaches; undefined where they cannot be read. */
export async function checksumOf(
  file: DiskFile,
  offset: ByteOffset,
  bytes: number,
  clock: Clock,
): Promise<number | undefined> {
  let crc = 0;
  const unreadable = await eachChunk(file, offset, bytes, clock, async (chunk) => {
    crc = crc32(chunk, crc);
  });
  return unreadable ? undefined : crc;
}

/** True where some of the bytes could not be read. */
async function eachChunk(
  file: DiskFile,
  offset: ByteOffset,
  bytes: number,
  clock: Clock,
  use: (chunk: Buffer, at: number) => Promise<void>,
): Promise<boolean> {
  const unreadable: UnreadableBytes[] = [];
  const end = Math.min(offset + bytes, await file.bytes());
  for (let at = offset; at < end; at += chunkBytes) {
    const chunk = Buffer.allocUnsafe(Math.min(chunkBytes, end - at));
    const read = await readThrough(file, chunk, at, clock, unreadable);
    if (read > 0) await use(chunk.subarray(0, read), at - offset);
  }
  return unreadable.length > 0;
}

async function readText(disk: Disk, path: string): Promise<string> {
  const entry = await disk.entry(path);
  if (entry?.kind !== 'file' || entry.bytes > reportBytesMax) return '';
  const bytes = Buffer.alloc(entry.bytes);
  const file = await disk.open(path, { mode: 'read' });
  const read = await file.read(bytes, 0).finally(() => file.close());
  return bytes.toString('utf8', 0, read);
}

/** Total. */
function decodeReport(text: string, channelId: string): SettledPlace[] {
  let parsed: unknown;
  try {
    parsed = JSON.parse(text);
  } catch {
    return [];
  }
  const { content, crc } = fieldsOf(parsed);
  if (crc !== crc32(Buffer.from(JSON.stringify(content) ?? ''))) return [];
  const { version, channelId: of, places } = fieldsOf(content);
  if (version !== formatVersion || of !== channelId || !Array.isArray(places)) return [];
  return (places as unknown[]).filter(isPlace);
}

function isPlace(value: unknown): value is SettledPlace {
  const { segmentId, epoch, offset, bytes, crc } = fieldsOf(value);
  return [segmentId, offset, bytes].every(Number.isSafeInteger) && typeof epoch === 'string' && isCrc(crc);
}

function isCrc(value: unknown): boolean {
  return value === null || typeof value === 'number';
}

function fieldsOf(value: unknown): Record<string, unknown> {
  return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {};
}
