/**
 * Sets of code points, as what a character class of a pattern matches. Java's classes are computed to plain ranges, so
 * that no class depends on what another engine means by the same letters, and so that two can be compared.
 */

/** Ascending, disjoint ranges, both ends inclusive: `[first, last, first, last, …]`. */
export type CodePoints = readonly number[];

const lastCodePoint = 0x10_ffff;

/** Every code point. */
export const anyCodePoint: CodePoints = [0, lastCodePoint];

/** The ranges given in any order, `[first, last]` each, as a set. */
export function codePointsOf(...ranges: readonly (readonly [number, number])[]): CodePoints {
  const sorted = [...ranges].sort((one, other) => one[0] - other[0]);
  const merged: number[] = [];
  for (const [first, last] of sorted) {
    const end = merged[merged.length - 1];
    if (end !== undefined && first <= end + 1) merged[merged.length - 1] = Math.max(end, last);
    else merged.push(first, last);
  }
  return merged;
}

/** The ranges of a set, as pairs. */
export function rangesOf(set: CodePoints): [number, number][] {
  const ranges: [number, number][] = [];
  for (let at = 0; at < set.length; at += 2) ranges.push([set[at] ?? 0, set[at + 1] ?? 0]);
  return ranges;
}

/** What is in one of the sets. */
export function union(...sets: readonly CodePoints[]): CodePoints {
  return codePointsOf(...sets.flatMap(rangesOf));
}

/** What is not in the set. */
export function complement(set: CodePoints): CodePoints {
  const inverse: number[] = [];
  let next = 0;
  for (const [first, last] of rangesOf(set)) {
    if (first > next) inverse.push(next, first - 1);
    next = last + 1;
  }
  if (next <= lastCodePoint) inverse.push(next, lastCodePoint);
  return inverse;
}

/** What is in both sets. */
export function intersection(one: CodePoints, other: CodePoints): CodePoints {
  const common: number[] = [];
  let at = 0;
  let otherAt = 0;
  while (at < one.length && otherAt < other.length) {
    const first = Math.max(one[at] ?? 0, other[otherAt] ?? 0);
    const end = one[at + 1] ?? 0;
    const otherEnd = other[otherAt + 1] ?? 0;
    if (first <= Math.min(end, otherEnd)) common.push(first, Math.min(end, otherEnd));
    if (end < otherEnd) at += 2;
    else otherAt += 2;
  }
  return common;
}

/** Adds the other case of ASCII letters: Java's CASE_INSENSITIVE by itself. */
export function withAsciiCases(set: CodePoints): CodePoints {
  const upper = intersection(set, [0x41, 0x5a]);
  const lower = intersection(set, [0x61, 0x7a]);
  const shift = (ranges: CodePoints, by: number): CodePoints => ranges.map((one) => one + by);
  return union(set, shift(upper, 32), shift(lower, -32));
}

/** Each cased code point with its upper case, and the lower case of that, one to one as Java's Character has them. */
let caseTable: (readonly [number, number, number])[] | undefined;

function caseOf(codePoint: number, text: string): number {
  const single = text.codePointAt(0) ?? codePoint;
  // Where Unicode's full mapping gives several characters, Java's simple one leaves the character as it is.
  return String.fromCodePoint(single).length === text.length ? single : codePoint;
}

function cases(): readonly (readonly [number, number, number])[] {
  if (caseTable !== undefined) return caseTable;
  const table: [number, number, number][] = [];
  for (let codePoint = 0; codePoint <= 0x1_ffff; codePoint += 1) {
    const upper = caseOf(codePoint, String.fromCodePoint(codePoint).toUpperCase());
    const lower = caseOf(upper, String.fromCodePoint(upper).toLowerCase());
    if (upper !== codePoint || lower !== codePoint) table.push([codePoint, upper, lower]);
  }
  caseTable = table;
  return table;
}

/** Whether the set has the code point. */
function has(set: CodePoints, codePoint: number): boolean {
  let low = 0;
  let high = set.length / 2 - 1;
  while (low <= high) {
    const middle = (low + high) >> 1;
    if (codePoint < (set[middle * 2] ?? 0)) high = middle - 1;
    else if (codePoint > (set[middle * 2 + 1] ?? 0)) low = middle + 1;
    else return true;
  }
  return false;
}

/** Adds what Java's UNICODE_CASE compares as equal: a character is in when it, its upper or then its lower case is. */
export function withUnicodeCases(set: CodePoints): CodePoints {
  // One character stands for its lower case, so that `(?iu)K` also finds the Kelvin sign.
  const lowered = set.length === 2 && set[0] === set[1] ? cases().find(([one]) => one === set[0])?.[2] : undefined;
  const base = lowered === undefined ? set : union(set, [lowered, lowered]);
  const added = cases().filter(([, upper, lower]) => has(base, upper) || has(base, lower));
  return union(base, codePointsOf(...added.map(([one]): [number, number] => [one, one])));
}
