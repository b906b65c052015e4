/** From single results to what the document shows: medians and spreads, a series for each contender and Node. */
import { median } from '../../src/bench/latencies.ts';
import { allCells, type Cell, mainSideOf } from './cells.ts';
import { type Contender, contenders } from './contenders.ts';
import type { ResultLine } from './results-file.ts';

/** The bars of one colour. */
export interface Series {
  /** `forebay, Node 20`; without the Node for what does not run in it. */
  readonly name: string;
  readonly contender: Contender;
  /** `20`; undefined where the results under all of them count together. */
  readonly node: string | undefined;
}

/** What one series did in one cell: medians over its repetitions, and the lowest and highest. */
export interface CellFigures {
  readonly repetitions: number;
  readonly eventsPerSecond: number;
  readonly low: number;
  readonly high: number;
  readonly p50Us: number;
  readonly p99Us: number;
  readonly cpuCores: number;
  /** The other side of `both`, events/s. */
  readonly putPerSecond: number | undefined;
  /** What the disk did by itself with writes of the median size, as many events in each: events/s. Of forebay only. */
  readonly limit: number | undefined;
  /** The median size of those writes, bytes. */
  readonly writeBytes: number | undefined;
}

/** forebay beside the fastest peer that syncs first, both measured under the same Node in the same run. */
export interface Comparison {
  readonly best: Contender;
  readonly bestEventsPerSecond: number;
  readonly ratio: number;
}

/** The major version of `v20.1.2`. */
export function nodeMajor(version: string): string {
  return version.replace(/^v/, '').split('.')[0] ?? version;
}

/** All results that a document is made of. */
export class Figures {
  readonly #results: readonly ResultLine[];
  /** `20`, `24`, those that are there. */
  readonly nodes: readonly string[];
  readonly series: readonly Series[];
  /** Those with any result, in the order of measuring. */
  readonly cells: readonly Cell[];

  constructor(results: readonly ResultLine[]) {
    this.#results = results;
    this.nodes = [...new Set(results.map(({ node }) => nodeMajor(node)))].sort((a, b) => Number(a) - Number(b));
    this.cells = allCells.filter(({ id }) => results.some(({ cell }) => cell === id));
    const measured = contenders.filter(({ name }) => results.some((one) => one.contender === name));
    this.series = measured.flatMap((contender): Series[] => {
      const all = { name: contender.title, contender, node: undefined };
      if (!contender.isNode) return [all];
      return this.nodes.map((node) => ({ name: `${contender.title}, Node ${node}`, contender, node }));
    });
  }

  /** Undefined where it was not measured. */
  of(cell: Cell, { contender, node }: { contender: Contender; node: string | undefined }): CellFigures | undefined {
    const side = mainSideOf(cell.work);
    const lines = this.#results.filter(
      (one) =>
        one.cell === cell.id &&
        one.contender === contender.name &&
        (node === undefined || nodeMajor(one.node) === node) &&
        one.figures[side] !== undefined,
    );
    if (lines.length === 0) return undefined;
    const main = lines.flatMap(({ figures }) => figures[side] ?? []);
    const rates = main.map(({ eventsPerSecond }) => eventsPerSecond);
    return {
      repetitions: lines.length,
      eventsPerSecond: median(rates),
      low: Math.min(...rates),
      high: Math.max(...rates),
      p50Us: median(main.map(({ p50Us }) => p50Us)),
      p99Us: median(main.map(({ p99Us }) => p99Us)),
      cpuCores: median(lines.map(({ figures }) => figures.cpuCores)),
      putPerSecond:
        cell.work === 'both' ? medianOf(lines.flatMap(({ figures }) => figures.put?.eventsPerSecond ?? [])) : undefined,
      limit: cell.work === 'take' ? undefined : medianOf(lines.flatMap((line) => limitOf(line, side) ?? [])),
      writeBytes: medianOf(lines.flatMap(({ groups }) => groups?.bytesMedian ?? [])),
    };
  }

  /** Undefined where forebay, or every peer that syncs first, was not measured in this cell under this Node. */
  compare(cell: Cell, node: string): Comparison | undefined {
    const rateOf = (contender: Contender): number => this.of(cell, { contender, node })?.eventsPerSecond ?? 0;
    const [ours, ...peers] = contenders.filter(({ syncsFirst }) => syncsFirst);
    const [best] = peers.sort((a, b) => rateOf(b) - rateOf(a));
    if (ours === undefined || best === undefined || rateOf(ours) === 0 || rateOf(best) === 0) return undefined;
    return { best, bestEventsPerSecond: rateOf(best), ratio: rateOf(ours) / rateOf(best) };
  }
}

function medianOf(values: readonly number[]): number | undefined {
  return values.length === 0 ? undefined : median(values);
}

function limitOf({ figures, groups, diskRate }: ResultLine, side: 'put' | 'taken'): number | undefined {
  if (groups === undefined || diskRate === undefined || groups.writes === 0) return undefined;
  const writesPerSecond = Math.max(diskRate.overwriting.writesPerSecond, diskRate.appending.writesPerSecond);
  return (writesPerSecond * (figures[side]?.events ?? 0)) / groups.writes;
}
