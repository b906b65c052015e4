/**
 * Bounds the bodies that are open at a time: each is a connection, and threads of a DataNode. A file has its place from
 * before its CREATE or APPEND is asked for until its stream is over.
 */

/** See the file's comment. */
export class StreamPlaces {
  readonly #max: number;
  readonly #onWait: () => void;
  #taken = 0;
  #ending = 0;
  readonly #waiting: (() => void)[] = [];

  /** `onWait`: called when someone waits for a place, so that others are told to end. */
  constructor(max: number, onWait: () => void) {
    this.#max = max;
    this.#onWait = onWait;
  }

  /** How many have to be told to end: those beyond the bound, and one for each that waits, less those that do. */
  get surplus(): number {
    return Math.max(0, Math.max(0, this.#taken - this.#max) + this.#waiting.length - this.#ending);
  }

  /** Whether one more would have to wait. */
  get isFull(): boolean {
    return this.#taken >= this.#max;
  }

  /**
   * Resolves when there is a place. `isEnding`: the stream is over as soon as it is written, and whoever asks keeps
   * others from ending: it gets one beyond the bound. There are no more of these than files that end at a time.
   */
  async take(isEnding: boolean): Promise<void> {
    if (isEnding) this.#ending += 1;
    if (isEnding || !this.isFull) {
      this.#taken += 1;
      return;
    }
    await new Promise<void>((resolve) => {
      this.#waiting.push(resolve);
      this.#onWait();
    });
  }

  /** The stream is there, so that it can be told to end. */
  opened(): void {
    if (this.#waiting.length > 0) this.#onWait();
  }

  /** One that was taken without that will be given back soon: nobody else has to end for it. */
  ending(): void {
    this.#ending += 1;
  }

  /** Gives it back. `wasEnding`: by either of the two. */
  give(wasEnding: boolean): void {
    this.#taken -= 1;
    if (wasEnding) this.#ending -= 1;
    if (this.isFull) return;
    const next = this.#waiting.shift();
    if (next === undefined) return;
    this.#taken += 1;
    next();
  }
}
