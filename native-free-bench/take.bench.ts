/** Taking and committing what waits in the log, after the channel was closed and opened again: nothing is in memory. */

import type { TakeWork } from '../src/bench/channel-work.ts';
import { measureWork } from '../src/bench/measure-work.ts';
import type { Benchmark, Place, Section, Sizes } from './context.ts';
import { rowOfWork, workPlace } from './work-row.ts';

/** See above. */
export const takeBench: Benchmark = async ({ sizes, memory, real }) => {
  const sections = [await drain(memory, sizes, 0.1)];
  if (real !== undefined) sections.push(await drain(real, sizes, 1));
  return sections;
};

/** One consumer × batch. */
export function takeWorks(sizes: Sizes, share = 1): TakeWork[] {
  const many = Math.ceil(sizes.takeEvents * share);
  return [
    { kind: 'take', consumers: 1, batch: 1, events: sizes.takeEventsSingly },
    { kind: 'take', consumers: 1, batch: 100, events: many },
    { kind: 'take', consumers: 1, batch: 1000, events: many },
  ];
}

/** A disk in memory is given a `share` of the events, to stay small. */
async function drain(place: Place, sizes: Sizes, share: number): Promise<Section> {
  const rows = [];
  for (const work of takeWorks(sizes, share)) {
    rows.push(rowOfWork(await measureWork(workPlace(place, sizes), work), sizes.bodyBytes));
  }
  return { title: `take and commit, ${place.name}: ${sizes.bodyBytes} B events`, rows };
}
