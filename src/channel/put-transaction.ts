/** A put transaction in the making: events and note changes in memory, nothing stored before commit. */
import { ForebayError } from '../base/errors.ts';
import type { SequenceRanges } from '../base/units.ts';
import { validateEvent } from '../codec/validate-event.ts';
import type { Event, Headers } from '../event/event.ts';
import { checkNote, type NoteChanges, type NoteValue } from '../queue/notes.ts';
import type { PutTransaction } from './channel.ts';
import { headersBytes } from './event-bytes.ts';

/** What a put transaction needs of its channel. */
export interface PutTarget {
  readonly transactionCapacity: number;
  readonly transactionBytesMax: number;
  /** @throws {ForebayError} CHANNEL_CLOSED */
  checkOpen(): void;
  /** Stores checked events and notes. */
  store(events: readonly Event[], notes: NoteChanges | undefined): Promise<SequenceRanges>;
}

/** See PutTransaction. Events are kept as they are until commit: leave them and their bytes unchanged. */
export class BufferedPut implements PutTransaction {
  readonly #target: PutTarget;
  readonly #events: Event[] = [];
  readonly #notes: Map<string, NoteValue | undefined> = new Map();
  #bytes = 0;
  #headers: Headers | undefined;
  #headersBytes = 0;
  #state: 'open' | 'settled' = 'open';

  constructor(target: PutTarget) {
    this.#target = target;
  }

  put(event: Event): void {
    this.#checkUsable();
    const error = validateEvent(event, 'put: event', undefined);
    if (error !== undefined) throw error;
    const { transactionCapacity, transactionBytesMax } = this.#target;
    if (this.#events.length === transactionCapacity) throw tooManyEvents(transactionCapacity + 1, transactionCapacity);
    if (event.headers !== this.#headers) {
      this.#headers = event.headers;
      this.#headersBytes = headersBytes(event.headers);
    }
    const bytes = this.#bytes + event.body.length + this.#headersBytes;
    if (bytes > transactionBytesMax) throw tooManyBytes(bytes, transactionBytesMax);
    this.#bytes = bytes;
    this.#events.push(event);
  }

  note(key: string, value: NoteValue | undefined): void {
    this.#checkUsable();
    const checked = checkNote(key, value);
    if (checked instanceof ForebayError) throw checked;
    this.#notes.set(key, checked.text === undefined ? undefined : (JSON.parse(checked.text) as NoteValue));
  }

  async commit(): Promise<SequenceRanges> {
    this.#checkUsable();
    this.#state = 'settled';
    return this.#target.store(this.#events, this.#notes.size === 0 ? undefined : Object.fromEntries(this.#notes));
  }

  async rollback(): Promise<void> {
    this.#checkUsable();
    this.#state = 'settled';
  }

  #checkUsable(): void {
    this.#target.checkOpen();
    if (this.#state === 'settled') {
      throw new ForebayError('TRANSACTION_STATE', 'this put transaction was committed or rolled back already');
    }
  }
}

/** A put with more events than transactionCapacity. */
export function tooManyEvents(actual: number, expected: number): ForebayError {
  const message = `a put of ${actual} events; transactionCapacity allows ${expected}: put fewer at a time`;
  return new ForebayError('TRANSACTION_TOO_LARGE', message, { expected, actual, outcome: 'notStored' });
}

/** A put with more bytes than transactionBytesMax. */
export function tooManyBytes(actual: number, expected: number): ForebayError {
  const message = `a put of ${actual} bytes; transactionBytesMax allows ${expected}: put fewer events at a time`;
  return new ForebayError('TRANSACTION_TOO_LARGE', message, { expected, actual, outcome: 'notStored' });
}
