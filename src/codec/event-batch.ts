/**
 * The payload of a PUT frame: the events of one transaction, with its notes, as bytes. Payload codec 1.
 *
 *     0        1       2        4                8             12                   16
 *     +--------+-------+--------+----------------+-------------+--------------------+
 *     | zero   | flags | zero 2 | headers, bytes | notes, bytes | body bytes, if equal |
 *     +--------+-------+--------+----------------+-------------+--------------------+
 *     | header section | notes | body lengths u32 × events, if they differ | bodies ... |
 *
 * Flags: 1 notes are there, 2 body lengths differ (then bytes 12–15 are zero). Little-endian. Bodies lie raw
 * and contiguous at the end, so that a take is a slice, not a copy. The number of events stands in the frame
 * header. There is no checksum here: the frame has it.
 *
 * Format: docs/format.md#event-batch. Header section: header-plan.ts.
 */
import { invariant } from '../base/assert.ts';
import type { Sequence } from '../base/units.ts';
import type { DeliveredEvent, Event } from '../event/event.ts';
import { type HeaderPlan, planHeaders, writeHeaders } from './header-plan.ts';
import { type HeaderSection, readHeaders } from './header-section.ts';
import { bodyBytesMax, eventsPerFrameMax, payloadBytesMax } from './validate-event.ts';

/** The frame header's payload codec of what is written here. */
export const eventBatchCodec = 1;

const prefixBytes = 16;
const flagNotes = 1;
const flagLengths = 2;

/** What `writeEventBatch` writes: exactly `bytes` bytes. Holds the events until it is written. */
export interface EventBatchPlan {
  /** May be over `payloadBytesMax`: then it is not to be written. */
  readonly bytes: number;
  readonly count: number;
  /** Of all bodies. */
  readonly bodyBytes: number;
  readonly events: readonly Event[];
  readonly notes: Buffer | undefined;
  readonly headers: HeaderPlan;
  /** The length that all bodies have, or undefined. */
  readonly bodyBytesEach: number | undefined;
}

/** The events of a payload. Aliases it: it must not change as long as the batch or an event of it is used. */
export interface EventBatch {
  readonly kind: 'batch';
  readonly count: number;
  /** As given to `planEventBatch`. */
  readonly notes: Buffer | undefined;
  /** The length of body `index`, 0 ≤ index < count. */
  bodyBytes(index: number): number;
  /**
   * The events from index `from` up to, not including, `to`; event `from` gets `firstSequence`, the next one
   * the next. Bodies are slices of the payload; events may share a headers object, which is then frozen.
   */
  deliver(from: number, to: number, firstSequence: Sequence): DeliveredEvent[];
}

/** `reason` is for reports: what did not fit. */
export interface MalformedPayload {
  readonly kind: 'malformed';
  readonly reason: string;
}

/**
 * Measures `events`, which must be valid (validate-event.ts) and must not change until the plan is written.
 *
 * @throws {InvariantError} If a header value is no string: a bug in the caller.
 */
export function planEventBatch(events: readonly Event[], notes: Buffer | undefined): EventBatchPlan {
  const count = events.length;
  const first = count === 0 ? 0 : bodyLengthAt(events, 0);
  let bodyBytes = 0;
  let equal = true;
  for (let index = 0; index < count; index++) {
    const length = bodyLengthAt(events, index);
    bodyBytes += length;
    if (length !== first) equal = false;
  }
  const headers = planHeaders(events);
  const lengthsBytes = equal ? 0 : 4 * count;
  const bytes = prefixBytes + headers.bytes + (notes?.length ?? 0) + lengthsBytes + bodyBytes;
  return { bytes, count, bodyBytes, events, notes, headers, bodyBytesEach: equal ? first : undefined };
}

/**
 * Writes the payload at `offset` of `target`: `plan.bytes` bytes, no other is touched.
 *
 * @throws {InvariantError} If the plan is too large, or its events changed since: a bug in the caller.
 */
export function writeEventBatch(plan: EventBatchPlan, target: Buffer, offset: number): void {
  const { events, notes, bodyBytesEach, bytes } = plan;
  invariant(bytes <= payloadBytesMax, 'a payload is within the limit');
  invariant(offset + bytes <= target.length, 'a payload fits its target');
  target[offset] = 0;
  target[offset + 1] = (notes === undefined ? 0 : flagNotes) | (bodyBytesEach === undefined ? flagLengths : 0);
  target.writeUInt16LE(0, offset + 2);
  target.writeUInt32LE(plan.headers.bytes, offset + 4);
  target.writeUInt32LE(notes?.length ?? 0, offset + 8);
  target.writeUInt32LE(bodyBytesEach ?? 0, offset + 12);
  let position = writeHeaders(plan.headers, target, offset + prefixBytes);
  if (notes !== undefined) {
    target.set(notes, position);
    position += notes.length;
  }
  if (bodyBytesEach === undefined) {
    for (let index = 0; index < events.length; index++) {
      target.writeUInt32LE(bodyLengthAt(events, index), position);
      position += 4;
    }
  }
  for (let index = 0; index < events.length; index++) {
    const body = bodyAt(events, index);
    target.set(body, position);
    position += body.length;
  }
  invariant(position === offset + bytes, 'a payload is as long as planned');
}

/**
 * The batch of `count` events that `payload` holds, or why it holds none. Total: answers for every input and
 * never throws; allocates at most 4 bytes an event, after checking that the payload has them.
 */
export function readEventBatch(payload: Buffer, count: number): EventBatch | MalformedPayload {
  if (payload.length < prefixBytes) return malformed('shorter than its prefix');
  if (payload.length > payloadBytesMax) return malformed('over the limit');
  if (!(Number.isInteger(count) && count >= 0 && count <= eventsPerFrameMax)) return malformed('number of events');
  const flags = payload[1] ?? 0;
  if (payload[0] !== 0 || payload.readUInt16LE(2) !== 0) return malformed('reserved bytes are not zero');
  if (flags > (flagNotes | flagLengths)) return malformed('unknown flags');
  const notesBytes = payload.readUInt32LE(8);
  const bodyBytesEach = payload.readUInt32LE(12);
  const hasNotes = (flags & flagNotes) !== 0;
  const hasLengths = (flags & flagLengths) !== 0;
  const notesAt = prefixBytes + payload.readUInt32LE(4);
  const lengthsAt = notesAt + notesBytes;
  const bodiesAt = lengthsAt + (hasLengths ? 4 * count : 0);
  if (bodiesAt > payload.length) return malformed('cut off before the bodies');
  if (!hasNotes && notesBytes !== 0) return malformed('notes without their flag');
  if (bodyBytesEach > (hasLengths ? 0 : bodyBytesMax)) return malformed('body length');

  const bodyEnds = hasLengths ? readBodyEnds(payload, lengthsAt, bodiesAt) : undefined;
  const end = bodyEnds === undefined ? bodiesAt + bodyBytesEach * count : (bodyEnds[count - 1] ?? bodiesAt);
  if (end !== payload.length) return malformed('lengths of the bodies');
  const headers = readHeaders(payload, { start: prefixBytes, end: notesAt, eventCount: count });
  if (typeof headers === 'string') return malformed(headers);
  const notes = hasNotes ? payload.subarray(notesAt, lengthsAt) : undefined;
  return new PayloadBatch(payload, { count, notes, headers, bodiesAt, bodyBytesEach, bodyEnds });
}

/** Where each body ends in the payload; cut short behind the first that is not in it. */
function readBodyEnds(payload: Buffer, lengthsAt: number, bodiesAt: number): Uint32Array {
  const ends = new Uint32Array((bodiesAt - lengthsAt) / 4);
  let end = bodiesAt;
  for (let index = 0; index < ends.length; index++) {
    const length = payload.readUInt32LE(lengthsAt + 4 * index);
    end += length;
    if (end > payload.length || length > bodyBytesMax) return ends.fill(0);
    ends[index] = end;
  }
  return ends;
}

interface BatchParts {
  readonly count: number;
  readonly notes: Buffer | undefined;
  readonly headers: HeaderSection;
  readonly bodiesAt: number;
  readonly bodyBytesEach: number;
  readonly bodyEnds: Uint32Array | undefined;
}

class PayloadBatch implements EventBatch {
  readonly kind = 'batch';
  readonly count: number;
  readonly notes: Buffer | undefined;
  readonly #payload: Buffer;
  readonly #headers: HeaderSection;
  readonly #bodiesAt: number;
  readonly #bodyBytesEach: number;
  readonly #bodyEnds: Uint32Array | undefined;

  constructor(payload: Buffer, parts: BatchParts) {
    this.#payload = payload;
    this.count = parts.count;
    this.notes = parts.notes;
    this.#headers = parts.headers;
    this.#bodiesAt = parts.bodiesAt;
    this.#bodyBytesEach = parts.bodyBytesEach;
    this.#bodyEnds = parts.bodyEnds;
  }

  bodyBytes(index: number): number {
    invariant(index >= 0 && index < this.count, 'an event of the batch');
    return this.#bodyEnds === undefined ? this.#bodyBytesEach : this.#bodyEnd(index) - this.#bodyStart(index);
  }

  deliver(from: number, to: number, firstSequence: Sequence): DeliveredEvent[] {
    invariant(from >= 0 && from <= to && to <= this.count, 'events of the batch');
    const payload = this.#payload;
    const headers = this.#headers;
    const events: DeliveredEvent[] = [];
    let start = this.#bodyStart(from);
    for (let index = from; index < to; index++) {
      const end = this.#bodyEnd(index);
      const sequence = firstSequence + (index - from);
      events.push({ headers: headers.at(index), body: payload.subarray(start, end), sequence });
      start = end;
    }
    return events;
  }

  #bodyStart(index: number): number {
    return index === 0 ? this.#bodiesAt : this.#bodyEnd(index - 1);
  }

  #bodyEnd(index: number): number {
    if (this.#bodyEnds !== undefined) return this.#bodyEnds[index] ?? 0;
    return this.#bodiesAt + this.#bodyBytesEach * (index + 1);
  }
}

function malformed(reason: string): MalformedPayload {
  return { kind: 'malformed', reason };
}

function bodyAt(events: readonly Event[], index: number): Uint8Array {
  const event = events[index];
  invariant(event !== undefined, 'events has no holes');
  return event.body;
}

function bodyLengthAt(events: readonly Event[], index: number): number {
  return bodyAt(events, index).length;
}
