/** A clock that a test moves: waits cost nothing, and a run repeats. */
import type { Clock, Timer } from '../../src/base/clock.ts';

interface Waiting {
  readonly atMs: number;
  readonly call: () => void;
}

/** Some day in 2026. */
const startWallMs = 1_790_000_000_000;
/** So many turns without a settled promise, and nothing but a timer can be what is awaited. */
const idleTurns = 16;

/** Both clocks go together. `tickMs`: each look at the monotonic one takes so long; makes every write a slow one. */
export class ManualClock implements Clock {
  #nowMs = 0;
  readonly #tickMs: number;
  #timers: Waiting[] = [];

  constructor(tickMs = 0) {
    this.#tickMs = tickMs;
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
        this.#timers = this.#timers.filter((other) => other !== waiting);
      },
    };
  }

  /** Time passes; timers fire in the order of their times, those they start among them. */
  advance(byMs: number): void {
    const toMs = this.#nowMs + byMs;
    for (let next = this.#next(); next !== undefined && next.atMs <= toMs; next = this.#next()) this.#fire(next);
    this.#nowMs = Math.max(this.#nowMs, toMs);
  }

  /** As `promise`, while time passes as fast as it can: whenever nothing happens, the next timer fires. */
  async run<T>(promise: Promise<T>): Promise<T> {
    let isSettled = false;
    const settled = (): void => {
      isSettled = true;
    };
    promise.then(settled, settled);
    while (!isSettled) {
      for (let turn = 0; turn < idleTurns && !isSettled; turn += 1) await turnOver();
      const next = this.#next();
      if (next !== undefined && !isSettled) this.#fire(next);
    }
    return promise;
  }

  /** The process is dead: what it waited for never happens. */
  forget(): void {
    this.#timers = [];
  }

  #next(): Waiting | undefined {
    return this.#timers.reduce<Waiting | undefined>(
      (first, other) => (first === undefined || other.atMs < first.atMs ? other : first),
      undefined,
    );
  }

  #fire(waiting: Waiting): void {
    this.#timers = this.#timers.filter((other) => other !== waiting);
    this.#nowMs = Math.max(this.#nowMs, waiting.atMs);
    waiting.call();
  }
}

/** Lets everything that is ready run. */
export function turnOver(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
