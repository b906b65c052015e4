/**
 * A delegation token in a file that somebody renews: looked at again and again, so that a renewed one counts without a
 * restart. A token that was read once stays until there is another one: a file may be away, or half written, while it
 * is replaced.
 */
import { closeSync, openSync, readSync, statSync } from 'node:fs';
import { HdfsError } from './hdfs-error.ts';
import { type StoredToken, tokensIn } from './token-storage.ts';

/** Of a few tokens. */
const fileBytesMax = 1024 * 1024;
const kinds: readonly string[] = ['HDFS_DELEGATION_TOKEN', 'WEBHDFS delegation', 'SWEBHDFS delegation'];

/** One such file. */
export class TokenFile {
  readonly #path: string;
  readonly #services: readonly string[];
  /** Of the file as it was read last. */
  #seen = '';
  #token: string | undefined;

  /** `services`: of several tokens in it the one for one of these counts: `nn1:8020`, `ha-hdfs:cluster`. */
  constructor(path: string, services: readonly string[]) {
    this.#path = path;
    this.#services = services;
  }

  /**
   * The token as WebHDFS takes it.
   *
   * @throws {HdfsError} `unauthenticated`: there is none, and was none.
   */
  current(): string {
    try {
      const found = statSync(this.#path);
      // A pipe would have us wait for ever.
      if (!found.isFile()) throw new Error('it is no file');
      const { mtimeMs, size, ino } = found;
      const now = `${mtimeMs} ${size} ${ino}`;
      if (this.#token === undefined || now !== this.#seen) {
        this.#token = this.#choose(tokensIn(readUpTo(this.#path, fileBytesMax)));
        this.#seen = now;
      }
    } catch (error) {
      if (this.#token === undefined) throw this.#refusal(error);
    }
    return this.#token ?? '';
  }

  #choose(all: readonly StoredToken[]): string {
    const tokens = all.filter(({ kind }) => kinds.includes(kind));
    const fitting = tokens.filter(({ service }) => this.#services.includes(service));
    const [token, ...others] = tokens.length > 1 ? fitting : tokens;
    if (token !== undefined && others.length === 0) return token.text;
    if (tokens.length === 0) {
      const held = all.length === 0 ? '' : `, but ${all.map(({ kind }) => `'${kind}'`).join(', ')}`;
      throw new Error(`it holds no token for HDFS${held}`);
    }
    const services = tokens.map(({ service }) => `'${service}'`).join(', ');
    throw new Error(`it holds ${tokens.length} tokens for HDFS, of ${services}, and which one is meant is not clear`);
  }

  #refusal(cause: unknown): HdfsError {
    const why = cause instanceof Error ? cause.message : String(cause);
    const cure = 'put one there by `hdfs fetchdt`, or by GETDELEGATIONTOKEN of WebHDFS';
    return new HdfsError('unauthenticated', `no delegation token in ${this.#path}: ${why}: ${cure}`, { cause });
  }
}

/** @throws {Error} of the system, or that it is too much. */
function readUpTo(path: string, bytesMax: number): Buffer {
  const file = openSync(path, 'r');
  try {
    const buffer = Buffer.alloc(bytesMax + 1);
    let length = 0;
    for (;;) {
      const count = readSync(file, buffer, length, buffer.length - length, null);
      length += count;
      if (length > bytesMax) throw new Error(`it has more than ${bytesMax} bytes`);
      if (count === 0) return buffer.subarray(0, length);
    }
  } finally {
    closeSync(file);
  }
}
