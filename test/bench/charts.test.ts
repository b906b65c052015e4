/** The pictures: what is on them, in which place, and that no text comes out as markup. */
import assert from 'node:assert/strict';
import test from 'node:test';
import { type BarChart, barChartSvg } from '../../src/bench/bar-chart.ts';
import { type LineChart, lineChartSvg } from '../../src/bench/line-chart.ts';
import { scaleOf } from '../../src/bench/scale.ts';
import { pictureWidth, shortNumber } from '../../src/bench/svg.ts';

const bars: BarChart = {
  title: 'Puts & takes',
  subtitle: 'ext4, <two> "cores"',
  unit: 'events/s',
  groups: [
    {
      name: 'put 1 × 1',
      bars: [
        { series: 'ours', value: 2000, low: 1500, high: 2500 },
        { series: 'theirs', value: 1000, note: 'not synced' },
      ],
      limit: 4000,
    },
    { name: '</svg><script>', bars: [{ series: 'ours', value: Number.NaN }] },
  ],
};

const lines: LineChart = {
  title: 'By size',
  subtitle: '',
  x: { label: 'size', unit: 'KiB', isLogarithmic: true, ticks: [4, 64, 1024] },
  y: { label: 'writes', unit: '1/s' },
  series: [
    {
      name: 'a < b',
      points: [
        { x: 1024, y: 10 },
        { x: 4, y: 100, low: 90, high: 110 },
        { x: 64, y: Number.NaN },
      ],
    },
  ],
};

/** Tags that open and close in order: what a reader of XML asks for. */
function tagsOf(svg: string): string[] {
  const open: string[] = [];
  const seen: string[] = [];
  for (const [, closing, name = '', single] of svg.matchAll(/<(\/?)(\w+)[^<>]*?(\/?)>/g)) {
    seen.push(name);
    if (closing === '/') assert.equal(open.pop(), name);
    else if (single !== '/') open.push(name);
  }
  assert.deepEqual(open, []);
  return seen;
}

function numbersOf(svg: string, pattern: RegExp): number[] {
  return [...svg.matchAll(pattern)].map((match) => Number(match[1]));
}

test('a bar is as long as its value, and the mark of the limit stands where it belongs', () => {
  const svg = barChartSvg(bars);
  const [ours = 0, theirs = 0] = numbersOf(svg, /<rect x="[\d.]+" y="[\d.]+" width="([\d.]+)" height="15"/g);
  assert.ok(Math.abs(ours - 2 * theirs) < 0.2, `${ours} and ${theirs}`);
  const [left = 0] = numbersOf(svg, /<rect x="([\d.]+)" y="[\d.]+" width="[\d.]+" height="15"/g);
  const limits = numbersOf(svg, /<line x1="([\d.]+)"[^>]*stroke-dasharray/g);
  assert.ok(
    limits.some((at) => Math.abs(at - left - 2 * ours) < 0.3),
    `${limits}, from ${left} on, ${ours}`,
  );
  assert.ok(svg.includes('>1000 not synced<'));
  assert.ok(svg.includes('>what the disk can do<'));
  assert.ok(svg.includes('>–<'), 'a value that is no number');
});

test('text stays text, nothing is loaded, and everything is inside of the picture', () => {
  for (const svg of [barChartSvg(bars), lineChartSvg(lines)]) {
    const tags = new Set(tagsOf(svg));
    const allowed = ['svg', 'title', 'style', 'rect', 'text', 'line', 'path', 'circle'];
    assert.deepEqual(
      [...tags].filter((tag) => !allowed.includes(tag)),
      [],
    );
    assert.doesNotMatch(svg, /href|@import|url\(|NaN|undefined|Infinity/);
    for (const x of numbersOf(svg, / (?:x|x1|x2|cx)="(-?[\d.]+)"/g)) assert.ok(x >= 0 && x <= pictureWidth, `${x}`);
  }
  assert.ok(barChartSvg(bars).includes('&lt;two&gt; &quot;cores&quot;'));
  assert.ok(barChartSvg({ ...bars, title: 'a\u0000b' }).includes('a\ufffdb'));
});

test('points are joined in the order of x, with a gap where one is missing', () => {
  const svg = lineChartSvg(lines);
  const path = /<path d="([^"]+)"/.exec(svg)?.[1] ?? '';
  assert.match(path, /^M[\d.]+ [\d.]+ M[\d.]+ [\d.]+$/);
  const xs = numbersOf(path, /M([\d.]+)/g);
  assert.ok((xs[0] ?? 0) < (xs[1] ?? 0));
  assert.ok(svg.includes('>size (KiB, logarithmic)<'));
  for (const tick of ['>4<', '>64<', '>1024<']) assert.ok(svg.includes(tick), tick);
});

test('an axis holds every value, begins at 0 where it is linear, and has round marks', () => {
  assert.deepEqual(scaleOf([0, 4000, 1234], { isLogarithmic: false }).ticks, [0, 1000, 2000, 3000, 4000]);
  assert.equal(scaleOf([5, 10], { isLogarithmic: false }).at(0), 0);
  const wide = scaleOf([15, 1_200_000], { isLogarithmic: true });
  assert.deepEqual(wide.ticks, [10, 100, 1000, 10_000, 100_000, 1_000_000, 10_000_000]);
  assert.ok(wide.at(15) > 0 && wide.at(1_200_000) < 1 && wide.at(150) > wide.at(15));
  for (const isLogarithmic of [false, true]) {
    for (const values of [[], [0], [7], [Number.NaN]]) {
      const scale = scaleOf(values, { isLogarithmic });
      assert.ok(scale.ticks.length >= 2, `${values}`);
      for (const value of values) assert.ok(!(scale.at(value) < 0 || scale.at(value) > 1));
    }
  }
});

test('an empty chart is a picture too', () => {
  tagsOf(barChartSvg({ ...bars, groups: [] }));
  tagsOf(lineChartSvg({ ...lines, series: [] }));
});

test('numbers have three digits and a letter for thousands', () => {
  const texts = [0, 0.1234, 9.876, 123.4, 9999, 10_000, 456_789, 999_499, 999_500, 1_234_567, 2.5e9].map(shortNumber);
  assert.deepEqual(texts, ['0', '0.123', '9.88', '123', '9999', '10 k', '457 k', '999 k', '1 M', '1.23 M', '2.5 G']);
});
