/**
 * How long it takes to open a channel that holds a backlog, by how the process before ended; each opening in a process
 * of its own, so that nothing is warm but the system's caches, and its memory is the whole process'.
 */
import { join } from 'node:path';
import type { Disk } from '../base/disk.ts';
import type { ChildProgram } from './child-program.ts';
import { emptyDirectory } from './measure-work.ts';
import type { FillReport, OpenReport } from './opening-child.ts';

/** How the process before ended. `killed, checkpoint gone`: and then its checkpoint was removed. */
export type Ending = 'closed' | 'killed' | 'killed, checkpoint gone';

/** What waits when the channel is opened. */
export interface Backlog {
  readonly events: number;
  readonly bodyBytes: number;
  readonly seed: number;
}

/** Where, and how processes are started: with the arguments of opening-child.ts. */
export interface OpeningPlace {
  readonly disk: Disk;
  readonly directory: string;
  readonly child: (args: readonly string[]) => ChildProgram;
  /** Ends what is started. */
  readonly signal?: AbortSignal | undefined;
}

/** Both processes. */
export interface Opening {
  readonly fill: FillReport;
  readonly open: OpenReport;
}

/** Fills a fresh directory in one process, and opens it in another one. The directory is emptied afterwards. */
export async function measureOpening(place: OpeningPlace, backlog: Backlog, ending: Ending): Promise<Opening> {
  const { events, bodyBytes, seed } = backlog;
  const directory = join(place.directory, `recovery-${ending.replaceAll(/\W+/g, '-')}`);
  const how = ending === 'closed' ? 'close' : 'hang';
  try {
    const fill: FillReport = await inChild(
      place,
      ['fill', directory, String(events), String(bodyBytes), String(seed), how],
      ending === 'closed' ? 'ends' : 'is killed',
    );
    if (ending === 'killed, checkpoint gone') await emptyDirectory(place.disk, join(directory, 'checkpoint'));
    const open: OpenReport = await inChild(place, ['open', directory, String(bodyBytes)], 'ends');
    if (open.depthEvents !== events) throw new Error(`${open.depthEvents} of ${events} events after the opening`);
    return { fill, open };
  } finally {
    await emptyDirectory(place.disk, directory);
  }
}

/** Its one line. Killed where the signal comes. */
async function inChild<Report>(
  { child: start, signal }: OpeningPlace,
  args: readonly string[],
  then: 'ends' | 'is killed',
): Promise<Report> {
  signal?.throwIfAborted();
  const child = start(args);
  const kill = (): void => void child.kill();
  signal?.addEventListener('abort', kill);
  try {
    const report: Report = JSON.parse(await child.line());
    if (then === 'ends') await child.ended();
    return report;
  } finally {
    signal?.removeEventListener('abort', kill);
    await child.kill();
  }
}
