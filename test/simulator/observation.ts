/** Compares all that a channel shows with all that its caller knows: doubts are settled, the rest must be equal. */
import type { ChannelStats, UnresolvedTake } from '../../src/channel/channel.ts';
import type { DeliveredEvent } from '../../src/event/event.ts';
import type { NoteValue } from '../../src/queue/notes.ts';
import type { KnownEvent, Oracle, Transaction } from './oracle.ts';
import { resolveOf, settlement } from './oracle.ts';

/** What a channel shows when nothing is on its way and nothing is leased. */
export interface Seen {
  /** As a drain gave them. */
  readonly events: readonly DeliveredEvent[];
  readonly notes: ReadonlyMap<string, NoteValue>;
  readonly unresolved: readonly UnresolvedTake[];
  readonly stats: ChannelStats;
}

/** See the head of this file. */
export function compare(oracle: Oracle, seen: Seen): void {
  checkOrder(oracle, seen.events);
  const known = oracle.delivered(seen.events);
  oracle.returned(known);
  const listed = seen.unresolved.flatMap((take) => meetPrepared(oracle, take) ?? []);
  settleDoubts(oracle, seen, new Set(known), listed);
  checkNothingMissing(oracle, new Set(known), listed);
  checkNotes(oracle, seen.notes);
  checkLosses(oracle);
  checkCounters(oracle, seen);
}

/** In a drain of all events sequences ascend. */
function checkOrder(oracle: Oracle, events: readonly DeliveredEvent[]): void {
  for (const [index, { sequence }] of events.entries()) {
    const before = events[index - 1]?.sequence ?? 0;
    if (sequence > before) continue;
    oracle.findings.report('order-kept', `sequence ${sequence} is delivered behind ${before}`);
  }
}

function meetPrepared(oracle: Oracle, take: UnresolvedTake): Transaction | undefined {
  const id = (take.note as { id?: number }).id ?? 0;
  const prepare = oracle.transactions[id - 1];
  const report = (text: string): void =>
    oracle.findings.report('prepared-survives', `prepared take ${take.id} ${text}`);
  if (prepare?.kind !== 'prepare') {
    report(`has the note ${JSON.stringify(take.note)}, which nobody gave`);
    return undefined;
  }
  oracle.settleFate(prepare, 'stored');
  for (const { put } of prepare.events) oracle.settleFate(put, 'stored');
  const resolve = resolveOf(prepare);
  if (resolve?.fate === 'stored') report(`was resolved (${resolve.outcome}) by ${resolve.id}, and is back`);
  for (const one of prepare.resolves) if (one.fate === 'doubt') oracle.settleFate(one, 'absent');
  if (prepare.prepareId !== undefined && prepare.prepareId !== take.id) report(`was ${prepare.prepareId}`);
  prepare.prepareId = take.id;
  const count = take.ranges.reduce((sum, { first, last }) => sum + last - first + 1, 0);
  const whole = prepare.events.every(({ sequence }) =>
    take.ranges.some(({ first, last }) => first <= sequence && sequence <= last),
  );
  if (!whole || count !== prepare.events.length) report(`holds ${JSON.stringify(take.ranges)}: not what was prepared`);
  return prepare;
}

function settleDoubts(
  oracle: Oracle,
  seen: Seen,
  known: ReadonlySet<KnownEvent>,
  listed: readonly Transaction[],
): void {
  for (const one of oracle.transactions) {
    if (one.fate !== 'doubt') continue;
    const noted = seen.notes.has(`t${one.id}`);
    if (one.noted) oracle.settleFate(one, noted ? 'stored' : 'absent');
    else if (one.kind === 'put') oracle.settleFate(one, 'absent');
    else if (one.kind === 'ack')
      oracle.settleFate(one, one.events.some((event) => known.has(event)) ? 'absent' : 'stored');
    else if (one.kind === 'prepare') oracle.settleFate(one, listed.includes(one) ? 'stored' : 'absent');
    else oracle.settleFate(one, one.prepared !== undefined && listed.includes(one.prepared) ? 'absent' : 'stored');
  }
}

function checkNothingMissing(oracle: Oracle, known: ReadonlySet<KnownEvent>, listed: readonly Transaction[]): void {
  const lost = new Set<Transaction>();
  for (const event of oracle.waiting()) if (!known.has(event)) lost.add(event.put);
  for (const put of lost) {
    const missing = put.events.filter((event) => settlement(event) === 'free' && !known.has(event));
    const some = missing.length < put.events.length && put.events.some((event) => known.has(event));
    if (some) oracle.findings.report('all-or-nothing', `put ${put.id}: ${missing.length} of its events are missing`);
    else oracle.settleFate(put, 'absent');
  }
  for (const prepare of oracle.prepared()) {
    if (listed.includes(prepare)) continue;
    oracle.findings.report('prepared-survives', `prepared take ${prepare.id} (${prepare.prepareId}) is not listed`);
  }
}

function checkNotes(oracle: Oracle, notes: ReadonlyMap<string, NoteValue>): void {
  const noted = oracle.transactions.filter((one) => one.noted);
  for (const one of noted) {
    const isThere = notes.has(`t${one.id}`);
    if (one.fate === 'doubt' || isThere === (one.fate === 'stored')) continue;
    if (isThere) oracle.settleFate(one, 'stored');
    else if (one.kind === 'note') oracle.settleFate(one, 'absent');
    else oracle.findings.report('all-or-nothing', `${one.kind} ${one.id} (${one.known}) is there without its note`);
  }
  const stored = noted.filter(({ fate }) => fate === 'stored');
  const value = notes.get('last');
  if (stored.length === 0 && value === undefined) return;
  const last = stored.find(({ id }) => id === value);
  const newer = stored.find((one) => one.startedAt > (last?.settledAt ?? 0) && one.life >= (last?.life ?? 0));
  if (last !== undefined && (newer === undefined || last.known !== 'acknowledged')) return;
  oracle.findings.report('order-kept', `the last note is of ${value}, though ${newer?.id} came later`);
}

/** What a power cut took of an interval-synced log was its end. */
function checkLosses(oracle: Oracle): void {
  for (const lost of oracle.transactions) {
    if (lost.known !== 'lost' || lost.kind !== 'put') continue;
    const later = oracle.transactions.find(
      (one) => one.kind === 'put' && one.life === lost.life && one.fate === 'stored' && one.startedAt > lost.settledAt,
    );
    if (later === undefined || lost.settledAt > later.settledAt) continue;
    oracle.findings.report('order-kept', `put ${lost.id} is lost, and ${later.id}, tried later, is there`);
  }
}

/** put + requeued − taken − dropped − quarantined = depth, never negative, and each is what the caller counts. */
export function checkSums(oracle: Oracle, { counters, depthEvents, ...stats }: ChannelStats): void {
  const { put, requeued, taken, dropped, quarantined } = counters;
  const depth = put + requeued - taken - dropped - quarantined;
  const held = stats.leasedEvents + stats.preparedEvents;
  const smallest = Math.min(put, requeued, taken, dropped, quarantined, depthEvents, held);
  if (depth === depthEvents && smallest >= 0 && held <= depthEvents) return;
  const text = `${JSON.stringify(counters)} are not depth ${depthEvents} with ${held} held`;
  oracle.findings.report('counters-add-up', text);
}

function checkCounters(oracle: Oracle, { events, unresolved, stats }: Seen): void {
  checkSums(oracle, stats);
  const prepared = unresolved
    .flatMap(({ ranges }) => ranges)
    .reduce((sum, { first, last }) => sum + last - first + 1, 0);
  const report = (text: string): void => oracle.findings.report('counters-add-up', text);
  if (stats.depthEvents !== events.length + prepared) {
    report(`depth ${stats.depthEvents}, but ${events.length} events are delivered and ${prepared} prepared`);
  }
  const all = [...oracle.events.values()].filter(({ put }) => put.fate === 'stored');
  const taken = all.filter((event) => settlement(event) === 'acked').length;
  const { counters } = stats;
  const put = counters.put - counters.quarantined;
  if (put !== all.length) report(`${put} events were put by the counters, ${all.length} by the caller`);
  if (counters.taken !== taken) report(`${counters.taken} events were taken by the counters, ${taken} by the caller`);
  if (counters.requeued + counters.dropped !== 0) report(`nobody requeued or dropped: ${JSON.stringify(counters)}`);
}
