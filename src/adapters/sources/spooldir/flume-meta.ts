/**
 * Flume's own note of its place in the file being read: `.flumespool-main.meta`, an Avro container with the file's path
 * in its metadata and one record, a byte offset, for each commit. The last one counts.
 */
import { randomBytes } from 'node:crypto';
import { open, readFile, rename, stat, unlink, utimes } from 'node:fs/promises';
import { join } from 'node:path';
import { encodeLongContainer, longsOf } from './avro-container.ts';
import type { MetaSignature } from './progress.ts';

/** What the file says, and which file it is. */
export interface FlumeMeta {
  /** As Flume names it: below the spool directory as it is configured. Undefined for a file that says nothing. */
  readonly place: { readonly path: string; readonly offset: number } | undefined;
  readonly signature: MetaSignature;
}

const name = '.flumespool-main.meta';
const schema =
  '{"type":"record","name":"TransferStateFileMeta","namespace":"org.apache.flume.serialization",' +
  '"fields":[{"name":"offset","type":"long"}]}';
const syncBytes = 16;
const millisecondsPerSecond = 1000;

/** Undefined where there is none. */
export async function readFlumeMeta(trackerDir: string): Promise<FlumeMeta | undefined> {
  const path = join(trackerDir, name);
  try {
    const { mtimeMs, size } = await stat(path);
    const found = longsOf(await readFile(path));
    const file = found?.header.metadata.get('file')?.toString();
    const place = file === undefined ? undefined : { path: file, offset: found?.longs.at(-1) ?? 0 };
    // Set in seconds, as a fraction: it comes back a little off.
    return { place, signature: [Math.round(mtimeMs), size] };
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}

/** A meta file in the making: its signature is known before it is written, so that a note can hold it first. */
export function prepareFlumeMeta(
  trackerDir: string,
  place: { readonly path: string; readonly offset: number },
  nowMs: number,
): { readonly signature: MetaSignature; readonly write: () => Promise<void> } {
  const metadata = { 'avro.schema': schema, 'avro.codec': 'null', file: place.path };
  const bytes = encodeLongContainer(metadata, place.offset, randomBytes(syncBytes));
  const mtimeMs = Math.round(nowMs);
  const path = join(trackerDir, name);
  const write = async () => {
    const temporary = `${path}.tmp`;
    const handle = await open(temporary, 'w');
    try {
      await handle.writeFile(bytes);
      await handle.sync();
    } finally {
      await handle.close();
    }
    await utimes(temporary, mtimeMs / millisecondsPerSecond, mtimeMs / millisecondsPerSecond);
    await rename(temporary, path);
  };
  return { signature: [mtimeMs, bytes.length], write };
}

/** Gone, or never there. */
export async function deleteFlumeMeta(trackerDir: string): Promise<void> {
  await unlink(join(trackerDir, name)).catch((error: unknown) => {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
  });
}
