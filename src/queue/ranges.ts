/**
 * Sequence ranges as a caller names them and as a frame carries them: checked, in one form (ascending, disjoint,
 * neighbours merged), and encoded as the gaps and lengths between them.
 */
import { invariant } from '../base/assert.ts';
import { ForebayError } from '../base/errors.ts';
import type { SequenceRange, SequenceRanges } from '../base/units.ts';
import { ByteSink, ByteSource, malformedVarint } from './varint.ts';

/**
 * `ranges` with neighbours merged, or what is wrong with them (TRANSACTION_STATE: nothing of the kind can be
 * leased). They must be safe integers from 1, ascending and disjoint.
 */
export function normalizeRanges(ranges: unknown): SequenceRanges | ForebayError {
  if (!Array.isArray(ranges)) return refused('ranges must be an array of { first, last }', typeof ranges);
  const merged: SequenceRange[] = [];
  let previous: { first: number; last: number } | undefined;
  for (const [index, range] of ranges.entries() as IterableIterator<[number, unknown]>) {
    if (!isRange(range)) return refused(`ranges[${index}] must be { first, last } with 1 ≤ first ≤ last`, show(range));
    const { first, last } = range;
    if (previous === undefined || first > previous.last + 1) {
      previous = { first, last };
      merged.push(previous);
    } else if (first === previous.last + 1) {
      previous.last = last;
    } else {
      return refused(`ranges[${index}] must start after the range before it`, show(range));
    }
  }
  return merged;
}

/**
 * One varint for the distance from the range before and one for the length, range by range.
 * @throws {InvariantError} If `ranges` are not as `normalizeRanges` gives them.
 */
export function encodeRanges(ranges: SequenceRanges): Buffer {
  const sink = new ByteSink();
  // A range starts at least two behind the last of the one before: neighbours are merged. Sequences start at 1.
  let lowest = 1;
  for (const { first, last } of ranges) {
    invariant(first >= lowest && last >= first, 'ranges ascend and do not touch');
    sink.varint(first - lowest);
    sink.varint(last - first);
    lowest = last + 2;
  }
  return sink.finish();
}

/** What `encodeRanges` was given, or undefined. Total. */
export function decodeRanges(bytes: Buffer): SequenceRange[] | undefined {
  const source = new ByteSource(bytes);
  const ranges: SequenceRange[] = [];
  let lowest = 1;
  while (!source.isAtEnd) {
    const gap = source.varint();
    const length = source.varint();
    if (gap === malformedVarint || length === malformedVarint) return undefined;
    // So written that a sum past the last safe integer cannot round its way back.
    if (gap > Number.MAX_SAFE_INTEGER - lowest) return undefined;
    const first = lowest + gap;
    if (length > Number.MAX_SAFE_INTEGER - first) return undefined;
    const last = first + length;
    ranges.push({ first, last });
    lowest = last + 2;
  }
  return ranges;
}

function isRange(value: unknown): value is SequenceRange {
  if (typeof value !== 'object' || value === null) return false;
  const { first, last } = value as { first?: unknown; last?: unknown };
  return (
    Number.isSafeInteger(first) && Number.isSafeInteger(last) && Number(first) >= 1 && Number(first) <= Number(last)
  );
}

function refused(what: string, actual: string): ForebayError {
  return new ForebayError('TRANSACTION_STATE', `${what}; got ${actual}`, { actual });
}

function show(value: unknown): string {
  if (typeof value !== 'object' || value === null) return String(value);
  const { first, last } = value as { first?: unknown; last?: unknown };
  return `${String(first)}–${String(last)}`;
}
