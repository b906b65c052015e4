/** Time as the engine sees it, so that tests can move it. */

/** A call that waits for its time. */
export interface Timer {
  cancel(): void;
}

/** Both clocks and the timer. */
export interface Clock {
  /** Wall clock, ms since 1970. May jump; only stored and shown, never used for intervals. */
  wallMs(): number;
  /** Monotonic, ms, fractional. */
  monotonicMs(): number;
  /** Calls once after `delayMs`. Does not keep the process alive. */
  after(delayMs: number, call: () => void): Timer;
}

/** The real one. */
export const systemClock: Clock = {
  wallMs: () => Date.now(),
  monotonicMs: () => performance.now(),
  after(delayMs, call) {
    const timer = setTimeout(call, delayMs);
    timer.unref();
    return { cancel: () => clearTimeout(timer) };
  },
};
