/**
 * Gives transactions to the channels: several in flight, handed over in order. Where a channel refuses, nothing new
 * goes out; what was refused is offered again, first one first, after 1 s, then 2, 4 and 5 s, until it is taken.
 */
import type { ChannelProcessor, ProcessOptions, SourceContext } from '../../../agent/contracts/components.ts';

type Events = Parameters<ChannelProcessor['process']>[0];

/** One transaction for each channel. */
export interface Transaction {
  readonly events: Events;
  /** Asked before each attempt: what a channel has by then is excepted. */
  readonly options: () => ProcessOptions;
  readonly settled: () => void;
}

/** More bring nothing: the channel writes them in one group. */
const inFlightMax = 8;
const retryDelayMs = 1000;
const retryDelayMsMax = 5000;

/** See the head of the file. */
export class Sender {
  readonly #context: SourceContext;
  readonly #inFlight: Set<Promise<void>> = new Set();
  #refused: { readonly order: number; readonly transaction: Transaction; readonly error: unknown }[] = [];
  #recovery: Promise<void> | undefined;
  #sent = 0;
  #isStopped = false;
  #endWait: () => void = () => undefined;

  constructor(context: SourceContext) {
    this.#context = context;
  }

  /** Waits for room, then sends. False: it was stopped before. */
  async send(transaction: Transaction): Promise<boolean> {
    while (!this.#isStopped && (this.#recovery !== undefined || this.#inFlight.size >= inFlightMax)) {
      await (this.#recovery ?? Promise.race(this.#inFlight));
    }
    if (this.#isStopped) return false;
    this.#start(transaction);
    return true;
  }

  /** Nothing is in flight. False: it was stopped, and something may not have arrived. */
  async drain(): Promise<boolean> {
    while (this.#inFlight.size > 0 || this.#recovery !== undefined) {
      await (this.#recovery ?? Promise.all(this.#inFlight));
    }
    return !this.#isStopped;
  }

  /** Offers nothing again; resolves when nothing is in flight. */
  async stop(): Promise<void> {
    this.#isStopped = true;
    this.#endWait();
    await this.drain();
  }

  #start(transaction: Transaction): void {
    this.#sent += 1;
    const order = this.#sent;
    const attempt = this.#attempt(transaction)
      .catch((error: unknown) => {
        this.#refused.push({ order, transaction, error });
        this.#recovery ??= this.#recover().finally(() => {
          this.#recovery = undefined;
        });
      })
      .finally(() => this.#inFlight.delete(attempt));
    this.#inFlight.add(attempt);
  }

  async #attempt(transaction: Transaction): Promise<void> {
    const { count, processor } = this.#context;
    const { events } = transaction;
    if (events.length > 0) count('AppendBatchReceivedCount');
    await processor.process(events, transaction.options());
    if (events.length > 0) count('AppendBatchAcceptedCount');
    transaction.settled();
  }

  async #recover(): Promise<void> {
    // What was handed over before the refusal may still arrive: its place is before what is offered again.
    while (this.#inFlight.size > 0) await Promise.all(this.#inFlight);
    const refused = this.#refused.sort((a, b) => a.order - b.order);
    this.#refused = [];
    let delayMs = retryDelayMs;
    let cause: unknown = refused[0]?.error;
    for (const { transaction } of refused) {
      for (let isTaken = false; !isTaken; ) {
        if (cause !== undefined) {
          await this.#backOff(delayMs, cause);
          delayMs = Math.min(delayMs * 2, retryDelayMsMax);
        }
        if (this.#isStopped) return;
        try {
          await this.#attempt(transaction);
          isTaken = true;
          cause = undefined;
          delayMs = retryDelayMs;
        } catch (error) {
          cause = error;
        }
      }
    }
  }

  async #backOff(delayMs: number, error: unknown): Promise<void> {
    const { log, count, clock } = this.#context;
    count('ChannelWriteFail');
    log.warn(`a channel took no lines: they are offered again in ${delayMs} ms`, { error });
    if (this.#isStopped) return;
    await new Promise<void>((resolve) => {
      const timer = clock.after(delayMs, resolve, true);
      this.#endWait = () => {
        timer.cancel();
        resolve();
      };
    });
  }
}
