/** Which events a file holds, in little memory: neighbours are one range, and a range is two numbers. */
import type { DeliveredEvent, SequenceRange } from '../../../engine.ts';

/** Sequences in any order, none twice. */
export class RangeList {
  /** First and last of each range, one after the other. */
  #numbers: number[] = [];
  #eventCount = 0;

  get eventCount(): number {
    return this.#eventCount;
  }

  get rangeCount(): number {
    return this.#numbers.length / 2;
  }

  add(events: readonly DeliveredEvent[]): void {
    const numbers = this.#numbers;
    let last = numbers.length === 0 ? Number.NaN : (numbers[numbers.length - 1] as number);
    for (const { sequence } of events) {
      if (sequence === last + 1) numbers[numbers.length - 1] = sequence;
      else numbers.push(sequence, sequence);
      last = sequence;
    }
    this.#eventCount += events.length;
  }

  addAll(other: RangeList): void {
    for (const number of other.#numbers) this.#numbers.push(number);
    this.#eventCount += other.#eventCount;
  }

  /** Ascending, as the channel takes them. */
  ranges(): SequenceRange[] {
    const ranges: SequenceRange[] = [];
    for (let at = 0; at < this.#numbers.length; at += 2) {
      ranges.push({ first: this.#numbers[at] as number, last: this.#numbers[at + 1] as number });
    }
    // Events that were given back come again, behind later ones.
    return ranges.sort((one, other) => one.first - other.first);
  }
}
