/**
 * Says whether what a backup holds is what a channel held at one moment. It is told when each put, acknowledgement and
 * prepare of the channel was called and answered; a moment splits them: all that were answered before it count, none
 * that was called after it does, and one that was under way is whole or not there.
 */
import assert from 'node:assert/strict';
import type { SequenceRanges } from '../../../src/base/units.ts';
import { expand } from '../../conformance/channel-support.ts';

type Kind = 'put' | 'ack' | 'prepare';

interface Operation {
  readonly kind: Kind;
  readonly sequences: readonly number[];
  readonly calledMs: number;
  readonly answeredMs: number;
}

/** What was found in the backup. */
export interface Found {
  readonly delivered: ReadonlySet<number>;
  readonly prepared: ReadonlySet<number>;
  /** The sequence behind the last event that was put. */
  readonly nextSequence: number;
}

/** See above. */
export class MomentOracle {
  readonly #operations: Operation[] = [];

  /** Notes an operation; it answers what it names. */
  async note(kind: Kind, call: () => Promise<SequenceRanges>): Promise<SequenceRanges> {
    const calledMs = performance.now();
    const ranges = await call();
    this.#operations.push({ kind, sequences: expand(ranges), calledMs, answeredMs: performance.now() });
    return ranges;
  }

  get operations(): number {
    return this.#operations.length;
  }

  /** All operations must be over. The moment must lie between the two times. */
  check(found: Found, startMs: number, endMs: number, what: string): void {
    let lastIncludedMs = startMs;
    let firstExcludedMs = endMs;
    const accounted = new Set([...found.delivered, ...found.prepared]);
    assert.equal(accounted.size, found.delivered.size + found.prepared.size, `${what}: nothing is both`);
    const put = new Set<number>();
    for (const operation of this.#operations) {
      const isThere = isIncluded(operation, found, what);
      if (isThere) lastIncludedMs = Math.max(lastIncludedMs, operation.calledMs);
      else firstExcludedMs = Math.min(firstExcludedMs, operation.answeredMs);
      if (!isThere) continue;
      for (const sequence of operation.sequences) (operation.kind === 'put' ? put : accounted).add(sequence);
    }
    for (const sequence of put) assert.ok(accounted.has(sequence), `${what}: ${sequence} is lost`);
    assert.equal(accounted.size, put.size, `${what}: nothing that was not put`);
    const between = `one moment from ${startMs} to ${endMs}`;
    const how = `called at ${lastIncludedMs} it is there, answered at ${firstExcludedMs} it is not`;
    assert.ok(lastIncludedMs <= firstExcludedMs, `${what}: ${between}: ${how}`);
  }
}

/** Whole, or not at all. */
function isIncluded({ kind, sequences }: Operation, found: Found, what: string): boolean {
  const { delivered, prepared, nextSequence } = found;
  const is = (sequence: number): boolean => {
    if (sequence >= nextSequence) return false;
    if (kind === 'put') return true;
    return kind === 'prepare' ? prepared.has(sequence) : !delivered.has(sequence) && !prepared.has(sequence);
  };
  const there = sequences.filter(is).length;
  assert.ok(there === 0 || there === sequences.length, `${what}: ${kind} of ${sequences[0]}… is whole or not there`);
  return there > 0;
}
