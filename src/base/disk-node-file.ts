/**
 * An open file of the real disk.
 *
 * A direct file has two descriptors: one O_DIRECT | O_DSYNC for writing, where a write that returned is
 * durable, and an ordinary one for reading, so that reads need no alignment. (The kernel drops cached pages a
 * direct write replaces.) Both are opened at once: a name may be given to another file by the time of a read.
 *
 * A file that is read past the cache has two as well: an ordinary one, and one O_DIRECT for aligned reads. 10 GB read
 * through a cache that must let go of others took 17 s of processor in the kernel, past it 0.5 s.
 */
import fs from 'node:fs';
import { promisify } from 'node:util';
import { invariant } from './assert.ts';
import { type DiskFile, type OpenOptions, pageBytes } from './disk.ts';
import { type Descriptor, readAll, writeAll, writeAllSync } from './disk-node-transfer.ts';
import { systemCode } from './errors.ts';
import { systemError } from './system-error.ts';

/** Owner reads and writes, the group reads: what a log directory's own mode can narrow further. */
export const fileMode = 0o640;

/**
 * What a write means: `cached` until `sync`; `direct` and `synced` are durable on return, by the descriptor's
 * own flags or by an fdatasync after each.
 */
export type WriteKind = 'cached' | 'direct' | 'synced';

const { O_RDONLY, O_RDWR, O_CREAT, O_EXCL, O_DIRECT, O_DSYNC } = fs.constants;
const modeFlags: Readonly<Record<OpenOptions['mode'], number>> = {
  read: O_RDONLY,
  write: O_RDWR,
  create: O_RDWR | O_CREAT | O_EXCL,
};

const open = promisify(fs.open);
const close = promisify(fs.close);
const fdatasync = promisify(fs.fdatasync);
const fstat = promisify(fs.fstat);
const ftruncate = promisify(fs.ftruncate);

/** @throws What the system answers (ENOENT, EEXIST, EACCES, EMFILE, …). */
export async function openNodeFile(path: string, mode: OpenOptions['mode'], writes: WriteKind): Promise<DiskFile> {
  const isDirect = writes === 'direct';
  const number = await open(path, modeFlags[mode] | (isDirect ? O_DIRECT | O_DSYNC : 0), fileMode);
  try {
    const readNumber = isDirect ? await open(path, O_RDONLY) : number;
    return new NodeFile({ number, path, isDirect }, readNumber, writes);
  } catch (error) {
    await close(number);
    throw error;
  }
}

/** To read only. Without an O_DIRECT descriptor, which not every file system gives, all goes through the cache. */
export async function openPastCache(path: string): Promise<DiskFile> {
  const number = await open(path, O_RDONLY);
  const direct = await openAgain(number);
  return new NodeFile({ number, path, isDirect: false }, number, 'cached', direct);
}

/** The same file, whatever has its name by now. */
async function openAgain(number: number): Promise<number | undefined> {
  if (O_DIRECT === undefined) return undefined;
  try {
    return await open(`/proc/self/fd/${number}`, O_RDONLY | O_DIRECT);
  } catch {
    return undefined;
  }
}

class NodeFile implements DiskFile {
  readonly path: string;
  readonly #descriptor: Descriptor;
  readonly #readNumber: number;
  readonly #writes: WriteKind;
  readonly #pastCache: number | undefined;
  /** Calls under way. A descriptor closed below them could be another file's by the time they run. */
  #callCount = 0;
  #whenIdle: (() => void) | undefined;
  #isClosed = false;
  /** The kernel reports a failed sync once and then marks the pages clean: a later one would lie. */
  #syncFailure: { readonly error: unknown } | undefined;

  constructor(descriptor: Descriptor, readNumber: number, writes: WriteKind, pastCache?: number) {
    this.path = descriptor.path;
    this.#descriptor = descriptor;
    this.#readNumber = readNumber;
    this.#writes = writes;
    this.#pastCache = pastCache;
  }

  async read(target: Buffer, position: number): Promise<number> {
    return this.#call(() => this.#read(target, position));
  }

  async #read(target: Buffer, position: number): Promise<number> {
    if (this.#pastCache !== undefined && isAligned(target, position)) {
      try {
        return await readAll(this.#pastCache, target, position, true);
      } catch (error) {
        // Its file system wants more than pages.
        if (systemCode(error) !== 'EINVAL') throw error;
      }
    }
    return readAll(this.#readNumber, target, position);
  }

  async write(source: Buffer, position: number): Promise<void> {
    this.#checkWrite(source, position);
    return this.#call(async () => {
      await writeAll(this.#descriptor, source, position);
      if (this.#writes === 'synced') await this.#syncOnce();
    });
  }

  writeSync(source: Buffer, position: number): void {
    this.#checkWrite(source, position);
    this.#checkOpen();
    writeAllSync(this.#descriptor, source, position);
    if (this.#writes === 'synced') this.#syncOnceSync();
  }

  async sync(): Promise<void> {
    return this.#call(() => this.#syncOnce());
  }

  async bytes(): Promise<number> {
    return this.#call(async () => (await fstat(this.#readNumber)).size);
  }

  async truncate(bytes: number): Promise<void> {
    return this.#call(() => ftruncate(this.#descriptor.number, bytes));
  }

  async close(): Promise<void> {
    if (this.#isClosed) return;
    this.#isClosed = true;
    if (this.#callCount > 0) await new Promise<void>((resolve) => (this.#whenIdle = resolve));
    try {
      await close(this.#descriptor.number);
    } finally {
      if (this.#readNumber !== this.#descriptor.number) await close(this.#readNumber);
      if (this.#pastCache !== undefined) await close(this.#pastCache);
    }
  }

  async #call<Result>(run: () => Promise<Result>): Promise<Result> {
    this.#checkOpen();
    this.#callCount += 1;
    try {
      return await run();
    } finally {
      this.#callCount -= 1;
      if (this.#callCount === 0) this.#whenIdle?.();
    }
  }

  #checkOpen(): void {
    if (this.#isClosed) throw systemError('EBADF', 'file is closed', this.path);
  }

  #checkWrite(source: Buffer, position: number): void {
    if (this.#writes === 'cached') return;
    invariant(isAligned(source, position), 'a write-through write is page-aligned in memory, length and position');
  }

  async #syncOnce(): Promise<void> {
    if (this.#syncFailure !== undefined) throw this.#syncFailure.error;
    try {
      await fdatasync(this.#descriptor.number);
    } catch (error) {
      this.#syncFailure = { error };
      throw error;
    }
  }

  #syncOnceSync(): void {
    if (this.#syncFailure !== undefined) throw this.#syncFailure.error;
    try {
      fs.fdatasyncSync(this.#descriptor.number);
    } catch (error) {
      this.#syncFailure = { error };
      throw error;
    }
  }
}

function isAligned({ byteOffset, length }: Buffer, position: number): boolean {
  return byteOffset % pageBytes === 0 && length % pageBytes === 0 && position % pageBytes === 0;
}
