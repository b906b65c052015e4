/** An open file of the simulated disk: turns each call into operations a test can stop or fail. */
import { invariant } from '../../src/base/assert.ts';
import { type DiskFile, type OpenOptions, pageBytes } from '../../src/base/disk.ts';
import { systemError } from '../../src/base/system-error.ts';
import type { SeededRandom } from './seeded-random.ts';
import type { Effects, OperationGate } from './simulated-faults.ts';
import type { FileNode } from './simulated-file.ts';
import { sectorBytes } from './simulated-image.ts';

/** What an open file needs of its disk. */
export interface FileHost {
  readonly gate: OperationGate;
  readonly random: SeededRandom;
  readonly options: { readonly lies?: { readonly skipSync?: boolean } };
  turn(kind?: 'microtask' | 'immediate'): Promise<void>;
  reserve(path: string, pageCount: number): void;
}

/** Effects happen when a call is made; its caller goes on in a later turn, so that others come in between. */
export class SimulatedFile implements DiskFile {
  readonly path: string;
  readonly #host: FileHost;
  readonly #file: FileNode;
  readonly #isReadOnly: boolean;
  readonly #isWriteThrough: boolean;
  #isClosed = false;

  constructor(host: FileHost, path: string, file: FileNode, options: OpenOptions) {
    this.path = path;
    this.#host = host;
    this.#file = file;
    this.#isReadOnly = options.mode === 'read';
    this.#isWriteThrough = options.writeThrough === true && !this.#isReadOnly;
  }

  async read(target: Buffer, position: number): Promise<number> {
    this.#checkOpen();
    this.#host.gate.read('read', this.path, position, target.length);
    await this.#host.turn();
    return this.#file.visible.read(target, position);
  }

  async write(source: Buffer, position: number): Promise<void> {
    this.#checkWrite(source, position);
    if (source.length === 0) return;
    this.#write(source, position);
    await this.#host.turn('immediate');
    if (!this.#isWriteThrough) return;
    this.#sync();
    await this.#host.turn();
  }

  writeSync(source: Buffer, position: number): void {
    this.#checkWrite(source, position);
    if (source.length === 0) return;
    this.#write(source, position);
    if (this.#isWriteThrough) this.#sync();
  }

  async sync(): Promise<void> {
    this.#checkOpen();
    this.#sync();
    await this.#host.turn('immediate');
  }

  async bytes(): Promise<number> {
    this.#checkOpen();
    this.#host.gate.read('bytes', this.path);
    await this.#host.turn();
    return this.#file.visible.bytes;
  }

  async truncate(bytes: number): Promise<void> {
    this.#checkWritable();
    this.#host.gate.mutate('truncate', this.path, { run: () => this.#file.truncate(bytes) }, 0, bytes);
    await this.#host.turn();
  }

  async close(): Promise<void> {
    this.#host.gate.check();
    this.#isClosed = true;
  }

  #write(source: Buffer, position: number): void {
    const { gate, random } = this.#host;
    let prefixBytes = 0;
    const effects: Effects = {
      run: () => {
        this.#host.reserve(this.path, this.#file.visible.pagesMissing(position, source.length));
        this.#file.write(source, position);
      },
      part: () => this.#file.writePart(source, position, random, random.pick([0.1, 0.5, 0.9])),
      fail: (error) => {
        if (error === 'EIO') this.#file.writePart(source, position, random, 0.5);
      },
      shorten: () => {
        // A direct write can only go on at a page.
        const unitBytes = this.#isWriteThrough ? pageBytes : sectorBytes;
        prefixBytes = random.below(Math.ceil(source.length / unitBytes)) * unitBytes;
        if (prefixBytes > 0) this.#file.write(source.subarray(0, prefixBytes), position);
      },
    };
    const outcome = gate.mutate('write', this.path, effects, position, source.length);
    if (outcome === 'short') this.#write(source.subarray(prefixBytes), position + prefixBytes);
  }

  #sync(): void {
    const isLie = this.#host.options.lies?.skipSync === true;
    this.#host.gate.mutate('sync', this.path, {
      run: () => (isLie ? undefined : this.#file.sync()),
      // What it has reached is what a power cut leaves: any of it.
      part: () => undefined,
      fail: () => this.#file.failSync(),
    });
  }

  #checkOpen(): void {
    this.#host.gate.check();
    if (this.#isClosed) throw systemError('EBADF', 'file is closed', this.path);
  }

  #checkWritable(): void {
    this.#checkOpen();
    if (this.#isReadOnly) throw systemError('EBADF', 'file is open for reading only', this.path);
  }

  #checkWrite(source: Buffer, position: number): void {
    this.#checkWritable();
    const isAligned = (source.byteOffset | source.length | position) % pageBytes === 0;
    invariant(
      isAligned || !this.#isWriteThrough,
      'a write-through write is page-aligned in memory, length and position',
    );
  }
}
