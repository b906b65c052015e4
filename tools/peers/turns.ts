/** In which order it is measured, what is left of it, and how long that will take. */
import type { Cell } from './cells.ts';
import { type Contender, canDo } from './contenders.ts';
import { keyOf, type Line, type Settings } from './results-file.ts';

/** One measurement to be made. */
export interface Turn {
  readonly repetition: number;
  readonly cell: Cell;
  readonly contender: Contender;
}

/** What is to be measured. */
export interface Plan {
  readonly repetitions: number;
  readonly cells: readonly Cell[];
  readonly contenders: readonly Contender[];
}

/** All turns that `lines` do not have a result of yet. In every second repetition the contenders come the other way. */
export function turnsLeft({ repetitions, cells, contenders }: Plan, lines: readonly Line[]): readonly Turn[] {
  const done = new Set(lines.flatMap((line) => (line.kind === 'result' ? [keyOf(line)] : [])));
  const turns: Turn[] = [];
  for (let repetition = 1; repetition <= repetitions; repetition++) {
    for (const cell of cells) {
      const order = repetition % 2 === 1 ? contenders : [...contenders].reverse();
      for (const contender of order.filter((one) => canDo(one, cell))) {
        if (done.has(keyOf({ cell: cell.id, contender: contender.name, repetition }))) continue;
        turns.push({ repetition, cell, contender });
      }
    }
  }
  return turns;
}

/** Of a take also: filling takes about as long as draining does. */
const takeFactor = 2.5;

/** How long one takes, ms, where starting, stopping and removing take `aroundMs`. */
export function turnMs({ cell, contender }: Turn, settings: Settings, aroundMs: number): number {
  const { windowMs, warmUpMs, gaugeMs } = settings;
  const workMs = (windowMs + warmUpMs) * (cell.work === 'take' ? takeFactor : 1);
  return aroundMs + workMs + (contender.name === 'forebay' ? 2 * gaugeMs : 0);
}

/** `1 h 20 min`, `3 min`, `40 s`. */
export function durationName(ms: number): string {
  const seconds = Math.ceil(ms / 1000);
  if (seconds < 100) return `${seconds} s`;
  const minutes = Math.ceil(seconds / 60);
  return minutes < 100 ? `${minutes} min` : `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
}
