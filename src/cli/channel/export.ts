/** `forebay channel export`: events of a channel into an Avro object container file. */
import { Command } from 'commander';
import type { Sequence } from '../../base/units.ts';
import type { ChannelView } from '../../channel/reader/channel-view.ts';
import { AvroBlocks, type ExportCodec } from './avro-blocks.ts';
import { countOfNoun, damageText } from './damage-text.ts';
import { append, choiceOption, countOf, stateOption } from './event-options.ts';
import { Interrupt } from './interrupt.ts';
import { type Output, openOutput, stdoutName } from './output-file.ts';
import { type PlaceOptions, placeOf, viewAt, withPlace } from './place.ts';
import { progressLine } from './progress.ts';
import {
  estimateEvents,
  PassedOverEvents,
  type Selection,
  type SelectionOptions,
  selectEvents,
  selectionOf,
} from './selected-events.ts';
import { counted, exitDamage, inert, printJson, runVerb, UsageError } from './verb.ts';

interface ExportOptions extends PlaceOptions, SelectionOptions {
  readonly limit?: string;
  readonly codec?: string;
  readonly force?: boolean;
}

const codecs: readonly ExportCodec[] = ['deflate', 'null'];
const presetStates = 'pending,prepared';
const eventsAtOnce = 1000;

const example = `
Examples:
  $ forebay channel export /var/lib/forebay/c1 waiting.avro
  $ forebay channel export -f agent.properties -n a1 --channel c1 day.avro --state all \\
      --from 2026-11-22T00:00:00Z --to 2026-11-22T23:59:59.999Z
  $ forebay channel export /var/lib/forebay/c1 - --codec null | avro-tools tojson -

An Avro object container file, which Avro's own tools read. Each record has the event's sequence, time, state, headers
and body; readers of Flume's avro_event files, which ask for headers and body, find them. The channel is not changed,
and may be in use. OUT appears when it is whole and durable. What an encrypted channel holds is not encrypted in it.

Exit status: 0 fine (a pipe closed early too), 1 failed, 2 damage was met, or events were let go meanwhile: the others
are in OUT, 64 usage, 78 bad configuration, 130 and 143 on signals: there is no OUT.`;

/** Makes the command. `finish` is told the exit status. */
export function exportCommand(finish: (status: number) => void): Command {
  return withPlace(new Command('export'))
    .summary('events into an Avro file')
    .description('Writes the events of a channel into an Avro file, and changes nothing in the channel.')
    .argument('[out]', 'the file, which is not there yet, or - for stdout; with -f it is the only argument')
    .option('--from <start>', 'the first, by sequence or by ISO time of its commit')
    .option('--to <end>', 'the last, included')
    .addOption(stateOption(presetStates))
    .option('--where <header=value>', 'with this header only; all of several', append)
    .option('--limit <count>', 'so many at most')
    .addOption(choiceOption('--codec <codec>', 'how its blocks are compressed (default: deflate)', codecs))
    .option('--force', 'replace OUT')
    .addHelpText('after', example)
    .action((directory: string | undefined, out: string | undefined, options: ExportOptions) =>
      runVerb(finish, () => {
        const isInFile = options.confFile !== undefined && out === undefined;
        return isInFile ? run(undefined, directory, options) : run(directory, out, options);
      }),
    );
}

async function run(directory: string | undefined, out: string | undefined, options: ExportOptions): Promise<number> {
  const request = requestOf(options);
  const place = await placeOf(directory, options);
  if (out === undefined) throw new UsageError('OUT is missing: the Avro file to write, or - for stdout');
  const view = await viewAt(place);
  const forbidden = view.found.present.map(({ path }) => path);
  using interrupt = new Interrupt();
  const output = await openOutput(out, { isForced: options.force === true, forbidden });
  const exporting = new Export(view, request, output);
  try {
    await exporting.run(interrupt.signal);
    if (interrupt.status === undefined) await output.finish();
  } catch (error) {
    await output.abandon();
    throw error;
  }
  for (const damage of view.damages) console.error(damageText(damage));
  for (const line of exporting.passedOver.lines('exported')) console.error(line);
  if (interrupt.status !== undefined) {
    await output.abandon();
    console.error(`error: interrupted; ${out === stdoutName ? 'stdout has a part' : `${inert(out)} was not written`}`);
    return interrupt.status;
  }
  exporting.report(out, options.json === true);
  return exporting.passedOver.events > 0 || view.damages.length > 0 ? exitDamage : 0;
}

interface Request {
  readonly selection: Selection;
  readonly limit: number;
  readonly codec: ExportCodec;
  /** What was asked for, for the file's metadata. */
  readonly metadata: readonly (readonly [string, string])[];
}

function requestOf(options: ExportOptions): Request {
  const { from, to, state = presetStates, where, limit, codec: name = 'deflate' } = options;
  const codec = codecs.find((one) => one === name);
  if (codec === undefined) throw new UsageError(`--codec '${name}' is not allowed: one of ${codecs.join(', ')}`);
  const asked: readonly (readonly [string, string | undefined])[] = [
    ['forebay.from', from],
    ['forebay.to', to],
    ['forebay.state', state],
    ['forebay.where', where === undefined ? undefined : JSON.stringify(where)],
    ['forebay.limit', limit],
  ];
  return {
    selection: selectionOf({ ...options, state }),
    limit: limit === undefined ? Number.POSITIVE_INFINITY : countOf('--limit', limit),
    codec,
    metadata: asked.flatMap(([key, value]) => (value === undefined ? [] : [[key, value] as const])),
  };
}

class Export {
  readonly passedOver = new PassedOverEvents();
  readonly #view: ChannelView;
  readonly #request: Request;
  readonly #output: Output;
  #events = 0;
  #first: Sequence | undefined;
  #last: Sequence | undefined;

  constructor(view: ChannelView, request: Request, output: Output) {
    this.#view = view;
    this.#request = request;
    this.#output = output;
  }

  /** Ends before its end once `signal` is aborted. */
  async run(signal: AbortSignal): Promise<void> {
    const { limit, codec, metadata } = this.#request;
    const channel = ['forebay.channelId', this.#view.found.identity.channelId] as const;
    const blocks = new AvroBlocks(codec, [channel, ...metadata], (bytes) => this.#output.write(bytes));
    await blocks.begin();
    if (limit > 0) await this.#addAll(blocks, signal);
    if (!signal.aborted) await blocks.finish();
  }

  async #addAll(blocks: AvroBlocks, signal: AbortSignal): Promise<void> {
    const { selection, limit } = this.#request;
    const total = Math.min(estimateEvents(this.#view, selection), limit);
    const progress = progressLine('export', (rate) => `${counted(Math.round(rate))} events`);
    const { passedOver } = this;
    try {
      for await (const batch of selectEvents(this.#view, selection, { eventsMax: eventsAtOnce, passedOver, signal })) {
        for (const dumped of batch.events) {
          await blocks.add(dumped);
          this.#events += 1;
          this.#first ??= dumped.event.sequence;
          this.#last = dumped.event.sequence;
          if (this.#events >= limit) return;
        }
        progress.at(this.#events, total);
      }
    } finally {
      progress.end();
    }
  }

  /** On stderr where stdout has the events. */
  report(out: string, isJson: boolean): void {
    const isStdout = out === stdoutName;
    const [events, first, last] = [this.#events, this.#first ?? null, this.#last ?? null];
    if (isJson) {
      const { channelId } = this.#view.found.identity;
      const { events: missed, named: ranges } = this.passedOver;
      const { codec } = this.#request;
      const passedOver = { events: missed, ranges };
      const document = { channelId, path: out, events, first, last, bytes: this.#output.bytes, codec, passedOver };
      if (isStdout) console.error(JSON.stringify(document));
      else printJson(document);
      return;
    }
    const range = events === 0 ? '' : `, sequences ${first}…${last}`;
    const line = `${countOfNoun(events, 'event')} exported to ${isStdout ? 'stdout' : inert(out)}${range}`;
    if (isStdout) console.error(line);
    else console.log(line);
  }
}
