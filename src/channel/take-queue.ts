/**
 * Takers: events go to them first come first served. What is claimed is leased in the same turn, so no event is
 * ever between the backend and its consumer.
 */
import type { Clock, Timer } from '../base/clock.ts';
import type { DeliveredEvent } from '../event/event.ts';
import type { ChannelBackend } from './backend.ts';
import type { TakeBatch } from './channel.ts';

/** A take, with its options checked and their defaults put in. */
export interface TakeRequest {
  readonly taker: Taker;
  readonly max: number;
  readonly maxBytes: number;
  readonly waitMs: number;
  readonly signal: AbortSignal | undefined;
}

/** Who takes. */
export interface Taker {
  /** Leases claimed events, which may be none. Called before anything else can happen. */
  deliver(events: readonly DeliveredEvent[]): TakeBatch;
}

interface Waiter {
  readonly request: TakeRequest;
  readonly resolve: (batch: TakeBatch) => void;
  readonly reject: (error: Error) => void;
  timer: Timer | undefined;
  /** Its time is over: it stays only for events that are being loaded. */
  isExpired: boolean;
  readonly abort: () => void;
}

const none: readonly DeliveredEvent[] = [];

/** The takes that wait, and the one place that claims. */
export class TakeQueue {
  readonly #backend: ChannelBackend;
  readonly #clock: Clock;
  readonly #queue: Waiter[] = [];
  #isLoading = false;

  constructor(backend: ChannelBackend, clock: Clock) {
    this.#backend = backend;
    this.#clock = clock;
  }

  /** A batch with events as soon as there is one, or an empty one when its time is over. */
  take(request: TakeRequest): Promise<TakeBatch> | TakeBatch {
    if (request.signal?.aborted === true) return request.taker.deliver(none);
    // Whoever waits already comes first.
    if (this.#queue.length > 0) this.pump();
    if (this.#queue.length === 0) {
      const events = this.#backend.claim(request.max, request.maxBytes);
      const isOver = events.length > 0 || (request.waitMs === 0 && this.#backend.whenClaimable() === undefined);
      if (isOver) return request.taker.deliver(events);
    }
    return new Promise((resolve, reject) => {
      this.#wait(request, resolve, reject);
    });
  }

  /** Events may have become ready. */
  pump(): void {
    for (let head = this.#queue[0]; head !== undefined; head = this.#queue[0]) {
      const { taker, max, maxBytes } = head.request;
      const events = this.#backend.claim(max, maxBytes);
      if (events.length === 0) {
        this.#awaitEvents();
        return;
      }
      this.#queue.shift();
      this.#settle(head, taker.deliver(events));
    }
  }

  /** The takes of `taker`, or all, fail. */
  fail(taker: Taker | undefined, error: Error): void {
    for (const waiter of [...this.#queue]) {
      if (taker !== undefined && waiter.request.taker !== taker) continue;
      this.#queue.splice(this.#queue.indexOf(waiter), 1);
      release(waiter);
      waiter.reject(error);
    }
  }

  #wait(request: TakeRequest, resolve: (batch: TakeBatch) => void, reject: (error: Error) => void): void {
    const abort = (): void => this.#giveUp(waiter);
    const waiter: Waiter = { request, resolve, reject, timer: undefined, isExpired: request.waitMs === 0, abort };
    if (request.waitMs > 0) waiter.timer = this.#clock.after(request.waitMs, () => this.#expire(waiter), true);
    request.signal?.addEventListener('abort', abort, { once: true });
    this.#queue.push(waiter);
    if (this.#queue.length === 1) this.#awaitEvents();
  }

  /** Nothing could be claimed: wait for the backend to load what is ready, if anything is. */
  #awaitEvents(): void {
    if (this.#isLoading) return;
    const loaded = this.#backend.whenClaimable();
    if (loaded === undefined) {
      for (const waiter of this.#queue.filter(({ isExpired }) => isExpired)) this.#giveUp(waiter);
      return;
    }
    this.#isLoading = true;
    loaded.then(
      () => {
        this.#isLoading = false;
        this.pump();
      },
      (error: Error) => {
        this.#isLoading = false;
        this.fail(undefined, error);
      },
    );
  }

  #expire(waiter: Waiter): void {
    waiter.isExpired = true;
    if (this.#backend.whenClaimable() === undefined) this.#giveUp(waiter);
    else this.pump();
  }

  #giveUp(waiter: Waiter): void {
    const at = this.#queue.indexOf(waiter);
    if (at < 0) return;
    this.#queue.splice(at, 1);
    this.#settle(waiter, waiter.request.taker.deliver(none));
  }

  #settle(waiter: Waiter, batch: TakeBatch): void {
    release(waiter);
    waiter.resolve(batch);
  }
}

function release(waiter: Waiter): void {
  waiter.timer?.cancel();
  waiter.request.signal?.removeEventListener('abort', waiter.abort);
}
