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
  #nowMs: number;
  readonly #tickMs: number;
  #timers: Waiting[] = [];

  constructor(tickMs = 0, startMs = 0) {
    this.#tickMs = tickMs;
    this.#nowMs = startMs;
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
        this.#timers = this.#timers.filter((other) => other !== waiting);
      },
    };
  }

  /** Time passes; timers fire in the order of their times, those they start among them. True where one did. */
  advance(byMs: number): boolean {
    const toMs = this.#nowMs + byMs;
    let hasFired = false;
    for (let next = this.#next(); next !== undefined && next.atMs <= toMs; next = this.#next()) {
      this.#fire(next);
      hasFired = true;
    }
    this.#nowMs = Math.max(this.#nowMs, toMs);
    return hasFired;
  }

  /** Time jumps to the next timer, which fires. False where none waits. */
  fireNext(): boolean {
    const next = this.#next();
    if (next !== undefined) this.#fire(next);
    return next !== undefined;
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
      if (!isSettled) this.fireNext();
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
