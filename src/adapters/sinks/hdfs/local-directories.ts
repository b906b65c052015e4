/** Directories of local files: made, and made durable. */
import { constants } from 'node:fs';
import { mkdir, open } from 'node:fs/promises';
import { dirname } from 'node:path';
import { orSay, systemCodeOf } from './local-file-error.ts';

/** Answers of file systems that have no sync of directories. */
const hasNoSync: ReadonlySet<string | undefined> = new Set(['EINVAL', 'ENOTSUP', 'EOPNOTSUPP']);

/** Makes what was created, renamed and removed in `path` durable. Nothing on file systems that cannot. */
export async function syncDirectory(path: string): Promise<void> {
  await orSay('make durable what changed in', path, async () => {
    const directory = await open(path, constants.O_RDONLY | constants.O_DIRECTORY);
    try {
      await directory.sync();
    } catch (error) {
      if (!hasNoSync.has(systemCodeOf(error))) throw error;
    } finally {
      await directory.close();
    }
  });
}

/** Makes directories, as the umask lets it. */
export class DirectoryMaker {
  /** Under way: each makes directories that others find and build on before they are durable. */
  readonly #making = new Set<Promise<void>>();

  /** Makes `path` and those above it, durable up to the first that was there. One that is there is fine. */
  async make(path: string): Promise<void> {
    const making = makeDurably(path);
    this.#making.add(making);
    try {
      await making;
    } finally {
      this.#making.delete(making);
    }
    await this.settled();
  }

  /** Resolves when the directories that are being made now are durable, or have failed. */
  async settled(): Promise<void> {
    if (this.#making.size > 0) await Promise.allSettled(this.#making);
  }
}

async function makeDurably(path: string): Promise<void> {
  const first = await orSay('make the directory', path, () => mkdir(path, { recursive: true, mode: 0o777 }));
  if (first === undefined) return;
  for (let made = path; made.length >= first.length; made = dirname(made)) await syncDirectory(dirname(made));
}
