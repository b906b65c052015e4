/** What is done with a file whose events are all durable. */
import { mkdir, open, rename, stat, unlink } from 'node:fs/promises';
import { dirname } from 'node:path';
import { FileProblem } from './file-problem.ts';
import { type SpoolOptions, trackerOf } from './spool-directory.ts';

/** Renames, deletes, or tracks. Done again it does no harm. @throws {FileProblem} Where that is not possible. */
export async function retire(path: string, options: SpoolOptions & { readonly deletesDone: boolean }): Promise<void> {
  try {
    if (options.deletesDone) return await unlink(path);
    if (options.isTracked) return await touch(trackerOf(options, path));
    const target = `${path}${options.fileSuffix}`;
    if (await exists(target)) {
      throw new FileProblem(
        `${path} is spooled, but ${target} exists already: file names must not be used again; move one of the two away`,
        { blockedBy: target },
      );
    }
    await rename(path, target);
  } catch (error) {
    if (error instanceof FileProblem) throw error;
    const what = options.deletesDone ? 'deleted' : options.isTracked ? 'tracked as done' : 'renamed';
    throw new FileProblem(`${path} is spooled, but could not be ${what}: ${String(error)}`, { cause: error });
  }
}

async function touch(path: string): Promise<void> {
  await mkdir(dirname(path), { recursive: true });
  await (await open(path, 'a')).close();
}

async function exists(path: string): Promise<boolean> {
  return stat(path).then(
    () => true,
    () => false,
  );
}
