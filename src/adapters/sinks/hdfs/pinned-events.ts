/** The events of one file that are not acknowledged: those that are being settled, and those that came after them. */
import type { DeliveredEvent, SequenceRange } from '../../../engine.ts';
import type { Load } from './load.ts';
import { RangeList } from './range-list.ts';

/** See the file's comment. */
export class PinnedEvents {
  readonly #load: Load;
  #settling = new RangeList();
  #settlingBytes = 0;
  #later = new RangeList();
  #laterBytes = 0;

  constructor(load: Load) {
    this.#load = load;
  }

  /** Of those after. */
  get eventCount(): number {
    return this.#later.eventCount;
  }

  /** Of those after. */
  get rangeCount(): number {
    return this.#later.rangeCount;
  }

  /** Of their bodies. */
  get bytes(): number {
    return this.#laterBytes;
  }

  /** Of those being settled. */
  get settlingCount(): number {
    return this.#settling.eventCount;
  }

  /** How many bytes of bodies that are. */
  add(events: readonly DeliveredEvent[]): number {
    const rangesBefore = this.#later.rangeCount;
    let bytes = 0;
    for (const { body } of events) bytes += body.length;
    this.#later.add(events);
    this.#laterBytes += bytes;
    this.#load.pinnedRanges += this.#later.rangeCount - rangesBefore;
    this.#load.pinnedBytes += bytes;
    return bytes;
  }

  /** All so far are being settled from here on. */
  beginSettling(): void {
    this.#settling.addAll(this.#later);
    this.#settlingBytes += this.#laterBytes;
    this.#later = new RangeList();
    this.#laterBytes = 0;
  }

  /** Those being settled. */
  settling(): SequenceRange[] {
    return this.#settling.ranges();
  }

  /** Those being settled are the file's no longer. */
  settled(): { readonly events: RangeList; readonly bodyBytes: number } {
    const events = this.#settling;
    const bodyBytes = this.#settlingBytes;
    this.#load.pinnedRanges -= events.rangeCount;
    this.#load.pinnedBytes -= bodyBytes;
    this.#settling = new RangeList();
    this.#settlingBytes = 0;
    this.#load.lowered();
    return { events, bodyBytes };
  }
}
