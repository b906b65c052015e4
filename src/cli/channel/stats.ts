/** `forebay channel stats`: how a channel stands. */
import { Command } from 'commander';
import { decodeCheckpointState } from '../../channel/checkpoint-state.ts';
import { mayRepeat } from '../../channel/may-repeat.ts';
import type { ChannelView } from '../../channel/reader/channel-view.ts';
import { checkpointDamages } from '../../channel/reader/checkpoint-damages.ts';
import { dumpEvents } from '../../channel/reader/dump.ts';
import { givenRanges } from '../../channel/reader/given-ranges.ts';
import type { CopiedCheckpoint } from '../../checkpoint/lmdb-copy.ts';
import { listLogFiles } from '../../wal/segment-files.ts';
import { sequencesOf } from '../../wal/segment-info.ts';
import { checkpointOf } from './checkpoint-of.ts';
import { countOfNoun, lossText } from './damage-text.ts';
import { type PlaceOptions, placeOf, viewAt, withPlace } from './place.ts';
import { ageText, counted, exitDamage, inert, printJson, runVerb, sizeText } from './verb.ts';

const example = `
Example:
  $ forebay channel stats /var/lib/forebay/c1

Safe beside a running agent. leasedEvents, what its sinks hold, is as of its last checkpoint; null without one.

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
        return stats.health.state === 'ok' ? 0 : exitDamage;
      }),
    );
}

type Stats = Awaited<ReturnType<typeof statsOf>>;

async function statsOf(view: ChannelView) {
  const { queue, segments, found, clock, storage } = view;
  const oldestMs = await oldestEventMs(view);
  const copied = await checkpointOf(view);
  const damages = [...view.damages, ...checkpointDamages(view, copied)];
  const reasons = found.absent.map(({ path }) => `${path} is missing`);
  if (damages.length > 0) {
    const count = countOfNoun(damages.length, 'damage');
    reasons.push(`${count}, ${lossText(damages)}: \`forebay channel verify\` names each`);
  }
  return {
    channelId: storage.channelId,
    depthEvents: queue.depth,
    leasedEvents: leasedIn(view, copied),
    preparedEvents: queue.preparedSet.count,
    bytesOnDisk: await bytesOnDisk(view),
    segments: segments.length,
    oldestEventAgeMs: oldestMs === undefined ? null : Math.max(0, clock.wallMs() - oldestMs),
    checkpoint: positionOf(view, copied),
    counters: queue.counters,
    health: { state: reasons.length === 0 ? 'ok' : 'degraded', reasons },
    owner: view.owner,
    closedInOrder: view.isClean,
    ...parentOf(view),
  };
}

/** Of a backup: whose, and from which sequence on that channel may deliver what waits here; null where none does. */
function parentOf(view: ChannelView): { readonly parent?: ParentStats } {
  const { parent } = view.found.identity;
  if (parent === undefined) return {};
  const [first] = mayRepeat(parent, givenRanges(view), view.queue);
  return { parent: { channelId: parent.channelId, mayRepeatFrom: first?.first ?? null } };
}

interface ParentStats {
  readonly channelId: string;
  readonly mayRepeatFrom: number | null;
}

async function bytesOnDisk({ disk, found }: ChannelView): Promise<number> {
  const { segments, free } = await listLogFiles(disk, found.present);
  const entries = await Promise.all([...segments, ...free].map(({ path }) => disk.entry(path)));
  return entries.reduce((sum, entry) => sum + (entry?.bytes ?? 0), 0);
}

/** Of those that wait or are prepared. */
async function oldestEventMs(view: ChannelView): Promise<number | undefined> {
  const { segments, queue, tail } = view;
  for (const segment of segments) {
    const [oldest] = segment.maxTimeMs === 0 ? [] : queue.pendingOf(sequencesOf(segment));
    if (oldest === undefined) continue;
    const { first } = oldest;
    for await (const { timeMs } of dumpEvents(view, { fromSequence: first, segmentId: segment.id })) return timeMs;
    return segment.minTimeMs;
  }
  // When those were put nobody knows any more: not before the last that is proven.
  return tail.length > 0 && queue.depth > 0 ? segments.at(-1)?.maxTimeMs : undefined;
}

/** As of the owner's last checkpoint: only its memory knows more. Null without one. */
function leasedIn({ storage }: ChannelView, copied: CopiedCheckpoint): number | null {
  if (copied.kind !== 'record' || copied.record.channelId !== storage.channelId) return null;
  return decodeCheckpointState(copied.record.state)?.leasedEvents ?? null;
}

/** Null where there is none of this channel that could be read. */
function positionOf({ clock, storage }: ChannelView, copied: CopiedCheckpoint) {
  if (copied.kind !== 'record' || copied.record.channelId !== storage.channelId) return null;
  const { segmentId, offset, savedAt } = copied.record;
  const position = `${segmentId.toString(16).padStart(16, '0')}:${offset}`;
  return { position, ageMs: Math.max(0, clock.wallMs() - savedAt) };
}

const owners = { running: 'in use', none: 'not in use', unknown: 'in use or not: cannot be told here' };

function print({ found }: ChannelView, stats: Stats): void {
  const { counters, checkpoint, oldestEventAgeMs, health, depthEvents, leasedEvents, preparedEvents } = stats;
  const leased = leasedEvents === null ? '' : `, ${counted(leasedEvents)} leased at the last checkpoint`;
  const isWhole = found.absent.length === 0;
  const crashed = stats.owner === 'none' && isWhole && !stats.closedInOrder ? '; its last owner did not close it' : '';
  const counts = Object.entries(counters).map(([name, count]) => `${name} ${counted(count)}`);
  const rows: (readonly [string, string])[] = [
    ['channel', `${stats.channelId}, ${owners[stats.owner]}${crashed}`],
    ['directories', found.present.map(({ path }) => inert(path)).join(', ')],
    ['depth', `${countOfNoun(depthEvents, 'event')}, ${counted(preparedEvents)} of them prepared${leased}`],
    ['oldest event', oldestEventAgeMs === null ? 'none waits' : `${ageText(oldestEventAgeMs)} old`],
    ['on disk', `${sizeText(stats.bytesOnDisk)}, ${countOfNoun(stats.segments, 'live segment')}`],
    ['checkpoint', checkpoint === null ? 'none' : `${checkpoint.position}, ${ageText(checkpoint.ageMs)} old`],
    ['counters', counts.join(', ')],
    ['health', [health.state, ...health.reasons.map(inert)].join('; ')],
  ];
  if (stats.parent !== undefined) rows.splice(1, 0, ['backup of', parentText(stats.parent)]);
  for (const [name, text] of rows) console.log(`${name.padEnd(14)}${text}`);
}

function parentText({ channelId, mayRepeatFrom }: ParentStats): string {
  const repeats = mayRepeatFrom === null ? 'nothing waits that' : `from sequence ${mayRepeatFrom} on events wait that`;
  return `${channelId}; ${repeats} it may deliver too`;
}
