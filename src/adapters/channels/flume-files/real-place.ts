/** Where a path leads, whether or not there is anything: links in it are followed to their ends. */
import { readlink, realpath } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';

const linksMax = 40;

/** Absolute, without links. What cannot be looked into is taken as it stands. */
export async function realPlace(path: string, linksLeft: number = linksMax): Promise<string> {
  const full = resolve(path);
  try {
    return await realpath(full);
  } catch {
    if (dirname(full) === full || linksLeft === 0) return full;
  }
  const parent = await realPlace(dirname(full), linksLeft);
  const target = await readlink(full).catch(() => undefined);
  if (target === undefined) return join(parent, basename(full));
  return await realPlace(resolve(parent, target), linksLeft - 1);
}
