/**
 * Brings files to their end, in the background and as often as it takes: gives finished ones their name, deletes those
 * that do not count. Only files whose names are in the sink's own notes are ever touched.
 */
import { dirname } from 'node:path/posix';
import type { Log } from '../../../agent/contracts/components.ts';
import type { BegunNote, FileNote, PreparedNote, SuspendedNote } from './file-note.ts';
import type { FileSystem } from './file-system.ts';
import type { Ledger } from './ledger.ts';
import type { Limit } from './limit.ts';
import type { Load } from './load.ts';
import { type Action, actionFor, standingOf } from './protocol-table.ts';
import type { Retries } from './retries.ts';
import type { Tasks } from './tasks.ts';
import type { KeyedNote } from './written-file.ts';

/** What settlements work with. */
export interface SettlementParts {
  readonly fileSystem: FileSystem;
  readonly ledger: Ledger;
  readonly limit: Limit;
  readonly load: Load;
  readonly retries: Retries;
  readonly tasks: Tasks;
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

/** See the file's comment. */
export class Settlements {
  readonly #parts: SettlementParts;

  constructor(parts: SettlementParts) {
    this.#parts = parts;
  }

  /** Gives a finished file its name. */
  settle(prepared: Prepared): void {
    let { note } = prepared;
    this.#untilDone('cannot give a finished file its name, and will try again', note, async () => {
      for (let taken = 0; taken < takenNamesMax; taken += 1) {
        if ((await this.#rename(prepared, note)) === 'done') return;
        note = await this.#renamed(prepared.key, note);
      }
      throw new Error(`${takenNamesMax} names in a row are taken beside ${note.final}: move files away`);
    });
  }

  /** Deletes a file that was begun and does not count. */
  discard({ key, value }: KeyedNote<BegunNote>): void {
    const { fileSystem, ledger } = this.#parts;
    this.#untilDone('cannot delete a file that does not count, and will try again', value, async () => {
      if (!ledger.isAnothers(value.temporary)) await fileSystem.delete(this.#pathOf(value.temporary));
      await ledger.note(key, undefined);
    });
  }

  /** Ends a file where its safe part ends, and gives it its name. */
  finish({ key, value: note }: KeyedNote<SuspendedNote>): void {
    const { fileSystem, ledger } = this.#parts;
    this.#untilDone('cannot finish a file, and will try again', note, async () => {
      const path = this.#pathOf(note.temporary);
      const status = await fileSystem.status(path);
      const isSame = status?.kind === 'file' && status.fileId === note.fileId;
      if (isSame && status.lengthBytes > note.lengthBytes && !(await fileSystem.truncate(path, note.lengthBytes))) {
        throw new Error(`${note.temporary} cannot be cut to ${note.lengthBytes} bytes yet`);
      }
      const { bucket, suffix, temporary, final, fileId, lengthBytes, events, bodyBytes } = note;
      const named = { bucket, suffix, temporary, final };
      const written = { fileId, lengthBytes, events, bodyBytes };
      const prepared: PreparedNote = { state: 'prepared', ...named, ...written, preparedEvents: 0 };
      await ledger.note(key, prepared);
      this.settle({ key, note: prepared, takeId: undefined });
    });
  }

  /** A file with acknowledged events in it is not where it was, or not the same. Nothing can be done but to say it. */
  lost({ key, value }: KeyedNote<SuspendedNote>): void {
    const { log, count } = this.#parts;
    const { temporary, events, lengthBytes } = value;
    count('FileInDoubtCount');
    log.error('an unfinished file was moved or changed: its events count as delivered', {
      temporary,
      events,
      lengthBytes,
    });
    this.forget({ key, value });
  }

  /** Drops a file's note, and does nothing to the file. */
  forget({ key, value }: KeyedNote): void {
    const { ledger } = this.#parts;
    this.#untilDone('cannot drop the note of a file', value, () => ledger.note(key, undefined));
  }

  #pathOf(uri: string): string {
    const { prefix } = this.#parts.fileSystem;
    if (uri.startsWith(prefix)) return uri.slice(prefix.length);
    throw new Error(`${uri} is not on ${prefix}, which is all that this sink reaches: set hdfs.path to where it is`);
  }

  /** One go at a file's name. */
  async #rename(prepared: Prepared, note: PreparedNote): Promise<'done' | 'nameTaken'> {
    const { fileSystem } = this.#parts;
    const temporary = this.#pathOf(note.temporary);
    const final = this.#pathOf(note.final);
    let failure: unknown;
    let wasInDoubt = false;
    for (let renames = 0; ; ) {
      const action = await this.#look(temporary, final, note);
      if (action === 'commit') return this.#commit(prepared, note);
      if (action === 'nextName') return 'nameTaken';
      if (action === 'removeTemporary') await fileSystem.delete(temporary);
      else if (action === 'inDoubt') {
        // A rename that came late could have gone through between the two looks.
        if (wasInDoubt) return this.#inDoubt(prepared, note);
        wasInDoubt = true;
      } else {
        if (renames === renamesMax) throw failure ?? new Error(`${note.temporary} could not be renamed`);
        if (renames > 0) await fileSystem.makeDirectories(dirname(final));
        renames += 1;
        failure = await fileSystem.rename(temporary, final).then(
          () => undefined,
          (error: unknown) => error,
        );
      }
    }
  }

  /** The temporary name first: what was not there any more was renamed before the second look. */
  async #look(temporary: string, final: string, note: PreparedNote): Promise<Action> {
    const { fileSystem } = this.#parts;
    const first = standingOf(await fileSystem.status(temporary), note);
    if (temporary === final) return first === 'ours' ? 'commit' : 'inDoubt';
    return actionFor(first, standingOf(await fileSystem.status(final), note));
  }

  async #renamed(key: string, note: PreparedNote): Promise<PreparedNote> {
    const { fileSystem, ledger, log } = this.#parts;
    const final = `${fileSystem.prefix}${note.bucket}.${ledger.nextCounter(0)}${note.suffix}`;
    log.warn('the name of a finished file is taken: it gets another one', { taken: note.final, final });
    const renamed = { ...note, final };
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
    return this.#commit(prepared, note);
  }

  /** Does `job` until it works or the sink stops; its note then leads the next start to it. */
  #untilDone(problem: string, { temporary }: Pick<FileNote, 'temporary'>, job: () => Promise<void>): void {
    const { ledger, limit, load, retries, tasks, log } = this.#parts;
    const task = { failures: 0, failuresWhileStopping: 0 };
    const attempt = async (): Promise<boolean> => {
      load.closing += 1;
      try {
        await limit.run(job);
        return true;
      } catch (error) {
        if (ledger.failure !== undefined) return true;
        log.warn(problem, { path: temporary, error });
        return false;
      } finally {
        load.closing -= 1;
        load.lowered();
      }
    };
    tasks.add(async () => {
      while (!(await attempt())) {
        if (await retries.pause(task)) continue;
        log.warn('a file is left as it is: the next start goes on with it', { path: temporary });
        return;
      }
    });
  }
}
