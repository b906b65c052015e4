/**
 * Starts a segment: finds a file for it, writes both header pages durably under a temporary or free name, renames
 * it, makes the name durable. Only then may its first group be written.
 */
import { join } from 'node:path';
import { type Disk, type DiskFile, pageBytes } from '../base/disk.ts';
import type { Random } from '../base/random.ts';
import { systemError } from '../base/system-error.ts';
import type { SegmentId } from '../base/units.ts';
import type { FreeFile, FreePool } from './free-pool.ts';
import { type SegmentHeader, writeSegmentHeader } from './segment/segment-header.ts';
import { type LogDirectory, segmentPath } from './segment-files.ts';

/** A segment that is ready for its first group. */
export interface StartedSegment {
  readonly header: SegmentHeader;
  readonly directory: LogDirectory;
  readonly path: string;
  readonly file: DiskFile;
  readonly fileBytes: number;
}

/** Which files may be used, tried in this order. */
export interface FileChoice {
  /** From the pool, beyond the reserve. */
  readonly spare: boolean;
  /** A new file in any of these directories. */
  readonly fresh: readonly LogDirectory[];
  readonly reserve: boolean;
  /** A new file in any of these directories, after all. */
  readonly lastResort: readonly LogDirectory[];
}

/** What a segment is started with. */
export interface StarterOptions {
  readonly disk: Disk;
  readonly random: Random;
  readonly pool: FreePool;
  /** Each write durable when it returns: false only for fsync by interval. */
  readonly writeThrough: boolean;
  /** A number that no file carries yet: each try takes one. */
  readonly nextSegmentId: () => SegmentId;
  /** Tells which directory failed, with what. */
  readonly directoryFailed: (directory: LogDirectory, error: unknown) => void;
}

/** What the caller knows of a new segment's header. */
export type NewSegment = Omit<SegmentHeader, 'segmentId' | 'epoch' | 'recycled'>;

/** @throws What the last choice failed with. */
export async function startSegment(
  options: StarterOptions,
  header: NewSegment,
  choice: FileChoice,
): Promise<StartedSegment> {
  let failure: unknown;
  const attempt = async (directory: LogDirectory, free: FreeFile | undefined) => {
    try {
      return await prepare(options, header, directory, free);
    } catch (error) {
      failure = error;
      options.directoryFailed(directory, error);
      return undefined;
    }
  };
  if (choice.spare) {
    const free = options.pool.take(false);
    const started = free && (await attempt(free.directory, free));
    if (started !== undefined) return started;
  }
  for (const directory of choice.fresh) {
    const started = await attempt(directory, undefined);
    if (started !== undefined) return started;
  }
  while (choice.reserve) {
    const free = options.pool.take(true);
    if (free === undefined) break;
    const started = await attempt(free.directory, free);
    if (started !== undefined) return started;
  }
  for (const directory of choice.lastResort) {
    const started = await attempt(directory, undefined);
    if (started !== undefined) return started;
  }
  throw (
    failure ??
    systemError('ENOSPC', 'no file is left for a new segment', [...choice.fresh, ...choice.lastResort][0]?.path ?? '')
  );
}

async function prepare(
  options: StarterOptions,
  fields: NewSegment,
  directory: LogDirectory,
  free: FreeFile | undefined,
): Promise<StartedSegment> {
  const { disk, random, writeThrough } = options;
  const epoch = newEpoch(random);
  const header: SegmentHeader = { ...fields, segmentId: options.nextSegmentId(), epoch, recycled: free !== undefined };
  const temporary = free?.path ?? join(directory.path, `new-${header.epoch}.tmp`);
  const mode = free === undefined ? 'create' : 'write';
  const pages = disk.allocate(2 * pageBytes);
  writeSegmentHeader(header, pages);
  const path = segmentPath(directory, header.segmentId);
  const file = await disk.open(temporary, { mode, writeThrough });
  try {
    await file.write(pages, 0);
    if (!writeThrough) await file.sync();
    await disk.rename(temporary, path);
    await disk.syncDirectory(directory.path);
    return { header, directory, path, file, fileBytes: free?.bytes ?? pages.length };
  } catch (error) {
    await file.close();
    // Without a group it is nothing: left there, each try would cost a file; and one that failed is not used again.
    for (const left of [temporary, path]) await disk.unlink(left).catch(() => undefined);
    throw error;
  }
}

function newEpoch(random: Random): string {
  for (;;) {
    const epoch = random.bytes(8).toString('hex');
    if (epoch !== '0000000000000000') return epoch;
  }
}
