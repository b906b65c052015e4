/**
 * Whole reads and writes at a position over Node's callback API, which costs less per call than FileHandle.
 * A call of the system may move fewer bytes than asked for; these go on until all is moved or say why not.
 */
import fs from 'node:fs';
import { pageBytes } from './disk.ts';
import { systemCode } from './errors.ts';
import { type SystemError, systemError } from './system-error.ts';
import { gib } from './units.ts';

/** Node takes lengths below 2^31; Linux moves at most that per call. A multiple of a page. */
const callBytesMax: number = gib;

/** An open descriptor, with what its errors and its short writes depend on. */
export interface Descriptor {
  readonly number: number;
  readonly path: string;
  /** Opened O_DIRECT: a write can only be continued on a page boundary. */
  readonly isDirect: boolean;
}

/**
 * Reads until `target` is full or the file ends; resolves to the bytes read. `isDirect`: the descriptor is O_DIRECT,
 * and what is read a whole number of pages, so that fewer bytes off a page boundary are the end of the file.
 */
export function readAll(number: number, target: Buffer, position: number, isDirect = false): Promise<number> {
  return new Promise((resolve, reject) => {
    let done = 0;
    const next = (): void => {
      const bytes = Math.min(target.length - done, callBytesMax);
      fs.read(number, target, done, bytes, position + done, (error, read) => {
        if (error !== null && error.code !== 'EINTR') return reject(error);
        if (error === null) done += read;
        const isEnd = error === null && (read === 0 || (isDirect && read % pageBytes !== 0));
        if (done === target.length || isEnd) return resolve(done);
        next();
      });
    };
    if (target.length === 0) resolve(0);
    else next();
  });
}

/** Writes all of `source`, or rejects: some of it may be missing then. */
export function writeAll(descriptor: Descriptor, source: Buffer, position: number): Promise<void> {
  return new Promise((resolve, reject) => {
    let done = 0;
    const next = (): void => {
      const bytes = Math.min(source.length - done, callBytesMax);
      fs.write(descriptor.number, source, done, bytes, position + done, (error, written) => {
        if (error !== null && error.code !== 'EINTR') return reject(error);
        if (error === null) {
          done += written;
          if (done === source.length) return resolve();
          const refused = shortWriteRefused(descriptor, written, bytes, position + done);
          if (refused !== undefined) return reject(refused);
        }
        next();
      });
    };
    if (source.length === 0) resolve();
    else next();
  });
}

/** `writeAll`, holding up the thread. */
export function writeAllSync(descriptor: Descriptor, source: Buffer, position: number): void {
  let done = 0;
  while (done < source.length) {
    const bytes = Math.min(source.length - done, callBytesMax);
    try {
      const written = fs.writeSync(descriptor.number, source, done, bytes, position + done);
      done += written;
      const refused = shortWriteRefused(descriptor, written, bytes, position + done);
      if (refused !== undefined) throw refused;
    } catch (error) {
      if (systemCode(error) !== 'EINTR') throw error;
    }
  }
}

/** Why a write of `bytes` that moved only `written` cannot go on from `end`; undefined where it can. */
export function shortWriteRefused(
  descriptor: Descriptor,
  written: number,
  bytes: number,
  end: number,
): SystemError | undefined {
  if (written === bytes) return undefined;
  if (written > 0 && (!descriptor.isDirect || end % pageBytes === 0)) return undefined;
  return systemError('EIO', `short write: ${written} of ${bytes} bytes, up to offset ${end}`, descriptor.path);
}
