/** Where a MemoryChannel keeps its events: in blocks by sequence, freed when the last event of one is settled. */
import { invariant } from '../base/assert.ts';
import type { Clock } from '../base/clock.ts';
import type { Sequence, SequenceRange, SequenceRanges } from '../base/units.ts';
import type { DeliveredEvent, Event, Headers } from '../event/event.ts';
import type { ControlRecord } from '../queue/control-record.ts';
import type { NoteChanges } from '../queue/notes.ts';
import type { QueueState } from '../queue/queue-state.ts';
import { SequenceSet } from '../queue/sequence-set.ts';
import type { ChannelBackend } from './backend.ts';
import { eventsBytes } from './event-bytes.ts';

/** Small enough to go soon, large enough to make the map cheap. */
const blockEvents = 1024;

interface Block {
  readonly events: (DeliveredEvent | undefined)[];
  /** Wall clock of each event's put. */
  readonly putAtMs: Float64Array;
  live: number;
}

/** Everything is stored, and applied, in the call itself. */
export class MemoryBackend implements ChannelBackend {
  readonly #state: QueueState;
  readonly #clock: Clock;
  /** Whether anyone asks for `waitingBytes`: counting costs. */
  readonly #countsBytes: boolean;
  readonly #blocks: Map<number, Block> = new Map();
  /** Claimed once and given back: served first. */
  readonly #returned: SequenceSet = new SequenceSet();
  #nextSequence: Sequence = 1;
  /** The first never claimed. */
  #nextReady: Sequence = 1;
  #waitingBytes = 0;

  constructor(state: QueueState, clock: Clock, countsBytes: boolean) {
    this.#state = state;
    this.#clock = clock;
    this.#countsBytes = countsBytes;
  }

  put(events: readonly Event[], notes: NoteChanges | undefined): Promise<SequenceRange> {
    const first = this.#nextSequence;
    const now = this.#clock.wallMs();
    const copies = copyEvents(events, first);
    for (const copy of copies) this.#keep(copy, now);
    this.#wait(copies, 1);
    this.#nextSequence += events.length;
    this.#state.applyPut(events.length, notes);
    return Promise.resolve({ first, last: this.#nextSequence - 1 });
  }

  record(record: ControlRecord, applied?: () => void): Promise<void> {
    if ('ranges' in record) {
      if (record.kind === 'ack') this.#state.applyAck(record.ranges, record.notes);
      else this.#state.applyDrop(record.ranges, record.notes);
      this.#free(record.ranges);
    } else if (record.kind === 'prepare') {
      this.#state.applyPrepare(record.take, record.notes);
    } else if (record.kind === 'resolve') {
      const take = this.#state.applyResolve(record.id, record.outcome, record.notes);
      if (take !== undefined && record.outcome === 'commit') this.#free(take.ranges);
    } else {
      this.#state.applyNotes(record.notes);
    }
    applied?.();
    return Promise.resolve();
  }

  claim(max: number, maxBytes: number): readonly DeliveredEvent[] {
    const claimed: DeliveredEvent[] = [];
    let bodyBytes = 0;
    while (claimed.length < max) {
      const sequence = this.#returned.first() ?? this.#nextReady;
      if (sequence === this.#nextSequence) break;
      const event = this.#at(sequence);
      bodyBytes += event.body.length;
      if (bodyBytes > maxBytes && claimed.length > 0) break;
      claimed.push(event);
      if (sequence === this.#nextReady) this.#nextReady++;
      else this.#returned.removeRange(sequence, sequence);
    }
    this.#wait(claimed, -1);
    return claimed;
  }

  /** What is ready can be claimed at once. */
  whenClaimable(): Promise<void> | undefined {
    const isReady = !this.#returned.isEmpty || this.#nextReady < this.#nextSequence;
    return isReady ? Promise.resolve() : undefined;
  }

  giveBack(ranges: Iterable<SequenceRange>): void {
    for (const { first, last } of ranges) {
      this.#returned.addRange(first, last);
      for (let sequence = first; sequence <= last; sequence++) this.#wait([this.#at(sequence)], 1);
    }
  }

  refusesPuts(): Error | undefined {
    return undefined;
  }

  waitingBytes(): number {
    return this.#waitingBytes;
  }

  /** Wall clock of the oldest event that is not settled. */
  oldestPutAtMs(): number | undefined {
    const oldest = this.#state.acked.nextOut(1);
    if (oldest >= this.#nextSequence) return undefined;
    return this.#blocks.get(blockOf(oldest))?.putAtMs[oldest % blockEvents];
  }

  /** Lets all events go. */
  clear(): void {
    this.#blocks.clear();
  }

  #wait(events: readonly DeliveredEvent[], sign: 1 | -1): void {
    if (this.#countsBytes) this.#waitingBytes += sign * eventsBytes(events);
  }

  #keep(event: DeliveredEvent, now: number): void {
    const index = blockOf(event.sequence);
    let block = this.#blocks.get(index);
    if (block === undefined) {
      block = { events: [], putAtMs: new Float64Array(blockEvents), live: 0 };
      this.#blocks.set(index, block);
      // The one before was kept for more to come.
      if (this.#blocks.get(index - 1)?.live === 0) this.#blocks.delete(index - 1);
    }
    block.events[event.sequence % blockEvents] = event;
    block.putAtMs[event.sequence % blockEvents] = now;
    block.live++;
  }

  #at(sequence: Sequence): DeliveredEvent {
    const event = this.#blocks.get(blockOf(sequence))?.events[sequence % blockEvents];
    invariant(event !== undefined, 'an unsettled event is kept');
    return event;
  }

  #free(ranges: SequenceRanges): void {
    for (const { first, last } of ranges) {
      for (let sequence = first; sequence <= last; sequence++) {
        const index = blockOf(sequence);
        const block = this.#blocks.get(index);
        invariant(block !== undefined, 'a settled event was kept');
        block.events[sequence % blockEvents] = undefined;
        block.live--;
        if (block.live === 0 && index !== blockOf(this.#nextSequence)) this.#blocks.delete(index);
      }
    }
  }
}

function blockOf(sequence: Sequence): number {
  return Math.floor(sequence / blockEvents);
}

/** Copies that the caller cannot reach: all bodies in one buffer, equal neighbouring headers in one object. */
function copyEvents(events: readonly Event[], first: Sequence): DeliveredEvent[] {
  let bytes = 0;
  for (const { body } of events) bytes += body.length;
  const bodies = Buffer.allocUnsafe(bytes);
  let at = 0;
  let given: Headers | undefined;
  let headers: Headers = {};
  return events.map((event, index) => {
    if (event.headers !== given) {
      given = event.headers;
      headers = { ...given };
    }
    bodies.set(event.body, at);
    const body = bodies.subarray(at, at + event.body.length);
    at += event.body.length;
    return { headers, body, sequence: first + index };
  });
}
