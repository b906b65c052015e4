/**
 * Opening a channel that holds a backlog: after an orderly close, and after `kill -9`. On a real disk each opening is
 * a process of its own, so that nothing is warm but the system's caches, and its memory is the whole process'.
 */
import { join } from 'node:path';
import { fillChannel } from '../src/bench/channel-work.ts';
import { emptyDirectory } from '../src/bench/measure-work.ts';
import { FileChannel } from '../src/channel/file-channel.ts';
import type { Benchmark, Place, Row, Section, Sizes } from './context.ts';
import type { FillReport, OpenReport } from './recovery-child.ts';

/** How the process before ended. `killed, checkpoint gone`: and then its checkpoint was removed. */
export type Ending = 'closed' | 'killed' | 'killed, checkpoint gone';

/** What waits when the channel is opened. */
export interface Backlog {
  readonly events: number;
  readonly bodyBytes: number;
  readonly seed: number;
}

/** See above. */
export const recoveryBench: Benchmark = async ({ sizes, memory, real, large }) => {
  const { recoveryEvents, bodyBytes, largeEvents, largeBodyBytes, seed } = sizes;
  const sections: Section[] = [await reopenInMemory(memory, sizes)];
  if (real === undefined) return sections;
  const backlogs: Backlog[] = [{ events: recoveryEvents, bodyBytes, seed }];
  if (large) backlogs.push({ events: largeEvents, bodyBytes: largeBodyBytes, seed });
  for (const backlog of backlogs) {
    const rows: Row[] = [];
    for (const ending of endingsOf(real)) rows.push(rowOfOpening(ending, await measureOpening(real, backlog, ending)));
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

/** Fills a fresh directory in one process, and opens it in another one. */
export async function measureOpening(
  place: Place,
  { events, bodyBytes, seed }: Backlog,
  ending: Ending,
): Promise<{ readonly fill: FillReport; readonly open: OpenReport }> {
  if (place.child === undefined) throw new Error(`${place.name} has no other process`);
  const directory = join(place.directory, `recovery-${ending.replaceAll(/\W+/g, '-')}`);
  const how = ending === 'closed' ? 'close' : 'hang';
  const filler = place.child(['fill', directory, String(events), String(bodyBytes), String(seed), how]);
  const fill: FillReport = JSON.parse(await filler.line());
  if (ending === 'closed') await filler.ended();
  else await filler.kill();
  if (ending === 'killed, checkpoint gone') await emptyDirectory(place.disk, join(directory, 'checkpoint'));
  const opener = place.child(['open', directory, String(bodyBytes)]);
  const open: OpenReport = JSON.parse(await opener.line());
  await opener.ended();
  await emptyDirectory(place.disk, directory);
  if (open.depthEvents !== events) throw new Error(`${open.depthEvents} of ${events} events after the opening`);
  return { fill, open };
}

function rowOfOpening(ending: Ending, { fill, open }: { fill: FillReport; open: OpenReport }): Row {
  const mebibytes = (bytes: number): number => bytes / 2 ** 20;
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
