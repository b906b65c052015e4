/** `forebay channel rewind`: what was taken, and is still kept, is pending again. */
import { Command } from 'commander';
import { countSequences, type SequenceRanges } from '../../base/units.ts';
import { FileChannel } from '../../channel/file-channel.ts';
import type { ChannelView } from '../../channel/reader/channel-view.ts';
import { planRewind, type RewindPlan, type RewindStart } from '../../channel/reader/rewind-plan.ts';
import { offlineOptions } from '../../channel/repair/offline-options.ts';
import { countOfNoun, rangesText } from './damage-text.ts';
import { rangeOf } from './event-options.ts';
import { type PlaceOptions, placeOf, viewAt, withPlace } from './place.ts';
import { counted, exitDamage, printJson, runVerb, UsageError } from './verb.ts';

interface RewindOptions extends PlaceOptions {
  readonly to?: string;
  readonly dryRun?: boolean;
}

const example = `
Example:
  $ forebay channel rewind /var/lib/forebay/c1 --to 2026-11-22T00:00:00Z --dry-run
  $ forebay channel rewind /var/lib/forebay/c1 --to 120001

Events from there on that were taken, and that are still kept (retentionHours, retentionBytes), are delivered again at
the next start, in their order, before newer ones: to every sink. To send some of them somewhere once, see replay. What
is pending or prepared stays as it is. The agent must be stopped; all of it is done, or nothing.

Exit status: 0 fine, 1 failed, 2 damage was found, 64 usage, 75 an agent has the channel, 78 bad configuration.`;

/** Makes the command. `finish` is told the exit status. */
export function rewindCommand(finish: (status: number) => void): Command {
  return withPlace(new Command('rewind'))
    .summary('deliver again what was taken and is still kept')
    .description('Makes events that were taken, and are still kept, pending again.')
    .option('--to <sequence|time>', 'from this event on, or from the first one committed then (required)')
    .option('--dry-run', 'only say what it would do; safe beside a running agent')
    .addHelpText('after', example)
    .action((directory: string | undefined, options: RewindOptions) => runVerb(finish, () => run(directory, options)));
}

async function run(directory: string | undefined, options: RewindOptions): Promise<number> {
  const start = startOf(options.to);
  const place = await placeOf(directory, options);
  const view = await viewAt(place);
  const plan = await planRewind(view, start);
  const done =
    options.dryRun === true ? plan.acknowledged : await rewind(view, plan, await offlineOptions(view, place.options));
  if (options.json === true) printJson(toJson(plan, done, options.dryRun === true));
  else for (const line of linesOf(plan, done, options.dryRun === true)) console.log(line);
  return view.damages.length > 0 ? exitDamage : 0;
}

function startOf(to: string | undefined): RewindStart {
  if (to === undefined) throw new UsageError('--to is missing: a sequence, or a time as 2026-11-22T10:00:00Z');
  const { toSequence, toMs } = rangeOf({ to });
  return toMs === undefined ? { fromSequence: toSequence ?? 1 } : { fromMs: toMs };
}

/** What came back. */
async function rewind(
  view: ChannelView,
  { fromSequence }: RewindPlan,
  options: Awaited<ReturnType<typeof offlineOptions>>,
): Promise<SequenceRanges> {
  await using channel = await FileChannel.open(view.found.present[0]?.path ?? '', options);
  const ranges = channel.acknowledgedOf([{ first: fromSequence, last: Number.MAX_SAFE_INTEGER }]);
  await channel.requeue(ranges);
  return ranges;
}

function toJson(plan: RewindPlan, requeued: SequenceRanges, dryRun: boolean) {
  const { fromSequence, pendingEvents, preparedEvents, lostEvents, notKept } = plan;
  return {
    dryRun,
    fromSequence,
    requeuedEvents: countSequences(requeued),
    sequences: requeued,
    pendingEvents,
    preparedEvents,
    lostEvents,
    notKept,
  };
}

function linesOf(plan: RewindPlan, requeued: SequenceRanges, dryRun: boolean): string[] {
  const { fromSequence, pendingEvents, preparedEvents, lostEvents, notKept } = plan;
  const count = countSequences(requeued);
  const what = `${countOfNoun(count, 'event')} ${dryRun ? 'would be' : count === 1 ? 'is' : 'are'} pending again`;
  const lines = [
    count === 0 ? `from ${fromSequence} on nothing is kept that was taken` : `${what}: ${rangesText(requeued)}`,
  ];
  if (notKept.length > 0) lines.push(`not there any more, and not sent again: ${rangesText(notKept)}`);
  const others = [
    [pendingEvents, 'pending anyway'],
    [preparedEvents, 'prepared: see `unresolved`'],
    [lostEvents, 'lost: see `verify`'],
  ] as const;
  for (const [events, text] of others) if (events > 0) lines.push(`${counted(events)} ${text}`);
  return lines;
}
