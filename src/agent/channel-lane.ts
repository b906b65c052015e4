/**
 * The way of one source into one channel. Puts start in the order of the calls. Those that carry notes also never
 * leave a gap: a note says that everything before it is in the channel, so a put with one goes only once those before
 * it are stored, and where one is refused, those behind it are refused with it. Waiting ones are joined into one put,
 * so that this costs no speed.
 */
import { type Channel, type Event, isForebayError, type NoteChanges } from '../engine.ts';

/** What a source asked for in one call, as far as its lanes have to know. */
export interface LaneCall {
  /** Called once the source can know that the call was refused. */
  readonly whenKnown: (() => void)[];
}

/** One put to be made. */
export interface LanePut {
  readonly events: readonly Event[];
  readonly notes: NoteChanges | undefined;
  /** Being refused, it holds back those behind it: the source will offer it again. */
  readonly isRequired: boolean;
  readonly call: LaneCall;
}

interface WaitingPut extends LanePut {
  readonly resolve: () => void;
  readonly reject: (error: unknown) => void;
}

/** More in one put gains nothing. */
const joinedEventsMax = 1000;
/** To join to: several times faster than flatMap, which cost 80 ms for a million events. */
const none: readonly Event[] = [];
/** What another put in the same transaction may be the reason of. Nothing was stored. */
const reasonsToPart: ReadonlySet<string> = new Set([
  'TRANSACTION_TOO_LARGE',
  'CHANNEL_FULL',
  'EVENT_INVALID',
  'EVENT_TOO_LARGE',
  'NOTE_INVALID',
]);

/** See above. */
export class ChannelLane {
  readonly #channel: () => Channel;
  #queue: WaitingPut[] = [];
  #isNotedUnderWay = false;
  #joinedEventsMax = joinedEventsMax;
  /** So many at the head of the queue were refused together, and go one by one. */
  #partedCount = 0;
  /** Refused calls that their source does not know of yet. */
  #unknownRefusals = 0;
  /** Came while there were such. */
  #late: WaitingPut[] = [];
  #refusal: unknown;

  /** `channel` may throw: then the put is refused. */
  constructor(channel: () => Channel) {
    this.#channel = channel;
  }

  /** Resolves when durable; rejects with the channel's error, its own or that of one before it. */
  put(put: LanePut): Promise<void> {
    return new Promise((resolve, reject) => {
      const waiting = { ...put, resolve, reject };
      if (put.notes !== undefined && this.#unknownRefusals > 0) {
        this.#late.push(waiting);
        return;
      }
      this.#queue.push(waiting);
      this.#pump();
    });
  }

  /** `call` was refused before it came to a put: puts with notes that come behind it are refused too. */
  refuseAfter(call: LaneCall, error: unknown): void {
    this.#refusal = error;
    this.#unknownRefusals += 1;
    call.whenKnown.push(() => this.#known());
  }

  #pump(): void {
    while (!this.#isNotedUnderWay && this.#queue.length > 0) this.#start(this.#next());
  }

  /** The head of the queue, with those that can go in the same put. */
  #next(): readonly WaitingPut[] {
    if (this.#partedCount > 0) {
      this.#partedCount -= 1;
      return this.#queue.splice(0, 1);
    }
    let count = 0;
    let events = 0;
    for (const put of this.#queue) {
      events += put.events.length;
      if (count > 0 && (put.notes === undefined || events > this.#joinedEventsMax)) break;
      count += 1;
      if (put.notes === undefined) break;
    }
    return this.#queue.splice(0, count);
  }

  #start(puts: readonly WaitingPut[]): void {
    const [first] = puts;
    if (first === undefined) return;
    const isNoted = first.notes !== undefined;
    const settled = (): void => {
      if (isNoted) this.#isNotedUnderWay = false;
    };
    if (isNoted) this.#isNotedUnderWay = true;
    const stored = (): void => {
      settled();
      for (const put of puts) put.resolve();
      this.#pump();
    };
    const refused = (error: unknown): void => {
      settled();
      this.#refused(puts, error);
      this.#pump();
    };
    this.#put(puts).then(stored, refused);
  }

  async #put(puts: readonly WaitingPut[]): Promise<void> {
    const [first] = puts;
    const events =
      puts.length === 1 && first !== undefined ? first.events : none.concat(...puts.map((put) => put.events));
    if (first?.notes === undefined) await this.#channel().put(events);
    else await this.#channel().put(events, { notes: Object.assign({}, ...puts.map((put) => put.notes)) });
  }

  #refused(puts: readonly WaitingPut[], error: unknown): void {
    if (puts.length > 1 && isForebayError(error) && reasonsToPart.has(error.code)) {
      const { code, expected } = error;
      // The channel's transactionCapacity: known from now on.
      if (code === 'TRANSACTION_TOO_LARGE' && typeof expected === 'number') {
        this.#joinedEventsMax = Math.min(this.#joinedEventsMax, expected);
      }
      this.#queue.unshift(...puts);
      this.#partedCount = puts.length;
      return;
    }
    if (puts.some((put) => put.isRequired && put.notes !== undefined)) this.#refuseFollowers(puts, error);
    for (const put of puts) put.reject(error);
  }

  #refuseFollowers(puts: readonly WaitingPut[], error: unknown): void {
    const followers = this.#queue.filter((put) => put.notes !== undefined);
    this.#queue = this.#queue.filter((put) => put.notes === undefined);
    this.#partedCount = 0;
    for (const put of [...puts, ...followers]) this.refuseAfter(put.call, error);
    for (const put of followers) put.reject(error);
  }

  #known(): void {
    this.#unknownRefusals -= 1;
    if (this.#unknownRefusals > 0) return;
    for (const put of this.#late.splice(0)) put.reject(this.#refusal);
    this.#refusal = undefined;
  }
}
