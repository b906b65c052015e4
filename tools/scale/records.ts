/**
 * What was measured: one line of JSON for each cell and repetition, appended as soon as it is known, so that a run that
 * was cut off goes on where it was.
 */
import { table } from '../../native-free-bench/report.ts';
import { median } from '../../src/bench/latencies.ts';
import { lineChartSvg } from '../../src/bench/line-chart.ts';
import { readable } from '../../src/bench/readable.ts';
import { appendLine, cutOffUnfinished, wholeLinesOf } from '../json-lines.ts';
import { axes, type Cell, type Dimension } from './cells.ts';
import type { CellFigures } from './measure.ts';

/** One line. */
export interface Entry extends CellFigures {
  readonly dimension: Dimension;
  readonly size: number;
  readonly repetition: number;
  /** Figures of another Node, window or machine are no repetition of these. */
  readonly settings: string;
}

/** The lines of `path`; none where there is no file. A last line that was cut off is left out. */
export function readEntries(path: string): Entry[] {
  return wholeLinesOf(path).map((line) => JSON.parse(line) as Entry);
}

/** In the place of a last line that was cut off, if there is one. */
export function appendEntry(path: string, entry: Entry): void {
  cutOffUnfinished(path);
  appendLine(path, entry);
}

/** Whether this was measured before. */
export function isDone(entries: readonly Entry[], cell: Cell, repetition: number, settings: string): boolean {
  return entries.some(
    (entry) =>
      entry.dimension === cell.dimension &&
      entry.size === cell.size &&
      entry.repetition === repetition &&
      entry.settings === settings,
  );
}

/** Medians of the repetitions; undefined where there are none. */
export function scaleTable(entries: readonly Entry[], dimension: Dimension): string | undefined {
  const own = entries.filter((entry) => entry.dimension === dimension);
  if (own.length === 0) return undefined;
  const names = [...new Set(own.flatMap(({ works }) => Object.keys(works)))];
  const heads = names.flatMap((name) => [`${name}: events/s`, 'MB/s', 'p99 ms']);
  const rows = sizesOf(own).map((size) => {
    const same = own.filter((entry) => entry.size === size);
    const of = (value: (entry: Entry) => number): string => readable(median(same.map(value)));
    const cells = names.flatMap((name) =>
      (['eventsPerSecond', 'megabytesPerSecond', 'p99Ms'] as const).map((figure) =>
        of(({ works }) => works[name]?.[figure] ?? Number.NaN),
      ),
    );
    return [size.toLocaleString('en-US'), ...cells, of(({ openMs }) => openMs), of(({ rssMiB }) => rssMiB)];
  });
  return table([axes[dimension].label, ...heads, 'open and first put, ms', 'process so far, MiB'], rows);
}

/** A line for each work, with whiskers from the least to the most. */
export function scaleSvg(entries: readonly Entry[], dimension: Dimension, subtitle: string): string {
  const own = entries.filter((entry) => entry.dimension === dimension);
  const names = [...new Set(own.flatMap(({ works }) => Object.keys(works)))];
  const { label, unit } = axes[dimension];
  return lineChartSvg({
    title: `Events per second by ${label}`,
    subtitle,
    x: { label, unit, isLogarithmic: true, ticks: sizesOf(own) },
    y: { label: 'throughput', unit: 'events/s', isLogarithmic: dimension === 'body' || dimension === 'producers' },
    series: names.map((name) => ({
      name,
      points: sizesOf(own).flatMap((size) => {
        const values = own.flatMap((one) => (one.size === size ? (one.works[name]?.eventsPerSecond ?? []) : []));
        if (values.length === 0) return [];
        return [{ x: size, y: median(values), low: Math.min(...values), high: Math.max(...values) }];
      }),
    })),
  });
}

function sizesOf(entries: readonly Entry[]): number[] {
  return [...new Set(entries.map(({ size }) => size))].sort((a, b) => a - b);
}
