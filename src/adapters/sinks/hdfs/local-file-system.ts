/**
 * Files of this machine, for `file:` paths. What is made here has the rights that the umask leaves, and its name is
 * durable when a call resolves; its bytes are when the stream has ended.
 *
 * A rename must not replace anything, and no call of Node's can do that at once. So the file gets its second name by a
 * hard link, which fails where the name is taken, and then loses the first: a crash between the two leaves the same
 * file under both names, and the same rename then does the rest. Where the file system has no hard links (FAT, some
 * FUSE), the second name is looked for first: another program that takes it within the moment after loses its file.
 */
import { constants } from 'node:fs';
import { type FileHandle, link, lstat, open, rename, stat, unlink } from 'node:fs/promises';
import { dirname } from 'node:path';
import type { FileStatus, FileStream, FileSystem } from './file-system.ts';
import { DirectoryMaker, syncDirectory } from './local-directories.ts';
import { localFileError, orSay, systemCodeOf } from './local-file-error.ts';
import { LocalFileStream } from './local-file-stream.ts';

/** Nothing can stand behind a file. */
const isNothing: ReadonlySet<string | undefined> = new Set(['ENOENT', 'ENOTDIR']);
const hasNoLinks: ReadonlySet<string | undefined> = new Set(['EPERM', 'ENOTSUP', 'EOPNOTSUPP', 'ENOSYS', 'EMLINK']);
const fileMode = 0o666;

/** The files of this machine. */
export function localFileSystem(): FileSystem {
  return new LocalFileSystem();
}

class LocalFileSystem implements FileSystem {
  readonly prefix = 'file://';
  readonly lateMs = 0;
  readonly #directories = new DirectoryMaker();

  async create(path: string): Promise<FileStream | undefined> {
    const handle = await this.#openNew(path);
    if (handle === undefined) return undefined;
    try {
      await Promise.all([syncDirectory(dirname(path)), this.#directories.settled()]);
    } catch (error) {
      await handle.close();
      throw error;
    }
    return new LocalFileStream(path, handle);
  }

  async #openNew(path: string): Promise<FileHandle | undefined> {
    for (let isSecond = false; ; isSecond = true) {
      try {
        return await open(path, 'wx', fileMode);
      } catch (error) {
        const code = systemCodeOf(error);
        if (code === 'EEXIST') return undefined;
        if (code !== 'ENOENT' || isSecond) throw localFileError('create', path, error);
      }
      await this.#directories.make(dirname(path));
    }
  }

  async append(path: string): Promise<FileStream> {
    const flags = constants.O_WRONLY | constants.O_APPEND;
    return new LocalFileStream(path, await orSay('go on with', path, () => open(path, flags)));
  }

  async truncate(path: string, lengthBytes: number): Promise<boolean> {
    await orSay(`cut to ${lengthBytes} bytes`, path, async () => {
      const handle = await open(path, 'r+');
      try {
        const { size } = await handle.stat();
        // The system would fill it up with zeros.
        if (size < lengthBytes) throw new Error(`it has ${size} bytes only: another program cut it`);
        await handle.truncate(lengthBytes);
        await handle.datasync();
      } finally {
        await handle.close();
      }
    });
    return true;
  }

  async rename(from: string, to: string): Promise<void> {
    await orSay('rename', `${from} to ${to}`, async () => {
      try {
        await link(from, to);
      } catch (error) {
        const code = systemCodeOf(error);
        if (hasNoLinks.has(code)) return renameWithoutLinks(from, to);
        if (code !== 'EEXIST' || !(await isOneFile(from, to))) throw error;
      }
      await syncDirectory(dirname(to));
      await unlink(from);
      await syncDirectory(dirname(from));
    });
  }

  async status(path: string): Promise<FileStatus | undefined> {
    return await orSay('look at', path, async () => {
      // A link that leads nowhere is something too: it takes the name.
      const found = (await orNothing(stat(path, { bigint: true }))) ?? (await orNothing(lstat(path, { bigint: true })));
      if (found === undefined) return undefined;
      const fileId = (await hasBirthTimes()) ? `${found.ino}-${found.birthtimeNs}` : `${found.ino}`;
      return { fileId, kind: found.isDirectory() ? 'directory' : 'file', lengthBytes: Number(found.size) };
    });
  }

  async delete(path: string): Promise<boolean> {
    return await orSay('delete', path, async () => {
      if ((await orNothing(unlink(path).then(() => true))) === undefined) return false;
      await syncDirectory(dirname(path));
      return true;
    });
  }

  async makeDirectories(path: string): Promise<void> {
    await this.#directories.make(path);
  }

  async proveActive(): Promise<void> {
    // There is but one who answers.
  }

  async leastReplicas(): Promise<number> {
    return Number.POSITIVE_INFINITY;
  }

  async close(): Promise<void> {
    await this.#directories.settled();
  }
}

async function orNothing<Answer>(answer: Promise<Answer>): Promise<Answer | undefined> {
  try {
    return await answer;
  } catch (error) {
    if (isNothing.has(systemCodeOf(error))) return undefined;
    throw error;
  }
}

async function isOneFile(one: string, other: string): Promise<boolean> {
  const [{ dev, ino }, second] = await Promise.all([lstat(one, { bigint: true }), lstat(other, { bigint: true })]);
  return dev === second.dev && ino === second.ino;
}

async function renameWithoutLinks(from: string, to: string): Promise<void> {
  if ((await orNothing(lstat(to))) !== undefined) {
    throw Object.assign(new Error('the name is taken'), { code: 'EEXIST' });
  }
  await rename(from, to);
  await syncDirectory(dirname(to));
  if (dirname(from) !== dirname(to)) await syncDirectory(dirname(from));
}

let birthTimes: Promise<boolean> | undefined;

/**
 * Where the system tells no birth times (a kernel or a container's filter without statx), Node gives the time of the
 * last change in their place: a rename would make another file of it. Node's own program was written to after it had
 * been made, so there the two differ.
 */
function hasBirthTimes(): Promise<boolean> {
  birthTimes ??= stat(process.execPath, { bigint: true }).then(
    ({ birthtimeNs, ctimeNs }) => birthtimeNs !== ctimeNs,
    () => true,
  );
  return birthTimes;
}
