/**
 * The files around an LMDB checkpoint, none of which LMDB itself knows. Damage to its data file ends the process
 * by SIGBUS or SIGSEGV, which no `catch` sees, so what may be opened is decided from these files beforehand:
 *
 *     data.mdb                     LMDB's one file; `data.mdb-lock` beside it is made anew at each open
 *     seal.json                    length of data.mdb after the last save; once it is closed its CRC-32 too; its form
 *     opening                      stands while data.mdb is being opened and first read
 *     rebuilt-<random>.mdb         what a child process is copying data.mdb into
 *     set-aside-<ms>-<random>.mdb  a data.mdb that was unusable; the newest two are kept
 */
import { join } from 'node:path';
import { crc32 } from 'node:zlib';
import type { Clock } from '../base/clock.ts';
import type { Disk, DiskFile } from '../base/disk.ts';
import type { Random } from '../base/random.ts';
import { kib } from '../base/units.ts';

/** How many unusable environments are kept for who wants to know why. */
const setAsideCountMax = 2;
const readBytes: number = 256 * kib;
/** Room for the longest seal; always written whole, within one sector, so a torn one is rare and never shorter. */
const sealFileBytes = 128;
/**
 * Of what data.mdb holds. Form 1, which no seal names, had an index of the log's groups too: to this version those are
 * unsealed, so a child copies the record out of them, and the index stays behind.
 */
const sealForm = 2;

/** Absolute paths. */
export interface CheckpointFiles {
  readonly directory: string;
  readonly data: string;
  readonly lock: string;
  readonly seal: string;
  readonly marker: string;
}

/** The paths of an LMDB checkpoint in `directory`. */
export function checkpointFiles(directory: string): CheckpointFiles {
  const data = join(directory, 'data.mdb');
  return {
    directory,
    data,
    lock: `${data}-lock`,
    seal: join(directory, 'seal.json'),
    marker: join(directory, 'opening'),
  };
}

/** A name for a copy of data.mdb that no child of an earlier process, still at work, writes to. */
export function copyPath(files: CheckpointFiles, random: Random): string {
  return join(files.directory, `rebuilt-${random.bytes(4).toString('hex')}.mdb`);
}

/** Removes copies of data.mdb that were not taken over, and what belongs to them. */
export async function removeCopies(disk: Disk, files: CheckpointFiles): Promise<void> {
  for (const name of (await disk.list(files.directory)) ?? []) {
    if (/^rebuilt-\w+\.mdb(-lock)?$/.test(name)) await disk.unlink(join(files.directory, name));
  }
}

/** What data.mdb was. `crc` is there from a close in good order to the next save. */
export interface Seal {
  readonly bytes: number;
  readonly crc: number | null;
}

/** Reads all of `path`; undefined where there is no such file. */
export async function measure(disk: Disk, path: string): Promise<Seal | undefined> {
  if ((await disk.entry(path)) === undefined) return undefined;
  const file = await disk.open(path, { mode: 'read' });
  try {
    const chunk = Buffer.allocUnsafe(readBytes);
    let bytes = 0;
    let crc = 0;
    for (;;) {
      const count = await file.read(chunk, bytes);
      crc = crc32(chunk.subarray(0, count), crc);
      bytes += count;
      if (count < chunk.length) return { bytes, crc };
    }
  } finally {
    await file.close();
  }
}

/** The bytes of seal.json. */
function encodeSeal(seal: Seal): Buffer {
  const text = JSON.stringify({ form: sealForm, ...seal, check: sealCheck(seal) });
  return Buffer.from(`${text.padEnd(sealFileBytes - 1)}\n`);
}

/** Total: undefined for anything `encodeSeal` did not write. */
function decodeSeal(source: Buffer): Seal | undefined {
  let value: unknown;
  try {
    value = JSON.parse(source.toString('utf8'));
  } catch {
    return undefined;
  }
  if (typeof value !== 'object' || value === null) return undefined;
  const { form, bytes, crc, check } = value as { form?: unknown; bytes?: unknown; crc?: unknown; check?: unknown };
  if (form !== sealForm || typeof bytes !== 'number' || (typeof crc !== 'number' && crc !== null)) return undefined;
  return check === sealCheck({ bytes, crc }) ? { bytes, crc } : undefined;
}

function sealCheck(seal: Seal): number {
  return crc32(`${sealForm} ${seal.bytes} ${seal.crc}`);
}

/** The seal on the disk; undefined where it is absent or damaged. */
export async function readSeal(disk: Disk, files: CheckpointFiles): Promise<Seal | undefined> {
  if ((await disk.entry(files.seal)) === undefined) return undefined;
  const file = await disk.open(files.seal, { mode: 'read' });
  try {
    const bytes = Buffer.alloc(sealFileBytes);
    return decodeSeal(bytes.subarray(0, await file.read(bytes, 0)));
  } finally {
    await file.close();
  }
}

/** Records `seal`; durable when it resolves. */
export async function writeSeal(disk: Disk, files: CheckpointFiles, seal: Seal): Promise<void> {
  const exists = (await disk.entry(files.seal)) !== undefined;
  await writeFile(disk, files.seal, encodeSeal(seal), exists ? 'write' : 'create');
  if (!exists) await disk.syncDirectory(files.directory);
}

/** Durable when it resolves: from here on the next opening does not trust data.mdb without a child's word. */
export async function breakSeal(disk: Disk, files: CheckpointFiles): Promise<void> {
  await disk.unlink(files.seal);
  await disk.syncDirectory(files.directory);
}

/** Durable when it resolves. Fine if it stands already. */
export async function raiseMarker(disk: Disk, files: CheckpointFiles): Promise<void> {
  if ((await disk.entry(files.marker)) !== undefined) return;
  await writeFile(disk, files.marker, Buffer.from('an environment is being opened\n'), 'create');
  await disk.syncDirectory(files.directory);
}

/** Durable when it resolves, so that a power cut does not make a good environment look deadly. */
export async function dropMarker(disk: Disk, files: CheckpointFiles): Promise<void> {
  await disk.unlink(files.marker);
  await disk.syncDirectory(files.directory);
}

async function writeFile(disk: Disk, path: string, bytes: Buffer, mode: 'write' | 'create'): Promise<void> {
  const file: DiskFile = await disk.open(path, { mode });
  try {
    await file.write(bytes, 0);
    await file.sync();
  } finally {
    await file.close();
  }
}

/** Moves data.mdb out of the way, unopened, and gives up all but the newest that were; resolves to its new path. */
export async function setAside(disk: Disk, files: CheckpointFiles, clock: Clock, random: Random): Promise<string> {
  const name = `set-aside-${Math.floor(clock.wallMs())}-${random.bytes(4).toString('hex')}.mdb`;
  const path = join(files.directory, name);
  await disk.unlink(files.seal);
  await disk.rename(files.data, path);
  await disk.syncDirectory(files.directory);
  const kept = ((await disk.list(files.directory)) ?? []).filter((other) => /^set-aside-\d+-\w+\.mdb$/.test(other));
  const oldest = kept.filter((other) => other !== name).sort((a, b) => timeInName(a) - timeInName(b));
  for (const other of oldest.slice(0, Math.max(0, kept.length - setAsideCountMax))) {
    await disk.unlink(join(files.directory, other));
  }
  return path;
}

function timeInName(name: string): number {
  return Number(name.split('-')[2]);
}
