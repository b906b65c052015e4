/** `forebay channel stats`: how a channel stands. */
import { Command } from 'commander';
import type { ChannelView } from '../../channel/reader/channel-view.ts';
import { dumpEvents } from '../../channel/reader/dump.ts';
import { readCheckpointCopy } from '../../checkpoint/lmdb-copy.ts';
import { listLogFiles } from '../../wal/segment-files.ts';
import { type PlaceOptions, placeOf, viewAt, withPlace } from './place.ts';
import { ageText, counted, exitDamage, printJson, runVerb, sizeText } from './verb.ts';

const example = `
Example:
  $ forebay channel stats /var/lib/forebay/c1

Safe beside a running agent. What its sinks hold at this moment only the agent knows: leasedEvents is null.

Exit status: 0 fine, 1 failed, 2 damage was found, 64 usage, 78 bad configuration.`;

/** Makes the command. `finish` is told the exit status. */
export function statsCommand(finish: (status: number) => void): Command {
  return withPlace(new Command('stats'))
    .summary('depth, size, age, counters, health')
    .description('Says how a channel stands, and changes nothing.')
    .addHelpText('after', example)
    .action((directory: string | undefined, options: PlaceOptions) =>
      runVerb(finish, async () => {
        const view = await viewAt(await placeOf(directory, options));
        const stats = await statsOf(view);
        if (options.json === true) printJson(stats);
        else print(view, stats);
        return view.damages.length > 0 ? exitDamage : 0;
      }),
    );
}

type Stats = Awaited<ReturnType<typeof statsOf>>;

async function statsOf(view: ChannelView) {
  const { queue, segments, found, damages, clock, storage } = view;
  const oldestMs = await oldestEventMs(view);
  const checkpoint = await checkpointOf(view);
  const absent = found.absent.map(({ path }) => `${path} is missing`);
  const reasons = [...absent, ...(damages.length > 0 ? [`${damages.length} damages: see \`channel verify\``] : [])];
  return {
    channelId: storage.channelId,
    depthEvents: queue.depth,
    leasedEvents: null,
    preparedEvents: queue.preparedSet.count,
    bytesOnDisk: await bytesOnDisk(view),
    segments: segments.length,
    oldestEventAgeMs: oldestMs === undefined ? null : Math.max(0, clock.wallMs() - oldestMs),
    checkpoint,
    counters: queue.counters,
    health: { state: reasons.length === 0 ? 'ok' : 'degraded', reasons },
    owner: view.owner,
    closedInOrder: view.isClean,
  };
}

async function bytesOnDisk({ disk, found }: ChannelView): Promise<number> {
  const { segments, free } = await listLogFiles(disk, found.present);
  const entries = await Promise.all([...segments, ...free].map(({ path }) => disk.entry(path)));
  return entries.reduce((sum, entry) => sum + (entry?.bytes ?? 0), 0);
}

async function oldestEventMs(view: ChannelView): Promise<number | undefined> {
  for (const segment of view.segments) {
    const first = view.queue.nextUnsettled(segment.firstSequence);
    if (segment.maxTimeMs === 0 || first >= segment.nextSequence) continue;
    for await (const { timeMs } of dumpEvents(view, { fromSequence: first, segmentId: segment.id })) return timeMs;
    return segment.minTimeMs;
  }
  return undefined;
}

async function checkpointOf({ found, disk, clock }: ChannelView) {
  if (found.checkpointPath === undefined) return null;
  const copied = await readCheckpointCopy(disk, found.checkpointPath);
  if (copied.kind !== 'record') return null;
  const { segmentId, offset, savedAt } = copied.record;
  const position = `${segmentId.toString(16).padStart(16, '0')}:${offset}`;
  return { position, ageMs: Math.max(0, clock.wallMs() - savedAt) };
}

const owners = { running: 'in use by an agent', none: 'not in use', unknown: 'in use or not: cannot be told here' };

function print({ found }: ChannelView, stats: Stats): void {
  const { counters, checkpoint, oldestEventAgeMs, health } = stats;
  const rows: readonly (readonly [string, string])[] = [
    ['channel', `${stats.channelId}, ${owners[stats.owner]}`],
    ['directories', found.present.map(({ path }) => path).join(', ')],
    ['depth', `${counted(stats.depthEvents)} events, ${counted(stats.preparedEvents)} of them prepared`],
    ['oldest event', oldestEventAgeMs === null ? 'none waits' : `${ageText(oldestEventAgeMs)} old`],
    ['on disk', `${sizeText(stats.bytesOnDisk)}, ${counted(stats.segments)} live segments`],
    ['checkpoint', checkpoint === null ? 'none' : `${checkpoint.position}, ${ageText(checkpoint.ageMs)} old`],
    [
      'counters',
      Object.entries(counters)
        .map(([name, count]) => `${name} ${counted(count)}`)
        .join(', '),
    ],
    ['health', [health.state, ...health.reasons].join('; ')],
  ];
  for (const [name, text] of rows) console.log(`${name.padEnd(14)}${text}`);
}
