/**
 * Gives a finished file its final name. What the far side answers to that is not believed: the file is looked for by
 * its identity, and the table says what is done about what is seen.
 */
import { basename, dirname } from 'node:path/posix';
import type { Log } from '../../../agent/contracts/components.ts';
import { pathIn } from './file-names.ts';
import type { PreparedNote } from './file-note.ts';
import type { FileSystem } from './file-system.ts';
import type { Ledger } from './ledger.ts';
import { decide, type FinishedFacts, finishedRows, type Known, standingOf } from './protocol-table.ts';

/** What it works with. */
export interface NamingParts {
  readonly fileSystem: FileSystem;
  readonly ledger: Ledger;
  readonly log: Log;
  readonly count: (counter: string, by?: number) => void;
  readonly onInDoubt: 'commit' | 'redeliver' | 'hold';
}

/** A finished file. */
export interface Prepared {
  readonly key: string;
  readonly note: PreparedNote;
  /** Of the prepared take; undefined where all its events are acknowledged. */
  readonly takeId: string | undefined;
}

/** Names in a row that are taken; so many, and something else is wrong. */
const takenNamesMax = 1000;
const renamesMax = 2;
/** Looks in a row that showed something else each time. */
const looksMax = 10;

/** See the file's comment. */
export class Naming {
  readonly #parts: NamingParts;

  constructor(parts: NamingParts) {
    this.#parts = parts;
  }

  /**
   * Resolves when the file has its name and its events are acknowledged, or it is known that someone took it. Rejects
   * where that is not known yet; `prepared` is to be offered again then, with the note that `onNoted` was last given.
   */
  async name(prepared: Prepared, onNoted: (note: PreparedNote) => void): Promise<void> {
    let { note } = prepared;
    for (let taken = 0; taken < takenNamesMax; taken += 1) {
      const outcome = await this.#rename(prepared, note);
      if (outcome === 'done') return;
      note = await this.#renamed(prepared.key, note, outcome);
      onNoted(note);
    }
    throw new Error(`${takenNamesMax} names in a row are taken beside ${note.final}: move files away`);
  }

  /** One go at a file's name. */
  async #rename(prepared: Prepared, note: PreparedNote): Promise<'done' | 'nextName' | 'moveOut'> {
    const { fileSystem } = this.#parts;
    const temporary = this.#pathOf(note.temporary);
    const final = this.#pathOf(note.final);
    let failure: unknown;
    // One that had its name from the beginning was answered for when it was written.
    let known: Known = fileSystem.lateMs === 0 || temporary === final ? 'sure' : 'unsure';
    let renames = 0;
    for (let looks = 0; looks < looksMax; looks += 1) {
      const action = decide(finishedRows, { ...(await this.#look(temporary, final, note)), known });
      if (action === 'commit') return await this.#commit(prepared, note);
      if (action === 'inDoubt') return await this.#inDoubt(prepared, note);
      if (action === 'nextName' || action === 'moveOut') return action;
      if (action === 'removeTemporary') await fileSystem.delete(temporary);
      if (action === 'prove') {
        await fileSystem.proveActive(await this.#nearest(dirname(final)));
        known = 'proven';
      }
      if (action !== 'rename') continue;
      if (renames === renamesMax) throw failure ?? new Error(`${note.temporary} could not be renamed`);
      if (renames > 0) await fileSystem.makeDirectories(dirname(final));
      renames += 1;
      failure = await fileSystem.rename(temporary, final).then(
        () => undefined,
        (error: unknown) => error,
      );
      known = failure === undefined || fileSystem.lateMs === 0 ? 'sure' : 'unsure';
    }
    throw failure ?? new Error(`${note.temporary} changes whenever it is looked at`);
  }

  /** The temporary name first: what was not there any more was renamed before the second look. */
  async #look(temporary: string, final: string, note: PreparedNote): Promise<Omit<FinishedFacts, 'known'>> {
    const { fileSystem } = this.#parts;
    const side = fileSystem.lateMs === 0 ? 'here' : 'far';
    const first = standingOf(await fileSystem.status(temporary), note);
    if (temporary === final) return { temporary: 'nothing', final: first, side };
    const second = standingOf(await fileSystem.status(final), note);
    if (first !== 'ours' && second === 'directory') {
      const inside = standingOf(await fileSystem.status(`${final}/${basename(temporary)}`), note);
      if (inside === 'ours') return { temporary: first, final: 'inside', side };
    }
    return { temporary: first, final: second, side };
  }

  /** Of the directory and those above it the first that is there: a look must not bring back what was removed. */
  async #nearest(directory: string): Promise<string> {
    const { fileSystem } = this.#parts;
    if (fileSystem.lateMs === 0 || directory === '/') return directory;
    return (await fileSystem.status(directory))?.kind === 'directory' ? directory : this.#nearest(dirname(directory));
  }

  async #renamed(key: string, note: PreparedNote, why: 'nextName' | 'moveOut'): Promise<PreparedNote> {
    const { fileSystem, ledger, log } = this.#parts;
    const final = `${fileSystem.prefix}${note.bucket}.${ledger.nextCounter(0)}${note.suffix}`;
    const taken = note.final;
    const temporary = why === 'moveOut' ? `${taken}/${basename(note.temporary)}` : note.temporary;
    if (why === 'nextName') log.warn('the name of a finished file is taken: it gets another one', { taken, final });
    else log.warn('a directory took the name of a finished file, which is moved out of it', { taken, final });
    const renamed = { ...note, temporary, final };
    await ledger.note(key, renamed);
    return renamed;
  }

  async #commit({ key, takeId }: Prepared, note: PreparedNote): Promise<'done'> {
    const { ledger, count } = this.#parts;
    if (takeId === undefined) await ledger.note(key, undefined);
    else await ledger.resolve(takeId, 'commit', key);
    count('ConnectionClosedCount');
    if (note.preparedEvents > 0) count('EventDrainSuccessCount', note.preparedEvents);
    return 'done';
  }

  async #inDoubt(prepared: Prepared, note: PreparedNote): Promise<'done'> {
    const { ledger, log, count, onInDoubt } = this.#parts;
    const { temporary, final, events, preparedEvents } = note;
    const fields = { temporary, final, events, eventsNotAcknowledged: preparedEvents };
    const missing = 'a finished file is at neither of its names: someone moved or removed it, or renamed it';
    count('FileInDoubtCount');
    if (onInDoubt === 'hold' && prepared.takeId !== undefined) {
      const cure = `\`forebay channel resolve DIR ${prepared.takeId}\` with --commit or --rollback settles it`;
      log.error(`${missing}. Its events are held: ${cure}`, fields);
      return 'done';
    }
    if (onInDoubt === 'redeliver' && prepared.takeId !== undefined) {
      log.error(`${missing}. Its events that were not acknowledged come again`, fields);
      await ledger.resolve(prepared.takeId, 'rollback', prepared.key);
      return 'done';
    }
    log.error(`${missing}. Its events count as delivered`, fields);
    return await this.#commit(prepared, note);
  }

  #pathOf(uri: string): string {
    return pathIn(this.#parts.fileSystem.prefix, uri);
  }
}
