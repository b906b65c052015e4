/**
 * An ordered set of sequences: what is acknowledged, prepared, quarantined or leased. Built for a queue that is
 * settled nearly in order: a long stretch costs nothing, a scattered one a bit a sequence (chunk.ts), and jumps of
 * 2^32 (log-format rule 3) no more than a small one.
 */
import { invariant } from '../base/assert.ts';
import type { Sequence, SequenceRange, SequenceRanges } from '../base/units.ts';
import {
  addOffsets,
  type Chunk,
  chunkSequences,
  cloneChunk,
  countOffsets,
  fullChunk,
  isFull,
  nextInOffset,
  nextOutOffset,
  removeOffsets,
  runChunk,
} from './chunk.ts';
import { decodeChunks, encodeChunks } from './chunk-codec.ts';

const lastOffset: number = chunkSequences - 1;

/** Sequences from 1 to the last safe integer. Not safe to change while one of its generators runs. */
export class SequenceSet {
  /** Ascending, disjoint, none empty; full neighbours are one. */
  #chunks: Chunk[] = [];
  #count = 0;

  static of(ranges: SequenceRanges): SequenceSet {
    const set = new SequenceSet();
    set.addAll(ranges);
    return set;
  }

  /** What `encode` wrote, or undefined: only its own, one form of a set is accepted. Total, and bounded by `bytes`. */
  static decode(bytes: Buffer): SequenceSet | undefined {
    const chunks = decodeChunks(bytes);
    if (chunks === undefined) return undefined;
    const set = new SequenceSet();
    set.#chunks = chunks;
    for (const chunk of chunks) set.#count += chunk.count;
    return set;
  }

  /** The same bytes for the same members, however they came in. */
  encode(): Buffer {
    return encodeChunks(this.#chunks);
  }

  clone(): SequenceSet {
    const set = new SequenceSet();
    set.#chunks = this.#chunks.map(cloneChunk);
    set.#count = this.#count;
    return set;
  }

  get count(): number {
    return this.#count;
  }

  get isEmpty(): boolean {
    return this.#count === 0;
  }

  clear(): void {
    this.#chunks = [];
    this.#count = 0;
  }

  /** Adds `first` to `last`, both included; answers how many are new. */
  addRange(first: Sequence, last: Sequence): number {
    checkRange(first, last);
    const from = chunkOf(first);
    const to = chunkOf(last);
    if (from === to) return this.#addWithin(from, first - from * chunkSequences, last - from * chunkSequences);
    let added = 0;
    const wholeFrom = first === from * chunkSequences ? from : from + 1;
    const wholeTo = last === to * chunkSequences + lastOffset ? to : to - 1;
    if (wholeFrom > from) added += this.#addWithin(from, first - from * chunkSequences, lastOffset);
    if (wholeFrom <= wholeTo) added += this.#addWhole(wholeFrom, wholeTo);
    if (wholeTo < to) added += this.#addWithin(to, 0, last - to * chunkSequences);
    return added;
  }

  /** Removes `first` to `last`, both included; answers how many were in. */
  removeRange(first: Sequence, last: Sequence): number {
    checkRange(first, last);
    let removed = 0;
    let at = this.#find(chunkOf(first));
    while (at < this.#chunks.length && firstOf(this.#chunks[at]!) <= last) {
      const chunk = this.#chunks[at]!;
      const from = Math.max(first, firstOf(chunk));
      const to = Math.min(last, lastOf(chunk));
      if (from === firstOf(chunk) && to === lastOf(chunk)) {
        removed += chunk.count;
        this.#chunks.splice(at, 1);
      } else if (chunk.span > 1) {
        const pieces = cut(chunk, from, to);
        removed += to - from + 1;
        this.#chunks.splice(at, 1, ...pieces);
        at += pieces.length;
      } else {
        removed += removeOffsets(chunk, from - firstOf(chunk), to - firstOf(chunk));
        if (chunk.count === 0) this.#chunks.splice(at, 1);
        else at++;
      }
    }
    this.#count -= removed;
    return removed;
  }

  /** Answers how many are new. */
  addAll(ranges: SequenceRanges): number {
    let added = 0;
    for (const { first, last } of ranges) added += this.addRange(first, last);
    return added;
  }

  /** Answers how many were in. */
  removeAll(ranges: SequenceRanges): number {
    let removed = 0;
    for (const { first, last } of ranges) removed += this.removeRange(first, last);
    return removed;
  }

  has(sequence: Sequence): boolean {
    return this.nextOut(sequence) !== sequence;
  }

  containsRange(first: Sequence, last: Sequence): boolean {
    return this.nextOut(first) > last;
  }

  /** Members from `first` to `last`, both included. */
  countRange(first: Sequence, last: Sequence): number {
    let count = 0;
    for (let at = this.#find(chunkOf(first)); at < this.#chunks.length; at++) {
      const chunk = this.#chunks[at]!;
      const start = firstOf(chunk);
      if (start > last) break;
      const from = Math.max(first, start);
      const to = Math.min(last, lastOf(chunk));
      if (isFull(chunk)) count += to - from + 1;
      else if (from === start && to === lastOf(chunk)) count += chunk.count;
      else count += countOffsets(chunk, from - start, to - start);
    }
    return count;
  }

  first(): Sequence | undefined {
    return this.nextIn(0);
  }

  /** The first member at or behind `from`. */
  nextIn(from: Sequence): Sequence | undefined {
    for (let at = this.#find(chunkOf(from)); at < this.#chunks.length; at++) {
      const chunk = this.#chunks[at]!;
      const start = firstOf(chunk);
      if (from <= start) return isFull(chunk) ? start : start + nextInOffset(chunk, 0);
      if (isFull(chunk)) return from;
      const offset = nextInOffset(chunk, from - start);
      if (offset < chunkSequences) return start + offset;
    }
    return undefined;
  }

  /** The first sequence at or behind `from` that is no member. */
  nextOut(from: Sequence): Sequence {
    let sequence = from;
    for (let at = this.#find(chunkOf(from)); at < this.#chunks.length; at++) {
      const chunk = this.#chunks[at]!;
      const start = firstOf(chunk);
      if (start > sequence) break;
      if (!isFull(chunk)) {
        const offset = nextOutOffset(chunk, sequence - start);
        if (offset < chunkSequences) return start + offset;
      }
      sequence = lastOf(chunk) + 1;
    }
    return sequence;
  }

  /** The members at or behind `from` as ranges, ascending, neighbours merged. The set must not change meanwhile. */
  *ranges(from: Sequence = 0): Generator<SequenceRange, void, undefined> {
    let first = this.nextIn(from);
    while (first !== undefined) {
      const end = this.nextOut(first);
      yield { first, last: end - 1 };
      first = this.nextIn(end);
    }
  }

  /** All members. Costs an object a run: for sets known to be small. */
  toRanges(): SequenceRange[] {
    return [...this.ranges()];
  }

  /** Position of the first chunk that ends at or behind chunk `index`. */
  #find(index: number): number {
    const chunks = this.#chunks;
    let low = 0;
    let high = chunks.length;
    // Most work is in the last chunk: a queue is settled in order.
    if (high > 1 && endOf(chunks[high - 2]!) <= index) low = high - 1;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (endOf(chunks[middle]!) <= index) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  #addWithin(index: number, first: number, last: number): number {
    if (first === 0 && last === lastOffset) return this.#addWhole(index, index);
    const at = this.#find(index);
    const chunk = this.#chunks[at];
    if (chunk === undefined || chunk.index > index) {
      if (chunk === undefined) this.#chunks.push(runChunk(index, first, last));
      else this.#chunks.splice(at, 0, runChunk(index, first, last));
      this.#count += last - first + 1;
      return last - first + 1;
    }
    if (isFull(chunk)) return 0;
    const added = addOffsets(chunk, first, last);
    this.#count += added;
    if (isFull(chunk)) this.#addWhole(index, index);
    return added;
  }

  /** Makes chunks `from` to `to` full, one entry with their full neighbours. */
  #addWhole(from: number, to: number): number {
    const chunks = this.#chunks;
    let at = this.#find(from);
    const before = chunks[at - 1];
    if (before !== undefined && isFull(before) && endOf(before) === from) at--;
    let start = from;
    let end = to + 1;
    let had = 0;
    let next = at;
    for (; next < chunks.length; next++) {
      const chunk = chunks[next]!;
      if (chunk.index > end || (chunk.index === end && !isFull(chunk))) break;
      start = Math.min(start, chunk.index);
      end = Math.max(end, endOf(chunk));
      had += chunk.count;
    }
    const whole = fullChunk(start, end - start);
    chunks.splice(at, next - at, whole);
    this.#count += whole.count - had;
    return whole.count - had;
  }
}

function chunkOf(sequence: Sequence): number {
  return Math.floor(sequence / chunkSequences);
}

/** The index behind the chunk's last. */
function endOf(chunk: Chunk): number {
  return chunk.index + chunk.span;
}

function firstOf(chunk: Chunk): Sequence {
  return chunk.index * chunkSequences;
}

function lastOf(chunk: Chunk): Sequence {
  return endOf(chunk) * chunkSequences - 1;
}

/** What is left of a full span without `first` to `last`. */
function cut(span: Chunk, first: Sequence, last: Sequence): Chunk[] {
  const from = chunkOf(first);
  const to = chunkOf(last);
  const pieces: Chunk[] = [];
  if (from > span.index) pieces.push(fullChunk(span.index, from - span.index));
  if (from === to) {
    const chunk = fullChunk(from, 1);
    removeOffsets(chunk, first - firstOf(chunk), last - firstOf(chunk));
    if (chunk.count > 0) pieces.push(chunk);
  } else {
    if (first > from * chunkSequences) pieces.push(runChunk(from, 0, first - from * chunkSequences - 1));
    const after = last - to * chunkSequences + 1;
    if (after <= lastOffset) pieces.push(runChunk(to, after, lastOffset));
  }
  if (to + 1 < endOf(span)) pieces.push(fullChunk(to + 1, endOf(span) - to - 1));
  return pieces;
}

function checkRange(first: Sequence, last: Sequence): void {
  invariant(
    Number.isSafeInteger(first) && Number.isSafeInteger(last) && first >= 1 && last >= first,
    'a range is 1 ≤ first ≤ last, safe integers',
  );
}
