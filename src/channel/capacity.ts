/**
 * Room for puts. Counted are the events that no consumer holds: ready ones and puts on their way. A put that finds
 * no room waits, first come first served, until takes make room, the disk does, or its time is over.
 */
import type { Clock, Timer } from '../base/clock.ts';
import { ForebayError, isForebayError } from '../base/errors.ts';

/** Undefined: no limit by bytes. */
export interface CapacityLimits {
  readonly capacityEvents: number;
  readonly capacityBytes: number | undefined;
  readonly keepAliveMs: number;
}

/** What capacity needs to know of a backend. */
export interface CapacitySource {
  refusesPuts(): Error | undefined;
  waitingBytes(): number;
}

interface WaitingPut {
  readonly events: number;
  readonly bytes: number;
  /** Called with the room reserved, in the order of waiting. */
  start(): void;
  fail(error: Error): void;
  timer: Timer | undefined;
}

/** Counts the room taken and keeps the puts that wait for some. */
export class Capacity {
  readonly #limits: CapacityLimits;
  readonly #source: CapacitySource;
  readonly #clock: Clock;
  #events: number;
  /** Of puts on their way; those that are stored are the source's to count. */
  #comingBytes = 0;
  readonly #queue: WaitingPut[] = [];

  constructor(limits: CapacityLimits, source: CapacitySource, clock: Clock, waitingEvents: number) {
    this.#limits = limits;
    this.#source = source;
    this.#clock = clock;
    this.#events = waitingEvents;
  }

  /** Events that no consumer holds, puts on their way included. */
  get waitingEvents(): number {
    return this.#events;
  }

  /** Takes room for a put at once, or answers false: then `wait` for it. `stored` or `notStored` must follow. */
  tryReserve(events: number, bytes: number): boolean {
    if (this.#queue.length > 0 || this.#source.refusesPuts() !== undefined || !this.#fits(events, bytes)) return false;
    this.#reserve(events, bytes);
    return true;
  }

  /**
   * Calls `start` when there is room, which is reserved then, or `fail`: CHANNEL_FULL or what the backend says, after
   * keepAliveMs; at once where waiting cannot help.
   */
  wait(events: number, bytes: number, start: () => void, fail: (error: Error) => void): void {
    const hopeless = this.#neverFits(events, bytes) ?? lasting(this.#source.refusesPuts());
    if (hopeless !== undefined) {
      fail(hopeless);
      return;
    }
    const put: WaitingPut = { events, bytes, start, fail, timer: undefined };
    if (this.#limits.keepAliveMs === 0) {
      fail(this.#whyWaiting(put));
      return;
    }
    put.timer = this.#clock.after(this.#limits.keepAliveMs, () => this.#expire(put), true);
    this.#queue.push(put);
  }

  /** A put that had reserved is stored: its events wait now. */
  stored(bytes: number): void {
    this.#comingBytes -= bytes;
    if (this.#queue.length > 0) this.changed();
  }

  notStored(events: number, bytes: number): void {
    this.#comingBytes -= bytes;
    this.left(events);
  }

  /** Waiting events were leased, or lost. */
  left(events: number): void {
    this.#events -= events;
    if (this.#queue.length > 0) this.changed();
  }

  /** Events wait again that did not: a rollback, a resolve, a rewind. May pass the limit: they are there already. */
  came(events: number): void {
    this.#events += events;
  }

  /** There may be room, or the backend may have changed its mind. */
  changed(): void {
    for (let head = this.#queue[0]; head !== undefined; head = this.#queue[0]) {
      const refusal = this.#source.refusesPuts();
      const hopeless = lasting(refusal);
      if (hopeless !== undefined) {
        this.failAll(hopeless);
        return;
      }
      if (refusal !== undefined || !this.#fits(head.events, head.bytes)) return;
      this.#queue.shift();
      head.timer?.cancel();
      this.#reserve(head.events, head.bytes);
      head.start();
    }
  }

  /** No put waits any longer. */
  failAll(error: Error): void {
    for (const put of this.#queue.splice(0)) {
      put.timer?.cancel();
      put.fail(error);
    }
  }

  #reserve(events: number, bytes: number): void {
    this.#events += events;
    this.#comingBytes += bytes;
  }

  #fits(events: number, bytes: number): boolean {
    const { capacityEvents, capacityBytes } = this.#limits;
    if (this.#events + events > capacityEvents) return false;
    return capacityBytes === undefined || this.#source.waitingBytes() + this.#comingBytes + bytes <= capacityBytes;
  }

  #neverFits(events: number, bytes: number): ForebayError | undefined {
    const { capacityEvents, capacityBytes } = this.#limits;
    if (events > capacityEvents)
      return full(`this put of ${events} events is over capacityEvents`, capacityEvents, events);
    if (capacityBytes === undefined || bytes <= capacityBytes) return undefined;
    return full(`this put of ${bytes} bytes is over capacityBytes`, capacityBytes, bytes);
  }

  #expire(put: WaitingPut): void {
    const at = this.#queue.indexOf(put);
    if (at < 0) return;
    this.#queue.splice(at, 1);
    put.fail(this.#whyWaiting(put));
    // Those behind it may need less.
    this.changed();
  }

  #whyWaiting(put: WaitingPut): Error {
    const refusal = this.#source.refusesPuts();
    if (refusal !== undefined) return refusal;
    const { capacityEvents, capacityBytes, keepAliveMs } = this.#limits;
    if (this.#events + put.events > capacityEvents || capacityBytes === undefined) {
      return full(`no room for ${put.events} events within ${keepAliveMs} ms`, capacityEvents, this.#events);
    }
    const waitingBytes = this.#source.waitingBytes() + this.#comingBytes;
    return full(`no room for ${put.bytes} bytes within ${keepAliveMs} ms`, capacityBytes, waitingBytes);
  }
}

/** Only a full disk may pass; for anything else a put need not wait. */
function lasting(refusal: Error | undefined): Error | undefined {
  return isForebayError(refusal) && refusal.code === 'DISK_FULL' ? undefined : refusal;
}

function full(why: string, expected: number, actual: number): ForebayError {
  return new ForebayError('CHANNEL_FULL', `the channel is full: ${why}`, { expected, actual, outcome: 'notStored' });
}
