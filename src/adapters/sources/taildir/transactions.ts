/** What goes out of tailed files: lines as events with their note, positions for Flume's file; and in which order. */
import type { SourceContext } from '../../../agent/contracts/components.ts';
import type { TaildirValues } from './keys.ts';
import { lineBytesMax } from './line-reader.ts';
import type { FilePosition } from './position-file.ts';
import type { Transaction } from './sender.ts';
import type { LineBatch, TailedFile } from './tailed-file.ts';

/** The lines, and the position behind them. */
export function transactionOf(
  file: TailedFile,
  { lines, to, except }: LineBatch,
  { fileHeader, fileHeaderKey, byteOffsetHeader }: TaildirValues,
  { processor, log }: SourceContext,
): Transaction {
  const { group, path } = file.found;
  if (file.cutLines > 0 && !file.wasCutNamed) {
    file.wasCutNamed = true;
    log.warn(`${path} has a line longer than ${lineBytesMax} bytes: it becomes several events`);
  }
  const headers = fileHeader ? { ...group.headers, [fileHeaderKey]: path } : group.headers;
  const events = lines.map(({ body, offset }) => {
    return { headers: byteOffsetHeader ? { ...headers, byteoffset: String(offset) } : headers, body };
  });
  const notes = file.notes.noteAt(to, path, file.head);
  return {
    events,
    options: () => ({ notes, except: new Set([...except, ...file.notes.channelsWith(processor, to)]) }),
    settled: () => file.notes.settle(to),
  };
}

/** As the position file has them: files whose path leads to them. */
export function positionsOf(files: Iterable<TailedFile>): FilePosition[] {
  return [...files]
    .filter(({ isThere }) => isThere)
    .map(({ found, notes }) => ({ inode: `${found.inode}`, position: notes.settledTo, path: found.path }));
}

/** By the time of their last change. */
export function oldestFirst(files: Iterable<TailedFile>): TailedFile[] {
  return [...files].sort((a, b) => {
    if (a.found.modifiedNs !== b.found.modifiedNs) return a.found.modifiedNs < b.found.modifiedNs ? -1 : 1;
    return a.found.path < b.found.path ? -1 : 1;
  });
}
