/** The pictures of the document: one for each work and size of a body. */
import { barChartSvg } from '../../src/bench/bar-chart.ts';
import { bodyName, bodySizes, type Cell, type CellWork, sizeName } from './cells.ts';
import type { Figures } from './figures.ts';

/** The works, and what their chapters and pictures are called. */
export const workTitles: { readonly [work in CellWork]: string } = {
  put: 'Put',
  take: 'Take',
  both: 'Put and take at once',
};

/** What a row's size means. */
export const sizeMeanings: { readonly [work in CellWork]: string } = {
  put: 'producers × events in a transaction',
  take: 'consumers × events in a transaction',
  both: 'producers + consumers × events in a transaction; events taken',
};

/** A file of the document. */
export interface Picture {
  /** `put-500b.svg`. */
  readonly fileName: string;
  readonly svg: string;
}

/** The cells of one chapter, of which there is a picture. */
export function cellsOf(figures: Figures, work: CellWork, bodyBytes: number): readonly Cell[] {
  return figures.cells.filter((cell) => cell.work === work && cell.bodyBytes === bodyBytes);
}

/** `put-500b.svg`. */
export function pictureName(work: CellWork, bodyBytes: number): string {
  return `${work}-${bodyName(bodyBytes).replace(' ', '').toLowerCase()}.svg`;
}

/** Whether it is the name of one, now or before. */
export function isPictureName(fileName: string): boolean {
  return /^(?:put|take|both)-\d+(?:b|kib)\.svg$/.test(fileName);
}

/** All for which there are results. */
export function picturesOf(figures: Figures): readonly Picture[] {
  return (['put', 'take', 'both'] as const).flatMap((work) =>
    bodySizes.flatMap((bodyBytes) => {
      const cells = cellsOf(figures, work, bodyBytes);
      if (cells.length === 0) return [];
      return [{ fileName: pictureName(work, bodyBytes), svg: pictureOf(figures, cells, { work, bodyBytes }) }];
    }),
  );
}

function pictureOf(
  figures: Figures,
  cells: readonly Cell[],
  { work, bodyBytes }: { readonly work: CellWork; readonly bodyBytes: number },
): string {
  const groups = cells.map((cell) => {
    const measured = figures.series.map((series) => ({ series, found: figures.of(cell, series) }));
    const bars = measured.flatMap(({ series, found }) =>
      found === undefined
        ? []
        : [
            {
              series: series.name,
              value: found.eventsPerSecond,
              low: found.low,
              high: found.high,
              ...(series.contender.syncsFirst ? {} : { note: 'not synced' }),
            },
          ],
    );
    const limit = measured.find(({ found }) => found?.limit !== undefined)?.found?.limit;
    return { name: sizeName(cell), bars, ...(limit === undefined ? {} : { limit }) };
  });
  return barChartSvg({
    title: `${workTitles[work]}, bodies of ${bodyName(bodyBytes)}`,
    subtitle: `${sizeMeanings[work]}; medians, lowest to highest`,
    unit: 'events/s',
    isLogarithmic: true,
    groups,
  });
}
