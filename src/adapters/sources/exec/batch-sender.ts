/**
 * Puts batches in order. What a channel refuses is offered again until it is taken, after 1 s, then 2, 4 and 5 s; the
 * pipe waits meanwhile. A note with a running number tells which channels have a batch already: none gets it twice.
 */
import { randomBytes } from 'node:crypto';
import type { SourceContext, Timer } from '../../../agent/contracts/components.ts';
import type { Event } from '../../../engine.ts';

interface Batch {
  readonly events: readonly Event[];
  readonly number: number;
}

/** After the stop, what is not taken by then is given up: the agent has to end. */
const lastOffersMs = 20_000;
const retryDelayMs = 1000;
const retryDelayMsMax = 5000;

/** See the head of the file. */
export class BatchSender {
  readonly #context: SourceContext;
  readonly #key: string;
  readonly #life: string = randomBytes(6).toString('base64url');
  #number = 0;
  #stoppedMs: number | undefined;
  #endWait: () => void = () => undefined;

  constructor(context: SourceContext) {
    this.#context = context;
    this.#key = `exec/${context.name}`;
  }

  /** Resolves when all are in the channels, or given up after a stop. One call at a time. */
  async send(batches: readonly (readonly Event[])[]): Promise<void> {
    const numbered = batches.map((events) => {
      this.#number += 1;
      return { events, number: this.#number };
    });
    const outcomes = await Promise.allSettled(numbered.map((batch) => this.#attempt(batch)));
    const refused = numbered.filter((_, index) => outcomes[index]?.status === 'rejected');
    // Those behind the first one were refused because of it.
    let cause: unknown = outcomes.find((outcome) => outcome.status === 'rejected')?.reason;
    let delayMs = retryDelayMs;
    for (const batch of refused) {
      let isTaken = false;
      while (!isTaken && !this.#isOver) {
        if (cause !== undefined) {
          await this.#backOff(delayMs, cause);
          delayMs = Math.min(delayMs * 2, retryDelayMsMax);
        }
        try {
          await this.#attempt(batch);
          isTaken = true;
          cause = undefined;
          delayMs = retryDelayMs;
        } catch (error) {
          cause = error;
        }
      }
      if (!isTaken) this.#giveUp(batch.events.length, cause);
    }
  }

  /** What is not taken some time from now is given up. */
  stop(): void {
    this.#stoppedMs ??= this.#context.clock.monotonicMs();
    this.#endWait();
  }

  get #isOver(): boolean {
    return this.#stoppedMs !== undefined && this.#context.clock.monotonicMs() - this.#stoppedMs > lastOffersMs;
  }

  async #attempt({ events, number }: Batch): Promise<void> {
    const { processor, count } = this.#context;
    count('AppendBatchReceivedCount');
    const except = new Set(processor.channels.filter((channel) => this.#has(channel, number)));
    await processor.process(events, { notes: { [this.#key]: { life: this.#life, number } }, except });
    count('AppendBatchAcceptedCount');
  }

  /** Throws where the channel is not open. */
  #has(channel: string, number: number): boolean {
    const note: unknown = this.#context.processor.note(channel, this.#key);
    if (typeof note !== 'object' || note === null) return false;
    const { life, number: stored } = note as { life?: unknown; number?: unknown };
    return life === this.#life && typeof stored === 'number' && stored >= number;
  }

  async #backOff(delayMs: number, error: unknown): Promise<void> {
    const { log, count, clock } = this.#context;
    count('ChannelWriteFail');
    log.warn(`a channel took no lines: the command waits, and they are offered again in ${delayMs} ms`, { error });
    await new Promise<void>((resolve) => {
      const timer: Timer = clock.after(delayMs, resolve, true);
      this.#endWait = () => {
        timer.cancel();
        resolve();
      };
    });
  }

  #giveUp(lines: number, error: unknown): void {
    this.#context.log.error(`${lines} lines are lost: no channel took them before the end`, { error });
  }
}
