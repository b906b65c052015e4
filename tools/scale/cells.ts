/** What grows, from how little to how much, and what a channel does at each size. */
import type { Work } from '../../src/bench/channel-work.ts';

/** What grows. */
export type Dimension = 'backlog' | 'body' | 'producers' | 'channels';

/** One size of one dimension, with everything else as it always is. */
export interface Cell {
  readonly dimension: Dimension;
  /** Events waiting, bytes of a body, producers, or channels in one process. */
  readonly size: number;
  /** Done at this size one after the other; by name, the lines of the picture. */
  readonly works: Readonly<Record<string, Work>>;
  readonly bodyBytes: number;
  /** Events in the channel before the works begin. */
  readonly backlogEvents: number;
  /** Each does the works at the same time. */
  readonly channels: number;
}

/** All dimensions, in the order in which they are measured. */
export const dimensions: readonly Dimension[] = ['backlog', 'body', 'producers', 'channels'];

/** How an axis is called, and in what it is measured. */
export const axes: Readonly<Record<Dimension, { readonly label: string; readonly unit: string }>> = {
  backlog: { label: 'events waiting, of 100 bytes', unit: '' },
  body: { label: 'body of an event', unit: 'bytes' },
  producers: { label: 'producers at once', unit: '' },
  channels: { label: 'channels in one process', unit: '' },
};

const bodyBytes = 500;
/** A hundred million of them still fit on a small disk. */
const backlogBodyBytes = 100;

const put = (producers: number, batch: number): Work => ({ kind: 'put', producers, batch });
const both = (producers: number, batch: number): Work => ({ kind: 'mixed', producers, consumers: producers, batch });

/** `large`: a backlog of 100,000,000 events too. `quick`: two small sizes of each, to see that everything works. */
export function cellsOf(asked: readonly Dimension[], large: boolean, quick: boolean): readonly Cell[] {
  const usual = { bodyBytes, backlogEvents: 0, channels: 1 };
  const powers = (base: number, first: number, last: number): number[] => {
    const end = quick ? first + 1 : last;
    return Array.from({ length: end - first + 1 }, (_, index) => base ** (first + index));
  };
  const cells: Readonly<Record<Dimension, () => Cell[]>> = {
    backlog: () =>
      powers(10, 4, large ? 8 : 7).map((size) => ({
        ...usual,
        dimension: 'backlog',
        size,
        bodyBytes: backlogBodyBytes,
        backlogEvents: size,
        works: { put: put(16, 100), 'put and take': both(8, 100) },
      })),
    body: () =>
      powers(4, 2, 10).map((size) => ({
        ...usual,
        dimension: 'body',
        size,
        bodyBytes: size,
        works: { put: put(16, 10), 'put and take': both(8, 10) },
      })),
    producers: () =>
      powers(4, 0, 5).map((size) => ({
        ...usual,
        dimension: 'producers',
        size,
        works: { 'put, batches of 1': put(size, 1), 'put, batches of 100': put(size, 100) },
      })),
    channels: () =>
      powers(2, 0, 5).map((size) => ({
        ...usual,
        dimension: 'channels',
        size,
        channels: size,
        works: { 'put, all channels': put(4, 100), 'put and take, all channels': both(2, 100) },
      })),
  };
  return dimensions.filter((dimension) => asked.includes(dimension)).flatMap((dimension) => cells[dimension]());
}
