/** `forebay channel segments`: the files of the log, and what is in each. */
import { Command } from 'commander';
import type { ChannelView } from '../../channel/reader/channel-view.ts';
import { eventCount, type SegmentInfo } from '../../wal/segment-info.ts';
import { type PlaceOptions, placeOf, viewAt, withPlace } from './place.ts';
import { counted, exitDamage, printJson, runVerb, sizeText } from './verb.ts';

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
        else print(rows);
        return view.damages.length > 0 ? exitDamage : 0;
      }),
    );
}

type Row = ReturnType<typeof rowOf>;

function rowOf({ queue, segments, damages }: ChannelView, segment: SegmentInfo) {
  const { id, path, firstSequence, nextSequence, minTimeMs, maxTimeMs, endOffset, fileBytes, absent } = segment;
  const events = eventCount(segment);
  const last = nextSequence - 1;
  const settled = queue.acked.countRange(firstSequence, last) + queue.quarantined.countRange(firstSequence, last);
  const liveEvents = events === 0 ? 0 : events - settled;
  const isActive = segment === segments.at(-1);
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

function print(rows: readonly Row[]): void {
  const table = rows.map((row) => [
    row.path.slice(row.path.lastIndexOf('/') + 1),
    row.state,
    row.first === null ? '-' : `${row.first}…${row.last}`,
    row.fromTime ?? '-',
    row.toTime ?? '-',
    counted(row.liveEvents),
    sizeText(row.logBytes),
    row.damages === 0 ? '-' : `${row.damages}`,
  ]);
  const lines = [['segment', 'state', 'sequences', 'from', 'to', 'live', 'log', 'damages'], ...table];
  const widths = lines[0]?.map((_, column) => Math.max(...lines.map((line) => line[column]?.length ?? 0))) ?? [];
  for (const line of lines)
    console.log(
      line
        .map((cell, column) => cell.padEnd(widths[column] ?? 0))
        .join('  ')
        .trimEnd(),
    );
}
