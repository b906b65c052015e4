/**
 * Where the events of one directory and prefix go: one file at a time. While its files fail, its events are set aside:
 * they stay leased, as numbers only, so that those of other buckets come by; then they come again.
 */
import type { DeliveredEvent, SequenceRanges } from '../../../engine.ts';
import type { BucketPath } from './file-names.ts';
import type { Load } from './load.ts';
import type { OpenFile } from './open-file.ts';
import { RangeList } from './range-list.ts';
import { pauseMsAfter } from './retries.ts';

/** `<path>/<prefix>`: what a bucket is known by. */
export function bucketKey({ directory, prefix }: BucketPath): string {
  return `${directory}/${prefix}`;
}

/** See the file's comment. */
export class Bucket {
  readonly key: string;
  path: BucketPath;
  file: OpenFile | undefined;
  /** Has had no file. */
  isNew = true;
  /** Why its last file failed; undefined when one has worked since. */
  error: Error | undefined;
  #failures = 0;
  #retryAtMs = 0;
  readonly #load: Load;
  #aside = new RangeList();
  #asideBytes = 0;

  constructor(path: BucketPath, load: Load) {
    this.#load = load;
    this.key = bucketKey(path);
    this.path = path;
  }

  get hasAside(): boolean {
    return this.#aside.eventCount > 0;
  }

  /** Whether there is nothing to remember it for. */
  get isIdle(): boolean {
    return this.file === undefined && this.#aside.eventCount === 0;
  }

  /** In a row. */
  get failures(): number {
    return this.#failures;
  }

  isFailing(nowMs: number): boolean {
    return nowMs < this.#retryAtMs;
  }

  /** Nothing goes to it for a while: longer with each failure in a row. */
  failed(error: Error, events: RangeList, bodyBytes: number, nowMs: number): void {
    this.error = error;
    // Files that were being closed together fail together: that is one failure.
    if (!this.isFailing(nowMs)) {
      this.#failures += 1;
      this.#retryAtMs = nowMs + pauseMsAfter(this.#failures);
    }
    this.#aside.addAll(events);
    this.#count(events.eventCount, bodyBytes);
  }

  worked(): void {
    this.error = undefined;
    this.#failures = 0;
  }

  setAside(events: readonly DeliveredEvent[]): void {
    this.#aside.add(events);
    let bytes = 0;
    for (const { body } of events) bytes += body.length;
    this.#count(events.length, bytes);
  }

  /** Those set aside, which are so no longer. */
  takeAside(): SequenceRanges {
    const ranges = this.#aside.ranges();
    this.#count(-this.#aside.eventCount, -this.#asideBytes);
    this.#aside = new RangeList();
    return ranges;
  }

  #count(events: number, bytes: number): void {
    this.#asideBytes += bytes;
    this.#load.asideEvents += events;
    this.#load.asideBytes += bytes;
  }
}
