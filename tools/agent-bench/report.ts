/** What was measured, as tables with the targets, and as the bars of a picture. */
import { table } from '../../native-free-bench/report.ts';
import { type BarChart, barChartSvg } from '../../src/bench/bar-chart.ts';
import { median } from '../../src/bench/latencies.ts';
import { readable } from '../../src/bench/readable.ts';
import type { EndToEndFigures } from './end-to-end.ts';
import type { LatencyFigures } from './latency.ts';

type EndToEndFigure = 'eventsPerSecond' | 'flowEventsPerSecond' | 'cpuSeconds' | 'peakMemoryMiB' | 'wallSeconds';

interface Row {
  readonly name: string;
  readonly figure: EndToEndFigure;
  /** Of forebay's figure divided by Flume's. */
  readonly target?: { readonly text: string; readonly isReached: (ratio: number) => boolean };
}

const rows: readonly Row[] = [
  {
    name: 'events/s',
    figure: 'eventsPerSecond',
    target: { text: '≥ 10', isReached: (ratio) => ratio >= 10 },
  },
  { name: 'events/s without start', figure: 'flowEventsPerSecond' },
  { name: 'seconds', figure: 'wallSeconds' },
  { name: 'CPU seconds', figure: 'cpuSeconds', target: { text: '≤ 0.125', isReached: (ratio) => ratio <= 1 / 8 } },
  {
    name: 'peak memory, MiB',
    figure: 'peakMemoryMiB',
    target: { text: '≤ 0.5', isReached: (ratio) => ratio <= 1 / 2 },
  },
];

/** Medians of the repetitions with their spread; undefined where nothing was measured. */
export function endToEndTable(measured: readonly EndToEndFigures[]): string | undefined {
  if (measured.length === 0) return undefined;
  const cells = [...new Set(measured.map(({ batch }) => batch))].flatMap((batch) =>
    rows.map(({ name, figure, target }) => {
      const [ours, theirs] = (['forebay', 'flume'] as const).map((side) =>
        measured.filter((one) => one.side === side && one.batch === batch).map((one) => one[figure]),
      ) as [number[], number[]];
      const ratio = median(ours) / median(theirs);
      const reached = target === undefined || Number.isNaN(ratio) ? '' : target.isReached(ratio) ? 'yes' : 'NO';
      const heading = `${name}, batches of ${batch}`;
      return [heading, spread(ours), spread(theirs), readable(ratio), target?.text ?? '', reached];
    }),
  );
  return table(['end to end', 'forebay', 'Flume', 'forebay / Flume', 'target', 'reached'], cells);
}

/** As `endToEndTable`, of latencies in ms. */
export function latencyTable(measured: readonly LatencyFigures[]): string | undefined {
  if (measured.length === 0) return undefined;
  const cells = (['forebay', 'flume', 'watch'] as const).map((side) => {
    const own = measured.filter((one) => one.side === side);
    const name = side === 'watch' ? 'of it the watching' : side === 'flume' ? 'Flume' : side;
    return [name, ...(['p50Ms', 'p99Ms', 'maxMs'] as const).map((figure) => spread(own.map((one) => one[figure])))];
  });
  return table(['line written → event in the file, ms', 'p50', 'p99', 'max'], cells);
}

/** One picture, and the end of its file's name. */
export interface Picture {
  readonly name: string;
  readonly svg: string;
}

/** Of what was measured. `subtitle`: on what. */
export function agentPictures(
  endToEnd: readonly EndToEndFigures[],
  latency: readonly LatencyFigures[],
  subtitle: string,
): readonly Picture[] {
  const charts: readonly (readonly [string, EndToEndFigure, string, string])[] = [
    ['events', 'eventsPerSecond', 'Spool directory → file channel → files', 'events/s'],
    ['cpu', 'cpuSeconds', 'Processor time for it all', 's'],
    ['memory', 'peakMemoryMiB', 'Peak memory of the process', 'MiB'],
  ];
  const batches = [...new Set(endToEnd.map(({ batch }) => batch))];
  const pictures = charts.map(([name, figure, title, unit]) => {
    const groups = batches.map((batch) => {
      const ofSide = (side: string) => endToEnd.filter((one) => one.side === side && one.batch === batch);
      return { name: `batches of ${batch}`, bars: bars((side) => ofSide(side).map((one) => one[figure])) };
    });
    return { name, svg: barChartSvg({ title, subtitle, unit, groups }) };
  });
  if (latency.length === 0) return batches.length === 0 ? [] : pictures;
  const groups = (['p50Ms', 'p99Ms', 'maxMs'] as const).map((figure) => ({
    name: figure.replace('Ms', ''),
    bars: bars((side) => latency.filter((one) => one.side === side).map((one) => one[figure])),
  }));
  const title = 'Line written to a tailed file → event in the sink’s file, 1,000 lines/s';
  const late = { name: 'latency', svg: barChartSvg({ title, subtitle, unit: 'ms', isLogarithmic: true, groups }) };
  return batches.length === 0 ? [late] : [...pictures, late];
}

function bars(valuesOf: (side: 'forebay' | 'flume') => readonly number[]): BarChart['groups'][number]['bars'] {
  return (['forebay', 'flume'] as const).flatMap((side) => {
    const values = valuesOf(side);
    if (values.length === 0) return [];
    const series = side === 'flume' ? 'Apache Flume' : side;
    return [{ series, value: median(values), low: Math.min(...values), high: Math.max(...values) }];
  });
}

function spread(values: readonly number[]): string {
  if (values.length === 0) return '–';
  const middle = readable(median(values));
  return values.length === 1 ? middle : `${middle} (${readable(Math.min(...values))}–${readable(Math.max(...values))})`;
}
