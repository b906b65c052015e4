/** A file of HDFS that is being written by one request. Nothing of it can be read before its end. */
import type { FileStream } from '../file-system.ts';
import type { BodyRequest } from './body-request.ts';
import { HdfsError, whileTrying } from './hdfs-error.ts';
import { errorOf, type SmallAnswer } from './remote-exception.ts';

/** What the stream is of. */
export interface StreamOrigin {
  readonly path: string;
  /** Who answers: `dn1:9864`. */
  readonly host: string;
  /** The HTTP statuses of success. */
  readonly expects: readonly number[];
}

/** Owns `request`. Rejects with an HdfsError. */
export class WebFileStream implements FileStream {
  readonly #request: BodyRequest;
  readonly #origin: StreamOrigin;

  constructor(request: BodyRequest, origin: StreamOrigin) {
    this.#request = request;
    this.#origin = origin;
  }

  /** Resolves when the system has taken them over: they may still be lost. */
  async write(bytes: Uint8Array): Promise<void> {
    await this.#orSay('write to', async () => {
      const answer = await this.#request.write(bytes);
      if (answer !== undefined) throw this.#early(answer);
    });
  }

  /** Resolves when HDFS has closed the file: its DataNodes have all bytes, in their memory or on disk. */
  async end(): Promise<void> {
    await this.#orSay('finish', async () => {
      const answer = await this.#request.end();
      if (!this.#origin.expects.includes(answer.status)) throw errorOf(answer, this.#origin.host);
    });
  }

  async abort(): Promise<void> {
    await this.#request.abort();
  }

  /** Whatever it says, the body is not whole. */
  #early(answer: SmallAnswer): HdfsError {
    if (!this.#origin.expects.includes(answer.status)) return errorOf(answer, this.#origin.host);
    const sentence = `${this.#origin.host} answers ${answer.status} before the end of what is written`;
    return new HdfsError('nonsense', sentence, { outcome: 'unknown', status: answer.status });
  }

  async #orSay(action: string, call: () => Promise<void>): Promise<void> {
    try {
      await call();
    } catch (error) {
      throw error instanceof HdfsError ? whileTrying(`${action} ${this.#origin.path}`, error) : error;
    }
  }
}
