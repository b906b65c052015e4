/** One file that is tailed: its handle, how far it was read, what it begins with, and its notes. */
import { type FileHandle, open } from 'node:fs/promises';
import type { Coverage } from './coverage.ts';
import { type FileNotes, headBytesMax } from './file-notes.ts';
import type { FileGroup } from './keys.ts';
import { type Line, LineReader } from './line-reader.ts';

/** A file as the system shows it. */
export interface FoundFile {
  readonly path: string;
  readonly group: FileGroup;
  readonly device: bigint;
  readonly inode: bigint;
  readonly size: number;
  readonly modifiedNs: bigint;
}

/** Lines that go into one transaction. */
export interface LineBatch {
  readonly lines: readonly Line[];
  readonly to: number;
  readonly except: ReadonlySet<string>;
}

/** Opened when there is something to read, closed when it is idle. */
export class TailedFile {
  readonly notes: FileNotes;
  found: FoundFile;
  /** When it was last seen to change, on the monotonic clock. */
  changedMs: number;
  /** Whether its path leads to it. */
  isThere = true;
  wasCutNamed = false;
  /** It had its share of a pass, and whole lines may be held. */
  hasHadShare = false;
  #coverage: Coverage;
  #position: number;
  #head: Buffer;
  #open: { readonly handle: FileHandle; readonly reader: LineReader } | undefined;

  constructor(found: FoundFile, notes: FileNotes, coverage: Coverage, head: Buffer, nowMs: number) {
    this.found = found;
    this.notes = notes;
    this.#coverage = coverage;
    this.#position = coverage.start;
    this.#head = head;
    this.changedMs = nowMs;
  }

  /** The beginning of the file, as long as any position needs it. */
  get head(): Buffer {
    return this.#head;
  }

  get isOpen(): boolean {
    return this.#open !== undefined;
  }

  /** Up to where it was read, held bytes included. */
  get readTo(): number {
    return this.#open?.reader.readTo ?? this.#position;
  }

  /** Up to where its lines were handed out. */
  get position(): number {
    return this.#open?.reader.position ?? this.#position;
  }

  /** Lines that were cut since the file was opened. */
  get cutLines(): number {
    return this.#open?.reader.cutLines ?? 0;
  }

  /** Opens it, and sees it as it is now. False where it was truncated: it is shorter, or begins otherwise. */
  async prepare(nowMs: number): Promise<boolean> {
    if (this.#open === undefined) {
      const handle = await open(this.found.path, 'r');
      const { ino, dev } = await handle.stat({ bigint: true });
      if (ino !== this.found.inode || dev !== this.found.device) {
        await handle.close();
        throw Object.assign(new Error(`${this.found.path} is another file by now`), { code: 'ENOENT' });
      }
      this.#open = { handle, reader: new LineReader(handle, this.#position) };
    }
    await this.look(nowMs);
    const head = await readHead(this.#open.handle);
    const isSame = this.found.size >= this.readTo && head.subarray(0, this.#head.length).equals(this.#head);
    if (isSame) this.#head = head;
    return isSame;
  }

  /** The size as the open file has it: its path may lead elsewhere. */
  async look(nowMs: number): Promise<void> {
    if (this.#open === undefined) return;
    const { size, mtimeNs } = await this.#open.handle.stat({ bigint: true });
    this.see({ ...this.found, size: Number(size), modifiedNs: mtimeNs }, nowMs);
  }

  /** How it looks now. */
  see(found: FoundFile, nowMs: number): void {
    if (found.size !== this.found.size || found.modifiedNs !== this.found.modifiedNs) this.changedMs = nowMs;
    this.found = found;
  }

  /** The next lines, or undefined at the end. Call `prepare` before. */
  async next(countMax: number, withRest: boolean): Promise<LineBatch | undefined> {
    const reader = this.#open?.reader;
    if (reader === undefined) return undefined;
    const from = reader.position;
    const { until, except } = this.#coverage.at(from);
    const lines = await reader.read(countMax, until, this.found.size, withRest);
    this.#position = reader.position;
    if (lines.length === 0) return undefined;
    await this.#readHeadTo(reader.position);
    return { lines, to: reader.position, except };
  }

  async #readHeadTo(position: number): Promise<void> {
    if (this.#head.length >= Math.min(position, headBytesMax) || this.#open === undefined) return;
    const head = await readHead(this.#open.handle);
    if (head.subarray(0, this.#head.length).equals(this.#head)) this.#head = head;
  }

  /** From the beginning, as a file that no channel has anything of. Nothing may be in flight. */
  async restart(coverage: Coverage): Promise<void> {
    this.#coverage = coverage;
    this.#position = 0;
    this.#open?.reader.seek(0);
    this.#head = this.#open === undefined ? Buffer.alloc(0) : await readHead(this.#open.handle);
    this.notes.restart(0);
  }

  async close(): Promise<void> {
    const open = this.#open;
    this.#open = undefined;
    await open?.handle.close();
  }
}

/** What the file begins with. */
export async function readHead(handle: FileHandle): Promise<Buffer> {
  const head = Buffer.alloc(headBytesMax);
  const { bytesRead } = await handle.read(head, 0, headBytesMax, 0);
  return head.subarray(0, bytesRead);
}
