/** The pauses between tries of what has to work in the end. A stop cuts them short, and then there are only a few. */
import type { Clock } from '../../../engine.ts';

const pauseMsFirst = 1000;
const pauseMsMax = 60_000;
const triesWhileStopping = 3;
const pauseMsWhileStopping = 50;

/** How long to wait after so many failures in a row. */
export function pauseMsAfter(failures: number): number {
  return Math.min(pauseMsFirst * 2 ** Math.min(failures - 1, 10), pauseMsMax);
}

/** All pauses of one sink. */
export class Retries {
  readonly #clock: Clock;
  #isStopping = false;
  readonly #pauses = new Set<() => void>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Resolves when to try again, after so many failures; to false when to give up, as the sink stops. */
  async pause(task: { failures: number; failuresWhileStopping: number }): Promise<boolean> {
    task.failures += 1;
    if (this.#isStopping) task.failuresWhileStopping += 1;
    if (task.failuresWhileStopping >= triesWhileStopping) return false;
    await this.#wait(this.#isStopping ? pauseMsWhileStopping : pauseMsAfter(task.failures));
    return true;
  }

  get isStopping(): boolean {
    return this.#isStopping;
  }

  /** Resolves to true after so long; to false, at once, when the sink stops. */
  async sleep(delayMs: number): Promise<boolean> {
    if (!this.#isStopping) await this.#wait(delayMs);
    return !this.#isStopping;
  }

  stop(): void {
    this.#isStopping = true;
    for (const end of [...this.#pauses]) end();
  }

  async #wait(delayMs: number): Promise<void> {
    await new Promise<void>((resolve) => {
      const end = (): void => {
        timer.cancel();
        this.#pauses.delete(end);
        resolve();
      };
      const timer = this.#clock.after(delayMs, end, this.#isStopping);
      this.#pauses.add(end);
    });
  }
}
