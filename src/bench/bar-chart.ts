/** Horizontal bars in groups, as a picture for a report: which series reaches what, side by side. */
import { scaleOf } from './scale.ts';
import {
  card,
  cardMargin,
  colourOf,
  contentTop,
  escaped,
  type LegendEntry,
  lineAt,
  pictureWidth,
  px,
  shortNumber,
  textAt,
  textWidth,
} from './svg.ts';

/** Bars that are to be compared: one work, one size. */
export interface BarGroup {
  readonly name: string;
  readonly bars: readonly {
    readonly series: string;
    readonly value: number;
    /** The whisker's ends; no whisker without both. */
    readonly low?: number;
    readonly high?: number;
    /** Behind the value: `not synced`. */
    readonly note?: string;
  }[];
  /** What the disk can do: a mark across the group's bars. */
  readonly limit?: number;
}

/** A picture of bars. */
export interface BarChart {
  readonly title: string;
  readonly subtitle: string;
  /** Of all values: `events/s`. */
  readonly unit: string;
  readonly isLogarithmic?: boolean;
  readonly groups: readonly BarGroup[];
  /** What the mark at a group's limit is called in the legend. Default `what the disk can do`. */
  readonly limitName?: string;
}

const barHeight = 15;
const barGap = 3;
const groupGap = 16;
const nameWidthMax = 260;

/** The bars of one series have one colour. A value that is no number has no bar and is shown as `–`. */
export function barChartSvg(chart: BarChart): string {
  const { groups, title, subtitle } = chart;
  const series = [...new Set(groups.flatMap(({ bars }) => bars.map((bar) => bar.series)))];
  const legend: LegendEntry[] = series.map((name, index) => ({ name, colour: colourOf(index) }));
  if (groups.some(({ limit }) => limit !== undefined)) {
    legend.push({ name: chart.limitName ?? 'what the disk can do', colour: 'limit' });
  }
  const top = contentTop(legend);
  const heights = groups.map(({ bars }) => Math.max(1, bars.length) * (barHeight + barGap) + groupGap);
  const bottom = top + heights.reduce((sum, height) => sum + height, 0);
  const plot = plotOf(chart);
  const grid = plot.ticks.flatMap((tick) => [
    lineAt(plot.x(tick), top, plot.x(tick), bottom, 'grid'),
    textAt(shortNumber(tick), plot.x(tick), bottom + 16, { kind: 'faint', anchor: 'middle', fontPx: 11 }),
  ]);
  const scaleText = chart.isLogarithmic === true ? `${chart.unit} (logarithmic)` : chart.unit;
  const middle = (plot.left + plot.right) / 2;
  const drawn = groups.flatMap((group, index) => {
    const above = heights.slice(0, index).reduce((sum, height) => sum + height, top + groupGap / 2);
    return drawnGroup(group, above, plot, (name) => colourOf(series.indexOf(name)));
  });
  const axis = textAt(scaleText, middle, bottom + 34, { kind: 'faint', anchor: 'middle' });
  return card({ title, subtitle, legend }, bottom + 50, [...grid, ...drawn, axis]);
}

/** Between the names on the left and the last value on the right. */
interface Plot {
  readonly left: number;
  readonly right: number;
  readonly ticks: readonly number[];
  x(value: number): number;
}

function plotOf({ groups, isLogarithmic = false }: BarChart): Plot {
  const bars = groups.flatMap((group) => group.bars);
  const limits = groups.flatMap(({ limit }) => (limit === undefined ? [] : [limit]));
  const values = bars.flatMap(({ value, low = value, high = value }) => [value, low, high]);
  const scale = scaleOf([...values, ...limits], { isLogarithmic });
  const nameWidth = Math.min(nameWidthMax, Math.max(0, ...groups.map(({ name }) => textWidth(name))));
  const labelWidth = Math.max(0, ...bars.map((bar) => textWidth(labelOf(bar), 11)));
  const left = cardMargin + nameWidth + 10;
  const right = Math.max(left + 120, pictureWidth - cardMargin - labelWidth - 8);
  return { left, right, ticks: scale.ticks, x: (value) => left + scale.at(value) * (right - left) };
}

function labelOf({ value, note }: BarGroup['bars'][number]): string {
  return note === undefined ? shortNumber(value) : `${shortNumber(value)} ${note}`;
}

function drawnGroup({ name, bars, limit }: BarGroup, top: number, plot: Plot, colour: (series: string) => string) {
  const height = Math.max(1, bars.length) * (barHeight + barGap) - barGap;
  const middle = top + height / 2 + 4;
  const marks = bars.flatMap((bar, index) =>
    drawnBar(bar, limit, top + index * (barHeight + barGap), plot, colour(bar.series)),
  );
  const mark =
    limit === undefined || !Number.isFinite(limit)
      ? []
      : [lineAt(plot.x(limit), top - 4, plot.x(limit), top + height + 4, 'limit')];
  return [textAt(shortened(name), plot.left - 10, middle, { anchor: 'end' }), ...marks, ...mark];
}

type Bar = BarGroup['bars'][number];

function drawnBar(bar: Bar, limit: number | undefined, top: number, plot: Plot, colour: string): string[] {
  const { value, low = Number.NaN, high = Number.NaN, series } = bar;
  const end = Number.isFinite(value) ? plot.x(value) : plot.left;
  const hasWhisker = Number.isFinite(low) && Number.isFinite(high);
  const middle = top + barHeight / 2;
  const parts = [
    `<rect x="${px(plot.left)}" y="${px(top)}" width="${px(Math.max(0.5, end - plot.left))}" height="${barHeight}"` +
      ` fill="${colour}"><title>${escaped(`${series}: ${labelOf(bar)}`)}</title></rect>`,
  ];
  if (hasWhisker) {
    parts.push(lineAt(plot.x(low), middle, plot.x(high), middle, 'ink'));
    for (const at of [low, high]) parts.push(lineAt(plot.x(at), middle - 3, plot.x(at), middle + 3, 'ink'));
  }
  const behind = Math.max(end, hasWhisker ? plot.x(high) : 0) + 6;
  const mark = limit === undefined ? Number.NaN : plot.x(limit);
  // The mark is not to be drawn through the value.
  const isCrossed = mark > behind - 6 && mark < behind + textWidth(labelOf(bar), 11);
  return [...parts, textAt(labelOf(bar), isCrossed ? mark + 5 : behind, middle + 4, { fontPx: 11 })];
}

function shortened(name: string): string {
  const letters = [...name];
  const most = Math.floor(nameWidthMax / textWidth('m'));
  return letters.length <= most ? name : `${letters.slice(0, most - 1).join('')}…`;
}
