/**
 * The bytes of one file on their way: made under a name that was noted before, or gone on with where its safe part
 * ends. Calls one at a time.
 */
import { type BucketPath, type FileNames, fileNames, type NameParts } from './file-names.ts';
import type { FileNote, SuspendedNote } from './file-note.ts';
import type { FileStatus, FileStream, FileSystem } from './file-system.ts';
import type { Ledger } from './ledger.ts';
import type { Load } from './load.ts';
import type { RecordWriter } from './record-writer.ts';

/** What all files of a sink have in common. */
export interface WriteParts {
  readonly fileSystem: FileSystem;
  readonly ledger: Ledger;
  readonly load: Load;
  readonly names: NameParts;
  readonly count: (counter: string, by?: number) => void;
}

/** A note with its key. */
export interface KeyedNote<Note extends FileNote = FileNote> {
  readonly key: string;
  readonly value: Note;
}

/** What every note says. */
type NamedPart = Pick<FileNote, 'bucket' | 'suffix' | 'temporary' | 'final'>;

/** The safe part of a file is not what it was: nothing can be done with the file. */
export class FileLostError extends Error {}

const takenNamesMax = 1000;

/** See the file's comment. */
export class WrittenFile {
  readonly #parts: WriteParts;
  readonly #writer: RecordWriter;
  readonly #countsFrom: number;
  #note: KeyedNote | undefined;
  /** Whether it may be longer than its note says. */
  #mustCut: boolean;
  #stream: FileStream | undefined;
  #sentBytes = 0;

  constructor(
    parts: WriteParts,
    from: { readonly writer: RecordWriter; readonly countsFrom: number; readonly note: KeyedNote | undefined },
  ) {
    this.#parts = parts;
    this.#writer = from.writer;
    this.#countsFrom = from.countsFrom;
    this.#note = from.note;
    this.#mustCut = from.note !== undefined;
  }

  /** The one that the channel has. */
  get note(): KeyedNote | undefined {
    return this.#note;
  }

  get hasStream(): boolean {
    return this.#stream !== undefined;
  }

  /** Makes sure of a stream; events of a new file go to `path`. */
  async open(path: BucketPath): Promise<void> {
    if (this.#stream !== undefined) return;
    const note = this.#note?.value;
    if (note?.state === 'suspended') {
      this.#opened(await this.#goOn(note));
      this.#sentBytes = note.lengthBytes;
      return;
    }
    const stream = await this.#begin(path);
    this.#opened(stream);
    const header = this.#writer.header();
    if (header.length > 0) await stream.write(header);
    this.#sentBytes = header.length;
  }

  /** Sends what the writer has by now. It is asked for it before this gives way to anything else. */
  async send(): Promise<void> {
    const flushed = this.#writer.flush();
    const stream = this.#stream;
    if (stream === undefined) throw new Error('no stream is open');
    const bytes = await flushed;
    if (bytes.length > 0) await stream.write(bytes);
    this.#sentBytes += bytes.length;
  }

  /** Ends the stream and sees whether all arrived. */
  async end(): Promise<FileStatus> {
    await this.#stream?.end();
    this.#closed();
    const path = this.#pathOf(this.named().temporary);
    const status = await this.#parts.fileSystem.status(path);
    const note = this.#note?.value;
    const isSame = note?.state === 'suspended' ? status?.fileId === note.fileId : true;
    if (status?.kind === 'file' && isSame && status.lengthBytes === this.#sentBytes) return status;
    const found = status === undefined ? 'nothing' : `a ${status.kind} of ${status.lengthBytes} bytes`;
    throw new Error(`${path} is not as it was written: ${found} in place of ${this.#sentBytes} bytes`);
  }

  /** What was sent is safe: `value` is in the channel. */
  noted(value: SuspendedNote): void {
    this.#note = { key: this.key, value };
    this.#mustCut = false;
  }

  async abort(): Promise<void> {
    const stream = this.#stream;
    this.#closed();
    await stream?.abort();
  }

  get key(): string {
    if (this.#note === undefined) throw new Error('the file has no note yet');
    return this.#note.key;
  }

  /** Of its note. */
  named(): NamedPart {
    if (this.#note === undefined) throw new Error('the file has no name yet');
    const { bucket, suffix, temporary, final } = this.#note.value;
    return { bucket, suffix, temporary, final };
  }

  async #goOn(note: SuspendedNote): Promise<FileStream> {
    const { fileSystem } = this.#parts;
    const path = this.#pathOf(note.temporary);
    if (this.#mustCut) {
      const status = await fileSystem.status(path);
      if (status?.kind !== 'file' || status.fileId !== note.fileId || status.lengthBytes < note.lengthBytes) {
        throw new FileLostError(`${path}, with ${note.events} events that are acknowledged, was moved or changed`);
      }
      if (status.lengthBytes > note.lengthBytes && !(await fileSystem.truncate(path, note.lengthBytes))) {
        throw new Error(`${path} cannot be cut to ${note.lengthBytes} bytes yet`);
      }
    }
    this.#mustCut = true;
    return await fileSystem.append(path);
  }

  async #begin(path: BucketPath): Promise<FileStream> {
    const { fileSystem, ledger, count } = this.#parts;
    for (let taken = 0; taken < takenNamesMax; taken += 1) {
      const counter = ledger.nextCounter(this.#countsFrom);
      const names = fileNames(path, counter, this.#parts.names);
      if ((await fileSystem.status(names.temporary)) !== undefined) continue;
      const key = ledger.keyOf(counter);
      const value: FileNote = { state: 'begun', ...this.#namedBy(path, names) };
      await ledger.note(key, value);
      this.#note = { key, value };
      const stream = await fileSystem.create(names.temporary).catch((error: unknown) => {
        count('ConnectionFailedCount');
        throw error;
      });
      if (stream !== undefined) {
        count('ConnectionCreatedCount');
        return stream;
      }
      // Another's, made in this very moment: no note may lead to it.
      this.#note = undefined;
      await ledger.note(key, undefined);
    }
    throw new Error(`${takenNamesMax} names in a row are taken for ${path.directory}/${path.prefix}: move files away`);
  }

  #namedBy({ directory, prefix }: BucketPath, { temporary, final }: FileNames): NamedPart {
    const scheme = this.#parts.fileSystem.prefix;
    const { suffix } = this.#parts.names;
    return { bucket: `${directory}/${prefix}`, suffix, temporary: scheme + temporary, final: scheme + final };
  }

  #pathOf(uri: string): string {
    return uri.slice(this.#parts.fileSystem.prefix.length);
  }

  #opened(stream: FileStream): void {
    this.#stream = stream;
    this.#parts.load.streams += 1;
  }

  #closed(): void {
    if (this.#stream === undefined) return;
    this.#stream = undefined;
    this.#parts.load.streams -= 1;
  }
}
