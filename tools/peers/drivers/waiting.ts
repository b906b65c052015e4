/** What a queue on a database needs beside it when several takers share it: who waits for events. */

/** Takers that found nothing, until something is put or their time is over. */
export class Waiting {
  readonly #wakes = new Set<() => void>();

  /** Resolves at the next `wake`, or after `waitMs`. */
  wait(waitMs: number): Promise<void> {
    return new Promise((resolve) => {
      const end = (): void => {
        clearTimeout(timer);
        this.#wakes.delete(end);
        resolve();
      };
      const timer = setTimeout(end, waitMs);
      this.#wakes.add(end);
    });
  }

  wake(): void {
    for (const wake of [...this.#wakes]) wake();
  }
}

/** `take`, and once more after a wait where that found nothing. */
export async function takeOrWait<Item>(
  waiting: Waiting,
  waitMs: number | undefined,
  take: () => readonly Item[],
): Promise<readonly Item[]> {
  const taken = take();
  if (taken.length > 0 || waitMs === undefined || waitMs === 0) return taken;
  await waiting.wait(waitMs);
  return take();
}
