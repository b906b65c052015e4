/**
 * The files that are tailed: new ones are given their position, renamed ones stay the same file, and one whose path is
 * gone is read to its end: through its open handle, or by its inode under the name it has now.
 */
import { open } from 'node:fs/promises';
import { dirname } from 'node:path';
import type { SourceContext } from '../../../agent/contracts/components.ts';
import { Coverage } from './coverage.ts';
import { type Directories, inodesIn, type Look } from './directories.ts';
import { FileNotes, type Notes } from './file-notes.ts';
import type { FilePosition } from './position-file.ts';
import { Registry } from './registry.ts';
import { type FoundFile, readHead, TailedFile } from './tailed-file.ts';

/** The notes of a file that is gone are kept so long: a file system may come back. */
const goneMs = 3_600_000;

interface Start {
  readonly id: string;
  readonly coverage: Coverage;
  readonly head: Buffer;
  /** It differs from what the channels say: they have to be told. */
  readonly isSet: boolean;
}

/** See the head of the file. */
export class FileSet {
  readonly #context: SourceContext;
  readonly #registry: Registry;
  readonly #directories: Directories;
  readonly #skipToEnd: boolean;
  #foreign: ReadonlyMap<string, FilePosition>;
  #isStart = true;
  readonly #files: Map<string, TailedFile> = new Map();
  /** Ids of files that are nowhere, and since when. */
  readonly #gone: Map<string, number> = new Map();
  #notes: Notes = {};
  /** For channels that are new to this source: where they join. */
  #joinNotes: Notes = {};

  constructor(
    context: SourceContext,
    registry: Registry,
    directories: Directories,
    foreign: ReadonlyMap<string, FilePosition>,
    skipToEnd: boolean,
  ) {
    this.#context = context;
    this.#registry = registry;
    this.#directories = directories;
    this.#foreign = foreign;
    this.#skipToEnd = skipToEnd;
  }

  /** All that are tailed. */
  get files(): Iterable<TailedFile> {
    return this.#files.values();
  }

  /** By its path, where it is there. */
  at(path: string): TailedFile | undefined {
    for (const file of this.#files.values()) if (file.isThere && file.found.path === path) return file;
    return undefined;
  }

  /** Notes that must be in the channels before a new file is read. */
  takeNotes(): Notes {
    const notes = { ...this.#notes, ...this.#registry.takeNotes() };
    this.#notes = {};
    return notes;
  }

  /** What only the channels that are new to this source must be told: they have no more than this. */
  takeJoinNotes(): { readonly notes: Notes; readonly except: ReadonlySet<string> } | undefined {
    const notes = this.#joinNotes;
    this.#joinNotes = {};
    const except = new Set(this.#registry.registered);
    const isNeeded =
      Object.keys(notes).length > 0 && except.size > 0 && except.size < this.#context.processor.channels.length;
    return isNeeded ? { notes, except } : undefined;
  }

  /** Brings the set in line with what there is. */
  async update({ files, directories }: Look): Promise<void> {
    const nowMs = this.#context.clock.monotonicMs();
    const seen = new Set<TailedFile>();
    const unknown: FoundFile[] = [];
    for (const found of files) {
      const file = this.#files.get(keyOf(found));
      if (file === undefined) unknown.push(found);
      else if (!seen.has(file)) {
        file.see(found, nowMs);
        file.isThere = true;
        seen.add(file);
      }
    }
    for (const file of this.#files.values()) {
      if (!seen.has(file) && directories.has(dirname(file.found.path))) await this.#missing(file, nowMs);
    }
    for (const found of unknown) await this.#adopt(found, true);
    if (this.#isStart) await this.#adoptRenamed(directories);
    this.#isStart = false;
    this.#foreign = new Map();
    this.#forget(nowMs);
  }

  /** Its notes stay for a while. */
  drop(file: TailedFile): void {
    this.#files.delete(keyOf(file.found));
    this.#gone.set(file.notes.id, this.#context.clock.monotonicMs());
  }

  async #missing(file: TailedFile, nowMs: number): Promise<void> {
    file.isThere = false;
    if (file.isOpen) {
      await file.look(nowMs);
      return;
    }
    const renamed = (await inodesIn(dirname(file.found.path), file.found.group)).get(file.found.inode);
    if (renamed === undefined || renamed.device !== file.found.device) {
      this.drop(file);
      return;
    }
    file.see(renamed, nowMs);
    file.changedMs = nowMs;
    // Who writes it may go on for a while: it stays open until it is idle.
    await file.prepare(nowMs).catch(() => this.drop(file));
  }

  /** Files that were renamed to names that match nothing, while nobody looked. */
  async #adoptRenamed(directories: ReadonlySet<string>): Promise<void> {
    const tailed = new Set([...this.#files.values()].map(({ notes }) => notes.id));
    const listed = new Map<string, ReadonlyMap<bigint, FoundFile>>();
    for (const id of this.#registry.ids) {
      if (tailed.has(id)) continue;
      const path = this.#registry.pathOf(id);
      const group = path === undefined ? undefined : this.#directories.groupOf(path);
      if (path === undefined || group === undefined || !directories.has(dirname(path))) continue;
      const directory = dirname(path);
      const inodes = listed.get(directory) ?? (await inodesIn(directory, group));
      listed.set(directory, inodes);
      const found = inodes.get(BigInt(/^\d+/.exec(id)?.[0] ?? '0'));
      if (found === undefined || this.#files.has(keyOf(found))) this.#gone.set(id, this.#context.clock.monotonicMs());
      else await this.#adopt(found, false);
    }
  }

  /** A file that is not there under a matching name must be known to the channels. */
  async #adopt(found: FoundFile, isThere: boolean): Promise<void> {
    let start: Start | undefined;
    try {
      start = await this.#startOf(found, isThere);
    } catch (error) {
      this.#context.count('EventReadFail');
      this.#context.log.error(`${found.path} cannot be read: it is tried again`, { error });
    }
    if (start === undefined || this.#files.has(keyOf(found))) return;
    const { id, coverage, head, isSet } = start;
    if (!isThere && coverage.start >= found.size) return;
    const notes = new FileNotes(this.#context.name, id, coverage.start);
    const file = new TailedFile(found, notes, coverage, head, this.#context.clock.monotonicMs());
    file.isThere = isThere;
    this.#files.set(keyOf(found), file);
    this.#gone.delete(id);
    this.#registry.add(id);
    if (this.#isStart) this.#joinNotes = { ...this.#joinNotes, ...notes.noteAt(coverage.start, found.path, head) };
    if (isSet) this.#notes = { ...this.#notes, ...notes.noteAt(coverage.start, found.path, head) };
  }

  async #startOf(found: FoundFile, isThere: boolean): Promise<Start | undefined> {
    const { log, processor } = this.#context;
    const handle = await open(found.path, 'r');
    try {
      const head = await readHead(handle);
      const foreign = this.#foreign.get(`${found.inode}`);
      const ids = Registry.idsOf(found);
      const taken = new Set([...this.#files.values()].map(({ notes }) => notes.id));
      const free = taken.has(ids[0]) ? ids[1] : ids[0];
      const set = (position: number, id: string): Start => {
        return { id, coverage: Coverage.of(processor.channels, position), head, isSet: true };
      };
      if (foreign !== undefined && (foreign.path === found.path || (await endsLine(handle, foreign.position)))) {
        if (foreign.position <= found.size) return set(foreign.position, free);
        log.warn(`${found.path} is shorter than its position ${foreign.position}: it is read from its start`);
        return set(0, free);
      }
      for (const id of ids) {
        const known = taken.has(id) ? undefined : this.#registry.remember(id, found, head);
        if (known?.isTruncated === true) {
          log.warn(`${found.path} was truncated: it is read from its start`);
          return set(0, id);
        }
        if (known !== undefined) return { id, coverage: known.coverage, head, isSet: false };
      }
      if (!isThere) return undefined;
      const skips = this.#skipToEnd && this.#isStart && !this.#registry.knowsGroup(found.group.path);
      return skips ? set(found.size, free) : { ...set(0, free), isSet: false };
    } finally {
      await handle.close();
    }
  }

  #forget(nowMs: number): void {
    for (const [id, sinceMs] of this.#gone) {
      if (nowMs - sinceMs < goneMs) continue;
      this.#gone.delete(id);
      this.#notes = { ...this.#notes, ...this.#registry.remove(id) };
    }
  }
}

/** In this process: no two files that are there have the same. */
function keyOf({ device, inode }: FoundFile): string {
  return `${device}:${inode}`;
}

/** Whether a position looks like one that Flume left in this very file, under another name. */
async function endsLine(handle: Awaited<ReturnType<typeof open>>, position: number): Promise<boolean> {
  if (position === 0) return true;
  const byte = Buffer.alloc(1);
  const { bytesRead } = await handle.read(byte, 0, 1, position - 1);
  return bytesRead === 1 && byte[0] === 10;
}
