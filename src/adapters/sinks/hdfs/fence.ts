/**
 * Makes sure that a file ends where its note says, and stays so: no request that was given up may change it later.
 *
 * A far side may act on an APPEND or TRUNCATE long after we gave it up, or died. It finds the file by its name when it
 * does. So the file first gets a name that no such request knows, and is then cut to what is noted, also where it seems
 * to have that length: only the answer to a cut says that no writer is left. The new name is noted before, beside the
 * former ones, and the file is known by its identity under any of them.
 */
import { dirname } from 'node:path/posix';
import { newToken, pathIn, withToken } from './file-names.ts';
import type { SuspendedNote } from './file-note.ts';
import { type FileStatus, type FileSystem, isFailure } from './file-system.ts';
import type { Ledger } from './ledger.ts';
import { cutRows, decide, fenceRows, type Known } from './protocol-table.ts';

/** The safe part of a file is not what it was: nothing can be done with the file. */
export class FileLostError extends Error {}

/** Nobody may change the file yet: its last writer has died, or its last block is being recovered. */
export class NotYetError extends Error {}

interface FenceParts {
  readonly fileSystem: FileSystem;
  readonly ledger: Ledger;
}

/** A note with its key, and who has to know when it changes. */
export interface Fenced {
  readonly key: string;
  readonly value: SuspendedNote;
  /** Called with each note that is in the channel in the place of `value` from then on. */
  readonly onNoted: (note: SuspendedNote) => void;
}

const namesTried = 5;
const renamesTried = 3;

/** One for each sink. */
export class Fence {
  readonly #parts: FenceParts;
  /**
   * By name in use, of files that nothing is under way to. `moved`: it may be longer than noted. `clean`: it is not.
   * All others are not known.
   */
  readonly #known = new Map<string, 'moved' | 'clean'>();

  constructor(parts: FenceParts) {
    this.#parts = parts;
  }

  /** All requests for the file were answered, and it ends where its note says. */
  isClean({ temporary }: SuspendedNote): boolean {
    return this.#known.get(temporary) === 'clean';
  }

  /** It is so from now on. */
  setClean({ temporary }: SuspendedNote): void {
    this.#known.set(temporary, 'clean');
  }

  /** It is not so from now on: something is about to be asked for, or the file is none of ours any more. */
  forget({ temporary }: SuspendedNote): void {
    this.#known.delete(temporary);
  }

  /**
   * Resolves to the file's note when it is so; to another one than `value` where the file has another name now. Rejects
   * with a FileLostError where there is no such file, or too little of it; with others where it is not so yet.
   */
  async raise(file: Fenced): Promise<SuspendedNote> {
    const { lateMs } = this.#parts.fileSystem;
    if (lateMs === 0) {
      await this.#cutHere(file.value);
      this.setClean(file.value);
      return file.value;
    }
    const known = this.#known.get(file.value.temporary);
    if (known === 'clean') return file.value;
    const note = known === 'moved' ? file.value : await this.#move(file);
    await this.#cut(note);
    return note;
  }

  /** Where nothing is ever late. */
  async #cutHere(note: SuspendedNote): Promise<void> {
    const { fileSystem } = this.#parts;
    const path = this.#pathOf(note.temporary);
    const status = await fileSystem.status(path);
    if (!isOf(status, note) || status.lengthBytes < note.lengthBytes) throw lostError(note);
    if (status.lengthBytes > note.lengthBytes && !(await fileSystem.truncate(path, note.lengthBytes))) {
      throw notYetError(note);
    }
  }

  async #move({ key, value, onNoted }: Fenced): Promise<SuspendedNote> {
    const { ledger } = this.#parts;
    // First of all it has to be there: while HDFS does not answer no names are noted.
    await this.#untilSeen(value, undefined);
    let former = [...(value.former ?? []), value.temporary];
    for (let tries = 0; tries < namesTried; tries += 1) {
      const note: SuspendedNote = { ...value, ...this.#freshNames(key, value), former };
      await ledger.note(key, note);
      onNoted(note);
      if (await this.#rename(note)) {
        const { former: _, ...moved } = note;
        // None of the former names can be the file's any more.
        onNoted(moved);
        this.#known.set(moved.temporary, 'moved');
        return moved;
      }
      former = [...former, note.temporary];
    }
    throw new Error(`${namesTried} new names in a row are taken for ${value.temporary}: move files away`);
  }

  /** False where something else has the new name. */
  async #rename(note: SuspendedNote): Promise<boolean> {
    const { fileSystem } = this.#parts;
    const to = this.#pathOf(note.temporary);
    let failure: unknown;
    let known: Known = 'unsure';
    for (let renames = 0; ; renames += 1) {
      const at = await this.#untilSeen(note, known);
      if (at === to) return true;
      const found = await fileSystem.status(to);
      if (found !== undefined && found.fileId !== note.fileId) return false;
      if (renames === renamesTried) throw failure ?? new Error(`${at} could not be renamed to ${to}`);
      failure = await fileSystem.rename(at, to).then(
        () => undefined,
        (error: unknown) => error,
      );
      known = failure === undefined ? 'sure' : 'unsure';
    }
  }

  /** Resolves to where the file is, when that can be relied on. `known` undefined: it has no new name yet. */
  async #untilSeen(note: SuspendedNote, known: Known | undefined): Promise<string> {
    const { fileSystem } = this.#parts;
    const newName = known === undefined ? undefined : this.#pathOf(note.temporary);
    for (let so: Known = known ?? 'unsure'; ; so = 'proven') {
      const path = await this.#find(note);
      const at = path === undefined ? 'nowhere' : path === newName ? 'newName' : 'formerName';
      const action = decide(fenceRows, { at, known: so });
      if (action !== 'prove') {
        if (path === undefined) throw lostError(note);
        return path;
      }
      await fileSystem.proveActive(dirname(this.#pathOf(note.temporary)));
    }
  }

  /** By the oldest name first, so that a file that is being renamed meanwhile is not missed. */
  async #find(note: SuspendedNote): Promise<string | undefined> {
    for (const uri of [...(note.former ?? []), note.temporary]) {
      const path = this.#pathOf(uri);
      const status = await this.#parts.fileSystem.status(path);
      if (isOf(status, note) && status.lengthBytes >= note.lengthBytes) return path;
    }
    return undefined;
  }

  async #cut(note: SuspendedNote): Promise<void> {
    const { fileSystem } = this.#parts;
    const path = this.#pathOf(note.temporary);
    let failure: unknown;
    const answer = await fileSystem.truncate(path, note.lengthBytes).then(
      (isCut) => (isCut ? 'true' : 'false'),
      (error: unknown) => {
        failure = error;
        return isFailure(error, 'unsupported') ? 'unsupported' : 'unclear';
      },
    );
    const action = decide(cutRows, { answer });
    if (action === 'askLater') throw notYetError(note);
    if (action === 'fenceAgain') {
      this.forget(note);
      throw failure;
    }
    const status = await fileSystem.status(path);
    if (isOf(status, note) && status.lengthBytes === note.lengthBytes) {
      this.setClean(note);
      return;
    }
    this.forget(note);
    throw notYetError(note);
  }

  #freshNames(key: string, note: SuspendedNote): { readonly temporary: string; readonly final: string } {
    const { fileSystem, ledger } = this.#parts;
    if (note.temporary === note.final) {
      const name = `${fileSystem.prefix}${note.bucket}.${ledger.nextCounter(0)}${note.suffix}`;
      return { temporary: name, final: name };
    }
    const counter = key.slice(key.lastIndexOf('/') + 1);
    return { temporary: withToken(note.temporary, counter, note.suffix, newToken()), final: note.final };
  }

  #pathOf(uri: string): string {
    return pathIn(this.#parts.fileSystem.prefix, uri);
  }
}

function isOf(status: FileStatus | undefined, { fileId }: SuspendedNote): status is FileStatus {
  return status?.kind === 'file' && status.fileId === fileId;
}

function lostError({ temporary, events }: SuspendedNote): FileLostError {
  return new FileLostError(`${temporary}, with ${events} events that are acknowledged, was moved or changed`);
}

function notYetError({ temporary, lengthBytes }: SuspendedNote): NotYetError {
  return new NotYetError(`${temporary} cannot be cut to ${lengthBytes} bytes yet`);
}
