/**
 * What a caller knows of its channel: every transaction it tried, and what became of it. A crash puts those that
 * were on their way in doubt; what is seen later settles a doubt for good. Whatever contradicts it is a violation.
 */

import type { DeliveredEvent, Event } from '../../src/event/event.ts';
import type { CheckerName, Findings } from './checkers.ts';

/** `flying`: on its way. `doubt`: whole or not at all. `stored` and `absent` are final. */
type Fate = 'flying' | 'stored' | 'doubt' | 'absent';
/** What a transaction did. */
export type TransactionKind = 'put' | 'ack' | 'prepare' | 'resolve' | 'note';

/** One transaction of the caller. With `noted` it carries the note `t<id>`, and `last` = its id, in its frame. */
export interface Transaction {
  readonly id: number;
  readonly kind: TransactionKind;
  readonly events: KnownEvent[];
  readonly noted: boolean;
  /** Which process tried it. */
  readonly life: number;
  /** Of a resolve: what it resolves, and how. */
  readonly prepared: Transaction | undefined;
  readonly outcome: 'commit' | 'rollback' | undefined;
  /** Of a prepare: what was tried to resolve it. */
  readonly resolves: Transaction[];
  fate: Fate;
  /** How its fate became known: names the property that breaks if it changes. */
  known: 'acknowledged' | 'delivered' | 'observed' | 'refused' | 'lost' | undefined;
  /** A power cut cannot take it any more; commit mode: as soon as it is stored. */
  synced: boolean;
  prepareId: string | undefined;
  readonly startedAt: number;
  settledAt: number;
  /** The largest sequence acknowledged before it was tried. */
  readonly floor: number;
}

/** One event of a put. */
export interface KnownEvent {
  readonly key: string;
  readonly put: Transaction;
  readonly body: Buffer;
  sequence: number;
  isLeased: boolean;
  /** Acks and prepares that name it. */
  readonly settlements: Transaction[];
}

type Settlement = 'free' | 'acked' | 'prepared' | 'settling' | 'doubt';

/** See the head of this file. */
export class Oracle {
  readonly findings: Findings;
  readonly transactions: Transaction[] = [];
  readonly events: Map<string, KnownEvent> = new Map();
  readonly syncs: 'commit' | 'interval';
  life = 0;
  #time = 0;
  #sequenceMax = 0;
  readonly #owners: Map<number, KnownEvent> = new Map();

  constructor(findings: Findings, syncs: 'commit' | 'interval') {
    this.findings = findings;
    this.syncs = syncs;
  }

  // — what the caller does —

  put(count: number, bodyBytes: number, noted: boolean): { transaction: Transaction; events: Event[] } {
    const transaction = this.#begin('put', [], noted);
    const events: Event[] = [];
    for (let index = 0; index < count; index += 1) {
      const key = `${transaction.id}.${index}`;
      const body = bodyOf(key, bodyBytes);
      const known = { key, put: transaction, body, sequence: 0, isLeased: false, settlements: [] };
      transaction.events.push(known);
      this.events.set(key, known);
      events.push({ headers: { key }, body });
    }
    return { transaction, events };
  }

  /** An acknowledgement or a preparation of events leased to the caller. */
  settle(kind: 'ack' | 'prepare', events: readonly KnownEvent[], noted: boolean): Transaction {
    const transaction = this.#begin(kind, [...events], noted);
    for (const event of events) event.settlements.push(transaction);
    return transaction;
  }

  resolve(prepared: Transaction, outcome: 'commit' | 'rollback', noted: boolean): Transaction {
    const transaction = this.#begin('resolve', [], noted, prepared, outcome);
    prepared.resolves.push(transaction);
    return transaction;
  }

  note(): Transaction {
    return this.#begin('note', [], true);
  }

  stored(transaction: Transaction, ranges: readonly { readonly first: number; readonly last: number }[] = []): void {
    const { kind, events } = transaction;
    if (transaction.fate === 'absent') this.#wrong('nothing-invented', transaction, 'was absent, and is acknowledged');
    this.#settleFate(transaction, 'stored', 'acknowledged');
    if (kind !== 'put') return;
    const [range] = ranges;
    if (range === undefined || ranges.length !== 1 || range.last - range.first + 1 !== events.length) {
      this.#wrong('all-or-nothing', transaction, `${events.length} events got ${JSON.stringify(ranges)}`);
      return;
    }
    for (const [index, event] of events.entries()) this.#hasSequence(event, range.first + index);
    this.#sequenceMax = Math.max(this.#sequenceMax, range.last);
  }

  /** Rejected with an outcome. */
  refused(transaction: Transaction, outcome: 'notStored' | 'unknown'): void {
    if (outcome === 'unknown') {
      if (transaction.fate === 'flying') transaction.fate = 'doubt';
      return;
    }
    if (transaction.fate === 'stored') this.#wrong('not-stored-is-absent', transaction, 'was delivered, then refused');
    this.#settleFate(transaction, 'absent', 'refused');
  }

  /** Everything stored so far is synced. */
  synced(): void {
    for (const transaction of this.transactions) if (transaction.fate === 'stored') transaction.synced = true;
  }

  /** An open is done: whatever it found is as durable as anything. */
  opened(): void {
    for (const transaction of this.transactions) transaction.synced = true;
  }

  /** Events came from a take; the known ones, leased from now on. */
  delivered(events: readonly DeliveredEvent[]): KnownEvent[] {
    const known = events.flatMap((event) => this.#meet(event) ?? []);
    for (const event of known) event.isLeased = true;
    return known;
  }

  returned(events: readonly KnownEvent[]): void {
    for (const event of events) event.isLeased = false;
  }

  /** The process is gone. `losesCache`: what was not synced may be gone too. */
  ended(losesCache: boolean): void {
    this.life += 1;
    for (const event of this.events.values()) event.isLeased = false;
    for (const transaction of this.transactions) {
      const unsure = losesCache && this.syncs === 'interval' && !transaction.synced;
      if (transaction.fate === 'flying' || (transaction.fate === 'stored' && unsure)) transaction.fate = 'doubt';
    }
  }

  /** Events that are there for certain, and settled by nothing. */
  waiting(): KnownEvent[] {
    return [...this.events.values()].filter((event) => event.put.fate === 'stored' && settlement(event) === 'free');
  }

  /** Prepared takes that nobody resolved. */
  prepared(): Transaction[] {
    const isOpen = (one: Transaction): boolean => resolveOf(one)?.fate !== 'stored';
    return this.transactions.filter((one) => one.kind === 'prepare' && one.fate === 'stored' && isOpen(one));
  }

  /** Settles a doubt, or finds that what was known is not so. */
  settleFate(transaction: Transaction, fate: 'stored' | 'absent'): void {
    if (transaction.fate === fate) return;
    if (transaction.fate === 'doubt' || transaction.fate === 'flying') {
      const known = fate === 'stored' ? 'observed' : 'lost';
      this.#settleFate(transaction, fate, known);
    } else if (fate === 'absent') this.#wrong(lossOf(transaction), transaction, 'was stored, and is not there');
    else {
      const checker = transaction.known === 'refused' ? 'not-stored-is-absent' : 'nothing-invented';
      this.#wrong(checker, transaction, `was absent (${transaction.known}), and is there`);
    }
  }

  /** An event that a take gave: everything that must hold of it. Undefined where it is none of ours. */
  #meet(delivered: DeliveredEvent): KnownEvent | undefined {
    const event = this.events.get(delivered.headers['key'] ?? '');
    if (event === undefined || !event.body.equals(delivered.body)) {
      const text = `sequence ${delivered.sequence} came with a body that nobody put (key ${delivered.headers['key']})`;
      this.findings.report('nothing-invented', text);
      return undefined;
    }
    this.#hasSequence(event, delivered.sequence);
    if (event.put.fate === 'absent') this.settleFate(event.put, 'stored');
    else if (event.put.fate !== 'stored') this.#settleFate(event.put, 'stored', 'delivered');
    const where = `event ${event.key} (sequence ${delivered.sequence}, ${event.put.fate})`;
    if (event.isLeased) this.findings.report('taken-stays-taken', `${where} is delivered while it is leased`);
    this.#refute(event, where);
    return event;
  }

  /** The event is there: no settlement of it holds. */
  #refute(event: KnownEvent, where: string): void {
    for (const one of event.settlements) {
      if (one.fate === 'absent') continue;
      const resolve = one.kind === 'prepare' ? resolveOf(one) : undefined;
      if (resolve?.outcome === 'rollback' && resolve.fate !== 'absent') {
        if (resolve.fate === 'doubt') this.settleFate(resolve, 'stored');
        continue;
      }
      if (one.fate === 'doubt') {
        this.settleFate(one, 'absent');
        continue;
      }
      const checker = one.kind === 'prepare' && resolve === undefined ? 'prepared-survives' : 'taken-stays-taken';
      this.findings.report(checker, `${where} is delivered, but ${one.kind} ${one.id} of it is ${one.fate}`);
    }
  }

  #hasSequence(event: KnownEvent, sequence: number): void {
    const owner = this.#owners.get(sequence);
    if (event.sequence !== 0 && event.sequence !== sequence) {
      const text = `event ${event.key} had sequence ${event.sequence} and has ${sequence}`;
      this.findings.report('sequences-never-reused', text);
    }
    if (owner !== undefined && owner !== event) {
      const text = `sequence ${sequence} was ${owner.key}'s and is ${event.key}'s`;
      this.findings.report('sequences-never-reused', text);
    }
    if (sequence <= event.put.floor) {
      const text = `event ${event.key} has sequence ${sequence}, behind ${event.put.floor}, which was given before`;
      this.findings.report('order-kept', text);
    }
    event.sequence = sequence;
    this.#owners.set(sequence, event);
  }

  #begin(
    kind: TransactionKind,
    events: KnownEvent[],
    noted: boolean,
    prepared?: Transaction,
    outcome?: 'commit' | 'rollback',
  ): Transaction {
    const transaction: Transaction = {
      id: this.transactions.length + 1,
      kind,
      events,
      // By interval a power cut may take what was acknowledged: only notes tell then what exactly.
      noted: noted || this.syncs === 'interval',
      life: this.life,
      prepared,
      outcome,
      resolves: [],
      fate: 'flying',
      known: undefined,
      synced: this.syncs === 'commit',
      prepareId: undefined,
      startedAt: ++this.#time,
      settledAt: Number.POSITIVE_INFINITY,
      floor: this.#sequenceMax,
    };
    this.transactions.push(transaction);
    return transaction;
  }

  #settleFate(transaction: Transaction, fate: 'stored' | 'absent', known: Transaction['known']): void {
    transaction.fate = fate;
    transaction.known = known;
    transaction.settledAt = Math.min(transaction.settledAt, ++this.#time);
  }

  #wrong(checker: CheckerName, { kind, id, life, noted, events }: Transaction, text: string): void {
    const what = `${kind} ${id} of life ${life} (${events.length} events${noted ? ', noted' : ''})`;
    this.findings.report(checker, `${what} ${text}`);
  }
}

/** The notes a transaction carries. */
export function notesOf(transaction: Transaction): Record<string, number> | undefined {
  return transaction.noted ? { [`t${transaction.id}`]: transaction.kind.length, last: transaction.id } : undefined;
}

/** Which property is broken where a stored transaction is gone. */
function lossOf(transaction: Transaction): CheckerName {
  if (transaction.known === 'observed') return 'all-or-nothing';
  if (transaction.kind === 'put')
    return transaction.known === 'delivered' ? 'delivered-is-durable' : 'acked-is-durable';
  return transaction.kind === 'prepare' || transaction.kind === 'resolve' ? 'prepared-survives' : 'taken-stays-taken';
}

/** The resolution of a prepared take that counts, or may. */
export function resolveOf(prepare: Transaction): Transaction | undefined {
  const tried = prepare.resolves.filter(({ fate }) => fate !== 'absent');
  return tried.find(({ fate }) => fate === 'stored') ?? tried[0];
}

/** What the oracle knows of an event whose put is stored. */
export function settlement(event: KnownEvent): Settlement {
  let found: Settlement = 'free';
  for (const one of event.settlements) {
    if (one.fate === 'flying') return 'settling';
    if (one.fate === 'doubt') found = 'doubt';
    if (one.fate !== 'stored') continue;
    if (one.kind === 'ack') return 'acked';
    const resolve = resolveOf(one);
    if (resolve === undefined) found = 'prepared';
    else if (resolve.fate === 'flying') return 'settling';
    else if (resolve.fate === 'doubt') found = 'doubt';
    else if (resolve.outcome === 'commit') return 'acked';
  }
  return found;
}

function bodyOf(key: string, bytes: number): Buffer {
  const body = Buffer.alloc(bytes);
  let state = 2_166_136_261;
  for (const character of key) state = Math.imul(state ^ character.charCodeAt(0), 16_777_619);
  for (let at = 0; at < bytes; at += 1) {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) | 0;
    body[at] = state >>> 24;
  }
  return body;
}
