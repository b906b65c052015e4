/**
 * Segment files with nothing live in them: the reserve, which keeps takes going on a full disk (log-format rule 11),
 * and spares beyond it, which make writing faster (overwriting written blocks needs no journal).
 */
import { join } from 'node:path';
import type { Disk } from '../base/disk.ts';
import type { Random } from '../base/random.ts';
import { mib } from '../base/units.ts';
import type { LogDirectory } from './segment-files.ts';

/**
 * Fully written spares that only control records may use once the disk is full. Of three, one is written, one is
 * the newest but one, which is kept in case the newest's STATE is damaged, and one is there to go on in.
 */
export const reserveFiles = 3;
/** Kept beyond the reserve; more are deleted, so that space comes back. */
const sparesMax = 2;

/** A file that holds nothing live. */
export interface FreeFile {
  readonly directory: LogDirectory;
  readonly path: string;
  readonly bytes: number;
}

/** What the pool makes its files with. */
export interface FreePoolOptions {
  readonly disk: Disk;
  readonly random: Random;
  readonly segmentBytes: number;
}

/** See above. */
export class FreePool {
  readonly #options: FreePoolOptions;
  #files: FreeFile[] = [];

  constructor(options: FreePoolOptions) {
    this.#options = options;
  }

  get bytes(): number {
    return this.#files.reduce((sum, file) => sum + file.bytes, 0);
  }

  /** What the reserve lacks. */
  get missingBytes(): number {
    return Math.max(0, reserveFiles - this.#files.length) * this.#options.segmentBytes;
  }

  get count(): number {
    return this.#files.length;
  }

  get hasReserve(): boolean {
    return this.#files.length >= reserveFiles;
  }

  get hasSpare(): boolean {
    return this.#files.length > reserveFiles;
  }

  /** Takes over what an earlier life left; files of another size, and more than are kept, are deleted. */
  async adopt(found: readonly { readonly directory: LogDirectory; readonly path: string }[]): Promise<void> {
    for (const { directory, path } of found) {
      const bytes = (await this.#options.disk.entry(path))?.bytes ?? 0;
      const wanted = bytes === this.#options.segmentBytes && this.#files.length < reserveFiles + sparesMax;
      if (wanted) this.#files.push({ directory, path, bytes });
      else await this.#options.disk.unlink(path);
    }
  }

  /** A spare beyond the reserve; with `fromReserve` any. Undefined where there is none. */
  take(fromReserve: boolean): FreeFile | undefined {
    return fromReserve || this.hasSpare ? this.#files.pop() : undefined;
  }

  /** Files in other directories than `directory`, for a log that flees a failed one. */
  drop(directory: LogDirectory): void {
    this.#files = this.#files.filter((file) => file.directory !== directory);
  }

  /**
   * Takes a segment's file that holds nothing live any more. Its new name need not be durable: found under the old
   * one, no STATE lists it. Never rejects: what cannot be kept is left for the next open.
   */
  async recycle(directory: LogDirectory, path: string): Promise<void> {
    const { disk } = this.#options;
    try {
      const bytes = (await disk.entry(path))?.bytes ?? 0;
      const wanted = this.#files.length < reserveFiles + sparesMax && bytes <= this.#options.segmentBytes;
      if (!wanted || !(await this.#lengthen(path, bytes))) {
        await disk.unlink(path);
        return;
      }
      const free = this.#freePath(directory);
      await disk.rename(path, free);
      this.#files.push({ directory, path: free, bytes: this.#options.segmentBytes });
    } catch {
      // A stray file costs its space until the next open.
    }
  }

  /** Deletes what is kept beyond the reserve: its room is wanted for another size of file. Never rejects. */
  async dropSpares(): Promise<void> {
    for (const { path } of this.#files.splice(reserveFiles)) await this.discard(path);
  }

  /** Lets a file go that must not be used again. Never rejects. */
  async discard(path: string): Promise<void> {
    await this.#options.disk.unlink(path).catch(() => undefined);
  }

  /** Writes missing reserve files in full. False where there is no room or the directory fails. */
  async fillReserve(directories: readonly LogDirectory[]): Promise<boolean> {
    const { disk } = this.#options;
    for (let turn = 0; this.#files.length < reserveFiles; turn++) {
      const directory = directories[this.#files.length % Math.max(1, directories.length)];
      if (directory === undefined || turn > 2 * reserveFiles) return false;
      const path = this.#freePath(directory);
      try {
        await disk.open(path, { mode: 'create' }).then((file) => file.close());
        if (!(await this.#lengthen(path, 0))) {
          await disk.unlink(path);
          return false;
        }
        await disk.syncDirectory(directory.path);
      } catch {
        return false;
      }
      this.#files.push({ directory, path, bytes: this.#options.segmentBytes });
    }
    return true;
  }

  /** Fills the file with zeros from `bytes` to a segment's size, durably. False where there is no room. */
  async #lengthen(path: string, bytes: number): Promise<boolean> {
    const { disk, segmentBytes } = this.#options;
    if (bytes === segmentBytes) return true;
    const file = await disk.open(path, { mode: 'write', writeThrough: true });
    try {
      const zeros = disk.allocate(Math.min(mib, segmentBytes)).fill(0);
      for (let at = Math.floor(bytes / 4096) * 4096; at < segmentBytes; at += zeros.length) {
        await file.write(zeros.subarray(0, Math.min(zeros.length, segmentBytes - at)), at);
      }
      return true;
    } catch {
      return false;
    } finally {
      await file.close();
    }
  }

  #freePath(directory: LogDirectory): string {
    return join(directory.path, `free-${this.#options.random.bytes(8).toString('hex')}.seg`);
  }
}
