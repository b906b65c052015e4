/**
 * A file that is being written, and how one that was left in the middle is put right.
 *
 * Where a file's committed part ends stands in a note of the channel, changed in the same frame as the acknowledgement
 * of the events in it. What lies behind belongs to events that the channel will give again: it is cut off before
 * anything else is written, also by the next process after a kill. So no event stands twice.
 */
import { type FileHandle, open, unlink } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { NoteValue } from '../../../engine.ts';

/** Where the committed part of a file ends. */
interface CommittedLength {
  readonly path: string;
  /** The file that had this path then: another one is left alone. */
  readonly inode: string;
  readonly lengthBytes: number;
  /** Nothing but the file's header is committed. */
  readonly isEmpty: boolean;
}

/** The note's value as a length; undefined where it is none. */
export function committedLengthOf(note: NoteValue | undefined): CommittedLength | undefined {
  if (typeof note !== 'object' || note === null) return undefined;
  const { path, inode, lengthBytes, isEmpty } = note as Readonly<Record<string, NoteValue | undefined>>;
  if (typeof path !== 'string' || typeof inode !== 'string' || typeof isEmpty !== 'boolean') return undefined;
  if (typeof lengthBytes !== 'number' || !Number.isSafeInteger(lengthBytes) || lengthBytes < 0) return undefined;
  return { path, inode, lengthBytes, isEmpty };
}

/** Names that are taken by other files are passed over; so many, and something else is wrong. */
const takenNamesMax = 100_000;

/** See the file's comment. */
export class RolledFile {
  readonly path: string;
  readonly #inode: string;
  readonly #handle: FileHandle;
  #lengthBytes: number;

  private constructor(path: string, inode: string, handle: FileHandle) {
    this.path = path;
    this.#inode = inode;
    this.#handle = handle;
    this.#lengthBytes = 0;
  }

  /** Makes a new file with `header` in it, durable under its name. Never touches a file that is there. */
  static async create(directory: string, nextName: () => string, header: Buffer): Promise<RolledFile> {
    const { path, handle } = await createNew(directory, nextName);
    try {
      const { ino } = await handle.stat({ bigint: true });
      const file = new RolledFile(path, String(ino), handle);
      await file.append(header);
      await syncDirectory(dirname(path));
      return file;
    } catch (error) {
      await handle.close();
      await unlink(path);
      throw error;
    }
  }

  /** Writes at the end. Resolves when durable. After a rejection the file has to be closed and put right. */
  async append(bytes: Buffer): Promise<void> {
    for (let at = 0; at < bytes.length; ) {
      const { bytesWritten } = await this.#handle.write(bytes, at, bytes.length - at, this.#lengthBytes + at);
      at += bytesWritten;
    }
    if (bytes.length > 0) await this.#handle.datasync();
    this.#lengthBytes += bytes.length;
  }

  /** All that was appended, as a note. */
  committed(isEmpty: boolean): { readonly [key: string]: NoteValue } {
    return { path: this.path, inode: this.#inode, lengthBytes: this.#lengthBytes, isEmpty };
  }

  /** Idempotent for its caller: once. */
  close(): Promise<void> {
    return this.#handle.close();
  }
}

/**
 * Cuts off what lies behind the committed part; with `removeEmpty` a file without an event goes altogether. Resolves to
 * the bytes cut: 0 where there was nothing to do, also because the file was moved away or is another one by now.
 */
export async function putRight(committed: CommittedLength, removeEmpty: boolean): Promise<number> {
  const handle = await openIfThere(committed.path);
  if (handle === undefined) return 0;
  try {
    const { ino, size } = await handle.stat({ bigint: true });
    if (String(ino) !== committed.inode) return 0;
    const surplus = Math.max(0, Number(size) - committed.lengthBytes);
    if (surplus > 0) {
      await handle.truncate(committed.lengthBytes);
      await handle.sync();
    }
    if (removeEmpty && committed.isEmpty) await unlink(committed.path);
    return surplus;
  } finally {
    await handle.close();
  }
}

async function openIfThere(path: string): Promise<FileHandle | undefined> {
  try {
    return await open(path, 'r+');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}

async function createNew(directory: string, nextName: () => string): Promise<{ path: string; handle: FileHandle }> {
  for (let taken = 0; taken < takenNamesMax; taken += 1) {
    const path = join(directory, nextName());
    try {
      return { path, handle: await open(path, 'wx') };
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
    }
  }
  throw new Error(`${takenNamesMax} file names in a row are taken in ${directory}: move files away`);
}

async function syncDirectory(path: string): Promise<void> {
  const handle = await open(path, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}
