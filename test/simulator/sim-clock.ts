/** The simulator's clock: time stands still until the simulation moves it, and a run repeats to the millisecond. */
import type { Clock, Timer } from '../../src/base/clock.ts';

interface Waiting {
  readonly atMs: number;
  readonly call: () => void;
}

const startWallMs = 1_790_000_000_000;

/** One process's clock. `tickMs`: what each look at the monotonic time costs; above 1 every lone write is slow. */
export class SimClock implements Clock {
  #nowMs: number;
  readonly #tickMs: number;
  #timers: Waiting[] = [];

  constructor(startMs: number, tickMs: number) {
    this.#nowMs = startMs;
    this.#tickMs = tickMs;
  }

  get nowMs(): number {
    return this.#nowMs;
  }

  wallMs(): number {
    return startWallMs + Math.floor(this.#nowMs);
  }

  monotonicMs(): number {
    this.#nowMs += this.#tickMs;
    return this.#nowMs;
  }

  after(delayMs: number, call: () => void): Timer {
    const waiting = { atMs: this.#nowMs + delayMs, call };
    this.#timers.push(waiting);
    return {
      cancel: () => {
        const at = this.#timers.indexOf(waiting);
        if (at >= 0) this.#timers.splice(at, 1);
      },
    };
  }

  /** Time jumps to the next timer, which fires. False where none waits. */
  fireNext(): boolean {
    let next = this.#timers[0];
    for (const timer of this.#timers) if (next !== undefined && timer.atMs < next.atMs) next = timer;
    if (next === undefined) return false;
    this.#timers.splice(this.#timers.indexOf(next), 1);
    this.#nowMs = Math.max(this.#nowMs, next.atMs);
    next.call();
    return true;
  }

  /** Time passes while others work; what is due fires. True where something was. */
  pass(byMs: number): boolean {
    const toMs = this.#nowMs + byMs;
    let fired = false;
    while (this.#timers.some(({ atMs }) => atMs <= toMs)) fired = this.fireNext();
    this.#nowMs = Math.max(this.#nowMs, toMs);
    return fired;
  }
}
