/** Contexts for single sources and sinks over real channels: what they log and count can be looked at. */
import { createChannelProcessor } from '../../src/agent/channel-processor.ts';
import type {
  ChannelProcessor,
  ComponentContext,
  LogFields,
  Serializer,
  SinkContext,
  SourceContext,
} from '../../src/agent/contracts/components.ts';
import type { Key, Keys, ValuesOf } from '../../src/agent/contracts/keys.ts';
import { readKeys } from '../../src/agent/contracts/read-keys.ts';
import { systemClock } from '../../src/base/clock.ts';
import type { Channel, Clock, DeliveredEvent } from '../../src/engine.ts';

/** What a component said. */
interface Said {
  readonly level: 'info' | 'warn' | 'error';
  readonly text: string;
  readonly fields: LogFields;
}

/** A context with what came of it. */
export interface Watched<Context> {
  readonly context: Context;
  readonly said: readonly Said[];
  readonly counts: ReadonlyMap<string, number>;
}

function watch(clock: Clock): Watched<ComponentContext> {
  const said: Said[] = [];
  const counts = new Map<string, number>();
  const log =
    (level: Said['level']) =>
    (text: string, fields: LogFields = {}) => {
      said.push({ level, text, fields });
    };
  const context: ComponentContext = {
    name: 'x1',
    clock,
    log: { info: log('info'), warn: log('warn'), error: log('error') },
    count: (counter, by = 1) => {
      counts.set(counter, (counts.get(counter) ?? 0) + by);
    },
  };
  return { context, said, counts };
}

/** For a source that feeds `channel` alone, without interceptors. Counts as the agent's processor does. */
export function sourceOn(channel: Channel, clock: Clock = systemClock): Watched<SourceContext> {
  const watched = watch(clock);
  const { count } = watched.context;
  const processor: ChannelProcessor = {
    channels: ['c1'],
    note: (_, key) => channel.notes.get(key),
    process: async (events) => {
      count('EventReceivedCount', events.length);
      await channel.put(events);
      count('EventAcceptedCount', events.length);
    },
  };
  return { ...watched, context: { ...watched.context, processor } };
}

/** For a source that feeds all of `channels`, through the agent's own processor. */
export function sourceInto(channels: Readonly<Record<string, Channel>>): Watched<SourceContext> {
  const watched = watch(systemClock);
  const names = Object.keys(channels);
  const channelOf = (name: string): Channel => {
    const channel = channels[name];
    if (channel === undefined) throw new Error(`channel ${name} is not open`);
    return channel;
  };
  const processor = createChannelProcessor({
    ...watched.context,
    channels: names,
    channel: channelOf,
    interceptors: [],
    selector: { route: () => ({ required: names, optional: [] }) },
  });
  return { ...watched, context: { ...watched.context, processor } };
}

const surroundings = { environment: {}, confDirectories: [] };

/** For a sink on `channel`. */
export function sinkOn(
  channel: Channel,
  makeSerializer: () => Serializer = () => {
    throw new Error('this sink has no serializer');
  },
  clock: Clock = systemClock,
): Watched<SinkContext> {
  const watched = watch(clock);
  const undeliverable: SinkContext['undeliverable'] = async (_, [first]) => {
    throw new Error(`event ${first?.event.sequence} is kept: ${first?.reason}`);
  };
  return { ...watched, context: { ...watched.context, channel, makeSerializer, undeliverable, surroundings } };
}

/** The values of a configuration's texts; fails where one of them is not allowed. */
export function valuesOf<Declared extends Keys>(
  { keys }: { readonly keys: Declared },
  texts: Readonly<Record<string, string>> = {},
): ValuesOf<Declared> {
  const { values, problems, warnings } = readKeys(keys, new Map(Object.entries(texts)));
  const said = [...problems, ...warnings].map(({ key, message }) => `${key} ${message}`);
  if (values === undefined || said.length > 0) throw new Error(said.join('; '));
  return values;
}

/** The problems of a configuration's texts. */
export function problemsOf(
  definition: { readonly keys: Readonly<Record<string, Key<unknown>>> },
  texts: object,
): string[] {
  return readKeys(definition.keys, new Map(Object.entries(texts))).problems.map(
    ({ key, message }) => `${key} ${message}`,
  );
}

/** Takes and acknowledges all that is in the channel. */
export async function drain(channel: Channel): Promise<DeliveredEvent[]> {
  const events: DeliveredEvent[] = [];
  for (;;) {
    const batch = await channel.take(1000);
    if (batch.events.length === 0) return events;
    events.push(...batch.events.map((event) => ({ ...event, body: Buffer.from(event.body) })));
    await batch.commit();
  }
}

/** Bodies as texts. */
export function textsOf(events: readonly { readonly body: Uint8Array }[]): string[] {
  return events.map(({ body }) => Buffer.from(body).toString());
}

/** Resolves once `isTrue`; rejects after 30 s. */
export async function until(isTrue: () => boolean, what: string): Promise<void> {
  const endMs = performance.now() + 30_000;
  while (!isTrue()) {
    if (performance.now() > endMs) throw new Error(`waited 30 s in vain: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}
