/** A taildir source over real channels and real files, as its tests need it. */

import { taildirKeys } from '../../../../src/adapters/sources/taildir/keys.ts';
import { taildirSource } from '../../../../src/adapters/sources/taildir/taildir-source.ts';
import { createChannelProcessor } from '../../../../src/agent/channel-processor.ts';
import type { ChannelProcessor, Source } from '../../../../src/agent/contracts/components.ts';
import { readKeys } from '../../../../src/agent/contracts/read-keys.ts';
import { systemClock } from '../../../../src/base/clock.ts';
import type { Channel, Clock, Event } from '../../../../src/engine.ts';

/** What a source said and counted. */
export interface Witness {
  readonly said: string[];
  readonly counts: Map<string, number>;
}

/** A source, not started. `optional`: channels that may refuse. */
export function makeSource(
  channels: Readonly<Record<string, Channel>>,
  properties: Readonly<Record<string, string>>,
  route: (event: Event) => readonly string[] = () => Object.keys(channels),
  clock: Clock = systemClock,
): { source: Source; processor: ChannelProcessor } & Witness {
  const said: string[] = [];
  const counts = new Map<string, number>();
  const say = (text: string): void => void said.push(text);
  const context = {
    name: 'r1',
    log: { info: say, warn: say, error: say },
    clock,
    count: (counter: string, by = 1) => void counts.set(counter, (counts.get(counter) ?? 0) + by),
  };
  const processor = createChannelProcessor({
    ...context,
    channels: Object.keys(channels),
    channel: (name) => {
      const channel = channels[name];
      if (channel === undefined) throw new Error(`no channel ${name}`);
      return channel;
    },
    interceptors: [],
    selector: { route: (event) => ({ required: route(event), optional: [] }) },
  });
  const { values, problems } = readKeys(taildirKeys, new Map(Object.entries(properties)));
  if (values === undefined) throw new Error(JSON.stringify(problems));
  return { source: taildirSource.create(values, { ...context, processor }), processor, said, counts };
}

/** Takes events until there are `count`, or until `waitMs` passed without one. */
export async function takeEvents(channel: Channel, count: number, waitMs = 2000): Promise<Event[]> {
  const events: Event[] = [];
  while (events.length < count) {
    const batch = await channel.take(1000, { waitMs });
    if (batch.events.length === 0) break;
    events.push(...batch.events.map(({ headers, body }) => ({ headers, body: Buffer.from(body) })));
    await batch.commit();
  }
  return events;
}

/** As `takeEvents`, as texts. */
export async function takeLines(channel: Channel, count: number, waitMs?: number): Promise<string[]> {
  return (await takeEvents(channel, count, waitMs)).map(({ body }) => Buffer.from(body).toString());
}

/** Waits until `is` holds, 5 s at most. */
export async function until(is: () => boolean | Promise<boolean>): Promise<void> {
  for (let turn = 0; turn < 500; turn += 1) {
    if (await is()) return;
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  throw new Error('it did not come to be within 5 s');
}
