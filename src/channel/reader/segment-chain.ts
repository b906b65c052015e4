/**
 * The segments that the log went on in, by what their headers say: each names the one that it follows, and where that
 * one ends. For a follower, who has read the rest; what an owner does meanwhile is no error.
 */
import type { Clock } from '../../base/clock.ts';
import type { Disk } from '../../base/disk.ts';
import { systemCode } from '../../base/errors.ts';
import type { SegmentId } from '../../base/units.ts';
import type { SegmentHeader } from '../../wal/segment/segment-header.ts';
import { type LogDirectory, listLogFiles, readFileHeader, type SegmentFile } from '../../wal/segment-files.ts';
import { newSegmentInfo, type SegmentInfo } from '../../wal/segment-info.ts';
import type { DurableEnd } from './follow-place.ts';

/** One of them. */
export interface ChainLink {
  /** As its header says: none of its groups is counted yet. */
  readonly segment: SegmentInfo;
  readonly previousId: SegmentId;
  /** Where the one before ends: its header is written once all of that is durable. */
  readonly previousEnd: DurableEnd;
}

/** Where segments are looked for. */
export interface ChainContext {
  readonly disk: Disk;
  readonly clock: Clock;
  readonly directories: readonly LogDirectory[];
  readonly channelId: string;
}

/**
 * Those behind segment `id`, ascending. Where one was let go, or its header does not hold, the next one follows a
 * segment that is not among them. One that never got its first group is among them while its file is there: nothing
 * proves what stands in it, and what it says of the one before holds all the same.
 */
export async function linksBehind(id: SegmentId, context: ChainContext): Promise<ChainLink[]> {
  const { segments } = await listLogFiles(context.disk, context.directories);
  const links: ChainLink[] = [];
  // Newest first: the older ones are those that go meanwhile.
  for (const file of segments.filter((one) => one.id > id).reverse()) {
    const header = await headerOf(file, context);
    if (header === undefined || header.segmentId !== file.id || header.channelId !== context.channelId) continue;
    const { previousSegmentId: previousId, previousEnd: offset, previousNextSequence: nextSequence } = header;
    // How long the file is does not matter to who follows it.
    const segment = newSegmentInfo({ header, directory: file.directory, path: file.path, fileBytes: 0 });
    links.push({ segment, previousId, previousEnd: { offset, nextSequence } });
  }
  return links.reverse();
}

/** Undefined where it is gone, or does not hold. */
async function headerOf({ path }: SegmentFile, { disk, clock }: ChainContext): Promise<SegmentHeader | undefined> {
  try {
    const file = await disk.open(path, { mode: 'read' });
    const { header } = await readFileHeader(file, clock).finally(() => file.close());
    return header;
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return undefined;
    throw error;
  }
}
