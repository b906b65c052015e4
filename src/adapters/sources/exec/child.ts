/** One run of the command: a process group of its own, whose output is read as fast as it is taken. */
import { type ChildProcess, spawn } from 'node:child_process';
import type { Clock, Timer } from '../../../agent/contracts/components.ts';

/** From the polite signal to the other. */
const killDelayMs = 3000;
/** Then the pipe is let go: a process outside of the group may hold it for ever. */
const releaseDelayMs = 1000;

/** What a run is told. */
interface ChildTask {
  readonly command: readonly [string, ...string[]];
  /** Undefined: errors are written to nowhere. */
  readonly onStderr: ((chunk: Buffer) => void) | undefined;
  readonly onStdout: (chunk: Buffer) => Promise<void>;
}

/** How it ended, as a sentence's end: `exited with 1`. */
type Ending = string;

/** See the head of the file. */
export class Child {
  readonly #clock: Clock;
  readonly #child: ChildProcess;
  readonly #ended: Promise<Ending>;
  #isRead = false;
  #timer: Timer | undefined;

  /** @throws where the system cannot even try. */
  constructor(task: ChildTask, clock: Clock) {
    this.#clock = clock;
    const [file, ...args] = task.command;
    const stderr = task.onStderr === undefined ? 'ignore' : 'pipe';
    this.#child = spawn(file, args, { stdio: ['ignore', 'pipe', stderr], detached: true });
    if (task.onStderr !== undefined) this.#child.stderr?.on('data', task.onStderr);
    const exited = new Promise<Ending>((resolve) => {
      this.#child.once('error', (error) => resolve(`could not be started: ${error.message}`));
      this.#child.once('exit', (code, signal) =>
        resolve(signal === null ? `exited with ${code}` : `died of ${signal}`),
      );
    });
    this.#ended = this.#read(task, exited);
  }

  /** All it wrote was taken, and it is no more. */
  get ended(): Promise<Ending> {
    return this.#ended;
  }

  /** Asks all of its processes to end, then makes them; what they wrote is still read. */
  end(): void {
    if (this.#timer !== undefined) return;
    this.#signal('SIGTERM');
    this.#timer = this.#clock.after(killDelayMs, () => {
      this.#signal('SIGKILL');
      this.#timer = this.#clock.after(releaseDelayMs, () => this.#child.stdout?.destroy());
    });
  }

  async #read({ onStdout }: ChildTask, exited: Promise<Ending>): Promise<Ending> {
    const { stdout } = this.#child;
    try {
      // Awaiting here is what stops the pipe while a channel is full.
      if (stdout !== null) for await (const chunk of stdout) await onStdout(chunk as Buffer);
    } catch (error) {
      if ((error as { code?: unknown }).code !== 'ERR_STREAM_PREMATURE_CLOSE') throw error;
    } finally {
      this.#isRead = true;
      // It closed its output: nothing can come any more, and Flume ends it as well.
      if (this.#isRunning) this.end();
    }
    const ending = await exited;
    this.#timer?.cancel();
    return ending;
  }

  get #isRunning(): boolean {
    return this.#child.pid !== undefined && this.#child.exitCode === null && this.#child.signalCode === null;
  }

  #signal(signal: 'SIGTERM' | 'SIGKILL'): void {
    const { pid } = this.#child;
    // Its first process may be gone, and others of the group hold the pipe.
    if (pid === undefined || (!this.#isRunning && this.#isRead)) return;
    try {
      process.kill(-pid, signal);
    } catch {
      // All of them have ended.
    }
  }
}
