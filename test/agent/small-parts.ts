/** Small real components for the runner's tests: a source that counts up, a sink that collects; each can be broken. */
import type {
  ChannelDefinition,
  SelectorDefinition,
  SinkDefinition,
  SinkProcessorDefinition,
  SourceDefinition,
} from '../../src/agent/contracts/components.ts';
import type { Plan, PlannedSink, PlannedSource } from '../../src/agent/plan.ts';
import { type Clock, MemoryChannel } from '../../src/engine.ts';

/** What a world's parts do and have done. */
export interface World {
  /** `start r1`, `stop k1`, `open c1`, … in order. */
  readonly order: string[];
  /** `start r1` in it: that start rejects. */
  readonly broken: Set<string>;
  /** `stop r1` in it: that never ends. */
  readonly hanging: Set<string>;
  /** Bodies by sink. */
  readonly delivered: Map<string, string[]>;
  /** What each source found noted in its first channel when it started. */
  readonly noted: Map<string, unknown>;
  /** How far each source has counted. */
  readonly counted: Map<string, number>;
}

/** Time that passes `factor` times as fast in waits. */
export function fastClock(factor: number): Clock {
  return {
    wallMs: () => Date.now(),
    monotonicMs: () => performance.now() * factor,
    after: (delayMs, call) => {
      const timer = setTimeout(call, delayMs / factor);
      return { cancel: () => clearTimeout(timer) };
    },
  };
}

/** Nothing done, nothing broken. */
export function makeWorld(): World {
  return {
    order: [],
    broken: new Set(),
    hanging: new Set(),
    delivered: new Map(),
    noted: new Map(),
    counted: new Map(),
  };
}

async function step({ order, broken, hanging }: World, what: string): Promise<void> {
  order.push(what);
  if (broken.has(what)) throw new Error(`${what} is broken`);
  if (hanging.has(what)) await new Promise(() => undefined);
}

/** Puts `NAME-1`, `NAME-2`, … one by one; a refused one is offered again. */
function countingSource(world: World): SourceDefinition {
  return {
    types: ['counting'],
    keys: {},
    create: (_values, { name, processor }) => {
      let isStopped = false;
      let life: Promise<void> = Promise.resolve();
      const run = async (): Promise<void> => {
        while (!isStopped) {
          const next = (world.counted.get(name) ?? 0) + 1;
          try {
            const events = [{ headers: {}, body: Buffer.from(`${name}-${next}`) }];
            await processor.process(events, { notes: { [name]: next } });
            world.counted.set(name, next);
          } catch {
            // Refused: the same again.
          }
          await new Promise((resolve) => setTimeout(resolve, 2));
        }
      };
      return {
        start: async () => {
          await step(world, `start ${name}`);
          world.noted.set(name, processor.note(processor.channels[0] ?? '', name));
          life = run();
        },
        stop: async () => {
          isStopped = true;
          await life;
          await step(world, `stop ${name}`);
        },
      };
    },
  };
}

/** Collects bodies. */
function collectingSink(world: World): SinkDefinition {
  return {
    types: ['collecting'],
    keys: {},
    create: (_values, { name, channel, count }) => ({
      start: () => step(world, `start ${name}`),
      stop: () => step(world, `stop ${name}`),
      process: async (signal) => {
        const batch = await channel.take(100, { waitMs: 20, signal });
        const list = world.delivered.get(name) ?? [];
        world.delivered.set(name, list);
        await batch.commit();
        list.push(...batch.events.map(({ body }) => Buffer.from(body).toString()));
        count('EventDrainSuccessCount', batch.events.length);
        return 'ready';
      },
    }),
  };
}

function everywhere(): SelectorDefinition {
  return {
    types: ['replicating'],
    keys: {},
    create: (_values, { channels }) => ({ route: () => ({ required: channels, optional: [] }) }),
  };
}

function memory(world: World): ChannelDefinition {
  return {
    types: ['memory'],
    keys: {},
    create: (values, { name }) => ({
      open: async () => {
        await step(world, `open ${name}`);
        const channel = await MemoryChannel.open({ capacity: Number(values['capacity'] ?? 10_000) });
        const close = channel.close.bind(channel);
        channel.close = async () => {
          await step(world, `close ${name}`);
          await close();
        };
        return channel;
      },
    }),
  };
}

/** A plan said in short: `channels: { c1: fingerprint }`, `sources: { r1: 'c1 c2' }`, `sinks: { k1: 'c1' }`. */
export function planOf(
  world: World,
  parts: {
    readonly channels: Readonly<Record<string, string>>;
    readonly sources?: Readonly<Record<string, string>>;
    readonly sinks?: Readonly<Record<string, string>>;
    readonly groups?: Readonly<Record<string, { sinks: string; processor: SinkProcessorDefinition }>>;
    readonly definitions?: Readonly<Record<string, ChannelDefinition>>;
    readonly fingerprints?: Readonly<Record<string, string>>;
  },
): Plan {
  const { channels, sources = {}, sinks = {}, groups = {}, definitions = {}, fingerprints = {} } = parts;
  const selector = { name: 'selector', definition: everywhere(), values: {}, fingerprint: '' };
  const fingerprintOf = (name: string): string => fingerprints[name] ?? name;
  return {
    agent: 'a1',
    channels: Object.entries(channels).map(([name, fingerprint]) => {
      const capacity = Number(/capacity=(\d+)/.exec(fingerprint)?.[1] ?? 10_000);
      return { name, definition: definitions[name] ?? memory(world), values: { capacity }, fingerprint };
    }),
    sources: Object.entries(sources).map(([name, bound]): PlannedSource => {
      const definition = countingSource(world);
      const fingerprint = fingerprintOf(name);
      return { name, definition, values: {}, fingerprint, channels: bound.split(' '), interceptors: [], selector };
    }),
    sinks: Object.entries(sinks).map(([name, channel]): PlannedSink => {
      const definition = collectingSink(world);
      const fingerprint = fingerprintOf(name);
      const none = { serializer: undefined, deadLetterChannel: undefined };
      return { name, definition, values: {}, fingerprint, channel, ...none };
    }),
    groups: Object.entries(groups).map(([name, { sinks: members, processor }]) => {
      const planned = { name, definition: processor, values: {}, fingerprint: fingerprintOf(name) };
      return { name, sinks: members.split(' '), processor: planned };
    }),
  };
}

/** Waits until `holds`, for half a minute at most. */
export async function until(holds: () => boolean, what: string): Promise<void> {
  const endMs = performance.now() + 30_000;
  while (!holds()) {
    if (performance.now() > endMs) throw new Error(`never: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}
