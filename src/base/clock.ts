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
  /**
   * Calls once after `delayMs`. Keeps the process alive only where `keepsAlive` says so: for a wait that a caller
   * awaits, which would otherwise end with the process and not with its time.
   */
  after(delayMs: number, call: () => void, keepsAlive?: boolean): Timer;
}

/** The real one. */
export const systemClock: Clock = {
  wallMs: () => Date.now(),
  monotonicMs: () => performance.now(),
  after(delayMs, call, keepsAlive = false) {
    const timer = setTimeout(call, delayMs);
    if (!keepsAlive) timer.unref();
    return { cancel: () => clearTimeout(timer) };
  },
};
