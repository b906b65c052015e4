/** Waits that a stop ends at once. */
import type { Clock } from '../../../agent/contracts/components.ts';

/** One wait at a time. */
export class Waiter {
  readonly #clock: Clock;
  readonly #ends: Set<() => void> = new Set();
  #isStopped = false;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** No wait waits any more. */
  get isStopped(): boolean {
    return this.#isStopped;
  }

  /** False where it was stopped. */
  async wait(ms: number): Promise<boolean> {
    if (this.#isStopped) return false;
    await new Promise<void>((resolve) => {
      const timer = this.#clock.after(ms, resolve, true);
      this.#ends.add(() => {
        timer.cancel();
        resolve();
      });
    });
    this.#ends.clear();
    return !this.#isStopped;
  }

  stop(): void {
    this.#isStopped = true;
    for (const end of this.#ends) end();
    this.#ends.clear();
  }
}
