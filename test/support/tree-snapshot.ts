/** All that a look at a directory could have changed: names, kinds, modes, sizes, times, bytes. */
import { createHash } from 'node:crypto';
import { lstat, readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';

/** One line for each name below `directory`, in order. */
export async function snapshotOf(directory: string): Promise<readonly string[]> {
  const names = (await readdir(directory, { recursive: true })).sort();
  return await Promise.all(['.', ...names].map((name) => lineOf(directory, name)));
}

async function lineOf(directory: string, name: string): Promise<string> {
  const path = join(directory, name);
  const { mode, size, mtimeMs, ino } = await lstat(path);
  const isFile = (mode & 0o170000) === 0o100000;
  const hash = isFile
    ? createHash('sha256')
        .update(await readFile(path))
        .digest('hex')
    : '-';
  return [name, mode.toString(8), ino, size, mtimeMs, hash].join(' ');
}
