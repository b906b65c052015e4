/**
 * Opening a channel that holds a backlog: after an orderly close, and after `kill -9`. On a real disk each opening is
 * a process of its own, so that nothing is warm but the system's caches, and its memory is the whole process'.
 */
import { fillChannel } from '../src/bench/channel-work.ts';
import { emptyDirectory } from '../src/bench/measure-work.ts';
import { type Backlog, type Ending, measureOpening, type Opening } from '../src/bench/opening.ts';
import { FileChannel } from '../src/channel/file-channel.ts';
import type { Benchmark, Place, Row, Section, Sizes } from './context.ts';

/** See above. */
export const recoveryBench: Benchmark = async ({ sizes, memory, real, large }) => {
  const { recoveryEvents, bodyBytes, largeEvents, largeBodyBytes, seed } = sizes;
  const sections: Section[] = [await reopenInMemory(memory, sizes)];
  if (real === undefined) return sections;
  const backlogs: Backlog[] = [{ events: recoveryEvents, bodyBytes, seed }];
  if (large) backlogs.push({ events: largeEvents, bodyBytes: largeBodyBytes, seed });
  for (const backlog of backlogs) {
    const rows: Row[] = [];
    for (const ending of endingsOf(real)) rows.push(rowOfOpening(ending, await openingIn(real, backlog, ending)));
    const megabytes = (backlog.events * backlog.bodyBytes) / 1e6;
    const waiting = `${backlog.events.toLocaleString('en-US')} events, ${megabytes.toLocaleString('en-US')} MB waiting`;
    sections.push({ title: `recovery, ${real.name}, a process each: ${waiting}`, rows });
  }
  return sections;
};

/** Without a checkpoint on the disk there is none to remove. */
export function endingsOf(place: Place): readonly Ending[] {
  return place.options.checkpoint === 'memory' ? ['closed', 'killed'] : ['closed', 'killed', 'killed, checkpoint gone'];
}

/** In processes of this program. */
export async function openingIn(place: Place, backlog: Backlog, ending: Ending): Promise<Opening> {
  const { disk, directory, child, name } = place;
  if (child === undefined) throw new Error(`${name} has no other process`);
  return await measureOpening({ disk, directory, child }, backlog, ending);
}

function rowOfOpening(ending: Ending, { fill, open }: Opening): Row {
  const mebibytes = (bytes: number | null): number => (bytes ?? Number.NaN) / 2 ** 20;
  return {
    name: `open, ${ending}`,
    figures: {
      'open ms': open.openMs,
      'first put ms': open.firstPutMs,
      'first take ms': open.firstTakeMs,
      'RSS before MiB': mebibytes(open.rssBeforeBytes),
      'RSS MiB': mebibytes(open.rssBytes),
      'RSS peak MiB': mebibytes(open.rssPeakBytes),
      'fill ms': fill.fillMs,
      'filler RSS MiB': mebibytes(fill.rssBytes),
      'close ms': fill.closeMs ?? Number.NaN,
      health: open.health,
    },
  };
}

/** What opening costs the CPU; after an orderly close only, since a process cannot kill itself and go on. */
async function reopenInMemory(place: Place, { recoveryEvents, bodyBytes, seed }: Sizes): Promise<Section> {
  const events = Math.ceil(recoveryEvents / 4);
  const directory = `${place.directory}/recovery`;
  const options = { capacityEvents: events, ...place.options };
  const channel = await FileChannel.open(directory, options, { disk: place.disk });
  await fillChannel(channel, events, bodyBytes, seed);
  await channel.close();
  const startMs = performance.now();
  const again = await FileChannel.open(directory, options, { disk: place.disk });
  const openMs = performance.now() - startMs;
  await again.close();
  await emptyDirectory(place.disk, directory);
  const title = `recovery, ${place.name}, this process: ${events.toLocaleString('en-US')} events waiting`;
  return { title, rows: [{ name: 'open, closed', figures: { 'open ms': openMs } }] };
}
