/**
 * 65,536 sequences of a set, as runs or as a bitmap, whichever is smaller; or many chunks in a row that are full.
 * 64 consumers that settle every 64th event each must cost a bit an event, not an object (log-format rule 13).
 *
 * Offsets count from the chunk's first sequence. Which form a chunk has never shows in what a set answers.
 */

/** How many sequences a chunk covers. */
export const chunkSequences = 65_536;
const lastOffset: number = chunkSequences - 1;
const wordBits = 32;
/** Words of a chunk's bitmap. */
export const chunkWords: number = chunkSequences / wordBits;
/** A run is two numbers of 8 bytes, a bitmap 8 KiB: this many runs take as much. */
const runsMax = 512;
/** Below this many members, or holes, a bitmap becomes runs again. Far from `runsMax`, so that it does not flap. */
const sparseMax = 256;

/** Both forms undefined: every sequence is in; only then `span` may be above 1. */
export interface Chunk {
  /** The chunk's first sequence is `index * chunkSequences`. */
  readonly index: number;
  /** How many chunks in a row this stands for. */
  readonly span: number;
  /** Members, in all of the span. */
  count: number;
  /** First and last offset of each run, flat. */
  runs: number[] | undefined;
  bits: Uint32Array | undefined;
}

/** `span` full chunks from `index` on. */
export function fullChunk(index: number, span: number): Chunk {
  return { index, span, count: span * chunkSequences, runs: undefined, bits: undefined };
}

/** A chunk of one run of offsets, not the whole chunk. */
export function runChunk(index: number, first: number, last: number): Chunk {
  return { index, span: 1, count: last - first + 1, runs: [first, last], bits: undefined };
}

/** Whether every sequence of the chunk is in. */
export function isFull(chunk: Chunk): boolean {
  return chunk.runs === undefined && chunk.bits === undefined;
}

/** A copy that shares nothing. */
export function cloneChunk(chunk: Chunk): Chunk {
  return { ...chunk, runs: chunk.runs?.slice(), bits: chunk.bits?.slice() };
}

/** Adds offsets; answers how many are new. The chunk becomes full where the last hole is closed. */
export function addOffsets(chunk: Chunk, first: number, last: number): number {
  let added = 0;
  if (chunk.runs !== undefined) {
    added = addToRuns(chunk.runs, first, last);
    if (chunk.runs.length > runsMax * 2) {
      chunk.bits = bitsOfRuns(chunk.runs);
      chunk.runs = undefined;
    }
  } else if (chunk.bits !== undefined) {
    added = addToBits(chunk.bits, first, last);
  }
  chunk.count += added;
  if (chunk.count === chunkSequences * chunk.span) {
    chunk.runs = undefined;
    chunk.bits = undefined;
  } else if (chunk.bits !== undefined && added > 0 && chunkSequences - chunk.count <= sparseMax) {
    useRuns(chunk, chunk.bits);
  }
  return added;
}

/** Removes offsets of a chunk with span 1; answers how many were in. */
export function removeOffsets(chunk: Chunk, first: number, last: number): number {
  if (isFull(chunk)) chunk.runs = [0, lastOffset];
  let removed = 0;
  if (chunk.runs !== undefined) {
    removed = removeFromRuns(chunk.runs, first, last);
    if (chunk.runs.length > runsMax * 2) {
      chunk.bits = bitsOfRuns(chunk.runs);
      chunk.runs = undefined;
    }
  } else if (chunk.bits !== undefined) {
    removed = removeFromBits(chunk.bits, first, last);
    if (removed > 0 && chunk.count - removed <= sparseMax) useRuns(chunk, chunk.bits);
  }
  chunk.count -= removed;
  return removed;
}

/** Members from offset `first` to `last`, of a chunk with span 1. */
export function countOffsets(chunk: Chunk, first: number, last: number): number {
  if (chunk.runs !== undefined) return countInRuns(chunk.runs, first, last);
  if (chunk.bits !== undefined) return countInBits(chunk.bits, first, last);
  return last - first + 1;
}

/** The first member at or behind `offset`; `chunkSequences` where there is none. */
export function nextInOffset(chunk: Chunk, offset: number): number {
  if (chunk.runs !== undefined) {
    const at = runEndingFrom(chunk.runs, offset);
    return at === chunk.runs.length ? chunkSequences : Math.max(offset, chunk.runs[at]!);
  }
  return chunk.bits === undefined ? offset : scanBits(chunk.bits, offset, 0);
}

/** The first offset at or behind `offset` that is no member; `chunkSequences` where there is none. */
export function nextOutOffset(chunk: Chunk, offset: number): number {
  if (chunk.runs !== undefined) {
    const at = runEndingFrom(chunk.runs, offset);
    if (at === chunk.runs.length || chunk.runs[at]! > offset) return offset;
    return chunk.runs[at + 1]! + 1;
  }
  return chunk.bits === undefined ? chunkSequences : scanBits(chunk.bits, offset, -1);
}

/** Position in `runs` of the first run that ends at or behind `offset`; `runs.length` where none does. */
function runEndingFrom(runs: readonly number[], offset: number): number {
  let low = 0;
  let high = runs.length >> 1;
  // Most work is at the end: a queue is settled in order.
  if (high > 1 && runs[runs.length - 3]! < offset) low = high - 1;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (runs[middle * 2 + 1]! < offset) low = middle + 1;
    else high = middle;
  }
  return low * 2;
}

function addToRuns(runs: number[], first: number, last: number): number {
  const from = runEndingFrom(runs, first - 1);
  if (from === runs.length) {
    runs.push(first, last);
    return last - first + 1;
  }
  if (runs[from]! > last + 1) {
    runs.splice(from, 0, first, last);
    return last - first + 1;
  }
  const mergedFirst = Math.min(first, runs[from]!);
  let mergedLast = last;
  let covered = 0;
  let to = from;
  for (; to < runs.length && runs[to]! <= last + 1; to += 2) {
    covered += runs[to + 1]! - runs[to]! + 1;
    mergedLast = Math.max(last, runs[to + 1]!);
  }
  runs[from] = mergedFirst;
  runs[from + 1] = mergedLast;
  if (to - from > 2) runs.splice(from + 2, to - from - 2);
  return mergedLast - mergedFirst + 1 - covered;
}

function removeFromRuns(runs: number[], first: number, last: number): number {
  const from = runEndingFrom(runs, first);
  let removed = 0;
  let to = from;
  for (; to < runs.length && runs[to]! <= last; to += 2) {
    removed += Math.min(last, runs[to + 1]!) - Math.max(first, runs[to]!) + 1;
  }
  if (to === from) return 0;
  const keepsHead = runs[from]! < first;
  const keepsTail = runs[to - 1]! > last;
  if (keepsHead && keepsTail) {
    runs.splice(from + 1, to - from - 2, first - 1, last + 1);
  } else if (keepsHead) {
    runs[from + 1] = first - 1;
    if (to - from > 2) runs.splice(from + 2, to - from - 2);
  } else if (keepsTail) {
    runs[to - 2] = last + 1;
    if (to - from > 2) runs.splice(from, to - from - 2);
  } else {
    runs.splice(from, to - from);
  }
  return removed;
}

function countInRuns(runs: readonly number[], first: number, last: number): number {
  let count = 0;
  for (let at = runEndingFrom(runs, first); at < runs.length && runs[at]! <= last; at += 2) {
    count += Math.min(last, runs[at + 1]!) - Math.max(first, runs[at]!) + 1;
  }
  return count;
}

function bitsOfRuns(runs: readonly number[]): Uint32Array {
  const bits = new Uint32Array(chunkWords);
  for (let at = 0; at < runs.length; at += 2) addToBits(bits, runs[at]!, runs[at + 1]!);
  return bits;
}

/** Puts runs in the place of `bits`. */
function useRuns(chunk: Chunk, bits: Uint32Array): void {
  const runs: number[] = [];
  let first = scanBits(bits, 0, 0);
  while (first < chunkSequences) {
    const end = scanBits(bits, first, -1);
    runs.push(first, end - 1);
    first = scanBits(bits, end, 0);
  }
  chunk.runs = runs;
  chunk.bits = undefined;
}

/** The bits of word `word` that lie in offsets `first` to `last`, which must touch the word. */
function maskOf(word: number, first: number, last: number): number {
  const low = Math.max(first - word * wordBits, 0);
  const high = Math.min(last - word * wordBits, wordBits - 1);
  return (-1 << low) & (-1 >>> (wordBits - 1 - high));
}

function addToBits(bits: Uint32Array, first: number, last: number): number {
  let added = 0;
  for (let word = first >>> 5; word <= last >>> 5; word++) {
    const mask = maskOf(word, first, last);
    added += ones(mask & ~bits[word]!);
    bits[word]! |= mask;
  }
  return added;
}

function removeFromBits(bits: Uint32Array, first: number, last: number): number {
  let removed = 0;
  for (let word = first >>> 5; word <= last >>> 5; word++) {
    const mask = maskOf(word, first, last);
    removed += ones(mask & bits[word]!);
    bits[word]! &= ~mask;
  }
  return removed;
}

function countInBits(bits: Uint32Array, first: number, last: number): number {
  let count = 0;
  for (let word = first >>> 5; word <= last >>> 5; word++) count += ones(maskOf(word, first, last) & bits[word]!);
  return count;
}

/** The first offset from `offset` on whose bit is 1 (`flip` 0) or 0 (`flip` -1). */
function scanBits(bits: Uint32Array, offset: number, flip: 0 | -1): number {
  if (offset >= chunkSequences) return chunkSequences;
  let word = offset >>> 5;
  let candidates = (bits[word]! ^ flip) & (-1 << (offset & 31));
  while (candidates === 0) {
    if (++word === chunkWords) return chunkSequences;
    candidates = (bits[word]! ^ flip) | 0;
  }
  return word * wordBits + 31 - Math.clz32(candidates & -candidates);
}

/** How many bits of `word` are 1 (Hacker's Delight, 5-2). */
function ones(word: number): number {
  let rest = word - ((word >>> 1) & 0x55555555);
  rest = (rest & 0x33333333) + ((rest >>> 2) & 0x33333333);
  return Math.imul((rest + (rest >>> 4)) & 0x0f0f0f0f, 0x01010101) >>> 24;
}
