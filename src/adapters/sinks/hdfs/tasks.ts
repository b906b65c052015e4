/** What goes on in the background: a stop waits for it. */
export class Tasks {
  readonly #running = new Set<Promise<void>>();

  /** `task` must not reject. */
  add(task: () => Promise<void>): void {
    const running = task().finally(() => this.#running.delete(running));
    this.#running.add(running);
  }

  /** Resolves when none is left, those included that others added meanwhile. */
  async ended(): Promise<void> {
    while (this.#running.size > 0) await Promise.all(this.#running);
  }
}
