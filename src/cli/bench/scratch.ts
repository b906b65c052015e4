/**
 * Where a benchmark works: a new subdirectory of the directory it is given, gone when it ends, however it ends. What
 * else lies there is not touched.
 */
import { rmSync } from 'node:fs';
import { mkdtemp, realpath, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { nodeDisk } from '../../base/disk-node.ts';
import { systemCode } from '../../base/errors.ts';
import { mib } from '../../base/units.ts';
import { inert, sizeText, UsageError } from '../channel/verb.ts';

/** Of every subdirectory: what a `kill -9` leaves is known by it. */
const scratchPrefix = 'forebay-bench-';
/** Left free beside what is written. */
const spareBytes: number = 64 * mib;
const exitHangup = 129;

/** Runs `work` in a subdirectory. @throws {UsageError} Where `directory` is none. */
export async function inScratch<Result>(
  directory: string,
  neededBytes: number,
  work: (scratch: string) => Promise<Result>,
): Promise<Result> {
  await checkDirectory(directory);
  await checkSpace(directory, neededBytes);
  const scratch = await makeScratch(directory);
  // A second Ctrl-C, an output that nobody reads any more, a terminal that is closed.
  const remove = (): void => rmSync(scratch, { recursive: true, force: true });
  const hangUp = (): void => process.exit(exitHangup);
  process.once('exit', remove);
  process.once('SIGHUP', hangUp);
  try {
    return await work(scratch);
  } finally {
    await rm(scratch, { recursive: true, force: true, maxRetries: 3 });
    // Not before: the process may end in the midst of removing.
    process.off('exit', remove);
    process.off('SIGHUP', hangUp);
  }
}

async function checkDirectory(directory: string): Promise<void> {
  try {
    if ((await stat(directory)).isDirectory()) return;
  } catch (error) {
    const code = systemCode(error);
    if (code === 'ENOENT')
      throw new UsageError(`${inert(directory)} is not there: name a directory on the disk to measure`);
    if (code !== 'ENOTDIR') throw error;
  }
  throw new UsageError(`${inert(directory)} is no directory: name a directory on the disk to measure`);
}

async function checkSpace(directory: string, neededBytes: number): Promise<void> {
  const needed = neededBytes + spareBytes;
  const free = await nodeDisk().freeBytes(directory);
  if (free >= needed) return;
  const told = `${sizeText(free)} are free in ${inert(directory)}, and ${sizeText(needed)} are needed`;
  throw new Error(`${told}: measure elsewhere, make room, or measure less (\`--help\` says how)`);
}

async function makeScratch(directory: string): Promise<string> {
  try {
    return await mkdtemp(join(await realpath(directory), scratchPrefix));
  } catch (cause) {
    const code = systemCode(cause) ?? String(cause);
    const why = code === 'EACCES' ? 'this user may not write there' : code === 'EROFS' ? 'it is read-only' : code;
    throw new Error(`nothing can be made in ${inert(directory)}: ${why}`, { cause });
  }
}
