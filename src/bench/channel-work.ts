/**
 * The work that a channel is measured with, each for a window of time: producers that put one transaction after the
 * other, consumers that take and commit, and both at once. Every commit is awaited by whoever made it, as a source or
 * a sink would; several of them at once are what a group is made of.
 */
import { mib } from '../base/units.ts';
import type { TakeOptions } from '../channel/channel.ts';
import type { Event } from '../event/event.ts';
import { bodyBytesDefault, randomEvents } from './events.ts';
import { Latencies } from './latencies.ts';

/** `producers` × `batch`: how many put at once, and the events of one transaction. */
export interface PutWork {
  readonly kind: 'put';
  readonly producers: number;
  readonly batch: number;
}

/** A channel that holds `events` is reopened and drained, so that they come from the disk. */
export interface TakeWork {
  readonly kind: 'take';
  readonly consumers: number;
  readonly batch: number;
  readonly events: number;
}

/** Both at once, from an empty channel on. */
export interface MixedWork {
  readonly kind: 'mixed';
  readonly producers: number;
  readonly consumers: number;
  readonly batch: number;
}

/** Any of them. */
export type Work = PutWork | TakeWork | MixedWork;

/** The commits of one side. */
export interface CommitFigures {
  readonly events: number;
  readonly commits: number;
  readonly seconds: number;
  readonly eventsPerSecond: number;
  readonly commitsPerSecond: number;
  /** A put: from the call until durable. A take: from `commit()` until durable, without the taking. */
  readonly p50Us: number;
  readonly p99Us: number;
}

/** What a channel did. Of a put only `put` is there, of a take only `taken`. */
export interface ChannelFigures {
  readonly put?: CommitFigures;
  readonly taken?: CommitFigures;
  /** CPU time of this process by wall time. */
  readonly cpuCores: number;
}

/** How long, with which bodies. */
export interface WorkOptions {
  readonly windowMs: number;
  /** Default 500. */
  readonly bodyBytes?: number;
  /** Default 1. */
  readonly seed?: number;
  /** Of each event. Default 0. */
  readonly headers?: number;
  /** Ends the work before its time; what was done is counted all the same. */
  readonly signal?: AbortSignal | undefined;
}

/** What of a channel the work needs; also what a queue that is no channel of ours has to be to be measured alike. */
export interface MeasuredQueue {
  /** Resolves when durable. */
  put(events: readonly Event[]): Promise<unknown>;
  consumer(name: string): MeasuredConsumer;
}

/** One taker. */
interface MeasuredConsumer {
  take(max: number, options?: TakeOptions): Promise<MeasuredBatch>;
  close(): Promise<void>;
}

/** What was taken. `commit` resolves when that is durable. */
interface MeasuredBatch {
  readonly events: { readonly length: number };
  commit(): Promise<unknown>;
}

/** How long a consumer with nothing to do waits; short, so that the window ends about in time. */
const takeWaitMs = 100;
const fillBatch = 1000;
const fillProducers = 4;
const distinctBytesMax: number = 128 * mib;

/** `put 16 × 100`, `take 1 × 1000`, `put and take 8 + 8 × 100`. */
export function nameOfWork(work: Work): string {
  if (work.kind === 'put') return `put ${work.producers} × ${work.batch}`;
  if (work.kind === 'take') return `take ${work.consumers} × ${work.batch}`;
  return `put and take ${work.producers} + ${work.consumers} × ${work.batch}`;
}

/** Puts `count` events in transactions of 1000, four at a time; fewer where `signal` is aborted. */
export async function fillChannel(
  channel: MeasuredQueue,
  count: number,
  bodyBytes: number,
  seed: number,
  { headers = 0, signal }: Pick<WorkOptions, 'headers' | 'signal'> = {},
): Promise<void> {
  let left = count;
  const produce = async (events: readonly Event[]): Promise<void> => {
    while (left > 0 && signal?.aborted !== true) {
      const some = left < events.length ? events.slice(0, left) : events;
      left -= some.length;
      await channel.put(some);
    }
  };
  const producers = eventsOf(fillProducers, fillBatch, { bodyBytes, seed, headers });
  await Promise.all(producers.map(produce));
}

/**
 * Runs `work` on an open channel until the window is over; a take also until the channel is empty. For a take the
 * channel is to hold its events already.
 */
export async function runWork(channel: MeasuredQueue, work: Work, options: WorkOptions): Promise<ChannelFigures> {
  const { windowMs, bodyBytes = bodyBytesDefault, seed = 1, headers = 0, signal } = options;
  const producers = work.kind === 'take' ? [] : eventsOf(work.producers, work.batch, { bodyBytes, seed, headers });
  const consumers = work.kind === 'put' ? 0 : work.consumers;
  const cpuBefore = process.cpuUsage();
  const startMs = performance.now();
  const isOver = (nowMs: number): boolean => nowMs >= startMs + windowMs || signal?.aborted === true;
  const put = new Tally();
  const taken = new Tally();
  const loops = producers.map((events) => produce(channel, events, isOver, put));
  for (let index = 0; index < consumers; index++) {
    loops.push(consume(channel, `bench-${index}`, work, isOver, taken));
  }
  await Promise.all(loops);
  const wallMs = performance.now() - startMs;
  const { user, system } = process.cpuUsage(cpuBefore);
  return {
    ...(producers.length > 0 ? { put: put.figures(startMs) } : {}),
    ...(consumers > 0 ? { taken: taken.figures(startMs) } : {}),
    cpuCores: (user + system) / 1000 / wallMs,
  };
}

/** Whether the work is to end, by what the clock says. */
type IsOver = (nowMs: number) => boolean;

async function produce(channel: MeasuredQueue, events: readonly Event[], isOver: IsOver, tally: Tally): Promise<void> {
  for (let beforeMs = performance.now(); !isOver(beforeMs); ) {
    await channel.put(events);
    const afterMs = performance.now();
    tally.add(events.length, beforeMs, afterMs);
    beforeMs = afterMs;
  }
}

async function consume(channel: MeasuredQueue, name: string, work: Work, isOver: IsOver, tally: Tally): Promise<void> {
  const drains = work.kind === 'take';
  const consumer = channel.consumer(name);
  while (!isOver(performance.now())) {
    const batch = await consumer.take(work.batch, { waitMs: drains ? 0 : takeWaitMs });
    if (batch.events.length === 0) {
      if (drains) break;
      continue;
    }
    const beforeMs = performance.now();
    await batch.commit();
    tally.add(batch.events.length, beforeMs, performance.now());
  }
  await consumer.close();
}

/** Commits as they end. */
class Tally {
  readonly #latencies = new Latencies();
  #events = 0;
  #lastMs = 0;

  add(events: number, beforeMs: number, afterMs: number): void {
    this.#latencies.add(afterMs - beforeMs);
    this.#events += events;
    this.#lastMs = afterMs;
  }

  /** Up to the last commit: a wait for more is no work. */
  figures(startMs: number): CommitFigures {
    const seconds = Math.max(0, this.#lastMs - startMs) / 1000;
    const [p50Us = 0, p99Us = 0] = this.#latencies.percentilesUs([0.5, 0.99]);
    const commits = this.#latencies.count;
    const perSecond = (count: number): number => (seconds === 0 ? 0 : count / seconds);
    const events = this.#events;
    return {
      events,
      commits,
      seconds,
      eventsPerSecond: perSecond(events),
      commitsPerSecond: perSecond(commits),
      p50Us,
      p99Us,
    };
  }
}

/** Each producer has events of its own, until they are more than any cache holds: then some have the same. */
function eventsOf(
  producers: number,
  batch: number,
  { bodyBytes, seed, headers }: { readonly bodyBytes: number; readonly seed: number; readonly headers: number },
): Event[][] {
  const setsMax = Math.max(1, Math.floor(distinctBytesMax / Math.max(1, batch * bodyBytes)));
  const sets = Array.from({ length: Math.min(producers, setsMax) }, (_, index) =>
    randomEvents(batch, bodyBytes, seed + index, headers),
  );
  return Array.from({ length: producers }, (_, index) => sets[index % sets.length] ?? []);
}
