/**
 * Which files there are: the directories of the groups, listed when they change, and watched, so that a line is read
 * soon after it was written. Where the system announces nothing (network file systems), looking again is what finds it.
 */
import { type FSWatcher, watch } from 'node:fs';
import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { Clock, Log } from '../../../agent/contracts/components.ts';
import type { FileGroup } from './keys.ts';
import type { FoundFile } from './tailed-file.ts';

/** What one look at all of them found. */
export interface Look {
  readonly files: readonly FoundFile[];
  /** Directories that could be read: what is missing there is gone. */
  readonly directories: ReadonlySet<string>;
}

interface Directory {
  readonly path: string;
  watcher: FSWatcher | undefined;
  inode: bigint | undefined;
  names: readonly string[];
  modifiedMs: number;
  /** By the wall clock, as the directory's own time is. */
  listedMs: number;
  isDirty: boolean;
  problem: string | undefined;
}

/** A directory's time moves in steps: a change soon after a listing may leave no other time. */
const timeStepMs = 2000;
/** Files asked for at once. */
const statsAtOnce = 64;

/** See the head of the file. */
export class Directories {
  readonly #groups: readonly FileGroup[];
  readonly #cachesNames: boolean;
  readonly #log: Log;
  readonly #clock: Clock;
  readonly #onChange: () => void;
  readonly #directories: ReadonlyMap<string, Directory>;
  /** Paths announced since they were last taken. */
  #changed: Set<string> = new Set();
  #isListDue = true;

  constructor(
    groups: readonly FileGroup[],
    cachesNames: boolean,
    { log, clock }: { readonly log: Log; readonly clock: Clock },
    onChange: () => void,
  ) {
    this.#groups = groups;
    this.#cachesNames = cachesNames;
    this.#log = log;
    this.#clock = clock;
    this.#onChange = onChange;
    const paths = new Set(groups.map(({ directory }) => directory));
    this.#directories = new Map([...paths].map((path) => [path, newDirectory(path)]));
  }

  /** Whether names came or went, so that only a look at everything will do. */
  get isListDue(): boolean {
    return this.#isListDue;
  }

  /** Paths that were written to. */
  takeChanged(): ReadonlySet<string> {
    const changed = this.#changed;
    this.#changed = new Set();
    return changed;
  }

  /** Everything. A file in two groups is in the first. */
  async look(): Promise<Look> {
    this.#isListDue = false;
    this.#changed.clear();
    const readable = new Set<string>();
    for (const directory of this.#directories.values()) {
      if (await this.#list(directory)) readable.add(directory.path);
    }
    const wanted = new Map<string, FileGroup>();
    for (const group of this.#groups) {
      for (const name of this.#directories.get(group.directory)?.names ?? []) {
        const path = join(group.directory, name);
        if (!wanted.has(path) && group.pattern.matches(name)) wanted.set(path, group);
      }
    }
    return { files: await statAll([...wanted]), directories: readable };
  }

  /** The group whose path this would be. */
  groupOf(path: string): FileGroup | undefined {
    return this.#groups.find(({ directory, pattern }) => {
      const name = path.slice(directory.length + (directory.endsWith('/') ? 0 : 1));
      return path === join(directory, name) && !name.includes('/') && pattern.matches(name);
    });
  }

  close(): void {
    for (const directory of this.#directories.values()) unwatch(directory);
  }

  async #list(directory: Directory): Promise<boolean> {
    try {
      const { ino, mtimeMs } = await stat(directory.path, { bigint: true });
      const modifiedMs = Number(mtimeMs);
      if (ino !== directory.inode) unwatch(directory);
      directory.inode = ino;
      this.#watch(directory);
      const isKnown = modifiedMs === directory.modifiedMs && directory.listedMs - modifiedMs > timeStepMs;
      if (isKnown && this.#cachesNames && !directory.isDirty) return true;
      directory.isDirty = false;
      directory.listedMs = this.#clock.wallMs();
      directory.names = await readdir(directory.path);
      directory.modifiedMs = modifiedMs;
      if (directory.problem !== undefined) this.#log.info(`${directory.path} can be read again`);
      directory.problem = undefined;
      return true;
    } catch (error) {
      unwatch(directory);
      directory.names = [];
      directory.modifiedMs = Number.NaN;
      const problem = codeOf(error);
      if (problem !== directory.problem) {
        this.#log.warn(`${directory.path} cannot be read (${problem}): its files are tailed when it can`, { error });
      }
      directory.problem = problem;
      return false;
    }
  }

  #watch(directory: Directory): void {
    if (directory.watcher !== undefined) return;
    try {
      const watcher = watch(directory.path, { persistent: false }, (event, name) => {
        if (event === 'change' && name !== null) this.#changed.add(join(directory.path, name));
        else {
          directory.isDirty = true;
          this.#isListDue = true;
        }
        this.#onChange();
      });
      watcher.on('error', () => unwatch(directory));
      directory.watcher = watcher;
      // What changed before the watch began was announced to nobody.
      directory.isDirty = true;
    } catch {
      // No watches left, or none here: the next look finds what changed.
      directory.watcher = undefined;
    }
  }
}

function newDirectory(path: string): Directory {
  const unknown = { modifiedMs: Number.NaN, listedMs: Number.NaN, names: [], isDirty: true };
  return { path, watcher: undefined, inode: undefined, problem: undefined, ...unknown };
}

function unwatch(directory: Directory): void {
  directory.watcher?.close();
  directory.watcher = undefined;
}

function codeOf(error: unknown): string {
  const { code, message } = error as { code?: string; message?: string };
  return code ?? message ?? 'unknown';
}

async function statAll(wanted: readonly (readonly [string, FileGroup])[]): Promise<FoundFile[]> {
  const found: FoundFile[] = [];
  for (let first = 0; first < wanted.length; first += statsAtOnce) {
    const some = wanted.slice(first, first + statsAtOnce);
    const looked = await Promise.all(some.map(([path, group]) => lookAt(path, group)));
    for (const file of looked) if (file !== undefined) found.push(file);
  }
  return found;
}

/** Undefined where there is no regular file or pipe that could be read: it was removed, or is a directory. */
export async function lookAt(path: string, group: FileGroup): Promise<FoundFile | undefined> {
  try {
    const stats = await stat(path, { bigint: true });
    if (!stats.isFile()) return undefined;
    const { dev: device, ino: inode, size, mtimeNs: modifiedNs } = stats;
    return { path, group, device, inode, size: Number(size), modifiedNs };
  } catch {
    return undefined;
  }
}

/** The files of a directory by inode: where one went that was renamed. Empty where it cannot be read. */
export async function inodesIn(directory: string, group: FileGroup): Promise<ReadonlyMap<bigint, FoundFile>> {
  try {
    const names = await readdir(directory);
    const files = await statAll(names.map((name) => [join(directory, name), group] as const));
    return new Map(files.map((file) => [file.inode, file]));
  } catch {
    return new Map();
  }
}
