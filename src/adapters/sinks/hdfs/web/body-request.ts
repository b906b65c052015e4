/**
 * A request that is being sent while its body comes about: the second step of CREATE and APPEND. What it hands on is
 * limited by the far side's pace; what limits it in time is only that something must move.
 */
import type { ClientRequest } from 'node:http';
import { readPastFailedWrites } from './connections.ts';
import { HdfsError } from './hdfs-error.ts';
import type { SmallAnswer } from './remote-exception.ts';
import {
  type CallOptions,
  connectLimitMs,
  networkError,
  readAnswer,
  silenceError,
  startRequest,
  whenConnected,
} from './small-call.ts';

/** Bytes given to the system at a time: each such piece must move within the time limit. */
const pieceBytes = 64 * 1024;

/** How it ended. */
type Ending = { readonly answer: SmallAnswer } | { readonly error: HdfsError };

/** One such request. Calls one at a time. */
export class BodyRequest {
  readonly #url: URL;
  readonly #request: ClientRequest;
  readonly #timeoutMs: number;
  #ending: Ending | undefined;
  /** Of whoever waits now. */
  #onEnd: ((ending: Ending) => void) | undefined;
  readonly #closed: Promise<void>;
  #movedMs = 0;

  private constructor(url: URL, options: CallOptions) {
    this.#url = url;
    this.#timeoutMs = options.timeoutMs;
    this.#request = startRequest(url, 'body', options);
    // The connection was waited for: whatever fails after that may have been done.
    this.#request.on('error', (cause) => this.#end({ error: networkError(url, cause, 'unknown') }));
    this.#request.on('response', (response) => {
      const moved = (): void => {
        this.#movedMs = performance.now();
      };
      readAnswer(url, response, moved).then(
        (answer) => this.#end({ answer }),
        (cause) => this.#end({ error: cause instanceof HdfsError ? cause : networkError(url, cause, 'unknown') }),
      );
    });
    this.#closed = new Promise((resolve) => this.#request.once('close', resolve));
  }

  /**
   * Resolves when the connection is there and the headers are on their way. Rejects with `network` and `notDone` where
   * it does not come about.
   */
  static async open(url: URL, options: CallOptions): Promise<BodyRequest> {
    const opened = new BodyRequest(url, options);
    const request = opened.#request;
    const limitMs = connectLimitMs(options);
    await new Promise<void>((resolve, reject) => {
      const fail = (error: HdfsError): void => {
        clearTimeout(timer);
        request.destroy();
        reject(error);
      };
      const timer = setTimeout(() => fail(silenceError(url, limitMs, 'notDone')), limitMs);
      const refused = (cause: Error): void => fail(networkError(url, cause, 'notDone'));
      request.once('error', refused);
      whenConnected(request, url, () => {
        clearTimeout(timer);
        request.off('error', refused);
        if (request.socket !== null) readPastFailedWrites(request.socket);
        resolve();
      });
      request.flushHeaders();
    });
    return opened;
  }

  /** Resolves to an answer that comes before the body's end, or to undefined when `other` is first. */
  async answeredBefore(other: Promise<unknown>): Promise<SmallAnswer | undefined> {
    return await this.#moves((done) => void other.then(done));
  }

  /**
   * Resolves when the system has taken the bytes; to an answer where one came first, and then no more is sent. Rejects
   * where the connection was lost or nothing moved.
   */
  async write(bytes: Uint8Array): Promise<SmallAnswer | undefined> {
    for (let at = 0; at < bytes.length; at += pieceBytes) {
      const piece = bytes.subarray(at, at + pieceBytes);
      const answer = await this.#moves((done) => {
        // A failure is told by the request itself.
        this.#request.write(piece, (error) => (error === undefined || error === null ? done() : undefined));
      });
      if (answer !== undefined) return answer;
    }
    return undefined;
  }

  /**
   * Ends the body. Resolves to the answer. What the system holds by then, a few megabytes, has to get there within the
   * time limit too: nobody sees it move.
   */
  async end(): Promise<SmallAnswer> {
    const answer = await this.#moves(() => this.#request.end());
    if (answer === undefined) throw new Error('ended without an answer');
    return answer;
  }

  /** Breaks the connection, unless the answer was there. Resolves when it is closed. Never rejects. */
  async abort(): Promise<void> {
    this.#request.destroy();
    await this.#closed;
  }

  #end(ending: Ending): void {
    if (this.#ending !== undefined) return;
    this.#ending = ending;
    this.#onEnd?.(ending);
  }

  /** Waits for `step` to call, for the request's end, or for too long a silence: whichever is first. */
  #moves(step: (done: () => void) => void): Promise<SmallAnswer | undefined> {
    return new Promise((resolve, reject) => {
      this.#movedMs = performance.now();
      let timer: NodeJS.Timeout | undefined;
      const settle = (ending: Ending | undefined): void => {
        clearTimeout(timer);
        this.#onEnd = undefined;
        if (ending === undefined) resolve(undefined);
        else if ('error' in ending) reject(ending.error);
        else resolve(ending.answer);
      };
      const watch = (limitMs: number): void => {
        timer = setTimeout(() => {
          const quietMs = performance.now() - this.#movedMs;
          if (quietMs < this.#timeoutMs) watch(this.#timeoutMs - quietMs);
          else settle({ error: silenceError(this.#url, this.#timeoutMs, 'unknown') });
        }, limitMs);
      };
      if (this.#ending !== undefined) {
        settle(this.#ending);
        return;
      }
      this.#onEnd = settle;
      watch(this.#timeoutMs);
      step(() => settle(undefined));
    });
  }
}
