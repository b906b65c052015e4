/** Ctrl-C, and a request to end, in the middle of long work: it ends in order, and the exit status says so. */

const numbers = { SIGINT: 2, SIGTERM: 15 } as const;

/** From its making to `close`. A second signal ends the process at once. */
export class Interrupt {
  readonly #asked = new AbortController();
  readonly #listeners = new Map<NodeJS.Signals, () => void>();
  #status: number | undefined;

  constructor() {
    for (const [name, number] of Object.entries(numbers) as [NodeJS.Signals, number][]) {
      const listener = (): void => {
        if (this.#status !== undefined) process.exit(128 + number);
        this.#status = 128 + number;
        this.#asked.abort();
      };
      this.#listeners.set(name, listener);
      process.on(name, listener);
    }
  }

  /** Aborted by the first signal. */
  get signal(): AbortSignal {
    return this.#asked.signal;
  }

  /** 130 or 143; undefined where no signal came. */
  get status(): number | undefined {
    return this.#status;
  }

  /** Signals do again what they always do. */
  close(): void {
    for (const [name, listener] of this.#listeners) process.off(name, listener);
  }

  [Symbol.dispose](): void {
    this.close();
  }
}
