/**
 * The bytes of one file on their way: made under a name that was noted before, or gone on with where its safe part
 * ends. Calls one at a time.
 */
import type { Fence } from './fence.ts';
import { type BucketPath, type FileNames, fileNames, type NameParts, newToken, pathIn } from './file-names.ts';
import type { FileNote, SuspendedNote } from './file-note.ts';
import type { FileStatus, FileStream, FileSystem } from './file-system.ts';
import type { Ledger } from './ledger.ts';
import type { Load } from './load.ts';
import type { RecordWriter } from './record-writer.ts';
import type { StreamPlaces } from './stream-places.ts';

/** What all files of a sink have in common. */
export interface WriteParts {
  readonly fileSystem: FileSystem;
  readonly ledger: Ledger;
  readonly fence: Fence;
  readonly load: Load;
  readonly places: StreamPlaces;
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

const takenNamesMax = 1000;

/** See the file's comment. */
export class WrittenFile {
  readonly #parts: WriteParts;
  readonly #writer: RecordWriter;
  readonly #countsFrom: number;
  #note: KeyedNote | undefined;
  #stream: FileStream | undefined;
  /** Whether the place of its stream counts as one that will be free soon. */
  #isEnding = false;
  #sentBytes = 0;

  constructor(
    parts: WriteParts,
    from: { readonly writer: RecordWriter; readonly countsFrom: number; readonly note: KeyedNote | undefined },
  ) {
    this.#parts = parts;
    this.#writer = from.writer;
    this.#countsFrom = from.countsFrom;
    this.#note = from.note;
  }

  /** The one that the channel has. */
  get note(): KeyedNote | undefined {
    return this.#note;
  }

  get hasStream(): boolean {
    return this.#stream !== undefined;
  }

  /** Makes sure of a stream; events of a new file go to `path`. `isEnding`: it will be over in a moment. */
  async open(path: BucketPath, isEnding: boolean): Promise<void> {
    if (this.#stream !== undefined) return;
    const { places } = this.#parts;
    await places.take(isEnding);
    this.#isEnding = isEnding;
    try {
      const note = this.#note?.value;
      this.#sentBytes = note?.state === 'suspended' ? note.lengthBytes : 0;
      this.#stream = await (note?.state === 'suspended' ? this.#goOn(this.key, note) : this.#begin(path));
    } finally {
      if (this.#stream === undefined) this.#give();
      else places.opened();
    }
    if (this.#note?.value.state !== 'begun') return;
    const header = this.#writer.header();
    if (header.length > 0) await this.#stream.write(header);
    this.#sentBytes = header.length;
  }

  /** The stream, if there is one, is about to be ended. */
  willEnd(): void {
    if (this.#stream === undefined || this.#isEnding) return;
    this.#isEnding = true;
    this.#parts.places.ending();
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
    this.#parts.fence.setClean(value);
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

  async #goOn(key: string, value: SuspendedNote): Promise<FileStream> {
    const { fileSystem, fence } = this.#parts;
    const onNoted = (note: SuspendedNote): void => {
      this.#note = { key, value: note };
    };
    const note = fence.isClean(value) ? value : await fence.raise({ key, value, onNoted });
    fence.forget(note);
    return await fileSystem.append(this.#pathOf(note.temporary));
  }

  async #begin(path: BucketPath): Promise<FileStream> {
    const { fileSystem, ledger, count } = this.#parts;
    for (let taken = 0; taken < takenNamesMax; taken += 1) {
      const counter = ledger.nextCounter(this.#countsFrom);
      const names = fileNames(path, counter, this.#parts.names, fileSystem.lateMs > 0 ? newToken() : undefined);
      const isOwn = hasOwnName(fileSystem, names);
      if (!isOwn && (await fileSystem.status(names.temporary)) !== undefined) continue;
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
      if (isOwn) throw new Error(`${names.temporary} was made twice: something between sent a request again`);
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
    return pathIn(this.#parts.fileSystem.prefix, uri);
  }

  #closed(): void {
    if (this.#stream === undefined) return;
    this.#stream = undefined;
    this.#give();
  }

  #give(): void {
    const wasEnding = this.#isEnding;
    this.#isEnding = false;
    this.#parts.places.give(wasEnding);
  }
}

/** Whether nobody else can ever have chosen the name in use. */
export function hasOwnName({ lateMs }: FileSystem, { temporary, final }: FileNames): boolean {
  return lateMs > 0 && temporary !== final;
}
