/** Stretches of a file, as pairs of positions: ascending and apart. */

/** From, inclusive, and to, exclusive. */
export type Range = readonly [from: number, to: number];

/** All of both, joined where they touch. */
export function unionOf(ranges: readonly Range[]): Range[] {
  const sorted = ranges.filter(([from, to]) => to > from).sort((a, b) => a[0] - b[0]);
  const joined: [number, number][] = [];
  for (const [from, to] of sorted) {
    const last = joined.at(-1);
    if (last !== undefined && from <= last[1]) last[1] = Math.max(last[1], to);
    else joined.push([from, to]);
  }
  return joined;
}

/** Whether one of them holds all from `from` to `to`. */
export function covers(ranges: readonly Range[], from: number, to: number): boolean {
  return ranges.some((range) => range[0] <= from && to <= range[1]);
}

/** Where what begins at 0 ends. */
export function prefixEnd(ranges: readonly Range[]): number {
  const [first] = ranges;
  return first?.[0] === 0 ? first[1] : 0;
}

/** The next position above `position` at which one of them begins or ends; infinite where none does. */
export function nextEdge(ranges: readonly Range[], position: number): number {
  return Math.min(...ranges.flat().filter((edge) => edge > position), Number.POSITIVE_INFINITY);
}
