/**
 * The processes that measure how a channel is opened: one fills a channel and then closes it or waits to be killed, the
 * next one opens it and says how long that took and what the whole process weighs. Each line of stdout is one JSON
 * document.
 *
 *     fill DIR EVENTS BODY-BYTES SEED close|hang
 *     open DIR BODY-BYTES
 */
import type { Disk } from '../base/disk.ts';
import { FileChannel } from '../channel/file-channel.ts';
import type { ChannelOptions } from '../channel/options.ts';
import { fillChannel } from './channel-work.ts';
import { randomEvents } from './events.ts';

/** What `fill` says, once the last event is durable or the channel closed. */
export interface FillReport {
  readonly fillMs: number;
  readonly closeMs: number | null;
  readonly rssBytes: number;
  /** Null where the system does not tell. */
  readonly rssPeakBytes: number | null;
}

/** What `open` says. Memory is the whole process', the runtime included. */
export interface OpenReport {
  readonly openMs: number;
  /** From the start of the opening until a first put was durable. */
  readonly firstPutMs: number;
  readonly firstTakeMs: number;
  readonly depthEvents: number;
  readonly health: string;
  readonly rssBeforeBytes: number;
  readonly rssBytes: number;
  readonly rssPeakBytes: number | null;
}

/** How a child opens its channel. */
export interface ChildEnvironment {
  readonly disk: Disk;
  readonly options: ChannelOptions;
  /** The most this process ever had; NaN where the system does not tell. */
  readonly peakRssBytes: () => number;
}

const capacityEvents = 1_000_000_000;
const firstTakeEvents = 1000;
/** So long a process waits to be killed: one that is forgotten is not to stay. */
const hangMsMax = 60_000;

/** Runs one of the roles above. `say` prints a line. */
export async function runChild(
  args: readonly string[],
  environment: ChildEnvironment,
  say: (line: string) => void,
): Promise<void> {
  const [role, directory = '', ...rest] = args;
  if (role === 'fill') await fill(directory, rest, environment, say);
  else if (role === 'open') await open(directory, Number(rest[0]), environment, say);
  else throw new Error(`no such role: ${role}`);
}

async function fill(
  directory: string,
  args: readonly string[],
  environment: ChildEnvironment,
  say: (line: string) => void,
): Promise<void> {
  const [count, bodyBytes, seed, end] = args;
  const channel = await openIn(directory, environment);
  const startMs = performance.now();
  await fillChannel(channel, Number(count), Number(bodyBytes), Number(seed));
  const filledMs = performance.now();
  if (end === 'close') await channel.close();
  const closeMs = end === 'close' ? performance.now() - filledMs : null;
  const report: FillReport = {
    fillMs: filledMs - startMs,
    closeMs,
    rssBytes: process.memoryUsage.rss(),
    rssPeakBytes: environment.peakRssBytes(),
  };
  say(JSON.stringify(report));
  // Held up without an end, with nothing of the log's left to do but what was under way: to be killed like this.
  if (end !== 'close') Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, hangMsMax);
}

async function open(
  directory: string,
  bodyBytes: number,
  environment: ChildEnvironment,
  say: (line: string) => void,
): Promise<void> {
  const [event] = randomEvents(1, bodyBytes, 1);
  const rssBeforeBytes = process.memoryUsage.rss();
  const startMs = performance.now();
  const channel = await openIn(directory, environment);
  const openedMs = performance.now();
  const depthEvents = channel.stats().depthEvents;
  await channel.put(event === undefined ? [] : [event]);
  const putMs = performance.now();
  const batch = await channel.take(firstTakeEvents, { waitMs: 10_000 });
  const tookMs = performance.now();
  await batch.commit();
  const { state, reasons } = channel.stats().health;
  const report: OpenReport = {
    openMs: openedMs - startMs,
    firstPutMs: putMs - startMs,
    firstTakeMs: tookMs - putMs,
    depthEvents,
    health: [state, ...reasons].join('; '),
    rssBeforeBytes,
    rssBytes: process.memoryUsage.rss(),
    rssPeakBytes: environment.peakRssBytes(),
  };
  await channel.close();
  say(JSON.stringify(report));
}

function openIn(directory: string, { disk, options }: ChildEnvironment): Promise<FileChannel> {
  return FileChannel.open(directory, { capacityEvents, ...options }, { disk });
}
