/**
 * Several rounds through everything that is measured, so that a bad minute of the machine falls on all of it alike, and
 * what the rounds say together.
 */
import { median } from './latencies.ts';

/** Of one figure over the rounds. Null in JSON where no round had it. */
export interface Spread {
  readonly median: number;
  readonly low: number;
  readonly high: number;
}

/** NaN without values. */
export function spreadOf(values: readonly number[]): Spread {
  if (values.length === 0) return { median: Number.NaN, low: Number.NaN, high: Number.NaN };
  return { median: median(values), low: Math.min(...values), high: Math.max(...values) };
}

/** What a cell came to in each round, in the order of the rounds. */
export interface Measured<Cell, Figures> {
  readonly cell: Cell;
  readonly rounds: readonly Figures[];
}

/**
 * Measures each cell once a round; every round begins elsewhere, and every second one goes backwards, so that no cell
 * always comes after the same one.
 * @throws What `signal` was aborted with, between two cells.
 */
export async function inRounds<Cell, Figures>(
  cells: readonly Cell[],
  { rounds, signal }: { readonly rounds: number; readonly signal: AbortSignal | undefined },
  measure: (cell: Cell, round: number) => Promise<Figures>,
): Promise<Measured<Cell, Figures>[]> {
  const measured = cells.map((cell) => ({ cell, rounds: [] as Figures[] }));
  for (let round = 0; round < rounds; round++) {
    const begin = Math.floor((round * cells.length) / rounds);
    const order = [...measured.slice(begin), ...measured.slice(0, begin)];
    if (round % 2 === 1) order.reverse();
    for (const { cell, rounds: figures } of order) {
      signal?.throwIfAborted();
      figures.push(await measure(cell, round));
    }
  }
  return measured;
}
