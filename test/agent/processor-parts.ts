/** What the tests of the channel processor share: real channels, and a source's view of them. */
import { createChannelProcessor, type ProcessorParts } from '../../src/agent/channel-processor.ts';
import type { ChannelProcessor, Interceptor, LogFields, Selector } from '../../src/agent/contracts/components.ts';
import { type Channel, type Clock, type Event, MemoryChannel, type MemoryChannelOptions } from '../../src/engine.ts';
import { ManualClock } from '../support/manual-clock.ts';

/** A processor with what it logged and counted. */
export interface Made {
  readonly processor: ChannelProcessor;
  readonly warnings: { readonly text: string; readonly fields: LogFields | undefined }[];
  readonly counts: Map<string, number>;
}

/** Over `channels`; without a selector every one of them is required. */
export function makeProcessor(
  channels: ReadonlyMap<string, Channel>,
  more: {
    /** Default: of `channels`. One that is not there is not open. */
    names?: readonly string[];
    selector?: ProcessorParts['selector'];
    interceptors?: readonly Interceptor[];
    optional?: readonly string[];
    isJoined?: (name: string) => boolean;
    clock?: Clock;
  } = {},
): Made {
  const warnings: Made['warnings'] = [];
  const counts: Made['counts'] = new Map();
  const { names = [...channels.keys()] } = more;
  const all: Selector = { route: () => ({ required: names, optional: [] }) };
  const processor = createChannelProcessor({
    name: 'r1',
    channels: names,
    channel: (name) => {
      const channel = channels.get(name);
      if (channel === undefined) throw new Error(`channel ${name} is not open`);
      return channel;
    },
    interceptors: more.interceptors ?? [],
    selector: more.selector ?? all,
    ...(more.optional === undefined ? {} : { optional: more.optional }),
    ...(more.isJoined === undefined ? {} : { isJoined: more.isJoined }),
    clock: more.clock ?? new ManualClock(),
    count: (counter, by = 1) => void counts.set(counter, (counts.get(counter) ?? 0) + by),
    log: {
      info: () => undefined,
      error: () => undefined,
      warn: (text, fields) => void warnings.push({ text, fields }),
    },
  });
  return { processor, warnings, counts };
}

/** Events whose bodies are the numbers from `first` on. */
export function numbered(first: number, count: number, headers: Record<string, string> = {}): Event[] {
  return Array.from({ length: count }, (_, index) => ({ headers, body: Buffer.from(String(first + index)) }));
}

/** Takes all that is there: the numbers in the bodies. */
export async function drain(channel: Channel): Promise<number[]> {
  const numbers: number[] = [];
  for (let batch = await channel.take(1000); batch.events.length > 0; batch = await channel.take(1000)) {
    for (const { body } of batch.events) numbers.push(Number(body.toString()));
    await batch.commit();
  }
  return numbers;
}

/** Closed when the test ends. */
export async function openMemory(
  test: { after(call: () => Promise<void>): void },
  options: MemoryChannelOptions = {},
): Promise<MemoryChannel> {
  const channel = await MemoryChannel.open(options);
  test.after(() => channel.close());
  return channel;
}

/** 0, 1, … count − 1. */
export function upTo(count: number): number[] {
  return Array.from({ length: count }, (_, index) => index);
}
