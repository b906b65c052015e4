/**
 * What becomes of events that no try will ever deliver: they stay where they are, or they are moved into a dead letter
 * channel.
 *
 * A move is a put into that channel and then a drop from the sink's own. Two notes make it one move whatever crash
 * comes in between: the put notes there which sequences it holds, the drop notes here that this move is over. Both are
 * looked at before each put: what was put by a move that is not over is only dropped.
 */
import { type Channel, type Consumer, type Event, isForebayError } from '../engine.ts';
import { isVolatile } from './carry-over.ts';
import type { ComponentContext, SinkContext, Undeliverable } from './contracts/components.ts';
import { type Move, moveOf, noteHere, noteOf, noteThere, partsOf, rangesOf } from './dead-letter-notes.ts';

/** A channel and what the configuration calls it. */
interface NamedChannel {
  readonly name: string;
  readonly channel: Channel;
}

/** Where the events of one sink are, and where they go. */
export interface DeadLetterParts extends Pick<ComponentContext, 'log' | 'count'> {
  readonly sink: string;
  readonly from: NamedChannel;
  readonly to: NamedChannel;
}

/** `asItWas`: of an event whose headers leave no room for more. */
type LetterForm = 'marked' | 'asItWas';

/** A smaller put may be taken. */
const tooLarge: ReadonlySet<string> = new Set(['TRANSACTION_TOO_LARGE', 'EVENT_TOO_LARGE']);

/** `onUndeliverable = block`. */
export async function keepUndeliverable(_: Consumer, [first]: readonly Undeliverable[]): Promise<void> {
  if (first === undefined) return;
  throw new Error(`event ${first.event.sequence} cannot be delivered, and is kept: ${first.reason}`);
}

/** `onUndeliverable = deadletter`. */
export function movesUndeliverable(parts: DeadLetterParts): SinkContext['undeliverable'] {
  const deadLetters = new DeadLetters(parts);
  return (consumer, events) => deadLetters.settle(consumer, events);
}

/** Of one sink: one move at a time. */
class DeadLetters {
  readonly #parts: DeadLetterParts;
  /** Of a channel in memory no event outlives a crash: what was put is noted in that channel alone. */
  readonly #isVolatile: boolean;
  #turn: Promise<unknown> = Promise.resolve();

  constructor(parts: DeadLetterParts) {
    this.#parts = parts;
    this.#isVolatile = isVolatile(parts.from.channel);
  }

  settle(consumer: Consumer, events: readonly Undeliverable[]): Promise<void> {
    const done = this.#turn.then(() => this.#settle(consumer, events));
    this.#turn = done.catch(() => undefined);
    return done;
  }

  async #settle(consumer: Consumer, events: readonly Undeliverable[]): Promise<void> {
    const inOrder = [...events].sort((a, b) => sequenceOf(a) - sequenceOf(b));
    for (const part of partsOf(inOrder, sequenceOf)) {
      const [first] = part as [Undeliverable];
      try {
        await this.#move(consumer, part);
      } catch (error) {
        const { name } = this.#parts.to;
        const which = `event ${sequenceOf(first)} cannot be delivered, and could not be moved to channel ${name}`;
        throw new Error(`${which}: ${first.reason}`, { cause: error });
      }
      this.#said(first, part.length);
    }
  }

  #said(first: Undeliverable, events: number): void {
    const { to, log, count } = this.#parts;
    count('EventDeadLetterCount', events);
    const fields = { channel: to.name, events, sequence: sequenceOf(first), error: first.reason };
    log.warn('events that cannot be delivered were moved to the dead letter channel', fields);
  }

  /** Dropped are all of them, or none. */
  async #move(consumer: Consumer, events: readonly Undeliverable[]): Promise<void> {
    const { sink } = this.#parts;
    const wasPut = new Set([...this.#underWay().values()].flatMap(({ sequences }) => sequences));
    const fresh = events.filter((one) => !wasPut.has(sequenceOf(one)));
    if (fresh.length > 0) await this.#putAsFits(fresh, 'marked');
    const dropped = new Set(events.map(sequenceOf));
    const own = this.#underWay().get(sink);
    const left = own && { ...own, sequences: own.sequences.filter((sequence) => !dropped.has(sequence)) };
    await consumer.drop(rangesOf([...dropped]), left && { notes: { [noteHere(sink)]: noteOf(left) } });
  }

  /** In several puts where the dead letter channel takes less at once. */
  async #putAsFits(events: readonly Undeliverable[], as: LetterForm): Promise<void> {
    try {
      await this.#put(events, as);
    } catch (error) {
      const isTooLarge = isForebayError(error) && tooLarge.has(error.code);
      if (isTooLarge && events.length > 1) {
        const middle = Math.ceil(events.length / 2);
        await this.#putAsFits(events.slice(0, middle), as);
        await this.#putAsFits(events.slice(middle), as);
      } else if (isTooLarge && as === 'marked') await this.#putAsFits(events, 'asItWas');
      else throw error;
    }
  }

  async #put(events: readonly Undeliverable[], as: LetterForm): Promise<void> {
    const { sink, from, to } = this.#parts;
    const letters = events.map((one) => this.#letterOf(one, as));
    const own = this.#underWay().get(sink);
    const sequences = [...(own?.sequences ?? []), ...events.map(sequenceOf)].sort((a, b) => a - b);
    const move = { channel: to.channel.stats().channelId, move: (own?.move ?? 0) + 1, sequences };
    if (this.#isVolatile) {
      await to.channel.put(letters);
      await from.channel.notes.set(noteHere(sink), noteOf(move));
    } else await to.channel.put(letters, { notes: { [noteThere(from.channel, sink)]: noteOf(move) } });
  }

  /** What each sink of this channel has put there, as far as it may not have been dropped here. */
  #underWay(): ReadonlyMap<string, Move> {
    const { from, to } = this.#parts;
    const beginning = this.#isVolatile ? noteHere('') : noteThere(from.channel, '');
    const { notes } = this.#isVolatile ? from.channel : to.channel;
    const moves = new Map<string, Move>();
    for (const key of notes.keys()) {
      const put = key.startsWith(beginning) ? moveOf(notes.get(key)) : undefined;
      if (put === undefined) continue;
      const sink = key.slice(beginning.length);
      const dropped = moveOf(from.channel.notes.get(noteHere(sink)));
      const isOver = dropped !== undefined && dropped.channel === put.channel && dropped.move >= put.move;
      moves.set(sink, isOver ? dropped : put);
    }
    return moves;
  }

  /** The event with where it comes from, and why; a header that it has stays as it is. */
  #letterOf({ event: { headers, body, sequence }, reason }: Undeliverable, as: LetterForm): Event {
    const { sink, from } = this.#parts;
    if (as === 'asItWas') return { headers, body };
    const marks = {
      'forebay.deadletter.reason': reason,
      'forebay.deadletter.sink': sink,
      'forebay.deadletter.channel': from.name,
      'forebay.deadletter.sequence': String(sequence),
    };
    return { headers: { ...marks, ...headers }, body };
  }
}

function sequenceOf({ event }: Undeliverable): number {
  return event.sequence;
}
