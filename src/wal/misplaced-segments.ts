/**
 * Segments that lie under each other's names, as after two files were swapped by hand: nothing of them is lost, and an
 * open would give all of them up, since it believes the table. A repair gives each its own name back. A file whose
 * own name another one rightly has is a copy, and stays.
 */
import { dirname } from 'node:path';
import type { Disk } from '../base/disk.ts';
import type { SegmentId } from '../base/units.ts';
import { type DirectoryListing, type SegmentFile, segmentPath } from './segment-files.ts';
import { type NamesOptions, segmentIn } from './segment-names.ts';

/** A file, and the segment that it really is. */
export interface MisplacedSegment {
  readonly file: SegmentFile;
  readonly id: SegmentId;
}

/** All that can be put back. Reads three pages of each file. */
export async function findMisplaced(options: NamesOptions): Promise<readonly MisplacedSegment[]> {
  let found: MisplacedSegment[] = [];
  for (const file of options.listing.segments) {
    const id = await segmentIn(options, file);
    if (id !== undefined && id !== file.id && !found.some((other) => other.id === id)) found.push({ file, id });
  }
  for (;;) {
    const rightly = options.listing.segments.filter((file) => !found.some((one) => one.file === file));
    const names = new Set(rightly.map(({ id }) => id));
    const left = found.filter(({ id }) => !names.has(id));
    if (left.length === found.length) return found;
    found = left;
  }
}

/** The listing as it will be: where the files lie now, by what they are. */
export function listedByContents(listing: DirectoryListing, misplaced: readonly MisplacedSegment[]): DirectoryListing {
  const idOf = (file: SegmentFile) => misplaced.find((one) => one.file === file)?.id ?? file.id;
  const segments = listing.segments.map((file) => ({ ...file, id: idOf(file) }));
  return { ...listing, segments: segments.sort((a, b) => a.id - b.id) };
}

/** Renames them, step by step durable. Cut off in between, each is still found by what stands in it. */
export async function putBack(
  disk: Disk,
  listing: DirectoryListing,
  misplaced: readonly MisplacedSegment[],
): Promise<void> {
  let left = misplaced.map(({ file, id }) => ({ at: file.path, to: segmentPath(file.directory, id), file }));
  let unusedId = Math.max(0, ...listing.segments.map(({ id }) => id), ...misplaced.map(({ id }) => id));
  while (left.length > 0) {
    const occupied = new Set(left.map(({ at }) => at));
    const next = left.find(({ to }) => !occupied.has(to));
    if (next !== undefined) {
      await move(disk, next.at, next.to);
      left = left.filter((one) => one !== next);
      continue;
    }
    // All of them wait for each other: one makes way, under a name that no segment has.
    unusedId += 1;
    const [first, ...others] = left as [(typeof left)[0], ...typeof left];
    const aside = segmentPath(first.file.directory, unusedId);
    await move(disk, first.at, aside);
    left = [...others, { ...first, at: aside }];
  }
}

async function move(disk: Disk, from: string, to: string): Promise<void> {
  await disk.rename(from, to);
  await disk.syncDirectory(dirname(to));
}
