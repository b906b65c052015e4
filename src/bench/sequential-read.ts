/** How fast a disk gives back what lies on it in order: large reads past the system's cache, several at once. */
import type { Disk, DiskFile } from '../base/disk.ts';
import { mib } from '../base/units.ts';
import { randomBlock } from './events.ts';

/** Of each read. */
export const readBytes: number = mib;

/** Writes a file to be read, of `bytes` (whole reads), durable. */
export async function writeReadable(disk: Disk, path: string, bytes: number): Promise<void> {
  const file = await disk.open(path, { mode: 'create', writeThrough: true });
  try {
    const source = randomBlock(disk, readBytes);
    for (let at = 0; at < bytes; at += readBytes) await file.write(source, at);
  } finally {
    await file.close();
  }
}

/**
 * Reads the files round and round until `durationMs` is over, `readsAtOnce` reads a file under way at any time;
 * resolves to bytes a second. Where the file system takes no direct reads they come from the system's cache.
 */
export async function readSequentially(
  disk: Disk,
  paths: readonly string[],
  { durationMs, readsAtOnce, signal }: { durationMs: number; readsAtOnce: number; signal?: AbortSignal | undefined },
): Promise<number> {
  const files: DiskFile[] = [];
  try {
    for (const path of paths) files.push(await disk.open(path, { mode: 'read', pastCache: true }));
    const startMs = performance.now();
    const read = await Promise.all(
      files.map((file) => readRound(disk, file, { endMs: startMs + durationMs, readsAtOnce, signal })),
    );
    const seconds = (performance.now() - startMs) / 1000;
    return read.reduce((sum, bytes) => sum + bytes, 0) / seconds;
  } finally {
    for (const file of files) await file.close();
  }
}

async function readRound(
  disk: Disk,
  file: DiskFile,
  { endMs, readsAtOnce, signal }: { endMs: number; readsAtOnce: number; signal: AbortSignal | undefined },
): Promise<number> {
  const fileBytes = await file.bytes();
  let at = 0;
  let bytes = 0;
  const reader = async (): Promise<void> => {
    const target = disk.allocate(readBytes);
    do {
      if (at + readBytes > fileBytes) at = 0;
      const position = at;
      at += readBytes;
      const read = await file.read(target, position);
      // Not in one: others add to it while this one waits.
      bytes += read;
      signal?.throwIfAborted();
    } while (performance.now() < endMs);
  };
  await Promise.all(Array.from({ length: readsAtOnce }, reader));
  return bytes;
}
