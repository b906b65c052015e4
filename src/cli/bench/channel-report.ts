/** What `forebay bench channel` shows of its rows: tables, a document, a picture. */
import { kib, mib } from '../../base/units.ts';
import { type BarGroup, barChartSvg } from '../../bench/bar-chart.ts';
import type { ChannelRow, OpenRow, WorkRow } from '../../bench/channel-bench.ts';
import { readable } from '../../bench/readable.ts';
import type { Spread } from '../../bench/rounds.ts';
import { tableOf } from '../channel/table.ts';
import { counted } from '../channel/verb.ts';
import type { ChannelRequest } from './channel-cells.ts';
import { type BenchGround, rangeText, roundsText } from './session.ts';

function isWork(row: ChannelRow): row is WorkRow {
  return row.cell.kind === 'work';
}

function isOpening(row: ChannelRow): row is OpenRow {
  return row.cell.kind === 'open';
}

/** Tables: works, openings, memory; each where it was asked for. */
export function channelLines(rows: readonly ChannelRow[], { works }: ChannelRequest): string[] {
  const openings = rows.filter(isOpening);
  const tables = [
    workLines(rows.filter(isWork)),
    works.includes('open') ? openingLines(openings) : [],
    works.includes('memory') ? memoryLines(openings) : [],
  ];
  return tables.filter((lines) => lines.length > 0).flatMap((lines, index) => (index === 0 ? lines : ['', ...lines]));
}

const workHeads: readonly string[] = [
  'producers × batch',
  'body B',
  'headers',
  'events/s',
  'least–most',
  'MB/s',
  'p50 µs',
  'p99 µs',
  'cores',
  'group KiB',
  'disk alone, events/s',
  'share %',
];

function workLines(rows: readonly WorkRow[]): string[] {
  if (rows.length === 0) return [];
  const cells = rows.flatMap((row) => {
    const { cell, name, limit, share, putEventsPerSecond: put } = row;
    const kind = [counted(cell.bodyBytes), String(cell.headers)];
    const line = [
      put === undefined ? name : `${name}: taken`,
      ...kind,
      readable(row.eventsPerSecond.median),
      rangeText(row.eventsPerSecond),
      readable(row.megabytesPerSecond.median),
      readable(row.p50Us),
      readable(row.p99Us),
      readable(row.cpuCores),
      readable(row.groupBytes / kib),
      limit === undefined ? '–' : `${readable(limit.eventsPerSecond)} (${limit.by})`,
      share === undefined ? '–' : (100 * share.median).toFixed(0),
    ];
    if (put === undefined) return [line];
    const blanks = workHeads.slice(5).map(() => '');
    return [line, [`${name}: put`, ...kind, readable(put.median), rangeText(put), ...blanks]];
  });
  return tableOf(workHeads, cells, workHeads.slice(1));
}

function openingLines(rows: readonly OpenRow[]): string[] {
  if (rows.length === 0) return [];
  const heads = [
    'opening, the process before was',
    'waiting',
    'body B',
    'open ms',
    'least–most',
    'first put ms',
    'health',
  ];
  const cells = rows.map(({ cell, openMs, firstPutMs, health }) => [
    cell.ending,
    counted(cell.events),
    counted(cell.bodyBytes),
    readable(openMs.median),
    rangeText(openMs),
    readable(firstPutMs.median),
    health,
  ]);
  return tableOf(heads, cells, heads.slice(1, -1));
}

/** Of the pair of processes with an orderly end between them. */
function memoryLines(rows: readonly OpenRow[]): string[] {
  const heads = ['memory of the whole process', 'waiting', 'body B', 'peak MiB', 'least–most'];
  const scaled = (spread: Spread): Spread => ({
    median: spread.median / mib,
    low: spread.low / mib,
    high: spread.high / mib,
  });
  const cells = memoryRows(rows).flatMap(({ cell, fillPeakBytes, beforeBytes, openPeakBytes }) =>
    (
      [
        ['before it opened a channel', beforeBytes],
        ['opened, one put, 1000 taken', openPeakBytes],
        ['putting all of them', fillPeakBytes],
      ] as const
    ).map(([name, spread]) => {
      const { median } = scaled(spread);
      return [name, counted(cell.events), counted(cell.bodyBytes), readable(median), rangeText(scaled(spread))];
    }),
  );
  return tableOf(heads, cells, heads.slice(1));
}

function memoryRows(rows: readonly OpenRow[]): readonly OpenRow[] {
  return rows.filter(({ cell }) => cell.ending === 'closed');
}

/** A row of the document. */
export function channelJsonRow({ cell, ...figures }: ChannelRow): object {
  return { ...cell, ...figures };
}

/** Works with the disk's own limit; where none was measured, the openings. */
export function channelSvg(
  rows: readonly ChannelRow[],
  { machine, ground }: BenchGround,
  { rounds }: ChannelRequest,
): string {
  const where = `${ground.fileSystem ?? 'unknown file system'}, ${machine.cpus} × ${machine.cpu}, Node ${machine.node}`;
  const subtitle = `${where}; ${roundsText(rounds)}, least to most`;
  const works = rows.filter(isWork);
  if (works.length === 0) {
    const groups = rows.filter(isOpening).map(({ cell, openMs }) => openGroup(cell, openMs));
    return barChartSvg({ title: 'Opening a channel with a backlog', subtitle, unit: 'ms', groups });
  }
  const isOneKind = new Set(works.map(({ cell }) => `${cell.bodyBytes} ${cell.headers}`)).size === 1;
  const [{ cell } = works[0] ?? { cell: undefined }] = works;
  const kind = isOneKind && cell !== undefined ? `, bodies of ${cell.bodyBytes} B` : '';
  return barChartSvg({
    title: `Durable events a second${kind}`,
    subtitle,
    unit: 'events/s',
    isLogarithmic: true,
    groups: works.map((row) => workGroup(row, isOneKind)),
    limitName: 'what the disk does by itself',
  });
}

function openGroup({ ending, events, bodyBytes }: OpenRow['cell'], { median, low, high }: Spread): BarGroup {
  const name = `${ending}, ${counted(events)} × ${bodyBytes} B`;
  return { name, bars: [{ series: 'until it is open', value: median, low, high }] };
}

function workGroup({ cell, name, eventsPerSecond, limit, share }: WorkRow, isOneKind: boolean): BarGroup {
  const { median, low, high } = eventsPerSecond;
  const series = { put: 'put', take: 'taken from the disk', mixed: 'taken while others put' }[cell.work.kind];
  const note = share === undefined ? {} : { note: `(${(100 * share.median).toFixed(0)} %)` };
  const headers = cell.headers === 0 ? '' : `, ${cell.headers} headers`;
  return {
    name: isOneKind ? name : `${name}, ${cell.bodyBytes} B${headers}`,
    bars: [{ series, value: median, low, high, ...note }],
    ...(limit === undefined ? {} : { limit: limit.eventsPerSecond }),
  };
}
