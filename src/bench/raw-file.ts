/**
 * A file as a disk is measured through it: each way that a system has to make a write durable. Not the engine's disk,
 * which knows one way a directory; and nothing above the calls of the system, so that fio says the same.
 */
import fs from 'node:fs';
import { promisify } from 'node:util';
import { type Descriptor, writeAll, writeAllSync } from '../base/disk-node-transfer.ts';
import { systemCode } from '../base/errors.ts';

/**
 * When a write is durable. `direct`: O_DIRECT | O_DSYNC, past the system's cache. `buffered`: into the cache, and an
 * fdatasync after each. `dsync`: into the cache with O_DSYNC.
 */
export type WriteWay = 'direct' | 'buffered' | 'dsync';

const { O_RDWR, O_CREAT, O_EXCL, O_DIRECT, O_DSYNC } = fs.constants;
const fileMode = 0o600;
const close = promisify(fs.close);
const fdatasync = promisify(fs.fdatasync);
const unlink = promisify(fs.unlink);

const flagsOf: Readonly<Record<WriteWay | 'direct-unsynced' | 'cached', number | undefined>> = {
  direct: O_DIRECT === undefined || O_DSYNC === undefined ? undefined : O_DIRECT | O_DSYNC,
  'direct-unsynced': O_DIRECT,
  dsync: O_DSYNC,
  buffered: 0,
  cached: 0,
};

/** Made by whoever opens it, and removed by `remove`. Source and position of a write: multiples of a page. */
export class RawFile {
  readonly #descriptor: Descriptor;
  readonly #syncsEach: boolean;

  private constructor(descriptor: Descriptor, syncsEach: boolean) {
    this.#descriptor = descriptor;
    this.#syncsEach = syncsEach;
  }

  /**
   * A new file; undefined where the file system refuses this way. `direct-unsynced` and `cached` are durable only after
   * `sync`.
   * @throws What the system answers (ENOSPC, EACCES, …).
   */
  static create(path: string, way: WriteWay | 'direct-unsynced' | 'cached'): RawFile | undefined {
    const flags = flagsOf[way];
    if (flags === undefined) return undefined;
    // Created first: a refused open may have created the file all the same.
    fs.closeSync(fs.openSync(path, O_RDWR | O_CREAT | O_EXCL, fileMode));
    try {
      const number = fs.openSync(path, O_RDWR | flags);
      const isDirect = way === 'direct' || way === 'direct-unsynced';
      return new RawFile({ number, path, isDirect }, way === 'buffered');
    } catch (error) {
      fs.unlinkSync(path);
      if (['EINVAL', 'ENOTSUP', 'EOPNOTSUPP'].includes(systemCode(error) ?? '')) return undefined;
      throw error;
    }
  }

  get path(): string {
    return this.#descriptor.path;
  }

  /** Holds up the thread. */
  writeSync(source: Buffer, position: number): void {
    writeAllSync(this.#descriptor, source, position);
    if (this.#syncsEach) fs.fdatasyncSync(this.#descriptor.number);
  }

  /** In one of Node's threads. */
  async write(source: Buffer, position: number): Promise<void> {
    await writeAll(this.#descriptor, source, position);
    if (this.#syncsEach) await fdatasync(this.#descriptor.number);
  }

  async sync(): Promise<void> {
    await fdatasync(this.#descriptor.number);
  }

  async close(): Promise<void> {
    await close(this.#descriptor.number);
  }

  /** Closes and unlinks it. */
  async remove(): Promise<void> {
    await this.close();
    await unlink(this.path);
  }
}
