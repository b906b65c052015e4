/**
 * The directory a backup is made in. It is no channel until its identity is written, which is the last thing that is: a
 * mark stands in it before anything else does, and nothing opens a directory that holds such a file and no identity.
 */
import { dirname, join, relative, resolve } from 'node:path';
import type { Disk } from '../../base/disk.ts';
import { ForebayError, systemCode } from '../../base/errors.ts';
import { type Identity, identityName, writeIdentity } from '../../wal/identity.ts';

/** Stands where a backup was begun and not ended. */
const markName = 'backup-incomplete.json';
/** A file system's own, in its top directory. */
const harmlessName = 'lost+found';

/** Whose backup, and since when: what somebody wants to know who finds the mark. */
export interface BackupMark {
  readonly channelId: string;
  readonly startedAt: string;
}

/** See above: `begin`, then either `publish` or `clear`. */
export class BackupDestination {
  readonly path: string;
  readonly #disk: Disk;
  readonly #made: Set<string> = new Set();

  private constructor(disk: Disk, path: string) {
    this.#disk = disk;
    this.path = path;
  }

  /**
   * `sources`: the directories that are copied.
   * @throws {ForebayError} DIR_UNUSABLE, with nothing changed, where it is not empty, or lies in one of `sources`.
   */
  static async begin(
    disk: Disk,
    given: string,
    sources: readonly string[],
    mark: BackupMark,
  ): Promise<BackupDestination> {
    const path = resolve(given);
    const within = sources.find((source) => !relative(source, path).startsWith('..'));
    if (within !== undefined) throw unusable(path, `lies in ${within}, which is the channel's own`);
    await refuseUsed(disk, path);
    await disk.makeDirectory(path);
    const destination = new BackupDestination(disk, path);
    await destination.#writeMark(mark);
    return destination;
  }

  /** A file of it that is about to be made. */
  willMake(name: string): string {
    const path = join(this.path, name);
    this.#made.add(path);
    return path;
  }

  /** Takes a file back. */
  async remove(path: string): Promise<void> {
    await this.#disk.unlink(path);
    this.#made.delete(path);
  }

  /** Makes it a channel: all its files are durable already. */
  async publish(identity: Identity): Promise<void> {
    await this.#disk.syncDirectory(this.path);
    await writeIdentity(this.#disk, this.path, identity);
    // Beside an identity it means nothing any more.
    await this.#disk.unlink(join(this.path, markName));
    await this.#disk.syncDirectory(this.path);
  }

  /** Leaves an empty directory, or the mark; never rejects. */
  async clear(): Promise<void> {
    try {
      for (const path of this.#made) await this.#disk.unlink(path);
      const left = (await this.#disk.list(this.path)) ?? [];
      if (left.some((name) => name !== markName && name !== harmlessName)) return;
      await this.#disk.unlink(join(this.path, markName));
    } catch {
      // The mark says what is left.
    }
  }

  async #writeMark(mark: BackupMark): Promise<void> {
    const path = join(this.path, markName);
    const file = await this.#disk.open(path, { mode: 'create' }).catch((error: unknown) => {
      throw systemCode(error) === 'EEXIST' ? unusable(this.path, 'is being written by another backup') : error;
    });
    try {
      await file.write(Buffer.from(`${JSON.stringify(mark)}\n`), 0);
      await file.sync();
    } finally {
      await file.close();
    }
    await this.#disk.syncDirectory(this.path);
    await this.#disk.syncDirectory(dirname(this.path));
  }
}

async function refuseUsed(disk: Disk, path: string): Promise<void> {
  const entry = await disk.entry(path);
  if (entry === undefined) return;
  if (entry.kind !== 'directory') throw unusable(path, 'is not a directory');
  const names = ((await disk.list(path)) ?? []).filter((name) => name !== harmlessName);
  if (names.length === 0) return;
  if (names.includes(markName) && !names.includes(identityName)) {
    throw unusable(path, 'holds a backup that was cut off, which is no channel: remove it');
  }
  throw unusable(path, `holds '${names[0]}'`);
}

function unusable(path: string, why: string): ForebayError {
  return new ForebayError('DIR_UNUSABLE', `${path} ${why}; name a directory that is empty or not there`, { path });
}
