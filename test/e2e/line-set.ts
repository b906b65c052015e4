/** Lines of many files as a multiset: two are equal where each line is in both as often, whatever the order. */
import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';

/** Sums of the lines' digests: lines that differ, are missing or stand twice change them. */
export interface LineSet {
  readonly lines: number;
  readonly digest: string;
}

/** Adds lines up. */
export class LineSums {
  readonly #sums = new Uint32Array(4);
  #lines = 0;

  /** A line without its end. */
  add(line: Uint8Array): void {
    this.#lines += 1;
    const digest = createHash('md5').update(line).digest();
    for (const [index, sum] of this.#sums.entries()) this.#sums[index] = sum + digest.readUInt32LE(4 * index);
  }

  /** All whole lines of `bytes`. @returns where the first that is not begins. */
  addAll(bytes: Buffer): number {
    let from = 0;
    for (let end = bytes.indexOf(10); end >= 0; end = bytes.indexOf(10, from)) {
      this.add(bytes.subarray(from, end));
      from = end + 1;
    }
    return from;
  }

  get set(): LineSet {
    return { lines: this.#lines, digest: Buffer.from(this.#sums.buffer).toString('hex') };
  }
}

/** All regular files under `directories` whose name passes. A last line without a newline counts as torn. */
export async function lineSetOf(
  directories: readonly string[],
  isMeant: (name: string) => boolean = () => true,
): Promise<LineSet> {
  const sums = new LineSums();
  for (const path of await filesUnder(directories, isMeant)) {
    let rest: Buffer = Buffer.alloc(0);
    for await (const chunk of createReadStream(path, { highWaterMark: 1 << 20 })) {
      const bytes = rest.length === 0 ? (chunk as Buffer) : Buffer.concat([rest, chunk as Buffer]);
      rest = bytes.subarray(sums.addAll(bytes));
    }
    if (rest.length > 0) throw new Error(`${path} ends in the middle of a line`);
  }
  return sums.set;
}

/** Regular files under directories, at any depth. */
export async function filesUnder(
  directories: readonly string[],
  isMeant: (name: string) => boolean = () => true,
): Promise<string[]> {
  const found: string[] = [];
  for (const directory of directories) {
    for (const entry of await readdir(directory, { recursive: true, withFileTypes: true })) {
      if (entry.isFile() && isMeant(entry.name)) found.push(join(entry.parentPath, entry.name));
    }
  }
  return found.sort();
}

/** How many bytes are in the files under `directory`. A file that is renamed meanwhile is counted the next time. */
export async function bytesUnder(directory: string): Promise<number> {
  const sizes = (await filesUnder([directory])).map((path) =>
    stat(path).then(
      ({ size }) => size,
      () => 0,
    ),
  );
  return (await Promise.all(sizes)).reduce((sum, size) => sum + size, 0);
}
