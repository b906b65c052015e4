/** Real sinks over a real memory channel, for the processors' tests: each takes one event a call, and can be broken. */
import type { Log, LogFields, Sink, SinkProcessorContext } from '../../../src/agent/contracts/components.ts';
import { type Channel, MemoryChannel } from '../../../src/engine.ts';
import { ManualClock } from '../../support/manual-clock.ts';

/** Takes one event a call into `bodies`; rejects, with the event given back, while `isBroken`. */
export class OneByOneSink implements Sink {
  readonly bodies: string[] = [];
  readonly #channel: Channel;
  isBroken = false;
  calls = 0;

  constructor(channel: Channel) {
    this.#channel = channel;
  }

  async start(): Promise<void> {
    await Promise.resolve();
  }

  async process(): Promise<'ready' | 'backoff'> {
    this.calls += 1;
    const batch = await this.#channel.take(1);
    const [event] = batch.events;
    if (event === undefined) return 'backoff';
    if (this.isBroken) {
      await batch.rollback();
      throw new Error('the far side is down');
    }
    this.bodies.push(Buffer.from(event.body).toString());
    await batch.commit();
    return 'ready';
  }

  async stop(): Promise<void> {
    await Promise.resolve();
  }
}

/** What a component said. */
interface Said {
  readonly level: 'info' | 'warn' | 'error';
  readonly text: string;
  readonly fields: LogFields;
}

/** A group of sinks by name over one channel that holds the events 1 … `events`. */
export interface Group {
  readonly channel: Channel;
  readonly clock: ManualClock;
  readonly sinks: ReadonlyMap<string, OneByOneSink>;
  readonly said: Said[];
  readonly context: SinkProcessorContext;
}

/** See Group. `random`: the numbers that are drawn, over and over. */
export async function makeGroup(
  names: readonly string[],
  events: number,
  random: readonly number[] = [0],
): Promise<Group> {
  const clock = new ManualClock();
  const channel = await MemoryChannel.open({}, clock);
  const bodies = Array.from({ length: events }, (_, index) => String(index + 1));
  await channel.put(bodies.map((body) => ({ headers: {}, body: Buffer.from(body) })));
  const sinks = new Map(names.map((name) => [name, new OneByOneSink(channel)]));
  const said: Said[] = [];
  const say =
    (level: Said['level']) =>
    (text: string, fields: LogFields = {}) =>
      void said.push({ level, text, fields });
  const log: Log = { info: say('info'), warn: say('warn'), error: say('error') };
  let drawn = -1;
  const draw = (): number => {
    drawn += 1;
    return random[drawn % random.length] ?? 0;
  };
  const context = { name: 'g1', log, clock, count: () => undefined, sinks, random: draw };
  return { channel, clock, sinks, said, context };
}

/** The sink of that name. */
export function sinkOf(group: Group, name: string): OneByOneSink {
  const sink = group.sinks.get(name);
  if (sink === undefined) throw new Error(`no sink ${name}`);
  return sink;
}
