/**
 * How a tool opens a channel whose configuration it does not know, so that nothing goes that its owner wants kept:
 * nothing that is retained is given up, spare files keep their size, no room is asked for.
 */
import { ForebayError } from '../../base/errors.ts';
import { kib } from '../../base/units.ts';
import { readFileHeader } from '../../wal/segment-files.ts';
import type { ChannelOptions } from '../options.ts';
import type { ChannelView, ViewOptions } from '../reader/channel-view.ts';

/** Longer than any channel lives: a hundred years. */
const keepHours = 876_000;
const segmentBytesMin: number = 64 * kib;

/**
 * Options to open the channel of `view` with. A directory that went missing since its last open is refused by it.
 * @throws {ForebayError} CHANNEL_DIR_MISSING, where no data directory is there.
 */
export async function offlineOptions(view: ChannelView, { encryption }: ViewOptions): Promise<ChannelOptions> {
  const { present, absent, checkpointPath } = view.found;
  if (present.length === 0) {
    const path = absent[0]?.path ?? '';
    throw new ForebayError('CHANNEL_DIR_MISSING', `no data directory of the channel is there: mount ${path}`, { path });
  }
  const isKnownAbsent = absent.length > 0 && !view.damages.some(({ kind }) => kind === 'absent');
  return {
    dataDirs: present.map(({ path }) => path),
    checkpointDir: checkpointPath,
    encryption,
    retentionHours: keepHours,
    minimumFreeBytes: 0,
    missingDir: isKnownAbsent ? 'continue' : 'fail',
    segmentBytes: await segmentBytesOf(view),
  };
}

/** As its newest segment was made. */
async function segmentBytesOf({ segments, disk, clock }: ChannelView): Promise<number | undefined> {
  for (const segment of [...segments].reverse()) {
    if (segment.absent) continue;
    const file = await disk.open(segment.path, { mode: 'read' });
    const { header } = await readFileHeader(file, clock).finally(() => file.close());
    if (header !== undefined) return Math.max(segmentBytesMin, header.segmentBytes);
  }
  return undefined;
}
