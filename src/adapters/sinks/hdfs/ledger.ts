/**
 * All that a sink tells its channel: acknowledgements, preparations and its notes. A full disk is waited for. After
 * any other failure nobody knows what the channel holds, so nothing more is done to any file: the next start sees.
 */
import {
  type Channel,
  type Consumer,
  isForebayError,
  type NoteChanges,
  type NoteValue,
  type SequenceRanges,
  type UnresolvedTake,
} from '../../../engine.ts';
import { type FileNote, fileNoteOf, noteValueOf } from './file-note.ts';
import type { Retries } from './retries.ts';

/** What an earlier life left. */
interface Inherited {
  readonly notes: ReadonlyMap<string, FileNote>;
  /** Keys of notes that cannot be read. */
  readonly unreadable: readonly string[];
}

interface LedgerParts {
  readonly channel: Channel;
  readonly consumer: Consumer;
  /** The sink's. */
  readonly name: string;
  readonly retries: Retries;
}

/** Of notes set aside that count for nothing: those of some 600 files. */
const asideBytesFree = 256 * 1024;

/** One for each sink. */
export class Ledger {
  readonly #parts: LedgerParts;
  readonly #prefix: string;
  readonly #counterKey: string;
  #counter: number;
  /** As the channel has it, or will where it takes anything at all. */
  #notedCounter: number;
  /** By key: what each note weighs. */
  readonly #weights = new Map<string, number>();
  #noteBytes = 0;
  /** Of those that only wait for time to pass. */
  readonly #asideKeys = new Set<string>();
  #asideBytes = 0;
  #failure: Error | undefined;
  #companions: (note: FileNote) => NoteChanges = () => ({});

  constructor(parts: LedgerParts) {
    this.#parts = parts;
    this.#prefix = `hdfs/${parts.name}/`;
    this.#counterKey = `${this.#prefix}counter`;
    const noted = parts.channel.notes.get(this.#counterKey);
    this.#counter = typeof noted === 'number' && Number.isSafeInteger(noted) ? noted : 0;
    this.#notedCounter = this.#counter;
  }

  /** What else is to be noted in the step that notes a begun file. */
  accompanyBegun(companions: (note: FileNote) => NoteChanges): void {
    this.#companions = companions;
  }

  /** Why the channel is of no use any more. */
  get failure(): Error | undefined {
    return this.#failure;
  }

  /** Nothing goes to the channel any more. */
  end(): void {
    this.#failure ??= new Error('the sink has stopped');
  }

  /** Of the notes about files. Those set aside count only as far as they are too many. */
  get noteBytes(): number {
    return this.#noteBytes - Math.min(this.#asideBytes, asideBytesFree);
  }

  /** Those set aside left out. */
  get noteCount(): number {
    return this.#weights.size - this.#asideKeys.size;
  }

  inherited(): Inherited {
    const { notes } = this.#parts.channel;
    const found = new Map<string, FileNote>();
    const unreadable: string[] = [];
    for (const key of notes.keys()) {
      if (!key.startsWith(this.#prefix) || !/^\d+$/.test(key.slice(this.#prefix.length))) continue;
      const note = fileNoteOf(notes.get(key));
      if (note === undefined) unreadable.push(key);
      else {
        found.set(key, note);
        this.#weigh(key, note);
      }
    }
    return { notes: found, unreadable };
  }

  /**
   * Whether another sink of this channel has acknowledged events in a file of this name: two can try for one name, and
   * only one of them gets it.
   */
  isAnothers(temporary: string): boolean {
    const { notes } = this.#parts.channel;
    return notes.keys().some((key) => {
      if (!key.startsWith('hdfs/') || key.startsWith(this.#prefix)) return false;
      const note = fileNoteOf(notes.get(key));
      return note !== undefined && note.state !== 'begun' && note.temporary === temporary;
    });
  }

  /** Prepared takes of this sink. */
  unresolved(): readonly UnresolvedTake[] {
    const { channel, consumer } = this.#parts;
    return channel.unresolved().filter((take) => take.consumer === consumer.name);
  }

  /** Never the same twice, also in other lives and on a clock that was set back; greater than `above`. */
  nextCounter(above: number): number {
    this.#counter = Math.max(this.#counter, above) + 1;
    return this.#counter;
  }

  /** The note only waits for time to pass: other files need not end early for it. */
  setAside(key: string): void {
    if (this.#asideKeys.has(key)) return;
    this.#asideKeys.add(key);
    this.#asideBytes += this.#weights.get(key) ?? 0;
  }

  keyOf(counter: number): string {
    return `${this.#prefix}${counter}`;
  }

  /** Sets a note, or drops it; with it the counter. */
  async note(key: string, note: FileNote | undefined): Promise<void> {
    await this.commit([], key, note);
  }

  async commit(ranges: SequenceRanges, key: string, note: FileNote | undefined): Promise<void> {
    const notes = this.#changes(key, note);
    await this.#store(() => this.#parts.consumer.commit(ranges, { notes }));
    this.#weigh(key, note);
  }

  async prepare(ranges: SequenceRanges, key: string, note: FileNote): Promise<string> {
    const notes = this.#changes(key, note);
    const told = { sink: this.#parts.name, file: key, ...note };
    const id = await this.#store(() => this.#parts.consumer.prepare(ranges, told, { notes }));
    this.#weigh(key, note);
    return id;
  }

  /** Settles a prepared take, and with it its file's note. */
  async resolve(id: string, outcome: 'commit' | 'rollback', key: string): Promise<void> {
    const notes = { [key]: undefined };
    const isThere = await this.#store(() => this.#parts.channel.resolve(id, outcome, { notes }));
    this.#weigh(key, undefined);
    if (!isThere) await this.note(key, undefined);
  }

  /** Sets notes that are not about files. */
  async change(notes: NoteChanges): Promise<void> {
    await this.#store(() => this.#parts.consumer.commit([], { notes }));
  }

  /** Where a directory that awaits its done file is noted. */
  doneKey(number: number): string {
    return `${this.#prefix}done/${number}`;
  }

  /** Such notes as the channel has them, by key. */
  doneNotes(): ReadonlyMap<string, NoteValue | undefined> {
    const { notes } = this.#parts.channel;
    const isOne = (key: string): boolean => /^done\/\d+$/.test(key.slice(this.#prefix.length));
    const keys = [...notes.keys()].filter((key) => key.startsWith(this.#prefix) && isOne(key));
    return new Map(keys.map((key) => [key, notes.get(key)]));
  }

  /** `<path>/<prefix>` of each file that has a note. */
  unfinishedBuckets(): readonly string[] {
    const { notes } = this.#parts.channel;
    return [...this.#weights.keys()].flatMap((key) => fileNoteOf(notes.get(key))?.bucket ?? []);
  }

  /** Gives events back. */
  async rollback(ranges: SequenceRanges): Promise<void> {
    if (ranges.length > 0) await this.#store(() => this.#parts.consumer.rollback(ranges));
  }

  #changes(key: string, note: FileNote | undefined): NoteChanges {
    const change = { [key]: note === undefined ? undefined : noteValueOf(note) };
    const all = { ...change, ...(note?.state === 'begun' && this.#companions(note)) };
    if (note === undefined || this.#counter === this.#notedCounter) return all;
    this.#notedCounter = this.#counter;
    return { ...all, [this.#counterKey]: this.#counter };
  }

  #weigh(key: string, note: FileNote | undefined): void {
    const weight = this.#weights.get(key) ?? 0;
    if (this.#asideKeys.delete(key)) this.#asideBytes -= weight;
    this.#noteBytes -= weight;
    this.#weights.delete(key);
    if (note === undefined) return;
    const bytes = Buffer.byteLength(key) + Buffer.byteLength(JSON.stringify(note));
    this.#weights.set(key, bytes);
    this.#noteBytes += bytes;
  }

  async #store<Result>(call: () => Promise<Result>): Promise<Result> {
    const task = { failures: 0, failuresWhileStopping: 0 };
    for (;;) {
      if (this.#failure !== undefined) throw this.#failure;
      try {
        return await call();
      } catch (error) {
        // Refused before anything was written: the notes of all are too much. The caller does without.
        if (isForebayError(error) && error.code === 'NOTE_INVALID') throw error;
        const isFull = isForebayError(error) && error.code === 'DISK_FULL' && error.outcome === 'notStored';
        if (isFull && (await this.#parts.retries.pause(task))) continue;
        this.#failure ??= error instanceof Error ? error : new Error(String(error));
        throw error;
      }
    }
  }
}
