/**
 * Segments that lie under another name than their own: a copy that was put back carelessly, a rename by hand. The
 * header says which segment it is; where no other file has that name, it gets it back.
 */
import type { Clock } from '../base/clock.ts';
import { type Disk, pageBytes } from '../base/disk.ts';
import type { SegmentId } from '../base/units.ts';
import { readThrough } from './byte-window.ts';
import type { Damage } from './damage.ts';
import { readGroupHeader } from './segment/group-header.ts';
import { firstGroupOffset } from './segment/segment-header.ts';
import { type DirectoryListing, readFileHeader, type SegmentFile, segmentPath } from './segment-files.ts';

/** What `restoreNames` works with. */
export interface NamesOptions {
  readonly disk: Disk;
  readonly clock: Clock;
  readonly channelId: string;
  readonly listing: DirectoryListing;
}

/** Renames what of `strays` is another segment of this channel than it is called; says so. */
export async function restoreNames(options: NamesOptions, strays: readonly string[]): Promise<Damage[]> {
  const taken = new Set(options.listing.segments.map(({ id }) => id));
  const damages: Damage[] = [];
  for (const file of options.listing.segments) {
    if (!strays.includes(file.path)) continue;
    const path = await ownPath(options, file, taken);
    if (path === undefined) continue;
    await options.disk.rename(file.path, path);
    await options.disk.syncDirectory(file.directory.path);
    damages.push(renamed(file.path, path));
  }
  return damages;
}

async function ownPath(options: NamesOptions, file: SegmentFile, taken: Set<number>): Promise<string | undefined> {
  const id = await segmentIn(options, file);
  if (id === undefined || id === file.id || taken.has(id)) return undefined;
  taken.add(id);
  return segmentPath(file.directory, id);
}

/** Which segment of this channel the file is, whatever its name; undefined where it is none that ever began. */
export async function segmentIn(
  { disk, clock, channelId }: NamesOptions,
  { id, path }: SegmentFile,
): Promise<SegmentId | undefined> {
  const file = await disk.open(path, { mode: 'read' });
  const page = Buffer.alloc(pageBytes);
  const { header } = await readFileHeader(file, clock, (one) => one.segmentId === id)
    .then(async (read) => {
      await readThrough(file, page, firstGroupOffset, clock, []);
      return read;
    })
    .finally(() => file.close());
  if (header === undefined || header.channelId !== channelId) return undefined;
  // Without a group of its own it never began: a power cut took back the name it was being given.
  return readGroupHeader(page, 0, header.epoch, firstGroupOffset) === undefined ? undefined : header.segmentId;
}

function renamed(from: string, to: string): Damage {
  const message = `a segment lay under the name ${from} and has its own again`;
  return { path: to, offset: 0, bytes: 0, kind: 'segmentHeader', eventsLost: 0, sequences: [], message };
}
