/** `forebay channel tail`: prints events as they become durable, beside a running agent, until it is stopped. */
import { Command } from 'commander';
import { sleep } from '../../agent/sleep.ts';
import { systemClock } from '../../base/clock.ts';
import type { OwnerState } from '../../base/disk.ts';
import type { Sequence } from '../../base/units.ts';
import type { ChannelView } from '../../channel/reader/channel-view.ts';
import type { DumpRange } from '../../channel/reader/dump.ts';
import { Follower } from '../../channel/reader/follow.ts';
import { sequencesOf } from '../../wal/segment-info.ts';
import { damageText } from './damage-text.ts';
import { append, countOf, formatOf, formatOption, matches, rangeOf, type Where, whereOf } from './event-options.ts';
import { EventPrinter } from './event-printer.ts';
import { Interrupt } from './interrupt.ts';
import { isNamed, passedText } from './passed-over.ts';
import { type PlaceOptions, placeOf, viewAt, withPlace } from './place.ts';
import { runVerb, UsageError } from './verb.ts';

interface TailOptions extends PlaceOptions {
  readonly from?: string;
  readonly last?: string;
  readonly where?: readonly string[];
  readonly format?: string;
}

/** Where nothing comes it is looked less and less often. An event alone is proven 100 ms after its commit anyway. */
const lookMsMin = 5;
const lookMsMax = 100;

const example = `
Examples:
  $ forebay channel tail /var/lib/forebay/c1
  $ forebay channel tail /var/lib/forebay/c1 --last 10 --where host=web1
  $ forebay channel tail -f agent.properties -n a1 --channel c1 --from 2026-11-22T10:00:00Z --format raw | grep ERROR

Each event comes once, in order, as soon as the log says that it is durable: with the next commit, or 100 ms after the
last one. Whether a sink takes it meanwhile does not matter; the state is that at the start, and pending for what came
since. Without a running agent it waits for one, and it goes on when the agent starts again. What was let go before it
could be read, and what is damaged, is named on stderr, and does not end it.

It runs until Ctrl-C, until its reader has gone and something else comes, or until the channel is removed.

Exit status: 0 the pipe was closed, 1 failed, or the channel was removed, 64 usage, 78 bad configuration, 130 and 143 on
a signal: Ctrl-C, and a request to end.`;

/** Makes the command. `finish` is told the exit status. */
export function tailCommand(finish: (status: number) => void): Command {
  return withPlace(new Command('tail'))
    .summary('print events as they come')
    .description('Prints the events of a channel as they become durable, until it is stopped, and changes nothing.')
    .option('--from <start>', 'begin earlier: with this sequence, or at this ISO time of the commit')
    .option('--last <count>', 'begin with so many of those that are there')
    .option('--where <header=value>', 'with this header only; all of several', append)
    .addOption(formatOption())
    .addHelpText('after', example)
    .action((directory: string | undefined, options: TailOptions) =>
      runVerb(finish, async () => {
        const begin = beginOf(options);
        const [where, printer] = [whereOf(options.where), new EventPrinter(formatOf(options))];
        const place = await placeOf(directory, options);
        const view = await viewAt(place);
        const from = begin(view);
        if (from !== undefined) for (const damage of view.damages) console.error(damageText(damage));
        const follower = new Follower(place.path, view, {
          from,
          checkpointDir: place.options.checkpointDir,
          onPassedOver: (passed) => {
            if (!isNamed(view, passed)) console.error(passedText(passed));
          },
        });
        return await tail(follower, where, printer).finally(() => follower.close());
      }),
    );
}

type Begin = (view: ChannelView) => DumpRange | undefined;

function beginOf({ from, last }: TailOptions): Begin {
  if (last === undefined) {
    const range = from === undefined ? undefined : rangeOf({ from });
    return () => range;
  }
  if (from !== undefined) throw new UsageError('--from and --last exclude each other: say once where to begin');
  const count = countOf('--last', last);
  return (view) => (count === 0 ? undefined : { fromSequence: lastOf(view, count) });
}

/** The first of the last `count` that are there. */
function lastOf({ segments }: ChannelView, count: number): Sequence {
  let left = count;
  let from: Sequence = 1;
  for (const { first, last } of segments
    .filter(({ absent }) => !absent)
    .flatMap(sequencesOf)
    .reverse()) {
    from = Math.max(first, last - left + 1);
    left -= last - from + 1;
    if (left <= 0) break;
  }
  return from;
}

/** Ends with a signal, or throws what the channel's end was. */
async function tail(follower: Follower, where: Where, printer: EventPrinter): Promise<number> {
  using interrupt = new Interrupt();
  const { signal } = interrupt;
  // Who reads may have stopped to read: that keeps nobody from ending.
  const stopped = new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve()));
  const flush = (): Promise<void> => Promise.race([printer.flush(), stopped]);
  let told: OwnerState = 'running';
  let delayMs = lookMsMin;
  while (interrupt.status === undefined) {
    let isNew = false;
    for await (const batch of follower.batches()) {
      isNew = true;
      for (const dumped of batch) {
        if (matches(dumped, where) && printer.print(dumped)) await flush();
      }
      if (signal.aborted) break;
    }
    await flush();
    told = tellOwner(told, follower.owner);
    delayMs = isNew ? lookMsMin : Math.min(2 * delayMs, lookMsMax);
    await sleep(systemClock, delayMs, signal);
  }
  return interrupt.status;
}

function tellOwner(before: OwnerState, owner: OwnerState): OwnerState {
  if (owner === before) return before;
  if (owner === 'none') console.error('no agent has the channel: waiting for one');
  else if (before === 'none') console.error('an agent has the channel now');
  return owner;
}
