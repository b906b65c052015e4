/** `forebay channel segments`: the files of the log, and what is in each. */
import { basename, dirname } from 'node:path';
import { Command } from 'commander';
import type { ChannelView } from '../../channel/reader/channel-view.ts';
import { FrameType } from '../../wal/segment/frame-header.ts';
import { eventCount, type SegmentInfo } from '../../wal/segment-info.ts';
import { type PlaceOptions, placeOf, viewAt, withPlace } from './place.ts';
import { tableOf } from './table.ts';
import { counted, exitDamage, inert, printJson, runVerb, sizeText } from './verb.ts';

const example = `
Example:
  $ forebay channel segments /var/lib/forebay/c1

State: active (written to next), full (holds events that wait), drained (none; kept for retention, or until it is used
again), absent (its data directory is missing). Damage in older segments is found by \`channel verify\`.

Exit status: 0 fine, 1 failed, 2 damage was found, 64 usage, 78 bad configuration.`;

/** Makes the command. `finish` is told the exit status. */
export function segmentsCommand(finish: (status: number) => void): Command {
  return withPlace(new Command('segments'))
    .summary('each segment: state, sequences, times, live events')
    .description('Lists the segments of a channel, oldest first, and changes nothing.')
    .addHelpText('after', example)
    .action((directory: string | undefined, options: PlaceOptions) =>
      runVerb(finish, async () => {
        const view = await viewAt(await placeOf(directory, options));
        const rows = view.segments.map((segment) => rowOf(view, segment));
        if (options.json === true) printJson({ segments: rows });
        else print(rows, view.found.identity.directories.length);
        return view.damages.length > 0 ? exitDamage : 0;
      }),
    );
}

type Row = ReturnType<typeof rowOf>;

function rowOf(view: ChannelView, segment: SegmentInfo) {
  const { queue, segments, damages } = view;
  const { id, path, firstSequence, minTimeMs, maxTimeMs, endOffset, fileBytes, absent } = segment;
  const isActive = segment === segments.at(-1);
  const tail = isActive ? tailEvents(view) : 0;
  const events = eventCount(segment) + tail;
  const last = (tail > 0 ? view.nextSequence : segment.nextSequence) - 1;
  const settled = queue.acked.countRange(firstSequence, last) + queue.quarantined.countRange(firstSequence, last);
  const liveEvents = events === 0 ? 0 : events - settled;
  return {
    id,
    path,
    state: absent ? 'absent' : isActive ? 'active' : liveEvents > 0 ? 'full' : 'drained',
    first: events === 0 ? null : firstSequence,
    last: events === 0 ? null : last,
    fromTime: minTimeMs === 0 ? null : new Date(minTimeMs).toISOString(),
    toTime: maxTimeMs === 0 ? null : new Date(maxTimeMs).toISOString(),
    events,
    liveEvents,
    logBytes: endOffset,
    fileBytes,
    damages: damages.filter((damage) => damage.path === path).length,
  };
}

/** Those behind the last proven group: nobody may have been told that they are stored, but an open takes them over. */
function tailEvents({ tail }: ChannelView): number {
  return tail.reduce((sum, { header: { type, count } }) => sum + (type === FrameType.put ? count : 0), 0);
}

function print(rows: readonly Row[], directories: number): void {
  const head = ['segment', 'state', 'sequences', 'from', 'to', 'live', 'log', 'damages'];
  const table = rows.map((row) => [
    basename(row.path),
    row.state,
    row.first === null ? '-' : `${row.first}…${row.last}`,
    row.fromTime ?? '-',
    row.toTime ?? '-',
    counted(row.liveEvents),
    sizeText(row.logBytes),
    row.damages === 0 ? '-' : counted(row.damages),
    ...(directories > 1 ? [inert(dirname(row.path))] : []),
  ]);
  const lines = tableOf(directories > 1 ? [...head, 'directory'] : head, table, ['live', 'log', 'damages']);
  for (const line of lines) console.log(line);
}
