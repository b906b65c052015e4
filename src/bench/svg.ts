/**
 * What all pictures share: a card that is legible on a white and on a dark page, its head and its legend, and text that
 * no markup can come out of. No scripts, and no fonts but those that are there.
 */

/** Of every picture, px. */
export const pictureWidth = 860;
/** Between the card's edge and what is on it, px. */
export const cardMargin = 24;
/** Below the head of a card, px from its top, where its legend has one line. */
const legendTop = 78;
const legendLine = 20;

/** Mid-tones: to be told apart from each other, from white and from black. */
const colours: readonly string[] = [
  '#2f7ed8',
  '#e07b00',
  '#1a9e77',
  '#c2498f',
  '#8a6fd6',
  '#d6453d',
  '#9a8a00',
  '#3a9fb5',
  '#9a7350',
  '#7f8791',
];

/** The one of a series, by its place in the legend. */
export function colourOf(index: number): string {
  return colours[index % colours.length] ?? '#7f8791';
}

/** How wide a text is at most, about, px: there is no font to ask. */
export function textWidth(text: string, fontPx = 12): number {
  return [...text].length * fontPx * 0.6;
}

/** For text and for attributes; what XML does not allow at all becomes U+FFFD. */
export function escaped(text: string): string {
  const names: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' };
  return text
    .replaceAll(/[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\u{10000}-\u{10ffff}]/gu, '\ufffd')
    .replaceAll(/[&<>"]/g, (character) => names[character] ?? character);
}

/** `1.23 M`, `456 k`, `12.3`, `0.12`: three digits. */
export function shortNumber(value: number): string {
  if (!Number.isFinite(value)) return '–';
  if (value === 0) return '0';
  const size = Math.abs(value);
  const [divisor, suffix] =
    size >= 999.5e6 ? [1e9, ' G'] : size >= 999.5e3 ? [1e6, ' M'] : size >= 10e3 ? [1e3, ' k'] : [1, ''];
  const scaled = value / divisor;
  const text = Math.abs(scaled) >= 999.5 ? String(Math.round(scaled)) : String(Number(scaled.toPrecision(3)));
  return `${text}${suffix}`;
}

/** A place on the picture, as written in it: tenths of a pixel. */
export function px(value: number): string {
  return String(Math.round(10 * value) / 10);
}

/** A text. `ink` is what is read first, `faint` what is beside it. */
export function textAt(
  text: string,
  x: number,
  y: number,
  look: {
    readonly kind?: 'ink' | 'faint';
    readonly anchor?: 'start' | 'middle' | 'end';
    readonly fontPx?: number;
    readonly isBold?: boolean;
    readonly turned?: boolean;
  } = {},
): string {
  const { kind = 'ink', anchor = 'start', fontPx = 12, isBold = false, turned = false } = look;
  const attributes = [
    `class="${kind}"`,
    `x="${px(x)}" y="${px(y)}"`,
    `font-size="${fontPx}" fill="${kind === 'ink' ? '#1f2328' : '#59636e'}"`,
    ...(anchor === 'start' ? [] : [`text-anchor="${anchor}"`]),
    ...(isBold ? ['font-weight="600"'] : []),
    ...(turned ? [`transform="rotate(-90 ${px(x)} ${px(y)})"`] : []),
  ];
  return `<text ${attributes.join(' ')}>${escaped(text)}</text>`;
}

/** A line: of the `grid`, a thin one for what is measured (`ink`), or a dashed one for a limit. */
export function lineAt(x1: number, y1: number, x2: number, y2: number, kind: 'grid' | 'ink' | 'limit'): string {
  const looks = {
    grid: 'class="grid" stroke="#d1d9e0" stroke-width="1"',
    ink: 'class="mark" stroke="#1f2328" stroke-width="1.2"',
    limit: 'class="mark" stroke="#1f2328" stroke-width="1.6" stroke-dasharray="3 2"',
  };
  return `<line x1="${px(x1)}" y1="${px(y1)}" x2="${px(x2)}" y2="${px(y2)}" ${looks[kind]}/>`;
}

/** What the card's legend names: a colour, or the dashed line of a limit. */
export interface LegendEntry {
  readonly name: string;
  readonly colour: string | 'limit';
}

/** Where entries stand: as many in a line as it holds. */
function legendPlaces(entries: readonly LegendEntry[]): { readonly x: number; readonly line: number }[] {
  let x = cardMargin;
  let line = 0;
  return entries.map(({ name }) => {
    const width = 36 + textWidth(name);
    if (x > cardMargin && x + width > pictureWidth - cardMargin) {
      x = cardMargin;
      line += 1;
    }
    const place = { x, line };
    x += width;
    return place;
  });
}

/** Where a card's own drawing begins, px from its top. */
export function contentTop(legend: readonly LegendEntry[]): number {
  const lines = legend.length === 0 ? 0 : (legendPlaces(legend).at(-1)?.line ?? 0) + 1;
  return legendTop + legendLine * lines;
}

function drawnLegend(entries: readonly LegendEntry[]): string[] {
  const places = legendPlaces(entries);
  return entries.flatMap(({ name, colour }, index) => {
    const { x, line } = places[index] ?? { x: cardMargin, line: 0 };
    const y = legendTop + legendLine * line;
    const sign =
      colour === 'limit'
        ? lineAt(x + 6, y - 11, x + 6, y + 2, 'limit')
        : `<rect x="${px(x)}" y="${px(y - 10)}" width="12" height="12" rx="2" fill="${colour}"/>`;
    return [sign, textAt(name, x + 18, y)];
  });
}

const darkStyle = `<style>@media (prefers-color-scheme: dark) {
.card { fill: #0d1117; stroke: #3d444d } .ink { fill: #f0f6fc } .faint { fill: #9198a1 }
.grid { stroke: #3d444d } .mark { stroke: #f0f6fc }
}</style>`;

/** The whole picture: a card of `height` px with its head, its legend and what is drawn on it. */
export function card(
  head: { readonly title: string; readonly subtitle: string; readonly legend: readonly LegendEntry[] },
  height: number,
  drawn: readonly string[],
): string {
  const font = 'font-family="system-ui, -apple-system, Segoe UI, Helvetica, Arial, sans-serif"';
  const size = `width="${pictureWidth}" height="${px(height)}" viewBox="0 0 ${pictureWidth} ${px(height)}"`;
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" ${size} role="img" ${font}>`,
    `<title>${escaped(head.title)}</title>`,
    darkStyle,
    `<rect class="card" x="0.5" y="0.5" width="${pictureWidth - 1}" height="${px(height - 1)}" rx="8"` +
      ' fill="#ffffff" stroke="#d1d9e0"/>',
    textAt(head.title, cardMargin, 32, { fontPx: 17, isBold: true }),
    textAt(head.subtitle, cardMargin, 52, { kind: 'faint' }),
    ...drawnLegend(head.legend),
    ...drawn,
    '</svg>',
    '',
  ].join('\n');
}
