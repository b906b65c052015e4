/** A local file that is being written, at its end. */
import type { FileHandle } from 'node:fs/promises';
import type { FileStream } from './file-system.ts';
import { orSay } from './local-file-error.ts';

/** Node takes no more in one call. */
const writeBytesMax = 2 ** 30;

/** Owns `handle`, which stands at the file's end. */
export class LocalFileStream implements FileStream {
  readonly #path: string;
  readonly #handle: FileHandle;

  constructor(path: string, handle: FileHandle) {
    this.#path = path;
    this.#handle = handle;
  }

  async write(bytes: Uint8Array): Promise<void> {
    await orSay('write to', this.#path, async () => {
      // The system may take less than it was given: where the disk fills up, and then it says so at the next call.
      for (let at = 0; at < bytes.length; ) {
        const { bytesWritten } = await this.#handle.write(bytes, at, Math.min(bytes.length - at, writeBytesMax), null);
        at += bytesWritten;
      }
    });
  }

  /** Durable: fdatasync. The file's name was made so before. */
  async end(): Promise<void> {
    await orSay('finish', this.#path, async () => {
      try {
        await this.#handle.datasync();
      } finally {
        await this.#handle.close();
      }
    });
  }

  async abort(): Promise<void> {
    await this.#handle.close().catch(() => undefined);
  }
}
