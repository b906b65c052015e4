/** Writes of one size into one file, one after the other: where the next one goes, and what has to be there before. */
import type { RawFile } from './raw-file.ts';

/**
 * Where writes go. `appending`: behind the end. `overwriting`: over blocks that hold data. `zero-filled`: over zeros,
 * which are written and synced ahead, a stretch at a time, as the log does it; what that costs is in the time.
 */
export type WriteLayout = 'appending' | 'overwriting' | 'zero-filled';

/** What a lane is given. */
export interface LaneShape {
  readonly file: RawFile;
  readonly layout: WriteLayout;
  /** Of each write. */
  readonly source: Buffer;
  /** Of the layout `zero-filled`: a stretch, as long as one write or longer. */
  readonly zeros: Buffer;
  /** The file ends here: overwriting goes round, the others have come to their end. */
  readonly endBytes: number;
}

/** One file that is written. */
export class DiskLane {
  readonly #shape: LaneShape;
  #at = 0;
  #filledTo = 0;

  constructor(shape: LaneShape) {
    this.#shape = shape;
  }

  /** No further write fits. */
  get isFull(): boolean {
    const { layout, source, endBytes } = this.#shape;
    return layout !== 'overwriting' && this.#at + source.length > endBytes;
  }

  /** One write, durable on return; holds up the thread. */
  stepSync(): void {
    const { file, source, zeros } = this.#shape;
    const fillAt = this.#fill();
    if (fillAt !== undefined) file.writeSync(zeros, fillAt);
    file.writeSync(source, this.#next());
  }

  /** The same, in one of Node's threads. */
  async step(): Promise<void> {
    const { file, source, zeros } = this.#shape;
    const fillAt = this.#fill();
    if (fillAt !== undefined) await file.write(zeros, fillAt);
    await file.write(source, this.#next());
  }

  /** Where zeros are due before the next write. */
  #fill(): number | undefined {
    const { layout, source, zeros } = this.#shape;
    if (layout !== 'zero-filled' || this.#at + source.length <= this.#filledTo) return undefined;
    const at = this.#filledTo;
    this.#filledTo += zeros.length;
    return at;
  }

  #next(): number {
    const { layout, source, endBytes } = this.#shape;
    if (layout === 'overwriting' && this.#at + source.length > endBytes) this.#at = 0;
    const at = this.#at;
    this.#at += source.length;
    return at;
  }
}
