/** `forebay channel replay`: sends a range of a channel again, to stdout or through a sink of a configuration. */
import { Command } from 'commander';
import type { Plan, PlannedSink } from '../../agent/plan.ts';
import { sleep } from '../../agent/sleep.ts';
import { systemClock } from '../../base/clock.ts';
import type { Sequence } from '../../base/units.ts';
import type { ChannelView } from '../../channel/reader/channel-view.ts';
import type { DumpRange } from '../../channel/reader/dump.ts';
import { damageText } from './damage-text.ts';
import { append, formatOf, formatOption, stateOption } from './event-options.ts';
import { EventPrinter } from './event-printer.ts';
import { Interrupt } from './interrupt.ts';
import { type Place, type PlaceOptions, placeIn, placeOf, planOf, viewAt, withPlace } from './place.ts';
import { progressLine } from './progress.ts';
import { type ReplayProgress, ResumeFile } from './resume-file.ts';
import {
  estimateEvents,
  PassedOverEvents,
  type SelectedBatch,
  type Selection,
  type SelectionOptions,
  selectEvents,
  selectionOf,
} from './selected-events.ts';
import { SinkReceiver } from './sink-receiver.ts';
import { ConfigurationError, counted, exitDamage, inert, printJson, runVerb, UsageError } from './verb.ts';

interface ReplayOptions extends PlaceOptions, SelectionOptions {
  readonly format?: string;
  readonly sink?: string;
  readonly conf?: readonly string[];
  readonly rate?: string;
  readonly resume?: string;
}

const batchEventsMax = 1000;
/** With --rate: so that it flows. */
const batchesPerSecond = 10;
const exitFailed = 1;

const example = `
Examples:
  $ forebay channel replay /var/lib/forebay/c1 --from 2026-11-22T00:00:00Z --to 2026-11-22T23:59:59.999Z --format raw
  $ forebay channel replay -f agent.properties -n a1 --sink k1 --from 2026-11-22T00:00:00Z --resume day.json

Sends all of the range that the channel still holds, but for what is lost: also what was delivered before (acked), and
what waits (pending, prepared). --state sends some of it. The channel is not changed, and may be in use.

--sink runs that sink alone, with the keys that the configuration has for it, and stops it in order at the end. Without
DIR its own channel is sent again. --resume FILE keeps how far it is: the same command goes on there, after Ctrl-C and
after a kill; to a sink no event goes twice (FILE.channel is what it works with meanwhile), to stdout after a kill some
may (FILE.lock, which stays, keeps a second one out). Once all is sent the same command sends what has come since, where
there is no --to.

Exit status: 0 fine (a pipe closed early too), 1 failed, 2 damage was met, or events were let go meanwhile, 64 usage,
75 another replay works with FILE, 78 bad configuration, 130 and 143 on a signal.`;

/** Makes the command. `finish` is told the exit status. */
export function replayCommand(finish: (status: number) => void): Command {
  return withPlace(new Command('replay'))
    .summary('send a range again, to stdout or through a sink')
    .description('Sends the events of a range again, and changes nothing in the channel.')
    .option('--from <start>', 'the first, by sequence or by ISO time of its commit')
    .option('--to <end>', 'the last, included')
    .addOption(stateOption('pending,prepared,acked'))
    .option('--where <header=value>', 'with this header only; all of several', append)
    .addOption(formatOption('of what goes to stdout'))
    .option('--sink <name>', 'through this sink of the agent instead')
    .option('-c, --conf <dir>', 'look there for core-site.xml and hdfs-site.xml (default: HADOOP_CONF_DIR)', append)
    .option('--rate <count>', 'so many events a second at most')
    .option('--resume <file>', 'keep in FILE how far it is, and go on there')
    .addHelpText('after', example)
    .action((directory: string | undefined, options: ReplayOptions) =>
      runVerb(finish, async () => await new Replay(options, await targetOf(directory, options)).run()),
    );
}

interface Target {
  readonly place: Place;
  readonly agent: string | undefined;
  readonly sink: PlannedSink | undefined;
}

/** DIR, or the channel of the configuration: the sink's own where none is named. */
async function targetOf(directory: string | undefined, options: ReplayOptions): Promise<Target> {
  const { sink: name, confFile, name: agent, channel, format, conf } = options;
  if (name === undefined) {
    if (conf !== undefined) throw new UsageError('--conf is for --sink');
    return { place: await placeOf(directory, options), agent: undefined, sink: undefined };
  }
  if (format !== undefined) throw new UsageError('--format is for stdout: a sink writes as its keys say');
  if (confFile === undefined || agent === undefined) throw new UsageError('--sink needs --conf-file and --name too');
  const plan = await planOf(confFile, agent);
  const sink = sinkOf(plan, name);
  if (directory === undefined) return { place: placeIn(plan, channel ?? sink.channel), agent, sink };
  if (channel !== undefined) throw new UsageError('DIR and --channel exclude each other: name the channel once');
  const { checkpointDir, key, json } = options;
  const own = { ...(checkpointDir && { checkpointDir }), ...(key && { key }), ...(json && { json }) };
  return { place: await placeOf(directory, own), agent, sink };
}

function sinkOf({ agent, sinks }: Plan, name: string): PlannedSink {
  const sink = sinks.find((one) => one.name === name);
  if (sink !== undefined) return sink;
  const known = sinks.length === 0 ? 'it has none' : `it has ${sinks.map((one) => one.name).join(', ')}`;
  throw new ConfigurationError([`error: ${agent} has no sink '${name}': ${known}`]);
}

/** What takes the events. */
interface Receiver {
  readonly progress: ReplayProgress | undefined;
  /** False where it was stopped before. */
  send(batch: SelectedBatch, progress: ReplayProgress, signal: AbortSignal): Promise<boolean>;
  /** Resolves to how many of the events sent are not delivered. */
  finish(progress: ReplayProgress | undefined, isHasty: boolean): Promise<number>;
  abandon(): Promise<void>;
}

class Replay {
  readonly #options: ReplayOptions;
  readonly #target: Target;
  readonly #selection: Selection;
  readonly #ratePerSecond: number;
  readonly #passedOver = new PassedOverEvents();
  #sent = 0;
  #first: Sequence | undefined;
  #last: Sequence | undefined;
  #progress: ReplayProgress | undefined;

  constructor(options: ReplayOptions, target: Target) {
    this.#options = options;
    this.#target = target;
    this.#selection = selectionOf(options);
    this.#ratePerSecond = rateOf(options.rate);
  }

  async run(): Promise<number> {
    const view = await viewAt(this.#target.place);
    using interrupt = new Interrupt();
    const receiver = await this.#receiver(view);
    this.#progress = receiver.progress;
    try {
      await this.#sendAll(view, receiver, interrupt.signal);
    } catch (error) {
      await receiver.abandon();
      throw error;
    }
    const left = await receiver.finish(this.#progress, interrupt.status !== undefined);
    for (const damage of view.damages) console.error(damageText(damage));
    this.#report(left, interrupt.status);
    if (interrupt.status !== undefined) return interrupt.status;
    if (left > 0) return exitFailed;
    return this.#passedOver.events > 0 || view.damages.length > 0 ? exitDamage : 0;
  }

  async #sendAll(view: ChannelView, receiver: Receiver, signal: AbortSignal): Promise<void> {
    const eventsMax = Math.max(1, Math.min(batchEventsMax, Math.ceil(this.#ratePerSecond / batchesPerSecond)));
    const from = startingAt(this.#selection.range, receiver.progress?.nextSequence);
    const selection = { ...this.#selection, range: from };
    const total = estimateEvents(view, selection);
    const perSecond = (rate: number): string => `${counted(Math.round(rate))} events`;
    const line = this.#target.sink === undefined ? undefined : progressLine('replay', perSecond);
    const startMs = systemClock.monotonicMs();
    try {
      for await (const batch of selectEvents(view, selection, { eventsMax, passedOver: this.#passedOver, signal })) {
        const progress = {
          nextSequence: batch.next,
          events: (this.#progress?.events ?? 0) + batch.events.length,
        };
        if (!(await receiver.send(batch, progress, signal))) return;
        this.#count(batch, progress);
        line?.at(this.#sent, total);
        const dueMs = startMs + (1000 * this.#sent) / this.#ratePerSecond;
        await sleep(systemClock, Math.max(0, dueMs - systemClock.monotonicMs()), signal);
      }
    } finally {
      line?.end();
    }
  }

  #count({ events }: SelectedBatch, progress: ReplayProgress): void {
    this.#progress = progress;
    this.#sent += events.length;
    this.#first ??= events[0]?.event.sequence;
    this.#last = events.at(-1)?.event.sequence ?? this.#last;
  }

  async #receiver({ found }: ChannelView): Promise<Receiver> {
    const { agent, sink } = this.#target;
    const { resume: path, from = null, to = null, where = [], conf = [] } = this.#options;
    const format = sink === undefined ? formatOf(this.#options) : undefined;
    const receiver = sink === undefined ? `stdout ${format}` : `sink ${agent}.${sink.name}`;
    const state = [...this.#selection.states].sort();
    const identity = { channelId: found.identity.channelId, from, to, state, where, receiver };
    if (sink === undefined) {
      const resume = path === undefined ? undefined : await ResumeFile.openAlone(path, identity);
      return new StdoutReceiver(new EventPrinter(format ?? 'text'), resume);
    }
    // The channel beside it is locked.
    const resume = path === undefined ? undefined : await ResumeFile.open(path, identity);
    return await SinkReceiver.open({ sink, resume, confDirectories: conf });
  }

  /** On stderr where stdout has the events. */
  #report(left: number, status: number | undefined): void {
    const { sink, agent } = this.#target;
    const nextSequence = this.#progress?.nextSequence ?? null;
    const result = { events: this.#sent, first: this.#first ?? null, last: this.#last ?? null, nextSequence };
    for (const line of this.#passedOver.lines()) console.error(line);
    if (this.#options.json === true) {
      const passedOver = { events: this.#passedOver.events, ranges: this.#passedOver.named };
      const document = { ...result, notDelivered: left, passedOver, isInterrupted: status !== undefined };
      if (sink === undefined) console.error(JSON.stringify(document));
      else printJson(document);
      return;
    }
    const range = this.#first === undefined ? '' : `, sequences ${this.#first}…${this.#last}`;
    const through = sink === undefined ? 'to stdout' : `through ${inert(`${agent}.${sink.name}`)}`;
    const print = sink === undefined ? console.error : console.log;
    print(`${counted(this.#sent)} events sent ${through}${range}`);
    if (left > 0) console.error(`${counted(left)} of them are not delivered: see above why${this.#goOn()}`);
    else if (status !== undefined) console.error(`stopped before sequence ${nextSequence ?? 1}${this.#goOn()}`);
  }

  #goOn(): string {
    return this.#options.resume === undefined ? '' : '; the same command goes on there';
  }
}

class StdoutReceiver implements Receiver {
  readonly #printer: EventPrinter;
  readonly #resume: ResumeFile | undefined;

  constructor(printer: EventPrinter, resume: ResumeFile | undefined) {
    this.#printer = printer;
    this.#resume = resume;
  }

  get progress(): ReplayProgress | undefined {
    return this.#resume?.earlier;
  }

  async send({ events }: SelectedBatch, progress: ReplayProgress): Promise<boolean> {
    for (const event of events) {
      if (this.#printer.print(event)) await this.#printer.flush();
    }
    await this.#printer.flush();
    await this.#resume?.write(progress);
    return true;
  }

  async finish(): Promise<number> {
    await this.#resume?.close();
    return 0;
  }

  async abandon(): Promise<void> {
    await this.#resume?.close();
  }
}

function startingAt(range: DumpRange, next: Sequence | undefined): DumpRange {
  return next === undefined ? range : { ...range, fromSequence: Math.max(next, range.fromSequence ?? 0) };
}

function rateOf(text: string | undefined): number {
  if (text === undefined) return Number.POSITIVE_INFINITY;
  const rate = Number(text);
  if (/^\d+(\.\d+)?$/.test(text) && rate > 0) return rate;
  throw new UsageError(`--rate '${text}': events a second are due, more than 0`);
}
