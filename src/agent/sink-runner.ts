/** Calls a sink, or the processor of a group of them, again and again, at Flume's pace. */
import type { Clock, Log, SinkStatus } from './contracts/components.ts';
import { sleep } from './sleep.ts';

/** What is run. */
export interface SinkRunnerParts {
  readonly process: (signal: AbortSignal) => Promise<SinkStatus>;
  readonly log: Log;
  readonly clock: Clock;
}

const backoffStepMs = 1000;
const pauseMsMax = 5000;
/** A sink that backs off after such a time has waited for events itself: in a pause those that come would lie there. */
const ownWaitMsMin = 500;
/** A sink that never waits for the system lets timers and signals in after so many calls. */
const callsPerTurn = 16;

/** One life: started once, stopped once. */
export class SinkRunner {
  readonly #parts: SinkRunnerParts;
  readonly #stopping = new AbortController();
  #life: Promise<void> = Promise.resolve();

  constructor(parts: SinkRunnerParts) {
    this.#parts = parts;
  }

  start(): void {
    this.#life = this.#run(this.#stopping.signal);
  }

  /** Ends pauses and the wait for events at once; resolves when the call under way is over. Never rejects. */
  async stop(): Promise<void> {
    this.#stopping.abort();
    await this.#life;
  }

  async #run(signal: AbortSignal): Promise<void> {
    const { process, log, clock } = this.#parts;
    let backoffs = 0;
    for (let calls = 1; !signal.aborted; calls += 1) {
      try {
        const calledMs = clock.monotonicMs();
        const status = await process(signal);
        const hasWaited = clock.monotonicMs() - calledMs >= ownWaitMsMin;
        backoffs = status === 'backoff' && !hasWaited ? backoffs + 1 : 0;
        if (backoffs > 0) await sleep(clock, Math.min(backoffs * backoffStepMs, pauseMsMax), signal);
        else if (calls % callsPerTurn === 0) await new Promise((resolve) => setImmediate(resolve));
      } catch (error) {
        log.error(signal.aborted ? 'could not deliver before it stopped' : 'cannot deliver, and will try again', {
          error,
        });
        await sleep(clock, pauseMsMax, signal);
      }
    }
  }
}
