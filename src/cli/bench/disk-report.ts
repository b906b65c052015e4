/** What `forebay bench disk` shows of its rows: a table, a document, a picture. */
import { kib } from '../../base/units.ts';
import type { DiskRow } from '../../bench/disk-bench.ts';
import type { DiskCell, SequentialCell, WriteCell } from '../../bench/disk-cells.ts';
import { lineChartSvg } from '../../bench/line-chart.ts';
import type { WriteWay } from '../../bench/raw-file.ts';
import { readable } from '../../bench/readable.ts';
import { tableOf } from '../channel/table.ts';
import { type BenchGround, rangeText, roundsText } from './session.ts';

const wayTexts: Readonly<Record<WriteWay, string>> = {
  direct: 'O_DIRECT | O_DSYNC, past the cache',
  buffered: 'through the cache, fdatasync after each write',
  dsync: 'through the cache, O_DSYNC',
};

interface WriteRow extends DiskRow {
  readonly cell: WriteCell;
}

function isWrite(row: DiskRow): row is WriteRow {
  return row.cell.kind === 'write';
}

/** `1 file`, `4 files at once`. */
function filesText(files: number): string {
  return files === 1 ? '1 file' : `${files} files at once`;
}

/** Of a cell, for the line of progress. */
export function cellText(cell: DiskCell): string {
  if (cell.kind !== 'write') return `${cell.kind.replace('-', ' ')}, ${filesText(cell.files)}`;
  return `${cell.way}, ${cell.layout} ${cell.bytes / kib} KiB, ${filesText(cell.files)}`;
}

/** A table for each way and count of files, and one for what goes in order. */
export function diskLines(rows: readonly DiskRow[], isDirect: boolean): string[] {
  const writes = rows.filter(isWrite);
  const lines: string[] = [];
  for (const [name, group] of seriesOf(writes, groupOf)) lines.push(`write + sync: ${name}`, ...writeLines(group), '');
  const sequential = rows.filter((row) => !isWrite(row));
  if (sequential.length > 0) lines.push(...sequentialLines(sequential, isDirect));
  return lines;
}

/** By name, in their order. */
function seriesOf(rows: readonly WriteRow[], nameOf: (row: WriteRow) => string): ReadonlyMap<string, WriteRow[]> {
  const series = new Map<string, WriteRow[]>();
  for (const row of rows) series.set(nameOf(row), [...(series.get(nameOf(row)) ?? []), row]);
  return series;
}

function groupOf({ cell }: WriteRow): string {
  return `${wayTexts[cell.way]}, ${filesText(cell.files)}`;
}

function writeLines(rows: readonly WriteRow[]): string[] {
  if (rows.every(({ perSecond }) => perSecond === undefined)) return ['  refused by this file system'];
  const heads = ['layout', 'KiB', 'writes/s', 'least–most', 'MB/s', 'p50 µs', 'p99 µs'];
  const cells = rows.map(({ cell, perSecond, megabytesPerSecond, p50Us, p99Us }) => [
    cell.layout,
    String(cell.bytes / kib),
    readable(perSecond?.median),
    rangeText(perSecond),
    readable(megabytesPerSecond?.median),
    readable(p50Us),
    readable(p99Us),
  ]);
  return tableOf(heads, cells, heads.slice(1));
}

function sequentialLines(rows: readonly DiskRow[], isDirect: boolean): string[] {
  const heads = ['in order, 1 MiB each', 'MB/s', 'least–most'];
  const cells = rows.map(({ cell, megabytesPerSecond }) => [
    sequentialText(cell as SequentialCell, isDirect),
    readable(megabytesPerSecond?.median),
    rangeText(megabytesPerSecond),
  ]);
  return tableOf(heads, cells, heads.slice(1));
}

function sequentialText({ kind, files }: SequentialCell, isDirect: boolean): string {
  const what = kind === 'sequential-write' ? 'write, one sync at the end' : 'read';
  const how = isDirect ? 'past the cache' : 'THROUGH the cache (O_DIRECT is refused)';
  return `${what}, ${how}, ${filesText(files)}`;
}

/** A row of the document: the cell's own fields beside its figures. */
export function diskJsonRow({ cell, perSecond, ...figures }: DiskRow): object {
  return perSecond === undefined ? { ...cell, refused: true } : { ...cell, perSecond, ...figures };
}

/** More lines than those of two ways lie on each other. */
const waysDrawn = 2;

/** By size, for one file, or for as few as were measured: a line for each layout and way; the table has all ways. */
export function diskSvg(rows: readonly DiskRow[], { machine, ground }: BenchGround, rounds: number): string {
  const writes = rows.filter(isWrite).filter(({ perSecond }) => perSecond !== undefined);
  const files = Math.min(...writes.map(({ cell }) => cell.files));
  const ways = [...new Set(writes.map(({ cell }) => cell.way))].slice(0, waysDrawn);
  const shown = writes.filter(({ cell }) => cell.files === files && ways.includes(cell.way));
  const series = seriesOf(shown, ({ cell }) => `${cell.layout}, ${cell.way}`);
  const where = `${ground.fileSystem ?? 'unknown file system'}, ${machine.cpus} × ${machine.cpu}, Node ${machine.node}`;
  return lineChartSvg({
    title: `Durable writes by size: ${filesText(files)}`,
    subtitle: `${where}; ${roundsText(rounds)}, shaded from least to most`,
    x: {
      label: 'size of one write',
      unit: 'KiB',
      isLogarithmic: true,
      ticks: [...new Set(shown.map(({ cell }) => cell.bytes / kib))].sort((a, b) => a - b),
    },
    y: { label: 'written and synced', unit: 'MB/s', isLogarithmic: true },
    series: [...series].map(([name, some]) => ({
      name,
      points: some.map(({ cell, megabytesPerSecond: { median, low, high } = { median: 0, low: 0, high: 0 } }) => ({
        x: cell.bytes / kib,
        y: median,
        low,
        high,
      })),
    })),
  });
}
