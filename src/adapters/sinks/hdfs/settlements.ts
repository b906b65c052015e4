/**
 * Brings files to their end, in the background and as often as it takes: gives finished ones their name, deletes those
 * that do not count. Only files whose names are in the sink's own notes are ever touched.
 */
import type { Log } from '../../../agent/contracts/components.ts';
import { type Fence, FileLostError, NotYetError } from './fence.ts';
import { pathIn } from './file-names.ts';
import type { BegunNote, FileNote, PreparedNote, SuspendedNote } from './file-note.ts';
import type { FileSystem } from './file-system.ts';
import type { Ledger } from './ledger.ts';
import type { Limit } from './limit.ts';
import type { Lingering } from './lingering.ts';
import type { Load } from './load.ts';
import type { Naming, Prepared } from './naming.ts';
import { type BegunFacts, begunRows, decide } from './protocol-table.ts';
import type { ReplicaWait } from './replica-wait.ts';
import type { Retries } from './retries.ts';
import type { Tasks } from './tasks.ts';
import type { KeyedNote } from './written-file.ts';

/** What settlements work with. */
export interface SettlementParts {
  readonly fileSystem: FileSystem;
  readonly ledger: Ledger;
  readonly fence: Fence;
  readonly naming: Naming;
  readonly lingering: Lingering;
  readonly replicas: ReplicaWait;
  readonly limit: Limit;
  readonly load: Load;
  readonly retries: Retries;
  readonly tasks: Tasks;
  readonly log: Log;
  readonly count: (counter: string, by?: number) => void;
}

/** What is only waited for is asked for often: not more than 8 s lie between. */
const waitingFailuresMax = 3;

/** See the file's comment. */
export class Settlements {
  readonly #parts: SettlementParts;

  constructor(parts: SettlementParts) {
    this.#parts = parts;
  }

  /** Gives a finished file its name. */
  settle(prepared: Prepared): void {
    const { naming, replicas, fileSystem } = this.#parts;
    let { note } = prepared;
    const problem = 'cannot give a finished file its name, and will try again';
    const enough = (): Promise<void> => replicas.wait(pathIn(fileSystem.prefix, note.temporary));
    this.#untilDone(problem, note, async () => await naming.name({ ...prepared, note }, (now) => (note = now)), enough);
  }

  /** Deletes a file that was begun and does not count. `late`: whether its CREATE may still be done. */
  discard({ key, value }: KeyedNote<BegunNote>, late: BegunFacts['late']): void {
    const { fileSystem, ledger, lingering } = this.#parts;
    this.#untilDone('cannot delete a file that does not count, and will try again', value, async () => {
      const name = ledger.isAnothers(value.temporary) ? 'anothers' : 'ours';
      for (let deleted: BegunFacts['deleted'] = 'notAsked'; ; ) {
        const action = decide(begunRows, { name, deleted, late: fileSystem.lateMs === 0 ? 'impossible' : late });
        if (action === 'dropNote') return await ledger.note(key, undefined);
        if (action === 'askLater') return lingering.add(key, value);
        deleted = (await fileSystem.delete(pathIn(fileSystem.prefix, value.temporary))) ? 'true' : 'false';
      }
    });
  }

  /** Ends a file where its safe part ends, and gives it its name. */
  finish({ key, value }: KeyedNote<SuspendedNote>): void {
    const { ledger, fence } = this.#parts;
    let note = value;
    this.#untilDone('cannot finish a file, and will try again', value, async () => {
      try {
        note = await fence.raise({ key, value: note, onNoted: (now) => (note = now) });
      } catch (error) {
        // Where someone gave it its final name it is found there, and else it is in doubt.
        if (!(error instanceof FileLostError)) throw error;
      }
      const { bucket, suffix, temporary, final, fileId, lengthBytes, events, bodyBytes } = note;
      const named = { bucket, suffix, temporary, final };
      const written = { fileId, lengthBytes, events, bodyBytes };
      const prepared: PreparedNote = { state: 'prepared', ...named, ...written, preparedEvents: 0 };
      await ledger.note(key, prepared);
      fence.forget(note);
      this.settle({ key, note: prepared, takeId: undefined });
    });
  }

  /** A file with acknowledged events in it is not where it was, or not the same. Nothing can be done but to say it. */
  lost({ key, value }: KeyedNote<SuspendedNote>): void {
    const { log, count, fence } = this.#parts;
    const { temporary, events, lengthBytes } = value;
    count('FileInDoubtCount');
    fence.forget(value);
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

  /** Does `job` until it works or the sink stops; its note then leads the next start to it. `first` rejects never. */
  #untilDone(
    problem: string,
    { temporary }: Pick<FileNote, 'temporary'>,
    job: () => Promise<void>,
    first: () => Promise<void> = () => Promise.resolve(),
  ): void {
    const { ledger, limit, load, retries, tasks, log } = this.#parts;
    const task = { failures: 0, failuresWhileStopping: 0 };
    const attempt = async (): Promise<boolean> => {
      load.closing += 1;
      try {
        await limit.run(job);
        return true;
      } catch (error) {
        if (ledger.failure !== undefined) return true;
        if (error instanceof NotYetError) task.failures = Math.min(task.failures, waitingFailuresMax);
        log.warn(problem, { path: temporary, error });
        return false;
      } finally {
        load.closing -= 1;
        load.lowered();
      }
    };
    tasks.add(async () => {
      await first();
      while (!(await attempt())) {
        if (await retries.pause(task)) continue;
        log.warn('a file is left as it is: the next start goes on with it', { path: temporary });
        return;
      }
    });
  }
}
