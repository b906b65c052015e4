/**
 * Files that were to be deleted and were not there, though their CREATE may still be held up somewhere: they are asked
 * for again, for as long as that can be. Nothing waits for it; a stop leaves the rest to the next start, by the notes.
 */
import type { Log } from '../../../agent/contracts/components.ts';
import type { Clock } from '../../../engine.ts';
import { pathIn } from './file-names.ts';
import type { BegunNote } from './file-note.ts';
import type { FileSystem } from './file-system.ts';
import type { Ledger } from './ledger.ts';
import { pauseMsAfter, type Retries } from './retries.ts';

interface LingeringParts {
  readonly fileSystem: FileSystem;
  readonly ledger: Ledger;
  readonly retries: Retries;
  readonly clock: Clock;
  readonly log: Log;
}

/** See the file's comment. */
export class Lingering {
  readonly #parts: LingeringParts;

  constructor(parts: LingeringParts) {
    this.#parts = parts;
  }

  /** From now on. The note is dropped when the file was deleted, or its time is over. */
  add(key: string, note: BegunNote): void {
    this.#parts.ledger.setAside(key);
    void this.#ask(key, note);
  }

  async #ask(key: string, { temporary }: BegunNote): Promise<void> {
    const { fileSystem, ledger, retries, clock, log } = this.#parts;
    const untilMs = clock.monotonicMs() + fileSystem.lateMs;
    let isDone = false;
    for (let pauses = 1; !isDone; pauses += 1) {
      const isLast = clock.monotonicMs() >= untilMs;
      if (!isLast && !(await retries.sleep(Math.min(pauseMsAfter(pauses), untilMs - clock.monotonicMs())))) return;
      try {
        const wasThere = await fileSystem.delete(pathIn(fileSystem.prefix, temporary));
        if (wasThere) log.info('a file that does not count came late, and was deleted', { path: temporary });
        isDone = wasThere || isLast;
      } catch {
        // Asked again: at the end too, until there is an answer.
        if (isLast && !(await retries.sleep(pauseMsAfter(pauses)))) return;
      }
      if (retries.isStopping || ledger.failure !== undefined) return;
    }
    // Where the channel refuses, the ledger knows; the next start asks again.
    await ledger.note(key, undefined).catch(() => undefined);
  }
}
