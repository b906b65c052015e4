/**
 * The moves of a plan, each of which is one rename: the old directory to `oldName` beside it, the new one to its name.
 * Which of them are done is seen by which directories are there, so that a run that was cut off anywhere is gone on
 * with by the next.
 */
import { basename, dirname, join } from 'node:path';
import type { Disk } from '../../base/disk.ts';
import { ForebayError } from '../../base/errors.ts';
import { identityName } from '../../wal/identity.ts';
import type { ReplacedDirectory, ReplacePlan } from './plan.ts';

/** Where the old directory is once it was moved. */
function oldPathOf({ path }: ReplacedDirectory, { oldName }: Pick<ReplacePlan, 'oldName'>): string {
  return join(dirname(path), oldName, basename(path));
}

/** Whether a directory of the plan was moved, old or new. */
export async function isBegun(disk: Disk, plan: ReplacePlan): Promise<boolean> {
  for (const directory of plan.directories) {
    if ((await disk.entry(oldPathOf(directory, plan))) !== undefined) return true;
    if (directory.staging !== undefined && (await disk.entry(directory.staging)) === undefined) return true;
  }
  return false;
}

/**
 * Makes all moves that are not made yet. Resolves, when they are durable, to where the old directories are.
 *
 * @throws {ForebayError} NOT_A_CHANNEL, where someone has made a directory anew that was moved, or the new one is
 *   nowhere: then nothing is moved.
 */
export async function moveDirectories(disk: Disk, plan: ReplacePlan): Promise<readonly string[]> {
  const moved: string[] = [];
  for (const directory of plan.directories) await checkThere(disk, directory);
  for (const directory of plan.directories) {
    const old = oldPathOf(directory, plan);
    if (!(await isReplaced(disk, directory))) await moveAway(disk, directory.path, old);
    const { path, staging } = directory;
    if (staging !== undefined && (await disk.entry(staging)) !== undefined) {
      await disk.rename(staging, path);
      await disk.syncDirectory(dirname(path));
    }
    if ((await disk.entry(old)) !== undefined) moved.push(old);
  }
  return moved;
}

/** Whether what is at its path now is what was to come there. */
async function isReplaced(disk: Disk, { staging }: ReplacedDirectory): Promise<boolean> {
  return staging !== undefined && (await disk.entry(staging)) === undefined;
}

async function checkThere(disk: Disk, { path, staging }: ReplacedDirectory): Promise<void> {
  if (staging === undefined || (await disk.entry(staging)) !== undefined) return;
  if ((await disk.entry(join(path, identityName))) !== undefined) return;
  const text = `${staging} is gone, and ${path} holds no channel: nothing more is moved; put it back`;
  throw new ForebayError('NOT_A_CHANNEL', text, { path: staging });
}

async function moveAway(disk: Disk, path: string, old: string): Promise<void> {
  if ((await disk.entry(path)) === undefined) return;
  if ((await disk.entry(old)) !== undefined) {
    const text = `${path} was made anew after it was moved to ${old}: see what is in it, move it away, and try again`;
    throw new ForebayError('NOT_A_CHANNEL', text, { path });
  }
  await disk.makeDirectory(dirname(old));
  await disk.rename(path, old);
  await disk.syncDirectory(dirname(old));
  await disk.syncDirectory(dirname(path));
}
