/**
 * The real disk as a process sees it that is killed at a chosen step: from then on nothing more is done, and what it
 * held is given back, as the kernel does. For what needs real files, and many kills in little time.
 */
import type { Disk, DiskFile, DiskLock } from '../../src/base/disk.ts';
import { diskWith, fileWith } from '../../src/base/disk-with.ts';

/** What a killed process's calls come to. */
class KilledError extends Error {}

/** `disk` until the step with the number `killAt`, from 1; the kill is before that step. */
export class KilledDisk {
  readonly disk: Disk;
  /** Done so far, in order: what, and where. */
  readonly steps: string[] = [];
  readonly #killAt: number;
  readonly #open: Set<DiskFile> = new Set();
  readonly #locks: Set<DiskLock> = new Set();
  #isDead = false;

  constructor(disk: Disk, killAt: number) {
    this.#killAt = killAt;
    this.disk = diskWith(disk, {
      makeDirectory: (path) => this.step(`makeDirectory ${path}`, () => disk.makeDirectory(path)),
      rename: (from, to) => this.step(`rename ${from} ${to}`, () => disk.rename(from, to)),
      unlink: (path) => this.step(`unlink ${path}`, () => disk.unlink(path)),
      syncDirectory: (path) => this.step(`syncDirectory ${path}`, () => disk.syncDirectory(path)),
      lock: async (path) => {
        const lock = await this.step(`lock ${path}`, () => disk.lock(path));
        if (lock !== undefined) this.#locks.add(lock);
        return lock && { release: () => this.#release(lock) };
      },
      open: async (path, options) => {
        const isRead = options.mode === 'read';
        const file = isRead
          ? await disk.open(path, options)
          : await this.step(`open ${path}`, () => disk.open(path, options));
        this.#open.add(file);
        return this.#wrap(file);
      },
    });
  }

  /** Of other means than the disk: counted and refused as the disk's own. */
  async step<T>(what: string, call: () => Promise<T>): Promise<T> {
    this.#next(what);
    return await call();
  }

  get wasKilled(): boolean {
    return this.#isDead;
  }

  /** Gives back all that is still held. Call it when the work has ended. */
  async end(): Promise<void> {
    this.#isDead = true;
    for (const file of this.#open) await file.close().catch(() => undefined);
    for (const lock of this.#locks) await lock.release();
    this.#locks.clear();
    this.#open.clear();
  }

  #next(what: string): void {
    if (!this.#isDead && this.steps.length + 1 === this.#killAt) this.#isDead = true;
    if (this.#isDead) throw new KilledError('killed');
    this.steps.push(what);
  }

  async #release(lock: DiskLock): Promise<void> {
    if (!this.#locks.delete(lock)) return;
    await lock.release();
  }

  #wrap(file: DiskFile): DiskFile {
    return fileWith(file, {
      write: (source, position) => this.step(`write ${file.path}`, () => file.write(source, position)),
      writeSync: (source, position) => {
        this.#next(`write ${file.path}`);
        file.writeSync(source, position);
      },
      sync: () => this.step(`sync ${file.path}`, () => file.sync()),
      truncate: (bytes) => this.step(`truncate ${file.path}`, () => file.truncate(bytes)),
      close: async () => {
        if (this.#open.delete(file)) await file.close();
      },
    });
  }
}
