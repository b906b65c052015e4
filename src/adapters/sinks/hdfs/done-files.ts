/**
 * `hdfs.doneFile`: an empty file that is made in a directory once nothing came for it for `hdfs.doneDelay` and all
 * files of this sink in it have their names. Other sinks and agents know nothing of it.
 *
 * That a directory awaits its done file is a note, `hdfs/<sink>/done/<number>`, which is written in the same step as
 * the note of its first file: so no crash between the two forgets it. Which of its files are not finished, their own
 * notes say.
 */
import { dirname } from 'node:path/posix';
import type { Log } from '../../../agent/contracts/components.ts';
import type { Clock, NoteChanges, Timer } from '../../../engine.ts';
import type { Bucket } from './bucket.ts';
import type { FileNote } from './file-note.ts';
import type { FileSystem } from './file-system.ts';
import type { Ledger } from './ledger.ts';
import type { Limit } from './limit.ts';
import type { Load } from './load.ts';
import { pauseMsAfter } from './retries.ts';
import type { Tasks } from './tasks.ts';

/** What done files are made with. */
export interface DoneParts {
  readonly fileSystem: FileSystem;
  readonly ledger: Ledger;
  readonly buckets: { readonly all: Iterable<Bucket> };
  readonly load: Load;
  readonly limit: Limit;
  readonly tasks: Tasks;
  readonly clock: Clock;
  readonly log: Log;
  readonly count: (counter: string, by?: number) => void;
  /** `_SUCCESS`. */
  readonly name: string;
  readonly delayMs: number;
}

/** A directory that awaits its done file. */
interface Awaiting {
  readonly key: string;
  readonly directory: string;
  /** Whether its note is, or is about to be, in the channel: a file was begun in it. */
  isNoted: boolean;
  /** Of the last event, or of this life's start, monotonic. */
  quietSinceMs: number;
  /** Nothing is done about it before: the last try failed. */
  notBeforeMs: number;
  failures: number;
  /** Events of this life for it. */
  events: number;
  /** Whether its done file was there when they came. */
  late: 'unknown' | 'asked' | 'yes' | 'no';
}

const lookMs = 1000;
/** Of all notes of a channel, 1 MiB: the files need the larger part. */
const noteBytesMax = 128 * 1024;
const saidMax = 1000;

/** See the file's comment. Used from `start` to `stop`. */
export class DoneFiles {
  readonly #parts: DoneParts;
  readonly #byDirectory = new Map<string, Awaiting>();
  /** Directories that were said to be late. */
  readonly #said = new Set<string>();
  #nextNumber = 1;
  #noteBytes = 0;
  #isFullSaid = false;
  #timer: Timer | undefined;

  constructor(parts: DoneParts) {
    this.#parts = parts;
    parts.ledger.accompanyBegun((note) => this.#noteFor(note));
  }

  /** Takes over what an earlier life noted. */
  start(): void {
    const { ledger, fileSystem, log } = this.#parts;
    for (const [key, value] of ledger.doneNotes()) {
      this.#nextNumber = Math.max(this.#nextNumber, Number(key.slice(key.lastIndexOf('/') + 1)) + 1);
      if (typeof value === 'string' && value.startsWith(fileSystem.prefix)) {
        this.#add(key, value.slice(fileSystem.prefix.length)).isNoted = true;
      } else {
        log.warn('a directory of an earlier configuration gets no done file: it is elsewhere', { directory: value });
        this.#drop(key);
      }
    }
    this.#wait();
  }

  stop(): void {
    this.#timer?.cancel();
  }

  /** Events come for a directory. Called before any file is made for them. */
  touch(directory: string, events: number): void {
    const one = this.#byDirectory.get(directory) ?? this.#addNew(directory);
    if (one === undefined) return;
    one.quietSinceMs = this.#parts.clock.monotonicMs();
    one.events += events;
    if (one.late === 'yes') this.#parts.count('LateEventCount', events);
    if (one.late === 'unknown') this.#askWhetherLate(one);
  }

  #addNew(directory: string): Awaiting | undefined {
    const key = this.#parts.ledger.doneKey(this.#nextNumber);
    if (this.#noteBytes + weightOf({ key, directory }) <= noteBytesMax) {
      this.#nextNumber += 1;
      return this.#add(key, directory);
    }
    if (!this.#isFullSaid) {
      this.#isFullSaid = true;
      const awaiting = this.#byDirectory.size;
      this.#parts.log.error('too many directories await their done files: others get none', { awaiting });
    }
    return undefined;
  }

  #add(key: string, directory: string): Awaiting {
    const quietSinceMs = this.#parts.clock.monotonicMs();
    const one: Awaiting = {
      ...{ key, directory, isNoted: false, quietSinceMs, notBeforeMs: quietSinceMs },
      ...{ failures: 0, events: 0, late: 'unknown' },
    };
    this.#byDirectory.set(directory, one);
    this.#noteBytes += weightOf(one);
    return one;
  }

  /** What is to be noted with a file that is begun: again and again, it is the same. */
  #noteFor({ bucket }: FileNote): NoteChanges {
    // A prefix may hold slashes.
    for (let directory = dirname(bucket); ; directory = dirname(directory)) {
      const one = this.#byDirectory.get(directory === '/' ? '' : directory);
      if (one !== undefined) {
        one.isNoted = true;
        return { [one.key]: `${this.#parts.fileSystem.prefix}${one.directory}` };
      }
      if (directory === '/' || directory === '.') return {};
    }
  }

  #wait(): void {
    this.#timer = this.#parts.clock.after(lookMs, () => {
      this.#look();
      this.#wait();
    });
  }

  /** Makes the done files whose time has come. */
  #look(): void {
    const { buckets, clock, delayMs, load } = this.#parts;
    const nowMs = clock.monotonicMs();
    const busy = new Set<string>();
    for (const { path, file, hasAside } of buckets.all) if (file !== undefined || hasAside) busy.add(path.directory);
    const quiet = [...this.#byDirectory.values()].filter(({ directory, quietSinceMs, notBeforeMs }) => {
      const quietMs = nowMs - quietSinceMs;
      // A file that is being closed and waits for its turn has no note yet; that it waits so long is no more likely.
      const isClosing = load.closing > 0 && quietMs < 2 * delayMs;
      return quietMs >= delayMs && nowMs >= notBeforeMs && !busy.has(directory) && !isClosing;
    });
    if (quiet.length === 0) return;
    const unfinished = this.#parts.ledger.unfinishedBuckets();
    for (const one of quiet) {
      if (!unfinished.some((bucket) => bucket.startsWith(`${one.directory}/`))) this.#make(one);
    }
  }

  #make(one: Awaiting): void {
    const { fileSystem, limit, tasks, ledger, log, clock, count, name } = this.#parts;
    // Events that come from now on begin another entry, with a note of its own.
    this.#byDirectory.delete(one.directory);
    if (!one.isNoted) {
      // None of its events could be written: they are elsewhere by now.
      this.#noteBytes -= weightOf(one);
      return;
    }
    const path = `${one.directory}/${name}`;
    tasks.add(async () => {
      try {
        await limit.run(async () => {
          const stream = await fileSystem.create(path);
          // One that is there is as good.
          if (stream === undefined) return;
          await stream.end().catch(async (error: unknown) => {
            await stream.abort();
            throw error;
          });
          count('DoneFileCount');
          log.info('a directory is done', { path: `${fileSystem.prefix}${path}` });
        });
        this.#noteBytes -= weightOf(one);
        await ledger.change({ [one.key]: undefined });
      } catch (error) {
        if (ledger.failure !== undefined) return;
        one.failures += 1;
        one.notBeforeMs = clock.monotonicMs() + pauseMsAfter(one.failures);
        log.warn('a done file cannot be made, and will be tried again', { path, error });
        if (!this.#byDirectory.has(one.directory)) {
          this.#byDirectory.set(one.directory, one);
          return;
        }
        // By now it is to get one for later events too.
        this.#noteBytes -= weightOf(one);
        this.#drop(one.key);
      }
    });
  }

  #drop(key: string): void {
    const { ledger, tasks } = this.#parts;
    // Where the channel refuses, the ledger knows.
    tasks.add(() => ledger.change({ [key]: undefined }).catch(() => undefined));
  }

  /** One question for each directory that is new. */
  #askWhetherLate(one: Awaiting): void {
    const { fileSystem, limit, tasks, log, count, name } = this.#parts;
    one.late = 'asked';
    const path = `${one.directory}/${name}`;
    tasks.add(async () => {
      try {
        const isLate = (await limit.run(() => fileSystem.status(path))) !== undefined;
        one.late = isLate ? 'yes' : 'no';
        if (!isLate) return;
        count('LateEventCount', one.events);
        if (this.#said.has(one.directory) || this.#said.size >= saidMax) return;
        this.#said.add(one.directory);
        log.warn('events come for a directory that is done: they are written all the same', { path });
      } catch {
        // Asked again with the next events: the file that they are for tells why it cannot be.
        one.late = 'unknown';
      }
    });
  }
}

/** Where no done files are asked for any more: drops the notes of an earlier configuration. */
export function forgetDoneFiles(ledger: Ledger, tasks: Tasks): void {
  const changes = Object.fromEntries([...ledger.doneNotes().keys()].map((key) => [key, undefined]));
  if (Object.keys(changes).length === 0) return;
  // Where the channel refuses, the ledger knows.
  tasks.add(() => ledger.change(changes).catch(() => undefined));
}

function weightOf({ key, directory }: Pick<Awaiting, 'key' | 'directory'>): number {
  return Buffer.byteLength(key) + Buffer.byteLength(directory);
}
