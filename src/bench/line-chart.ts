/** Lines over an axis of numbers, as a picture for a report: how a figure goes with a size or a count. */
import { type Scale, scaleOf } from './scale.ts';
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

/** One axis. */
interface LineAxis {
  readonly label: string;
  /** `KiB`, `events/s`; behind the label in brackets. Empty: none. */
  readonly unit: string;
  readonly isLogarithmic?: boolean;
  /** Where it has marks, in place of round values. */
  readonly ticks?: readonly number[];
}

/** A picture of lines. */
export interface LineChart {
  readonly title: string;
  readonly subtitle: string;
  readonly x: LineAxis;
  readonly y: LineAxis;
  /** Points are joined in the order of x. `low` and `high` are the ends of a whisker. */
  readonly series: readonly {
    readonly name: string;
    readonly points: readonly {
      readonly x: number;
      readonly y: number;
      readonly low?: number;
      readonly high?: number;
    }[];
  }[];
}

type Series = LineChart['series'][number];

const plotHeight = 320;

/** Each series has a colour. Points without finite numbers are left out, and their line has a gap of them. */
export function lineChartSvg(chart: LineChart): string {
  const { title, subtitle, x, y, series } = chart;
  const legend: LegendEntry[] = series.map(({ name }, index) => ({ name, colour: colourOf(index) }));
  const top = contentTop(legend) + 6;
  const bottom = top + plotHeight;
  const points = series.flatMap((one) => one.points);
  const across = scaleOf(
    points.map((point) => point.x),
    shapeOf(x),
  );
  const up = scaleOf(
    points.flatMap((point) => [point.y, point.low ?? point.y, point.high ?? point.y]),
    shapeOf(y),
  );
  const labelWidth = Math.max(...up.ticks.map((tick) => textWidth(shortNumber(tick), 11)));
  const left = cardMargin + 22 + labelWidth;
  const plot: Plot = { left, right: pictureWidth - cardMargin - 10, top, bottom, across, up };
  const drawn = series.flatMap((one, index) => drawnSeries(one, plot, colourOf(index)));
  const axes = [
    textAt(axisText(x), (left + plot.right) / 2, bottom + 36, { kind: 'faint', anchor: 'middle' }),
    textAt(axisText(y), cardMargin + 4, (top + bottom) / 2, { kind: 'faint', anchor: 'middle', turned: true }),
  ];
  return card({ title, subtitle, legend }, bottom + 52, [...drawnGrid(plot), ...axes, ...drawn]);
}

interface Plot {
  readonly left: number;
  readonly right: number;
  readonly top: number;
  readonly bottom: number;
  readonly across: Scale;
  readonly up: Scale;
}

function shapeOf({ isLogarithmic = false, ticks }: LineAxis): Parameters<typeof scaleOf>[1] {
  return ticks === undefined ? { isLogarithmic } : { isLogarithmic, ticks };
}

function axisText({ label, unit, isLogarithmic = false }: LineAxis): string {
  const said = [...(unit === '' ? [] : [unit]), ...(isLogarithmic ? ['logarithmic'] : [])];
  return said.length === 0 ? label : `${label} (${said.join(', ')})`;
}

function drawnGrid({ left, right, top, bottom, across, up }: Plot): string[] {
  const columns = across.ticks.flatMap((tick) => {
    const at = left + across.at(tick) * (right - left);
    const label = textAt(shortNumber(tick), at, bottom + 17, { kind: 'faint', anchor: 'middle', fontPx: 11 });
    return [lineAt(at, top, at, bottom, 'grid'), label];
  });
  const rows = up.ticks.flatMap((tick) => {
    const at = bottom - up.at(tick) * (bottom - top);
    const label = textAt(shortNumber(tick), left - 6, at + 4, { kind: 'faint', anchor: 'end', fontPx: 11 });
    return [lineAt(left, at, right, at, 'grid'), label];
  });
  return [...columns, ...rows];
}

function drawnSeries({ name, points }: Series, { left, right, top, bottom, across, up }: Plot, colour: string) {
  const ordered = [...points].sort((a, b) => a.x - b.x);
  const height = (value: number): number => bottom - up.at(value) * (bottom - top);
  let isBroken = true;
  const path: string[] = [];
  const marks: string[] = [];
  for (const { x, y, low = Number.NaN, high = Number.NaN } of ordered) {
    if (!Number.isFinite(x) || !Number.isFinite(y)) {
      isBroken = true;
      continue;
    }
    const at = left + across.at(x) * (right - left);
    path.push(`${isBroken ? 'M' : 'L'}${px(at)} ${px(height(y))}`);
    isBroken = false;
    if (Number.isFinite(low) && Number.isFinite(high)) {
      const ends = `x1="${px(at)}" y1="${px(height(low))}" x2="${px(at)}" y2="${px(height(high))}"`;
      marks.push(`<line ${ends} stroke="${colour}" stroke-width="5" stroke-opacity="0.35"/>`);
    }
    const title = escaped(`${name}: ${shortNumber(y)} at ${shortNumber(x)}`);
    marks.push(
      `<circle cx="${px(at)}" cy="${px(height(y))}" r="3.2" fill="${colour}"><title>${title}</title></circle>`,
    );
  }
  return [`<path d="${path.join(' ')}" fill="none" stroke="${colour}" stroke-width="2"/>`, ...marks];
}
