/**
 * Names and listing of what lies in a data directory: `<16 hex>.seg` are segments, `free-*.seg` are recyclable with
 * meaningless contents, `new-*.tmp` are leftovers of a creation that was cut off.
 */
import { join } from 'node:path';
import type { Clock } from '../base/clock.ts';
import { type Disk, type DiskFile, pageBytes } from '../base/disk.ts';
import { ForebayError } from '../base/errors.ts';
import type { SegmentId } from '../base/units.ts';
import { readThrough } from './byte-window.ts';
import { readSegmentHeader, type SegmentHeader } from './segment/segment-header.ts';

/** A data directory of the channel. */
export interface LogDirectory {
  readonly id: string;
  readonly path: string;
}

/** A file that carries a segment's name. */
export interface SegmentFile {
  readonly id: SegmentId;
  readonly directory: LogDirectory;
  readonly path: string;
}

/** What all data directories hold, by what the names say. */
export interface DirectoryListing {
  /** Ascending by id. */
  readonly segments: readonly SegmentFile[];
  readonly free: readonly { readonly directory: LogDirectory; readonly path: string }[];
  readonly leftovers: readonly string[];
}

const segmentName = /^([0-9a-f]{16})\.seg$/;
const freeName = /^free-[0-9a-f]+\.seg$/;
const leftoverName = /^new-[0-9a-f]+\.tmp$/;

/** Where segment `id` of a directory stands. */
export function segmentPath(directory: LogDirectory, id: SegmentId): string {
  return join(directory.path, `${id.toString(16).padStart(16, '0')}.seg`);
}

/** Lists all present directories. */
export async function listLogFiles(disk: Disk, directories: readonly LogDirectory[]): Promise<DirectoryListing> {
  const segments: SegmentFile[] = [];
  const free: { directory: LogDirectory; path: string }[] = [];
  const leftovers: string[] = [];
  for (const directory of directories) {
    for (const name of (await disk.list(directory.path)) ?? []) {
      const path = join(directory.path, name);
      const match = segmentName.exec(name);
      if (match !== null) segments.push({ id: Number.parseInt(match[1] as string, 16), directory, path });
      else if (freeName.test(name)) free.push({ directory, path });
      else if (leftoverName.test(name)) leftovers.push(path);
    }
  }
  segments.sort((a, b) => a.id - b.id);
  return { segments, free, leftovers };
}

/** What the two header pages of a file say. `damagedPages`: how many of them do not hold, or are another segment's. */
export interface FileHeader {
  readonly header: SegmentHeader | undefined;
  readonly damagedPages: number;
}

/**
 * `isOwn`: of two pages that hold and differ, the one that is this segment's counts.
 * @throws {ForebayError} FORMAT_UNSUPPORTED, where a page that holds needs a newer version.
 */
export async function readFileHeader(
  file: DiskFile,
  clock: Clock,
  isOwn: (header: SegmentHeader) => boolean = () => true,
): Promise<FileHeader> {
  const found = await readHeaderPages(file, clock);
  const own = found.find((header) => header !== undefined && isOwn(header));
  const header = own ?? found.find((one) => one !== undefined);
  return { header, damagedPages: found.filter((one) => !isSameSegment(one, header)).length };
}

/** What page 0 and page 1 say, each by itself. @throws {ForebayError} FORMAT_UNSUPPORTED */
export async function readHeaderPages(file: DiskFile, clock: Clock): Promise<(SegmentHeader | undefined)[]> {
  const pages = Buffer.alloc(2 * pageBytes);
  await readThrough(file, pages, 0, clock, []);
  return [pages.subarray(0, pageBytes), pages.subarray(pageBytes)].map((page) => {
    const decoded = readSegmentHeader(page);
    if (decoded.kind === 'unsupported') {
      throw new ForebayError(
        'FORMAT_UNSUPPORTED',
        `${file.path} was written by a newer forebay (${decoded.what}): open it with that version`,
        { path: file.path, actual: decoded.what },
      );
    }
    return decoded.kind === 'header' ? decoded.header : undefined;
  });
}

function isSameSegment(one: SegmentHeader | undefined, other: SegmentHeader | undefined): boolean {
  return one !== undefined && one.epoch === other?.epoch && one.segmentId === other.segmentId;
}
