/** Putting and taking at once, from an empty channel on: what is taken is what counts. */
import type { MixedWork } from '../src/bench/channel-work.ts';
import { measureWork } from '../src/bench/measure-work.ts';
import type { Benchmark, Section } from './context.ts';
import { rowOfWork, workPlace } from './work-row.ts';

/** Producers + consumers × batch. */
export const mixedWorks: readonly MixedWork[] = (
  [
    [1, 1, 1],
    [1, 1, 1000],
    [8, 8, 100],
  ] as const
).map(([producers, consumers, batch]) => ({ kind: 'mixed', producers, consumers, batch }));

/** See above. */
export const mixedBench: Benchmark = async ({ sizes, memory, real }) => {
  const sections: Section[] = [];
  for (const place of real === undefined ? [memory] : [memory, real]) {
    const rows = [];
    for (const work of mixedWorks) {
      rows.push(rowOfWork(await measureWork(workPlace(place, sizes), work), sizes.bodyBytes));
    }
    sections.push({ title: `put and take at once, ${place.name}: ${sizes.bodyBytes} B events`, rows });
  }
  return sections;
};
