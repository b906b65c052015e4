/**
 * Who holds which events: the volatile half of a queue. A lease costs memory by ranges or bits, has no time-out
 * and does not survive a restart. Opening a consumer's name again fences the earlier incarnation.
 */
import { invariant } from '../base/assert.ts';
import type { SequenceRange, SequenceRanges } from '../base/units.ts';
import { SequenceSet } from './sequence-set.ts';

/** One incarnation of a consumer. */
export interface Holder {
  readonly name: string;
  /** Different for each that was opened, whatever its name; ascending. */
  readonly incarnation: number;
  /** `fenced`: the name was opened again. Only an open holder has leases. */
  state: 'open' | 'fenced' | 'closed';
  leased: SequenceSet;
  /** Oldest first: what was leased when. */
  readonly ages: LeaseAge[];
}

interface LeaseAge {
  readonly leasedAtMs: number;
  first: number;
  last: number;
}

/** Leases that begin this close together share an age: a busy consumer makes thousands a second. */
const ageStepMs = 50;
/** Beyond this the youngest ages of a holder are merged: only the oldest is ever asked for. */
const agesMax = 64;

/** All consumers of a channel and what they hold. */
export class Leases {
  /** The open ones. */
  readonly #holders: Map<string, Holder> = new Map();
  #leasedCount = 0;
  #opened = 0;

  get leasedCount(): number {
    return this.#leasedCount;
  }

  /** A new incarnation of `name`. `returned`: what the earlier one, now fenced, held. */
  open(name: string): { readonly holder: Holder; readonly returned: SequenceSet } {
    const earlier = this.#holders.get(name);
    const returned = earlier === undefined ? new SequenceSet() : this.#end(earlier, 'fenced');
    const holder: Holder = { name, incarnation: ++this.#opened, state: 'open', leased: new SequenceSet(), ages: [] };
    this.#holders.set(name, holder);
    return { holder, returned };
  }

  /** Ends an open holder; answers what it held. */
  close(holder: Holder): SequenceSet {
    return this.#end(holder, 'closed');
  }

  /** Ends all: leases do not outlive the channel. */
  closeAll(): void {
    for (const holder of [...this.#holders.values()]) this.#end(holder, 'closed');
  }

  /** `ranges` must be leased to nobody. `nowMs`: monotonic. */
  lease(holder: Holder, ranges: SequenceRanges, nowMs: number): void {
    invariant(holder.state === 'open', 'only an open consumer leases');
    for (const { first, last } of ranges) this.#leasedCount += holder.leased.addRange(first, last);
    const first = ranges[0];
    const last = ranges[ranges.length - 1];
    if (first !== undefined && last !== undefined) addAge(holder.ages, nowMs, first.first, last.last);
  }

  /** Whether all of `ranges` are leased to `holder`. */
  holds(holder: Holder, ranges: SequenceRanges): boolean {
    for (const { first, last } of ranges) if (!holder.leased.containsRange(first, last)) return false;
    return true;
  }

  /** What of `ranges` is leased to `holder`. */
  heldOf(holder: Holder, ranges: SequenceRanges): SequenceRanges {
    if (this.holds(holder, ranges)) return ranges;
    const held: SequenceRange[] = [];
    for (const range of ranges) {
      let first = holder.leased.nextIn(range.first);
      while (first !== undefined && first <= range.last) {
        const end = Math.min(holder.leased.nextOut(first), range.last + 1);
        held.push({ first, last: end - 1 });
        first = holder.leased.nextIn(end);
      }
    }
    return held;
  }

  /** `ranges` must be leased to `holder`; afterwards they are leased to nobody. */
  release(holder: Holder, ranges: SequenceRanges): void {
    for (const { first, last } of ranges) this.#leasedCount -= holder.leased.removeRange(first, last);
    dropDeadAges(holder);
  }

  /**
   * When the lease held longest began, monotonic; undefined where nothing is leased. Never too late; too early
   * by `ageStepMs`, and by more for a consumer that leased again, out of order, what it had given back.
   */
  oldestLeasedAtMs(): number | undefined {
    let oldest: number | undefined;
    for (const holder of this.#holders.values()) {
      const first = holder.ages[0];
      if (first !== undefined && (oldest === undefined || first.leasedAtMs < oldest)) oldest = first.leasedAtMs;
    }
    return oldest;
  }

  #end(holder: Holder, state: 'fenced' | 'closed'): SequenceSet {
    if (holder.state === 'open') {
      holder.state = state;
      this.#holders.delete(holder.name);
    }
    const returned = holder.leased;
    this.#leasedCount -= returned.count;
    holder.leased = new SequenceSet();
    holder.ages.length = 0;
    return returned;
  }
}

function addAge(ages: LeaseAge[], nowMs: number, first: number, last: number): void {
  const youngest = ages[ages.length - 1];
  if (youngest === undefined || (ages.length < agesMax && nowMs - youngest.leasedAtMs > ageStepMs)) {
    ages.push({ leasedAtMs: nowMs, first, last });
    return;
  }
  youngest.first = Math.min(youngest.first, first);
  youngest.last = Math.max(youngest.last, last);
}

function dropDeadAges(holder: Holder): void {
  const { ages, leased } = holder;
  if (leased.isEmpty) {
    ages.length = 0;
    return;
  }
  let dead = 0;
  while (dead < ages.length && leased.countRange(ages[dead]!.first, ages[dead]!.last) === 0) dead++;
  if (dead > 0) ages.splice(0, dead);
}
