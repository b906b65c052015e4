/** Header pages of segments of which the other copy is good: they are written again from it. */
import { type DiskFile, pageBytes } from '../../base/disk.ts';
import type { ByteOffset } from '../../base/units.ts';
import { openThrough } from '../../wal/byte-window.ts';
import { readHeaderPages } from '../../wal/segment-files.ts';
import type { ChannelView } from '../reader/channel-view.ts';

/** One of the two pages. */
export interface RewritablePage {
  readonly path: string;
  /** 0 or a page. */
  readonly offset: ByteOffset;
  /** Where the good copy stands. */
  readonly from: ByteOffset;
}

/** Of all segments of the view. */
export async function findRewritable({ segments, disk, clock }: ChannelView): Promise<RewritablePage[]> {
  const pages: RewritablePage[] = [];
  for (const { path, epoch, id, absent } of segments) {
    if (absent) continue;
    const file = await openThrough(disk, path, clock);
    try {
      const found = await readHeaderPages(file, clock);
      const isOwn = found.map((header) => header?.epoch === epoch && header.segmentId === id);
      const good = isOwn.indexOf(true);
      const bad = isOwn.indexOf(false);
      if (good >= 0 && bad >= 0) pages.push({ path, offset: bad * pageBytes, from: good * pageBytes });
    } finally {
      await file.close().catch(() => undefined);
    }
  }
  return pages;
}

/** Writes the page again, durably. Cut off in between, the other copy is still good. */
export async function rewritePage(file: DiskFile, { offset, from }: RewritablePage): Promise<void> {
  const page = Buffer.alloc(pageBytes);
  await file.read(page, from);
  await file.write(page, offset);
  await file.sync();
}
