/** `forebay channel dump`: prints events, or with --frames the log itself. */
import { Command } from 'commander';
import type { ChannelView } from '../../channel/reader/channel-view.ts';
import { type DumpedEvent, type DumpRange, dumpEvents, type EventState } from '../../channel/reader/dump.ts';
import { dumpGroups } from './dump-frames.ts';
import { type EventFormat, formatEvent } from './event-format.ts';
import { type PlaceOptions, placeOf, viewAt, withPlace } from './place.ts';
import { exitDamage, runVerb, UsageError, write } from './verb.ts';

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

const states: readonly EventState[] = ['pending', 'prepared', 'acked', 'lost'];
const formats: readonly EventFormat[] = ['ndjson', 'text', 'raw'];
/** Written at once. */
const chunkBytes = 64 * 1024;

const example = `
Examples:
  $ forebay channel dump /var/lib/forebay/c1 --limit 10
  $ forebay channel dump /var/lib/forebay/c1 --from 2026-11-22T10:00:00Z --where host=web1 --format ndjson
  $ forebay channel dump /var/lib/forebay/c1 --state all --format raw > bodies.txt

pending: waits (a running agent's sinks may hold it); prepared: see \`channel unresolved\`; acked: taken, and still in
the log. text: control characters are shown by number. raw: each body and a newline.

Exit status: 0 fine (a pipe closed early too), 1 failed, 2 damage was met, 64 usage, 78 bad configuration.`;

/** Makes the command. `finish` is told the exit status. */
export function dumpCommand(finish: (status: number) => void): Command {
  const append = (one: string, others: readonly string[] = []): readonly string[] => [...others, one];
  return withPlace(new Command('dump'))
    .summary('print events')
    .description('Prints the events of a channel in the order of their sequences, and changes nothing.')
    .option('--from <start>', 'the first, by sequence or by ISO time of its commit')
    .option('--to <end>', 'the last, included')
    .option('--state <list>', 'pending, prepared, acked, or all (default: pending,prepared)')
    .option('--segment <id>', 'of this segment only, as `channel segments` numbers or names it')
    .option('--where <header=value>', 'with this header only; all of several', append)
    .option('--limit <count>', 'so many at most')
    .option('--format <format>', 'ndjson, text or raw (default: text; with --json: ndjson)')
    .option('--frames', 'print the groups and frames of the log')
    .addHelpText('after', example)
    .action((directory: string | undefined, options: DumpOptions) =>
      runVerb(finish, async () => {
        const request = requestOf(options);
        const view = await viewAt(await placeOf(directory, options));
        const met = options.frames === true ? await dumpGroups(view, request) : await dump(view, request);
        return met || view.damages.length > 0 ? exitDamage : 0;
      }),
    );
}

/** What is asked for. */
export interface DumpRequest {
  readonly range: DumpRange;
  readonly states: ReadonlySet<EventState>;
  readonly where: readonly (readonly [string, string])[];
  readonly limit: number;
  readonly format: EventFormat;
}

function requestOf(options: DumpOptions): DumpRequest {
  const { from, to, state = 'pending,prepared', segment, where = [], limit, json } = options;
  const format = options.format ?? (json === true ? 'ndjson' : 'text');
  const range: DumpRange = { ...boundOf('from', from), ...boundOf('to', to), ...segmentOf(segment) };
  return {
    range,
    states: new Set(state === 'all' ? states : state.split(',').map((one) => oneOf('--state', one, states))),
    where: where.map(headerOf),
    limit: limit === undefined ? Number.POSITIVE_INFINITY : countOf('--limit', limit),
    format: oneOf('--format', format, formats),
  };
}

async function dump(view: ChannelView, { range, states, where, limit, format }: DumpRequest): Promise<boolean> {
  let pieces: (string | Uint8Array)[] = [];
  let bytes = 0;
  let count = 0;
  const flush = async (): Promise<void> => {
    for (const piece of pieces) await write(piece);
    pieces = [];
    bytes = 0;
  };
  if (limit === 0) return false;
  for await (const dumped of dumpEvents(view, range)) {
    if (!states.has(dumped.state) || !matches(dumped, where)) continue;
    for (const piece of formatEvent(dumped, format)) {
      pieces.push(piece);
      bytes += piece.length;
    }
    if (bytes >= chunkBytes) await flush();
    count += 1;
    if (count >= limit) break;
  }
  await flush();
  return false;
}

function matches({ event }: DumpedEvent, where: DumpRequest['where']): boolean {
  return where.every(([name, value]) => event.headers[name] === value);
}

function boundOf(end: 'from' | 'to', text: string | undefined): DumpRange {
  if (text === undefined) return {};
  if (/^\d+$/.test(text)) return end === 'from' ? { fromSequence: Number(text) } : { toSequence: Number(text) };
  const timeMs = /^\d{4}-\d{2}-\d{2}/.test(text) ? Date.parse(text) : Number.NaN;
  if (Number.isNaN(timeMs)) {
    throw new UsageError(`--${end} '${text}': a sequence, or a time as 2026-11-22T10:00:00Z`);
  }
  return end === 'from' ? { fromMs: timeMs } : { toMs: timeMs };
}

function segmentOf(text: string | undefined): DumpRange {
  if (text === undefined) return {};
  if (/^[0-9a-f]{16}(\.seg)?$/.test(text)) return { segmentId: Number.parseInt(text, 16) };
  return { segmentId: countOf('--segment', text) };
}

function headerOf(text: string): readonly [string, string] {
  const sign = text.indexOf('=');
  if (sign <= 0) throw new UsageError(`--where '${text}': HEADER=VALUE is due, as host=web1`);
  return [text.slice(0, sign), text.slice(sign + 1)];
}

function countOf(option: string, text: string): number {
  if (/^\d{1,15}$/.test(text)) return Number(text);
  throw new UsageError(`${option} '${text}': a whole number is due`);
}

function oneOf<Value extends string>(option: string, text: string, values: readonly Value[]): Value {
  const value = values.find((one) => one === text);
  if (value === undefined) throw new UsageError(`${option} '${text}' is not allowed: one of ${values.join(', ')}`);
  return value;
}
