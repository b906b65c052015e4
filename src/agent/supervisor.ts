/** Keeps one component started: a start that fails is tried again, ever more rarely, until it works or is stopped. */
import type { Clock, Log } from './contracts/components.ts';
import { sleep } from './sleep.ts';

/** `failing`: the last start was rejected, the next one is waited for. */
export type SupervisedState = 'idle' | 'starting' | 'running' | 'failing' | 'stopped';

/** What can be started, again after a failure, and stopped. */
interface Part {
  start(): Promise<void>;
  stop(): Promise<void>;
}

/** What a supervisor is made with. */
export interface SupervisorParts {
  readonly part: Part;
  readonly log: Log;
  readonly clock: Clock;
  /** Called when a start has worked. */
  readonly onRunning?: () => void;
}

const delayMsFirst = 1000;
const delayMsMax = 30_000;

/** One life: started once, stopped once. */
export class Supervisor {
  readonly #parts: SupervisorParts;
  readonly #stopping = new AbortController();
  #state: SupervisedState = 'idle';
  #life: Promise<void> = Promise.resolve();
  #stopped: Promise<void> | undefined;

  constructor(parts: SupervisorParts) {
    this.#parts = parts;
  }

  get state(): SupervisedState {
    return this.#state;
  }

  /** Resolves when the first try has worked or failed. */
  start(): Promise<void> {
    return new Promise((attempted) => {
      this.#life = this.#run(attempted);
    });
  }

  /** Ends waiting at once, lets a start under way end, and stops the part. Never rejects. */
  stop(): Promise<void> {
    this.#stopped ??= this.#stop();
    return this.#stopped;
  }

  async #run(attempted: () => void): Promise<void> {
    const { part, log, clock, onRunning } = this.#parts;
    const { signal } = this.#stopping;
    for (let delayMs = delayMsFirst; !signal.aborted; delayMs = Math.min(2 * delayMs, delayMsMax)) {
      this.#state = 'starting';
      try {
        await part.start();
        this.#state = 'running';
        attempted();
        onRunning?.();
        return;
      } catch (error) {
        this.#state = 'failing';
        attempted();
        log.error('cannot start, and will try again', { retryMs: delayMs, error });
      }
      await sleep(clock, delayMs, signal);
    }
  }

  async #stop(): Promise<void> {
    this.#stopping.abort();
    await this.#life;
    try {
      if (this.#state !== 'idle') await this.#parts.part.stop();
    } catch (error) {
      this.#parts.log.error('did not stop cleanly', { error });
    }
    this.#state = 'stopped';
  }
}
