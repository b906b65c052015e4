/** A spooldir source with real channels and the real channel processor, and what it said. */
import { readdir } from 'node:fs/promises';
import { spooldirSource } from '../../../../src/adapters/sources/spooldir/definition.ts';
import { createChannelProcessor } from '../../../../src/agent/channel-processor.ts';
import type { ChannelProcessor, Log, Source } from '../../../../src/agent/contracts/components.ts';
import { readKeys } from '../../../../src/agent/contracts/read-keys.ts';
import { systemClock } from '../../../../src/base/clock.ts';
import type { Channel, Clock, Event } from '../../../../src/engine.ts';

/** A source that runs. */
export interface Running {
  readonly source: Source;
  readonly processor: ChannelProcessor;
  readonly errors: string[];
  readonly warnings: string[];
  readonly counts: Map<string, number>;
}

/** Changes what a source puts: a test's hand at its elbow. */
export type Wrap = (processor: ChannelProcessor) => ChannelProcessor;

/** Over `channels`, all of them required. `keys` as a configuration has them. */
export function makeSource(
  channels: ReadonlyMap<string, Channel>,
  keys: Readonly<Record<string, string>>,
  wrap: Wrap = (processor) => processor,
  clock: Clock = systemClock,
): Running {
  const errors: string[] = [];
  const warnings: string[] = [];
  const counts = new Map<string, number>();
  const log: Log = {
    info: () => undefined,
    warn: (text, fields) => void warnings.push(`${text} ${String(fields?.['error'] ?? '')}`),
    error: (text, fields) => void errors.push(`${text} ${String(fields?.['error'] ?? '')}`),
  };
  const count = (counter: string, by = 1) => void counts.set(counter, (counts.get(counter) ?? 0) + by);
  const names = [...channels.keys()];
  const real = createChannelProcessor({
    name: 'r1',
    channels: names,
    channel: (name) => {
      const channel = channels.get(name);
      if (channel === undefined) throw new Error(`no channel ${name}`);
      return channel;
    },
    interceptors: [],
    selector: { route: () => ({ required: names, optional: [] }) },
    clock,
    log,
    count,
  });
  const processor = wrap(real);
  const { values, problems } = readKeys(spooldirSource.keys, new Map(Object.entries({ pollDelay: '20', ...keys })));
  if (values === undefined) throw new Error(JSON.stringify(problems));
  const source = spooldirSource.create(values, { name: 'r1', log, clock, count, processor });
  return { source, processor, errors, warnings, counts };
}

/** All that is there. */
export async function drain(channel: Channel): Promise<Event[]> {
  const events: Event[] = [];
  for (let batch = await channel.take(1000); batch.events.length > 0; batch = await channel.take(1000)) {
    for (const { headers, body } of batch.events) events.push({ headers, body: Buffer.from(body) });
    await batch.commit();
  }
  return events;
}

/** Bodies as text. */
export async function drainText(channel: Channel): Promise<string[]> {
  return (await drain(channel)).map(({ body }) => Buffer.from(body).toString());
}

/** Waits until it is so. */
export async function until(isSo: () => boolean | Promise<boolean>, what: string, msMax = 20_000): Promise<void> {
  for (const beganMs = Date.now(); !(await isSo()); ) {
    if (Date.now() - beganMs > msMax) throw new Error(`not within ${msMax} ms: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

/** Whether all files of `directory` are done, or none is there. */
export async function isAllDone(directory: string): Promise<boolean> {
  const names = (await readdir(directory)).filter((name) => !name.startsWith('.'));
  return names.every((name) => name.endsWith('.COMPLETED'));
}
