/** What a take gives: events leased to a consumer, and the two ways to settle them. */
import { ForebayError } from '../base/errors.ts';
import type { SequenceRange, SequenceRanges } from '../base/units.ts';
import type { DeliveredEvent } from '../event/event.ts';
import type { NotesOption, TakeBatch } from './channel.ts';

/** What a batch needs of its consumer: both settle what of `ranges` is still leased to it. */
export interface BatchOwner {
  commitHeld(ranges: SequenceRanges, options: NotesOption | undefined): Promise<SequenceRanges>;
  rollbackHeld(ranges: SequenceRanges): void;
}

/** See TakeBatch. After a commit that failed the events are leased again and the batch is as before. */
export class LeasedBatch implements TakeBatch {
  readonly events: readonly DeliveredEvent[];
  readonly ranges: SequenceRanges;
  readonly #owner: BatchOwner;
  #state: 'open' | 'settling' | 'settled' = 'open';

  constructor(owner: BatchOwner, events: readonly DeliveredEvent[], ranges: SequenceRanges) {
    this.#owner = owner;
    this.events = events;
    this.ranges = ranges;
  }

  async commit(options?: NotesOption): Promise<SequenceRanges> {
    this.#checkOpen();
    this.#state = 'settling';
    try {
      const ranges = await this.#owner.commitHeld(this.ranges, options);
      this.#state = 'settled';
      return ranges;
    } catch (error) {
      this.#state = 'open';
      throw error;
    }
  }

  async rollback(): Promise<void> {
    this.#checkOpen();
    this.#owner.rollbackHeld(this.ranges);
    this.#state = 'settled';
  }

  #checkOpen(): void {
    if (this.#state === 'open') return;
    const what = this.#state === 'settling' ? 'is being committed' : 'was committed or rolled back already';
    throw new ForebayError('TRANSACTION_STATE', `this batch ${what}`);
  }
}

/** A batch without events: nothing to settle, so nothing can go wrong. Notes of a commit are stored all the same. */
export class EmptyBatch implements TakeBatch {
  readonly events: readonly DeliveredEvent[] = [];
  readonly ranges: SequenceRanges = [];
  readonly #owner: BatchOwner;

  constructor(owner: BatchOwner) {
    this.#owner = owner;
  }

  async commit(options?: NotesOption): Promise<SequenceRanges> {
    return options?.notes === undefined ? [] : this.#owner.commitHeld([], options);
  }

  async rollback(): Promise<void> {
    // Nothing is leased.
  }
}

/** The sequences of ascending events. */
export function rangesOfEvents(events: readonly DeliveredEvent[]): SequenceRanges {
  const first = events[0]?.sequence;
  const last = events[events.length - 1]?.sequence;
  if (first === undefined || last === undefined) return [];
  if (last - first === events.length - 1) return [{ first, last }];
  const ranges: SequenceRange[] = [];
  let start = first;
  let previous = first;
  for (const { sequence } of events) {
    if (sequence > previous + 1) {
      ranges.push({ first: start, last: previous });
      start = sequence;
    }
    previous = sequence;
  }
  ranges.push({ first: start, last: previous });
  return ranges;
}
