/** Flume's exec source: the lines that a command writes. A full channel stops its pipe; nothing is dropped. */

import type { Source, SourceContext, SourceDefinition, Timer } from '../../../agent/contracts/components.ts';
import { type Charset, charset } from '../../../agent/contracts/java/charset.ts';
import {
  boolean,
  integer,
  type Key,
  optional,
  required,
  text,
  unset,
  type ValuesOf,
} from '../../../agent/contracts/keys.ts';
import type { Event } from '../../../engine.ts';
import { BatchSender } from './batch-sender.ts';
import { Child } from './child.ts';
import { LineSplitter, lineBytesMax } from './line-splitter.ts';

const execKeys: {
  readonly command: Key<string>;
  readonly shell: Key<string | undefined>;
  readonly restart: Key<boolean>;
  readonly restartThrottle: Key<number>;
  readonly logStdErr: Key<boolean>;
  readonly batchSize: Key<number>;
  readonly batchTimeout: Key<number>;
  readonly charset: Key<Charset | undefined>;
} = {
  command: required(text, { does: 'the command; without a shell it is split at blanks, whatever quotes there are' }),
  shell: unset(text, { does: 'the shell and its options that the command is given to: /bin/sh -c' }),
  restart: optional(boolean, false, { does: 'runs the command again when it has ended' }),
  restartThrottle: optional(integer(0), 10_000, { unit: 'ms', does: 'how long it waits before that' }),
  logStdErr: optional(boolean, false, { does: 'logs what the command writes to its error output' }),
  batchSize: optional(integer(1), 20, { unit: 'events', does: 'lines of one transaction' }),
  batchTimeout: optional(integer(0), 3000, { unit: 'ms', does: 'how long lines wait for a batch to be full' }),
  charset: unset(charset, {
    does: 'what the command writes in, and the bodies are in; UTF-8 where it is not set',
    standing: { differs: 'bytes that are malformed in it stay as they are, where its line ends are those of ASCII' },
  }),
};

type ExecValues = ValuesOf<typeof execKeys>;

/** The lines that a command writes. */
export const execSource: SourceDefinition<typeof execKeys> = {
  types: ['exec', 'org.apache.flume.source.ExecSource'],
  keys: execKeys,
  create: (values, context) => new ExecSource(values, context),
};

const noHeaders: Event['headers'] = {};

class ExecSource implements Source {
  readonly #values: ExecValues;
  readonly #context: SourceContext;
  readonly #sender: BatchSender;
  #state: 'new' | 'running' | 'stopping' = 'new';
  #loop: Promise<void> | undefined;
  #child: Child | undefined;
  #endPause: () => void = () => undefined;
  #waiting: Event[] = [];
  #flushedMs: number;
  #flushTimer: Timer | undefined;
  /** One after the other: those of the pipe, and those of the timer. */
  #flushing: Promise<void> = Promise.resolve();
  /** Where line ends are other bytes than in ASCII: lines are cut in UTF-8, and written back. */
  readonly #foreign: Charset | undefined;

  constructor(values: ExecValues, context: SourceContext) {
    this.#values = values;
    this.#context = context;
    this.#sender = new BatchSender(context);
    this.#flushedMs = context.clock.monotonicMs();
    const { charset: given } = values;
    this.#foreign = given === undefined || given.encode('\r\n').equals(Buffer.from('\r\n')) ? undefined : given;
  }

  async start(): Promise<void> {
    if (this.#state !== 'new') return;
    this.#state = 'running';
    this.#loop = this.#run();
  }

  async stop(): Promise<void> {
    if (this.#state === 'running') this.#state = 'stopping';
    this.#sender.stop();
    this.#child?.end();
    this.#endPause();
    await this.#loop;
  }

  async #run(): Promise<void> {
    const { command, restart, restartThrottle } = this.#values;
    while (this.#state === 'running') {
      const ending = await this.#runOnce();
      if (this.#state !== 'running') return;
      const { log } = this.#context;
      if (!restart) {
        log.warn(`the command '${command}' ${ending}: no more lines come from it (restart = true runs it again)`);
        return;
      }
      log.info(`the command '${command}' ${ending}: it is run again in ${restartThrottle} ms`);
      await this.#pause(restartThrottle);
    }
  }

  /** How it ended. All that it wrote is in the channels then. */
  async #runOnce(): Promise<string> {
    const { logStdErr } = this.#values;
    const { log, clock } = this.#context;
    const splitter = new LineSplitter();
    const decoder = this.#foreign?.decoder('REPLACE');
    const errors = new LineSplitter();
    const logLines = (lines: readonly Buffer[]): void => {
      for (const line of lines) log.error(`stderr: ${line.toString()}`);
    };
    let ending: string;
    try {
      const onStderr = logStdErr ? (chunk: Buffer) => logLines(errors.push(chunk)) : undefined;
      const onStdout = (chunk: Buffer) =>
        this.#take(splitter, decoder === undefined ? chunk : Buffer.from(decoder.write(chunk).text));
      this.#child = new Child({ command: this.#argv, onStderr, onStdout }, clock);
      ending = await this.#child.ended;
    } catch (error) {
      ending = `failed: ${String(error)}`;
    }
    this.#child = undefined;
    logLines(errors.end());
    if (decoder !== undefined) await this.#take(splitter, Buffer.from(decoder.end().text));
    for (const line of splitter.end()) this.#waiting.push(this.#eventOf(line));
    await this.#flush(true);
    return ending;
  }

  get #argv(): readonly [string, ...string[]] {
    const { command, shell } = this.#values;
    const [file = '', ...args] = (shell ?? command).split(/\s+/);
    return shell === undefined ? [file, ...args] : [file, ...args, command];
  }

  async #take(splitter: LineSplitter, chunk: Buffer): Promise<void> {
    const cutBefore = splitter.cutLines;
    for (const line of splitter.push(chunk)) this.#waiting.push(this.#eventOf(line));
    if (cutBefore === 0 && splitter.cutLines > 0) {
      this.#context.log.warn(`a line is longer than ${lineBytesMax} bytes: it becomes several events`);
    }
    await this.#flush(this.#context.clock.monotonicMs() - this.#flushedMs >= this.#values.batchTimeout);
  }

  /** Sends what is full; `withRest`: all. */
  #flush(withRest: boolean): Promise<void> {
    this.#flushing = this.#flushing.then(() => this.#flushNow(withRest));
    return this.#flushing;
  }

  async #flushNow(withRest: boolean): Promise<void> {
    const { batchSize, batchTimeout } = this.#values;
    const { clock } = this.#context;
    const count = withRest ? this.#waiting.length : this.#waiting.length - (this.#waiting.length % batchSize);
    const due = this.#waiting.splice(0, count);
    const batches: Event[][] = [];
    for (let first = 0; first < due.length; first += batchSize) batches.push(due.slice(first, first + batchSize));
    if (batches.length > 0) {
      await this.#sender.send(batches);
      this.#flushedMs = clock.monotonicMs();
    }
    this.#flushTimer?.cancel();
    this.#flushTimer = undefined;
    if (this.#waiting.length === 0) return;
    const delayMs = Math.max(0, this.#flushedMs + batchTimeout - clock.monotonicMs());
    this.#flushTimer = clock.after(delayMs, () => void this.#flush(true));
  }

  async #pause(delayMs: number): Promise<void> {
    await new Promise<void>((resolve) => {
      const timer = this.#context.clock.after(delayMs, resolve, true);
      this.#endPause = () => {
        timer.cancel();
        resolve();
      };
    });
  }

  #eventOf(line: Buffer): Event {
    return { headers: noHeaders, body: this.#foreign === undefined ? line : this.#foreign.encode(line.toString()) };
  }
}
