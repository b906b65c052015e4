/**
 * Keeps a channel's notes under their common limit, changes that are on their way to the disk included: a commit
 * that cannot be applied must be refused before it is written.
 */
import { ForebayError } from '../base/errors.ts';
import { type NoteChanges, type NoteStore, noteChangeBytes, notesBytesMax } from '../queue/notes.ts';

/** Counts notes as they will be once all that was admitted is applied. */
export class NoteBudget {
  readonly #store: NoteStore;
  /** Weight of each note that admitted changes touch. Meaningful while changes are on their way. */
  readonly #touched: Map<string, number> = new Map();
  #bytes = 0;
  #inFlight = 0;

  constructor(store: NoteStore) {
    this.#store = store;
  }

  /** NOTE_INVALID where `changes`, each valid, are too much together; else `settle` must follow. */
  admit(changes: NoteChanges): ForebayError | undefined {
    if (this.#inFlight === 0) this.#bytes = this.#store.bytes;
    const weights = new Map<string, number>();
    let bytes = this.#bytes;
    for (const key of Object.keys(changes)) {
      const weight = noteChangeBytes(key, changes[key]);
      bytes += weight - (this.#touched.get(key) ?? this.#store.bytesOf(key));
      weights.set(key, weight);
    }
    if (bytes > notesBytesMax && bytes > this.#bytes) {
      return new ForebayError('NOTE_INVALID', `notes are at most ${notesBytesMax} bytes in all; these make ${bytes}`, {
        expected: notesBytesMax,
        actual: bytes,
      });
    }
    for (const [key, weight] of weights) this.#touched.set(key, weight);
    this.#bytes = bytes;
    this.#inFlight++;
    return undefined;
  }

  /** The admitted changes were applied, or failed. After a failure the count is right again once none is in flight. */
  settle(): void {
    this.#inFlight--;
    if (this.#inFlight === 0) this.#touched.clear();
  }
}
