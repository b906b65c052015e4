/** A program in a process of its own that is told what to do line by line and answers with a line of JSON each. */
import { type ChildProcess, spawn } from 'node:child_process';
import { createInterface } from 'node:readline';

const errorLinesMax = 20;

/** What to start. */
export interface LineProgram {
  /** For errors. */
  readonly name: string;
  readonly command: string;
  readonly args: readonly string[];
}

/** A running program. It ends with its stdin at the latest. */
export class LineProcess {
  readonly #name: string;
  readonly #child: ChildProcess;
  readonly #lines: AsyncIterator<string>;
  readonly #ended: Promise<void>;
  readonly #errors: string[] = [];

  constructor({ name, command, args }: LineProgram) {
    this.#name = name;
    const child = spawn(command, args, { stdio: ['pipe', 'pipe', 'pipe'] });
    this.#child = child;
    this.#lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
    const note = (line: string): void => {
      this.#errors.push(line);
      if (this.#errors.length > errorLinesMax) this.#errors.shift();
    };
    this.#ended = new Promise((resolve) => {
      child.once('exit', (code, signal) => {
        if (signal !== null || code !== 0) note(`ended with ${signal ?? code}`);
        resolve();
      });
      child.once('error', (error) => {
        note(error.message);
        resolve();
      });
    });
    createInterface({ input: child.stderr }).on('line', note);
    // A program that has ended is noticed by the missing answer.
    child.stdin.on('error', (error) => note(error.message));
  }

  /** Sends one command; resolves to its answer. Commands wait for each other. Rejects where the program ended. */
  async ask<Answer>(...words: readonly (string | number)[]): Promise<Answer> {
    this.#child.stdin?.write(`${words.join(' ')}\n`);
    for (;;) {
      const { value, done } = await this.#lines.next();
      if (done === true) {
        await this.#ended;
        throw new Error(`${this.#name} ended at '${words[0]}': ${this.#errors.join('\n')}`);
      }
      // Libraries may write here too.
      if (value.startsWith('{')) return JSON.parse(value);
    }
  }

  /** As a crash would. */
  async kill(): Promise<void> {
    this.#child.kill('SIGKILL');
    await this.#ended;
  }

  /** Resolves when it has ended by itself. */
  async close(): Promise<void> {
    this.#child.stdin?.end();
    await this.#ended;
  }
}
