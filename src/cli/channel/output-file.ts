/**
 * A file that a verb makes: under a name of its own beside until it is whole and durable, so that what stands under its
 * name is never half of it. Or stdout.
 */
import { randomBytes } from 'node:crypto';
import { realpath } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';
import type { DiskFile } from '../../base/disk.ts';
import { nodeDisk } from '../../base/disk-node.ts';
import { inert, UsageError, write } from './verb.ts';

/** What takes the bytes. */
export interface Output {
  /** So many were given to it. */
  readonly bytes: number;
  write(bytes: Buffer): Promise<void>;
  /** Resolves when durable. */
  finish(): Promise<void>;
  /** Nothing is left of it. */
  abandon(): Promise<void>;
}

/** On a command line: stdout. */
export const stdoutName = '-';

/**
 * `path`, or stdout where it is `-`.
 * @throws {UsageError} Where a file is there and is not to be replaced, or something else is, or it is in `forbidden`.
 */
export async function openOutput(
  path: string,
  { isForced, forbidden }: { readonly isForced: boolean; readonly forbidden: readonly string[] },
): Promise<Output> {
  if (path === stdoutName) {
    if (process.stdout.isTTY) throw new UsageError('- is a terminal, which shows no Avro: name a file, or use a pipe');
    return new StdoutOutput();
  }
  await refuseTaken(path, isForced);
  const parent = await realpath(dirname(resolve(path)));
  for (const directory of forbidden) {
    if ((await realpath(directory).catch(() => directory)) !== parent) continue;
    throw new UsageError(`${path} would lie in a directory of the channel: name a file elsewhere`);
  }
  // What a link leads to is replaced, not the link.
  const target = await realpath(path).catch(() => join(parent, basename(path)));
  return await FileOutput.open(target, () => refuseTaken(path, isForced));
}

async function refuseTaken(path: string, isForced: boolean): Promise<void> {
  const entry = await nodeDisk().entry(resolve(path));
  if (entry === undefined) return;
  if (entry.kind !== 'file') throw new UsageError(`${inert(path)} is there, and is no file: name another`);
  if (!isForced) throw new UsageError(`${inert(path)} is there already: name another, or replace it with --force`);
}

class FileOutput implements Output {
  bytes = 0;
  readonly #disk = nodeDisk();
  readonly #target: string;
  readonly #path: string;
  readonly #file: DiskFile;
  readonly #check: () => Promise<void>;

  private constructor(target: string, file: DiskFile, check: () => Promise<void>) {
    this.#target = target;
    this.#path = file.path;
    this.#file = file;
    this.#check = check;
  }

  static async open(target: string, check: () => Promise<void>): Promise<FileOutput> {
    const name = `.forebay-${randomBytes(6).toString('hex')}.part`;
    const file = await nodeDisk().open(join(dirname(target), name), { mode: 'create' });
    return new FileOutput(target, file, check);
  }

  async write(bytes: Buffer): Promise<void> {
    try {
      await this.#file.write(bytes, this.bytes);
    } catch (cause) {
      throw new Error(`${this.#target} cannot be written: ${cause instanceof Error ? cause.message : cause}`, {
        cause,
      });
    }
    this.bytes += bytes.length;
  }

  async finish(): Promise<void> {
    await this.#file.sync();
    await this.#file.close();
    // It may have come meanwhile.
    await this.#check();
    await this.#disk.rename(this.#path, this.#target);
    await this.#disk.syncDirectory(dirname(this.#target));
  }

  async abandon(): Promise<void> {
    await this.#file.close().catch(() => undefined);
    await this.#disk.unlink(this.#path);
  }
}

class StdoutOutput implements Output {
  bytes = 0;

  async write(bytes: Buffer): Promise<void> {
    this.bytes += bytes.length;
    await write(bytes);
  }

  async finish(): Promise<void> {
    // What was written is on its way.
  }

  async abandon(): Promise<void> {
    // What was written cannot be taken back.
  }
}
