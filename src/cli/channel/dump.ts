/** `forebay channel dump`: prints events, or with --frames the log itself. */
import { Command } from 'commander';
import type { ChannelView } from '../../channel/reader/channel-view.ts';
import { type DumpRange, dumpEvents, type EventState, type PassedOver } from '../../channel/reader/dump.ts';
import { damageText } from './damage-text.ts';
import { dumpGroups } from './dump-frames.ts';
import type { EventFormat } from './event-format.ts';
import {
  append,
  countOf,
  formatOf,
  formatOption,
  matches,
  rangeOf,
  stateOption,
  statesOf,
  type Where,
  whereOf,
} from './event-options.ts';
import { EventPrinter } from './event-printer.ts';
import { isNamed, passedText } from './passed-over.ts';
import { type PlaceOptions, placeOf, viewAt, withPlace } from './place.ts';
import { exitDamage, runVerb } from './verb.ts';

interface DumpOptions extends PlaceOptions {
  readonly from?: string;
  readonly to?: string;
  readonly state?: string;
  readonly segment?: string;
  readonly where?: readonly string[];
  readonly limit?: string;
  readonly format?: string;
  readonly frames?: boolean;
}

const example = `
Examples:
  $ forebay channel dump /var/lib/forebay/c1 --limit 10
  $ forebay channel dump /var/lib/forebay/c1 --from 2026-11-22T10:00:00Z --where host=web1 --format ndjson
  $ forebay channel dump /var/lib/forebay/c1 --state all --format raw > bodies.txt

pending: waits (a running agent's sinks may hold it); prepared: see \`channel unresolved\`; acked: taken, and still in
the log; lost: given up, and still readable. text: control characters are shown by number. raw: each body and a newline.

Exit status: 0 fine (a pipe closed early too), 1 failed, 2 damage was met, 64 usage, 78 bad configuration.`;

/** Makes the command. `finish` is told the exit status. */
export function dumpCommand(finish: (status: number) => void): Command {
  return withPlace(new Command('dump'))
    .summary('print events')
    .description('Prints the events of a channel in the order of their sequences, and changes nothing.')
    .option('--from <start>', 'the first, by sequence or by ISO time of its commit')
    .option('--to <end>', 'the last, included')
    .addOption(stateOption('pending,prepared'))
    .option('--segment <id>', 'of this segment only, as `channel segments` numbers or names it')
    .option('--where <header=value>', 'with this header only; all of several', append)
    .option('--limit <count>', 'so many at most')
    .addOption(formatOption())
    .option('--frames', 'print the groups and frames of the log')
    .addHelpText('after', example)
    .action((directory: string | undefined, options: DumpOptions) =>
      runVerb(finish, async () => {
        const request = requestOf(options);
        const view = await viewAt(await placeOf(directory, options));
        for (const damage of view.damages) console.error(damageText(damage));
        const met = options.frames === true ? await dumpGroups(view, request) : await dump(view, request);
        return met || view.damages.length > 0 ? exitDamage : 0;
      }),
    );
}

/** What is asked for. */
export interface DumpRequest {
  readonly range: DumpRange;
  readonly states: ReadonlySet<EventState>;
  readonly where: Where;
  readonly limit: number;
  readonly format: EventFormat;
}

function requestOf(options: DumpOptions): DumpRequest {
  const { state = 'pending,prepared', segment, where, limit } = options;
  return {
    range: { ...rangeOf(options), ...segmentOf(segment) },
    states: statesOf(state),
    where: whereOf(where),
    limit: limit === undefined ? Number.POSITIVE_INFINITY : countOf('--limit', limit),
    format: formatOf(options),
  };
}

/** True where damage was met. */
async function dump(view: ChannelView, { range, states, where, limit, format }: DumpRequest): Promise<boolean> {
  const printer = new EventPrinter(format);
  let isDamaged = false;
  let count = 0;
  const onPassedOver = (passed: PassedOver): void => {
    if (passed.why === 'damaged') isDamaged = true;
    if (!isNamed(view, passed)) console.error(passedText(passed));
  };
  if (limit === 0) return false;
  for await (const dumped of dumpEvents(view, range, onPassedOver)) {
    if (!states.has(dumped.state) || !matches(dumped, where)) continue;
    if (printer.print(dumped)) await printer.flush();
    count += 1;
    if (count >= limit) break;
  }
  await printer.flush();
  return isDamaged;
}

function segmentOf(text: string | undefined): DumpRange {
  if (text === undefined) return {};
  if (/^[0-9a-f]{16}(\.seg)?$/.test(text)) return { segmentId: Number.parseInt(text, 16) };
  return { segmentId: countOf('--segment', text) };
}
