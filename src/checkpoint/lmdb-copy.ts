/**
 * Reads the checkpoint of a channel that somebody else may have open. LMDB's readers write to its files, and damage
 * ends the process that reads them: so the file is copied, a child process makes a sound one of the copy, and only
 * that is opened here.
 */
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Disk, pageBytes } from '../base/disk.ts';
import { systemRandom } from '../base/random.ts';
import { mib } from '../base/units.ts';
import { type CheckpointFiles, checkpointFiles } from './lmdb-files.ts';
import { rebuild } from './lmdb-rebuild.ts';
import { environmentOptions, type LmdbModule } from './lmdb-store.ts';
import { decodeRecord, recordKey } from './record-bytes.ts';
import type { CheckpointRecord } from './store.ts';

/** What came of it. `unavailable`: this machine cannot read any, which says nothing of this one. */
export type CopiedCheckpoint =
  | { readonly kind: 'record'; readonly record: CheckpointRecord }
  | { readonly kind: 'none' }
  | { readonly kind: 'unreadable' | 'unavailable'; readonly why: string };

/** One that damage made longer than the disk is not copied. */
const holesFactor = 16;
const holesBytesMin: number = 64 * mib;
const copyBytes: number = mib;
/** Copied while its owner writes it, a copy may not hold: the next one may. */
const triesMax = 3;

/** `disk` must be the real one. Leaves nothing behind. Never rejects for what is read. */
export async function readCheckpointCopy(disk: Disk, directory: string): Promise<CopiedCheckpoint> {
  const files = checkpointFiles(directory);
  const entry = await disk.entry(files.data);
  if (entry === undefined) return { kind: 'none' };
  if (entry.bytes > holesFactor * entry.storedBytes + holesBytesMin) {
    return { kind: 'unreadable', why: `it claims ${entry.bytes} bytes and has ${entry.storedBytes}` };
  }
  let lmdb: LmdbModule;
  try {
    lmdb = await import('lmdb');
  } catch (error) {
    return { kind: 'unavailable', why: `the lmdb add-on does not load: ${String(error)}` };
  }
  let copied: CopiedCheckpoint = { kind: 'none' };
  for (let tries = 0; tries < triesMax; tries += 1) {
    copied = await readOnce(disk, files, lmdb);
    if (copied.kind !== 'unreadable') break;
  }
  return copied;
}

async function readOnce(disk: Disk, files: CheckpointFiles, lmdb: LmdbModule): Promise<CopiedCheckpoint> {
  const base = join(tmpdir(), `forebay-${systemRandom.bytes(8).toString('hex')}`);
  const [raw, sound] = [`${base}-raw.mdb`, `${base}-sound.mdb`];
  try {
    await copy(disk, files.data, raw);
    const why = await rebuild(raw, sound);
    if (why !== undefined) return { kind: 'unreadable', why };
    const environment = lmdb.open<Buffer, Buffer>({ ...environmentOptions, path: sound });
    try {
      const bytes = environment.get(recordKey);
      const record = bytes === undefined ? undefined : decodeRecord(Buffer.from(bytes));
      if (record !== undefined) return { kind: 'record', record };
      return bytes === undefined ? { kind: 'none' } : { kind: 'unreadable', why: 'its record does not hold' };
    } finally {
      await environment.close();
    }
  } catch (error) {
    return { kind: 'unreadable', why: String(error) };
  } finally {
    for (const path of [raw, sound]) {
      await disk.unlink(path);
      await disk.unlink(`${path}-lock`);
    }
  }
}

async function copy(disk: Disk, from: string, to: string): Promise<void> {
  const source = await disk.open(from, { mode: 'read' });
  try {
    const target = await disk.open(to, { mode: 'create' });
    try {
      const chunk = Buffer.allocUnsafe(copyBytes);
      for (let at = 0; ; ) {
        const count = await source.read(chunk, at);
        if (count > 0) await target.write(chunk.subarray(0, count), at);
        at += count;
        if (count < chunk.length) break;
      }
      const bytes = await target.bytes();
      // Copied in the middle of a write it may end within a page, which LMDB would read beyond.
      await target.truncate(Math.ceil(bytes / pageBytes) * pageBytes);
    } finally {
      await target.close();
    }
  } finally {
    await source.close();
  }
}
