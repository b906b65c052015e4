/**
 * The engine's numbers, told apart by the compiler: a byte offset cannot be passed where a sequence is meant.
 * The brand is optional, so that literals and arithmetic stay plain numbers for callers of the library.
 * All are safe integers; on disk they are u64 whose top 11 bits are zero.
 */

declare const unit: unique symbol;

/** An event's position in the channel: from 1, ascending, never reused. */
export type Sequence = number & { readonly [unit]?: 'sequence' };
/** A group's number in the log: +1 each, channel-wide, from 1. */
export type Serial = number & { readonly [unit]?: 'serial' };
/** A position in a file, in bytes. */
export type ByteOffset = number & { readonly [unit]?: 'byteOffset' };
/** A segment's number: ascending, never reused, from 1. */
export type SegmentId = number & { readonly [unit]?: 'segmentId' };

/** Inclusive at both ends. */
export interface SequenceRange {
  readonly first: Sequence;
  readonly last: Sequence;
}

/** Ascending and disjoint. */
export type SequenceRanges = readonly SequenceRange[];

/** How many sequences `ranges` name. */
export function countSequences(ranges: Iterable<SequenceRange>): number {
  let count = 0;
  for (const range of ranges) count += range.last - range.first + 1;
  return count;
}

/** Binary multiples of a byte. */
export const kib = 1024;
export const mib: number = 1024 * kib;
export const gib: number = 1024 * mib;
