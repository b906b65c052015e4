/** What is measured: producers and consumers × events in a transaction × bytes of a body. */

/** What a cell's clients do. `both`: put and take at once, from an empty queue on. */
export type CellWork = 'put' | 'take' | 'both';

/** One combination. */
export interface Cell {
  /** `put 16x100 500B`, `take 1x1000 8KiB`, `both 8+8x1 100B`: what `--only` looks in. */
  readonly id: string;
  readonly work: CellWork;
  readonly producers: number;
  readonly consumers: number;
  readonly batch: number;
  readonly bodyBytes: number;
}

/** The sizes of a body, bytes. */
export const bodySizes: readonly number[] = [100, 500, 8192];
const batches: readonly number[] = [1, 100, 1000];
const clients: readonly { readonly work: CellWork; readonly producers: number; readonly consumers: number }[] = [
  { work: 'put', producers: 1, consumers: 0 },
  { work: 'put', producers: 16, consumers: 0 },
  { work: 'put', producers: 64, consumers: 0 },
  { work: 'take', producers: 0, consumers: 1 },
  { work: 'both', producers: 1, consumers: 1 },
  { work: 'both', producers: 8, consumers: 8 },
];

/** `500 B`, `8 KiB`. */
export function bodyName(bytes: number): string {
  return bytes % 1024 === 0 ? `${bytes / 1024} KiB` : `${bytes} B`;
}

/** `16 × 100`, `8 + 8 × 100`: the cell among those of its work and body. */
export function sizeName({ work, producers, consumers, batch }: Cell): string {
  const sides = work === 'put' ? `${producers}` : work === 'take' ? `${consumers}` : `${producers} + ${consumers}`;
  return `${sides} × ${batch}`;
}

/** Whose figures are those of a cell: of a put what was put, else what was taken. */
export function mainSideOf(work: CellWork): 'put' | 'taken' {
  return work === 'put' ? 'put' : 'taken';
}

function cellOf(parts: Omit<Cell, 'id'>): Cell {
  const size = sizeName({ ...parts, id: '' });
  const body = bodyName(parts.bodyBytes).replace(' ', '');
  const id = `${parts.work} ${size.replace('×', 'x').replaceAll(' ', '')} ${body}`;
  return { id, ...parts };
}

/** All of them, in the order in which they are measured. */
export const allCells: readonly Cell[] = bodySizes.flatMap((bodyBytes) =>
  clients.flatMap((who) => batches.map((batch) => cellOf({ ...who, batch, bodyBytes }))),
);
