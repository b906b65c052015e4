/**
 * What asks a source that makes its own events for them, again and again. Flume: PollableSourceRunner, and the two keys
 * that all sources of its kind take.
 */
import { setImmediate } from 'node:timers/promises';
import type { SourceContext } from '../../../agent/contracts/components.ts';
import { integer, type Key, optional } from '../../../agent/contracts/keys.ts';
import { storedIn } from '../../../agent/contracts/partly-stored.ts';
import { type Event, isForebayError } from '../../../engine.ts';

/** Keys of every source that is asked. */
export interface PollKeys {
  readonly backoffSleepIncrement: Key<number>;
  readonly maxBackoffSleep: Key<number>;
}

/** See PollKeys. */
export const pollKeys: PollKeys = {
  backoffSleepIncrement: optional(integer(0), 1000, {
    unit: 'ms',
    does: 'how much longer each further pause is while there is nothing to do',
  }),
  maxBackoffSleep: optional(integer(0, 2 ** 31 - 1), 5000, { unit: 'ms', does: 'the longest pause' }),
};

/** Values of PollKeys. */
interface PollPace {
  readonly backoffSleepIncrement: number;
  readonly maxBackoffSleep: number;
}

/** What a source wants next: events to go, a pause of so many ms, or nothing for now. */
export type Poll =
  | { readonly kind: 'events'; readonly events: readonly Event[]; readonly accepted: () => void }
  | { readonly kind: 'wait'; readonly delayMs: number }
  | { readonly kind: 'nothing' };

/** Beside what a put itself waits for room. */
const fullPauseMs = 100;

/** See the file's comment. One transaction at a time. */
export class PollLoop {
  readonly #context: SourceContext;
  readonly #pace: PollPace;
  readonly #poll: () => Poll;
  #running: { readonly stopping: AbortController; readonly ended: Promise<void> } | undefined;

  /** `poll` gives the same events again until they were accepted. */
  constructor(poll: () => Poll, pace: PollPace, context: SourceContext) {
    this.#poll = poll;
    this.#pace = pace;
    this.#context = context;
  }

  /** Begins. Idempotent. */
  async start(): Promise<void> {
    if (this.#running !== undefined) return;
    const stopping = new AbortController();
    this.#running = { stopping, ended: this.#run(stopping.signal) };
  }

  /** Resolves when the transaction under way is settled. */
  async stop(): Promise<void> {
    const running = this.#running;
    running?.stopping.abort();
    await running?.ended;
    this.#running = undefined;
  }

  async #run(stopping: AbortSignal): Promise<void> {
    const { backoffSleepIncrement, maxBackoffSleep } = this.#pace;
    let idle = 0;
    while (!stopping.aborted) {
      const poll = this.#poll();
      if (poll.kind === 'nothing') {
        idle += 1;
        await this.#pause(Math.min(idle * backoffSleepIncrement, maxBackoffSleep), stopping);
        continue;
      }
      idle = 0;
      if (poll.kind === 'wait') await this.#pause(poll.delayMs, stopping);
      else await this.#offer(poll.events, poll.accepted, stopping);
      // A channel in memory takes no time: others get theirs.
      await setImmediate();
    }
  }

  /** Until all channels have the events, where one has them. What none has is polled for anew. */
  async #offer(events: readonly Event[], accepted: () => void, stopping: AbortSignal): Promise<void> {
    const { processor, count } = this.#context;
    const except = new Set<string>();
    do {
      try {
        await processor.process(events, { except });
        accepted();
        return;
      } catch (error) {
        count('ChannelWriteFail');
        for (const channel of storedIn(error)) except.add(channel);
        await this.#refused(events.length, error, stopping);
      }
    } while (except.size > 0 && !stopping.aborted);
  }

  /** The error says whether there is no room now, or will never be. */
  async #refused(events: number, error: unknown, stopping: AbortSignal): Promise<void> {
    const { log } = this.#context;
    const isFull = isForebayError(error) && (error.code === 'CHANNEL_FULL' || error.code === 'DISK_FULL');
    if (isFull) log.warn('the channel has no room: events are offered again', { events, error });
    else log.error('the channel refused events: they are offered again', { events, error });
    await this.#pause(isFull ? fullPauseMs : this.#pace.maxBackoffSleep, stopping);
  }

  #pause(delayMs: number, signal: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      const done = (): void => {
        timer.cancel();
        signal.removeEventListener('abort', done);
        resolve();
      };
      const timer = this.#context.clock.after(delayMs, done, true);
      signal.addEventListener('abort', done);
      if (signal.aborted) done();
    });
  }
}
