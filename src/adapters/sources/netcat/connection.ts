/**
 * One client of the netcat source: its lines go to the channels, its answers come back in their order. Nothing is read
 * while lines are on their way: a full channel holds the client up through TCP itself.
 */
import type { Socket } from 'node:net';
import type { SourceContext } from '../../../agent/contracts/components.ts';
import type { Charset } from '../../../agent/contracts/java/charset.ts';
import { LineSplitter } from './line-splitter.ts';
import { offer } from './offer.ts';
import { makeTranscoder, type Transcoder } from './transcoder.ts';

/** What all connections of a source share. */
export interface ConnectionParts {
  readonly context: SourceContext;
  readonly encoding: Charset;
  readonly lineCharsMax: number;
  readonly acknowledges: boolean;
  readonly stopping: AbortSignal;
}

/** Within what every channel takes in one transaction. */
const batchEvents = 100;
/** How long a client that was told the end may go on sending before it is cut off. */
const lingerMs = 1000;

/** See the file's comment. */
export class Connection {
  /** Resolves when it is over, and all it sent is settled. */
  readonly closed: Promise<void>;
  readonly #socket: Socket;
  readonly #parts: ConnectionParts;
  readonly #splitter: LineSplitter;
  readonly #transcoder: Transcoder;
  #work: Promise<void> = Promise.resolve();
  #isWriting = false;
  #isEnding = false;

  constructor(socket: Socket, parts: ConnectionParts) {
    this.#socket = socket;
    this.#parts = parts;
    this.#splitter = new LineSplitter(parts.lineCharsMax);
    this.#transcoder = makeTranscoder(parts.encoding);
    const closed = new Promise<void>((resolve) => socket.once('close', () => resolve()));
    this.closed = closed.then(() => this.#work);
    socket.on('data', (chunk) => this.#run(() => this.#takeLines(chunk)));
    socket.on('end', () => this.#run(() => this.#takeRest()));
    socket.on('error', (error) => this.#lost(error));
  }

  /** Reads nothing more, settles what was read, and closes. */
  async stop(): Promise<void> {
    this.#socket.pause();
    // It does not read its answers: there is nothing to wait for.
    if (this.#isWriting) this.#socket.destroy();
    await this.#work;
    this.#end();
    await this.closed;
  }

  /** In turn: the end of the client's side comes also while the socket is paused. */
  #run(step: () => Promise<void>): void {
    if (this.#isEnding) return;
    this.#socket.pause();
    this.#work = this.#work.then(() => this.#step(step));
  }

  async #step(step: () => Promise<void>): Promise<void> {
    if (this.#isEnding) return;
    try {
      await step();
    } catch (error) {
      this.#parts.context.log.error('a connection failed', { error });
      this.#socket.destroy();
    }
    if (!this.#parts.stopping.aborted) this.#socket.resume();
  }

  async #takeLines(chunk: Buffer): Promise<void> {
    const { context, lineCharsMax } = this.#parts;
    await this.#deliver(this.#splitter.push(this.#transcoder.incoming(chunk)));
    if (!this.#splitter.isTooLong) return;
    context.log.warn('a client sent a line that is too long; its connection is closed', {
      from: this.#socket.remoteAddress,
      lineCharsMax,
    });
    await this.#send(`FAILED: Event exceeds the maximum length (${lineCharsMax} chars, including newline)\n`);
    this.#end();
  }

  /** A client that gets answers knows that its last line, not ended, has none. Another one would never know. */
  async #takeRest(): Promise<void> {
    await this.#deliver(this.#splitter.push(this.#transcoder.lastIncoming()));
    const { rest } = this.#splitter;
    if (rest.length > 0 && !this.#splitter.isTooLong) {
      if (this.#parts.acknowledges) this.#dropped(rest.length);
      else await this.#deliver([rest]);
    }
    this.#end();
  }

  async #deliver(lines: readonly Buffer[]): Promise<void> {
    const { context, acknowledges, stopping } = this.#parts;
    for (let from = 0; from < lines.length; from += batchEvents) {
      const events = lines.slice(from, from + batchEvents).map((body) => ({ headers: {}, body }));
      const outcomes = await offer(events, context, stopping);
      const answers = outcomes.map((problem) => {
        if (problem === undefined) return acknowledges ? 'OK\n' : '';
        return `FAILED: ${problem.replace(/\s+/g, ' ')}\n`;
      });
      await this.#send(answers.join(''));
    }
  }

  /** Waits for a client that does not read its answers: it is then not read from either. */
  async #send(text: string): Promise<void> {
    const socket = this.#socket;
    const bytes = this.#transcoder.outgoing(text);
    if (bytes.length === 0 || !socket.writable || socket.write(bytes)) return;
    this.#isWriting = true;
    if (this.#parts.stopping.aborted) socket.destroy();
    await new Promise<void>((resolve) => {
      const done = (): void => {
        socket.off('drain', done);
        socket.off('close', done);
        resolve();
      };
      socket.on('drain', done);
      socket.on('close', done);
      if (socket.destroyed) done();
    });
    this.#isWriting = false;
  }

  #end(): void {
    if (this.#isEnding) return;
    this.#isEnding = true;
    const socket = this.#socket;
    socket.end();
    // Bytes left unread would make the system reset the connection, and the last answers would be lost.
    socket.resume();
    const linger = this.#parts.context.clock.after(lingerMs, () => socket.destroy(), true);
    socket.once('close', () => linger.cancel());
    if (socket.destroyed) linger.cancel();
  }

  #lost(error: Error): void {
    const { rest } = this.#splitter;
    if (rest.length > 0) this.#dropped(rest.length);
    this.#parts.context.log.info('a client is gone', { from: this.#socket.remoteAddress, reason: error.message });
  }

  #dropped(bytes: number): void {
    const from = this.#socket.remoteAddress;
    this.#parts.context.count('EventReadFail');
    this.#parts.context.log.warn('a line that never ended was dropped, not acknowledged', { from, bytes });
  }
}
