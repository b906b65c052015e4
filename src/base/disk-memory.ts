/**
 * A disk in this process's memory, for benchmarks of what is above the disk and for examples: a write costs its
 * copy and a sync nothing. It neither fails nor loses anything before the process ends; the disk that does is
 * test/support/simulated-disk.ts.
 */
import { posix } from 'node:path';
import { alignedBuffer } from './aligned-buffer.ts';
import { invariant } from './assert.ts';
import {
  type Disk,
  type DiskEntry,
  type DiskFile,
  type DiskLock,
  type OpenOptions,
  type OwnerState,
  pageBytes,
} from './disk.ts';
import { systemError } from './system-error.ts';
import { gib } from './units.ts';

/** Said to be free, whatever is stored: no limit of this disk's own. */
const freeBytesSaid: number = 1024 * gib;
const capacityBytesMin = 4096;

interface Contents {
  /** Grows by doubling; zero from `bytes` on. */
  buffer: Buffer;
  bytes: number;
}

/** An empty disk with a root directory. Paths are POSIX. */
export function memoryDisk(): Disk {
  return new MemoryDisk();
}

class MemoryDisk implements Disk {
  readonly #files = new Map<string, Contents>();
  readonly #directories = new Set<string>(['/']);
  readonly #locked = new Set<Contents>();

  readonly writers: Set<object> = new Set();

  allocate(bytes: number): Buffer {
    return alignedBuffer(bytes);
  }

  async makeDirectory(path: string): Promise<void> {
    if (this.#files.has(path)) throw systemError('ENOTDIR', 'not a directory', path);
    if (this.#directories.has(path)) return;
    await this.makeDirectory(posix.dirname(path));
    this.#directories.add(path);
  }

  async list(path: string): Promise<string[] | undefined> {
    if (this.#files.has(path)) throw systemError('ENOTDIR', 'not a directory', path);
    if (!this.#directories.has(path)) return undefined;
    const paths = [...this.#files.keys(), ...this.#directories];
    const inside = paths.filter((other) => other !== '/' && posix.dirname(other) === path);
    return inside.map((other) => posix.basename(other)).sort();
  }

  async entry(path: string): Promise<DiskEntry | undefined> {
    const file = this.#files.get(path);
    if (file !== undefined) return { kind: 'file', bytes: file.bytes, storedBytes: file.bytes };
    return this.#directories.has(path) ? { kind: 'directory', bytes: 0, storedBytes: 0 } : undefined;
  }

  async open(path: string, options: OpenOptions): Promise<DiskFile> {
    if (this.#directories.has(path)) {
      throw options.mode === 'create'
        ? systemError('EEXIST', 'file already exists', path)
        : systemError('EISDIR', 'is a directory', path);
    }
    const found = this.#files.get(path);
    if (options.mode !== 'create') {
      if (found === undefined) throw systemError('ENOENT', 'no such file', path);
      return new MemoryFile(path, found, options);
    }
    if (found !== undefined) throw systemError('EEXIST', 'file already exists', path);
    return new MemoryFile(path, this.#create(path), options);
  }

  async rename(from: string, to: string): Promise<void> {
    const file = this.#files.get(from);
    if (file === undefined) throw systemError('ENOENT', 'no such file', from);
    this.#checkParent(to);
    if (this.#directories.has(to)) throw systemError('EISDIR', 'is a directory', to);
    this.#files.delete(from);
    this.#files.set(to, file);
  }

  async unlink(path: string): Promise<void> {
    if (this.#directories.has(path)) throw systemError('EISDIR', 'is a directory', path);
    this.#files.delete(path);
  }

  async syncDirectory(path: string): Promise<void> {
    if (!this.#directories.has(path)) throw systemError('ENOENT', 'no such directory', path);
  }

  async freeBytes(path: string): Promise<number> {
    if ((await this.entry(path)) === undefined) throw systemError('ENOENT', 'no such file or directory', path);
    return freeBytesSaid;
  }

  async locality(path: string): Promise<'local' | 'network'> {
    if ((await this.entry(path)) === undefined) throw systemError('ENOENT', 'no such file or directory', path);
    return 'local';
  }

  async isDirect(path: string): Promise<boolean> {
    if ((await this.entry(path)) === undefined) throw systemError('ENOENT', 'no such file or directory', path);
    return false;
  }

  async lock(path: string): Promise<DiskLock | undefined> {
    if (this.#directories.has(path)) throw systemError('EISDIR', 'is a directory', path);
    const file = this.#files.get(path) ?? this.#create(path);
    if (this.#locked.has(file)) return undefined;
    this.#locked.add(file);
    return {
      release: async () => {
        this.#locked.delete(file);
      },
    };
  }

  async owner(path: string): Promise<OwnerState> {
    const file = this.#files.get(path);
    return file !== undefined && this.#locked.has(file) ? 'running' : 'none';
  }

  #create(path: string): Contents {
    this.#checkParent(path);
    const file = { buffer: Buffer.alloc(0), bytes: 0 };
    this.#files.set(path, file);
    return file;
  }

  #checkParent(path: string): void {
    const parent = posix.dirname(path);
    if (this.#files.has(parent)) throw systemError('ENOTDIR', 'not a directory', path);
    if (!this.#directories.has(parent)) throw systemError('ENOENT', 'no such directory', path);
  }
}

class MemoryFile implements DiskFile {
  readonly path: string;
  readonly #contents: Contents;
  readonly #isReadOnly: boolean;
  readonly #isWriteThrough: boolean;
  #isClosed = false;

  constructor(path: string, contents: Contents, options: OpenOptions) {
    this.path = path;
    this.#contents = contents;
    this.#isReadOnly = options.mode === 'read';
    this.#isWriteThrough = options.writeThrough === true && !this.#isReadOnly;
  }

  async read(target: Buffer, position: number): Promise<number> {
    this.#checkOpen();
    const { buffer, bytes } = this.#contents;
    return position >= bytes ? 0 : buffer.copy(target, 0, position, bytes);
  }

  async write(source: Buffer, position: number): Promise<void> {
    this.writeSync(source, position);
  }

  writeSync(source: Buffer, position: number): void {
    this.#checkWritable();
    const isAligned = (source.byteOffset | source.length | position) % pageBytes === 0;
    invariant(
      isAligned || !this.#isWriteThrough,
      'a write-through write is page-aligned in memory, length and position',
    );
    if (source.length === 0) return;
    reserve(this.#contents, position + source.length);
    source.copy(this.#contents.buffer, position);
    this.#contents.bytes = Math.max(this.#contents.bytes, position + source.length);
  }

  async sync(): Promise<void> {
    this.#checkOpen();
  }

  async bytes(): Promise<number> {
    this.#checkOpen();
    return this.#contents.bytes;
  }

  async truncate(bytes: number): Promise<void> {
    this.#checkWritable();
    reserve(this.#contents, bytes);
    if (bytes < this.#contents.bytes) this.#contents.buffer.fill(0, bytes, this.#contents.bytes);
    this.#contents.bytes = bytes;
  }

  async close(): Promise<void> {
    this.#isClosed = true;
  }

  #checkOpen(): void {
    if (this.#isClosed) throw systemError('EBADF', 'file is closed', this.path);
  }

  #checkWritable(): void {
    this.#checkOpen();
    if (this.#isReadOnly) throw systemError('EBADF', 'file is open for reading only', this.path);
  }
}

function reserve(contents: Contents, bytes: number): void {
  if (bytes <= contents.buffer.length) return;
  const grown = Buffer.alloc(Math.max(bytes, contents.buffer.length * 2, capacityBytesMin));
  contents.buffer.copy(grown, 0, 0, contents.bytes);
  contents.buffer = grown;
}
