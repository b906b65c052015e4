/**
 * Puts: on a disk in memory what a commit costs the CPU, on a real disk what is durable in a second. The works of
 * the design's targets.
 */
import { mib } from '../src/base/units.ts';
import { nameOfWork, type PutWork } from '../src/bench/channel-work.ts';
import { randomEvents } from '../src/bench/events.ts';
import { emptyDirectory, measureWork } from '../src/bench/measure-work.ts';
import { FileChannel } from '../src/channel/file-channel.ts';
import type { Benchmark, Place, Sizes } from './context.ts';
import { type CpuTask, measureCpu } from './cpu.ts';
import { rowOfWork, workPlace } from './work-row.ts';

/** Producers × batch. */
export const putWorks: readonly PutWork[] = (
  [
    [1, 1],
    [1, 100],
    [1, 1000],
    [16, 1],
    [16, 100],
    [64, 1],
    [64, 100],
    [64, 1000],
  ] as const
).map(([producers, batch]) => ({ kind: 'put', producers, batch }));

/** A disk in memory is emptied when it holds this much. */
const memoryBytesMax: number = 256 * mib;

/** See above. */
export const groupCommitBench: Benchmark = async ({ sizes, memory, real }) => {
  const rows = await measureCpu(
    putWorks.map((work) => commitTask(memory, sizes, work)),
    sizes,
  );
  const title = `group commit, memory disk: a run is one put of each producer, ${sizes.bodyBytes} B events`;
  const sections = [{ title, rows }];
  if (real === undefined) return sections;
  const realRows = [];
  for (const work of putWorks)
    realRows.push(rowOfWork(await measureWork(workPlace(real, sizes), work), sizes.bodyBytes));
  return [...sections, { title: `group commit, ${real.name}: ${sizes.bodyBytes} B events`, rows: realRows }];
};

/** One run: every producer's put, awaited together. The channel is made anew before it holds too much. */
function commitTask(place: Place, sizes: Sizes, work: PutWork): CpuTask {
  const { producers, batch } = work;
  const events = Array.from({ length: producers }, (_, index) =>
    randomEvents(batch, sizes.bodyBytes, sizes.seed + index),
  );
  const runBytes = producers * batch * sizes.bodyBytes;
  const directory = `${place.directory}/commit`;
  let channel: FileChannel | undefined;
  let bytes = 0;
  const after = async (): Promise<void> => {
    await channel?.close();
    if (channel !== undefined) await emptyDirectory(place.disk, directory);
    channel = undefined;
  };
  const before = async (): Promise<void> => {
    bytes += runBytes;
    if (channel !== undefined && bytes <= memoryBytesMax) return;
    await after();
    channel = await FileChannel.open(directory, { capacityEvents: 1e9, ...place.options }, { disk: place.disk });
    bytes = runBytes;
  };
  const run = async (): Promise<void> => {
    await Promise.all(events.map((some) => channel?.put(some)));
  };
  const name = nameOfWork(work);
  return { name, run, before, after, events: producers * batch, bytes: runBytes, commits: producers };
}
