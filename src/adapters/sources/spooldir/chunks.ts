/** A file in big pieces, the next one read while the last is worked on. */
import { readExactly, type SpooledFile } from './deserializer.ts';

/** Of one read: some thousand lines. */
const chunkBytes = 1024 * 1024;

/** The bytes of a file from `offset` to its size as of opening. One caller at a time. */
export class Chunks {
  readonly #file: SpooledFile;
  #offset: number;
  #ahead: Promise<Buffer> | undefined;

  constructor(file: SpooledFile, offset: number) {
    this.#file = file;
    this.#offset = offset;
  }

  /** Memory of its own each; undefined at the end. */
  async next(): Promise<Buffer | undefined> {
    const chunk = this.#ahead ?? this.#read();
    if (chunk === undefined) return undefined;
    const bytes = await chunk;
    this.#ahead = this.#read();
    // Nobody may ask for it: stopped in mid-file. Who asks meets the error.
    this.#ahead?.catch(() => undefined);
    return bytes;
  }

  #read(): Promise<Buffer> | undefined {
    const bytes = Math.min(chunkBytes, this.#file.sizeBytes - this.#offset);
    if (bytes <= 0) return undefined;
    const offset = this.#offset;
    this.#offset += bytes;
    return readExactly(this.#file, offset, bytes);
  }
}
