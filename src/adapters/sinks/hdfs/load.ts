/** What a sink has under way, in all its files together: whoever adds to it waits where that is too much. */

/** Counts, changed by those who know. */
export class Load {
  /** Bytes that were taken in and not written. */
  waitingBytes = 0;
  /** Events that are in files and not acknowledged: the ranges of their numbers, and the bytes of their bodies. */
  pinnedRanges = 0;
  pinnedBytes = 0;
  /** Events of failing buckets that come again later. */
  asideEvents = 0;
  asideBytes = 0;
  /** Files that are being closed, as far as they are not waiting for a second try. */
  closing = 0;
  readonly #waiters = new Set<() => void>();

  /** Something has become less. */
  lowered(): void {
    for (const wake of [...this.#waiters]) wake();
  }

  /** Resolves when something has become less, or `signal` is aborted. */
  changed(signal: AbortSignal): Promise<void> {
    if (signal.aborted) return Promise.resolve();
    return new Promise((resolve) => {
      const wake = (): void => {
        this.#waiters.delete(wake);
        signal.removeEventListener('abort', wake);
        resolve();
      };
      this.#waiters.add(wake);
      signal.addEventListener('abort', wake, { once: true });
    });
  }
}
