/**
 * One process on the simulated disk: opens the channel, runs a program against it, and stops when the disk does.
 * Every call goes through here, so that the oracle hears what its caller would have heard: nothing after the stop.
 */

import { isForebayError } from '../../src/base/errors.ts';
import type { SequenceRange } from '../../src/base/units.ts';
import type { Consumer, TakeBatch } from '../../src/channel/channel.ts';
import { FileChannel } from '../../src/channel/file-channel.ts';
import type { ChannelOptions } from '../../src/channel/options.ts';
import type { DeliveredEvent } from '../../src/event/event.ts';
import { ManualClock } from '../support/manual-clock.ts';
import { SeededRandom } from '../support/seeded-random.ts';
import type { SimulatedDisk } from '../support/simulated-disk.ts';
import type { Fault, Operation } from '../support/simulated-faults.ts';
import type { CheckpointFound, SurvivingCheckpoints } from './checkpoints.ts';
import { checkSums, compare } from './observation.ts';
import { type KnownEvent, notesOf, type Oracle, type Transaction } from './oracle.ts';

/** What a process starts with. */
export interface LifeParts {
  readonly disk: SimulatedDisk;
  readonly oracle: Oracle;
  readonly checkpoints: SurvivingCheckpoints;
  readonly found: CheckpointFound;
  readonly options: ChannelOptions;
  readonly seed: number;
  readonly startMs: number;
  /** Every lone write is slow, so that all writes leave the thread. */
  readonly isSlow: boolean;
  /** Time passes while calls are on their way, not only when nothing else can happen. */
  readonly isRestless: boolean;
  /** Calls may be refused: faults are injected, or room is short. */
  readonly mayRefuse: boolean;
  /** Bytes behind the log's end may be there: a write of an earlier life was cut off. */
  readonly isTorn: boolean;
}

/** What a program does in a life. */
export type Program = (life: Life) => Promise<void>;

/** Events leased to a consumer by one take. */
export interface Lease {
  readonly batch: TakeBatch;
  readonly events: readonly KnownEvent[];
}

/** The directory every simulated channel is opened with. */
export const channelDirectory = '/channel';
/** So many quiet turns, and only a timer can be what is awaited. */
const quietTurns = 4;
/** So many timers without an end, and the program waits for ever. */
const timersMax = 3000;
const intervalMs = 20;

type Outcome<Value> = { readonly value: Value } | { readonly error: unknown };

/** See the head of this file. */
export class Life {
  readonly parts: LifeParts;
  readonly clock: ManualClock;
  readonly random: SeededRandom;
  /** The open resolved: recovery is done, and everything found is durable. */
  hasOpened = false;
  /** Bytes of a write that was cut off or failed may lie behind the log's end. */
  isTorn: boolean;
  /** The mutation that an injected fault has struck; 0 where none has yet. */
  struckAt = 0;
  #channel: FileChannel | undefined;
  /** Calls that have not come back. */
  readonly #waiting: string[] = [];
  #steps = 0;
  #engineRandom: SeededRandom;
  readonly #othersRandom: SeededRandom;

  constructor(parts: LifeParts) {
    this.parts = parts;
    this.isTorn = parts.isTorn;
    this.clock = new ManualClock(parts.isSlow ? 1.5 : 0, parts.startMs);
    this.random = new SeededRandom(parts.seed * 2 + 1);
    this.#engineRandom = new SeededRandom(parts.seed * 2);
    this.#othersRandom = new SeededRandom(parts.seed * 2 + 3);
  }

  get channel(): FileChannel {
    return this.#channel as FileChannel;
  }

  get disk(): SimulatedDisk {
    return this.parts.disk;
  }

  get oracle(): Oracle {
    return this.parts.oracle;
  }

  /** Until the program is done, the disk stops, or nothing happens any more. */
  async run(program: Program): Promise<void> {
    let isDone = false;
    const settled = (): void => {
      isDone = true;
    };
    program(this).then(settled, (error: unknown) => {
      settled();
      if (!this.disk.stopped) this.#report('goes-on', `the program met ${describe(error)}`);
    });
    let seen = -1;
    let timers = 0;
    for (let quiet = 0; !isDone && !this.disk.stopped; quiet += 1) {
      // At times another log of the process has something to write: then writes leave the thread.
      if (this.#othersRandom.chance(0.5)) this.disk.writers.add(this);
      else this.disk.writers.delete(this);
      await turn();
      const activity = this.disk.operations.length + this.disk.readCount + this.#steps;
      if (activity !== seen) quiet = 0;
      seen = activity;
      if (this.parts.isRestless && this.clock.advance(this.random.below(12))) quiet = 0;
      if (quiet < quietTurns || isDone) continue;
      quiet = 0;
      timers += 1;
      if (this.clock.fireNext() && timers < timersMax) continue;
      this.#report('goes-on', `never comes back: ${this.#waiting.join(', ')}`);
      return;
    }
    this.#checkDamages();
  }

  /** The mutation with this index fails with EIO, once. */
  failAt(index: number): void {
    this.failOnce('EIO', (operation) => operation.index === index);
  }

  /** The first mutation that `isMeant` says yes to fails. From then on calls may be refused. */
  failOnce(error: Fault['error'], isMeant: (operation: Operation) => boolean): void {
    const strikes = (operation: Operation): boolean => {
      // Reads are counted apart, and are not meant.
      if (this.disk.operations.at(-1) !== operation || !isMeant(operation)) return false;
      this.struckAt = operation.index;
      return true;
    };
    this.disk.inject({ at: strikes, error });
  }

  get #mayRefuse(): boolean {
    return this.parts.mayRefuse || this.struckAt > 0;
  }

  /** False where the disk has no room for it, or fails. */
  async open(): Promise<boolean> {
    const { disk, options, checkpoints, found } = this.parts;
    const openCheckpoint = checkpoints.open(found, () => !disk.stopped);
    const environment = { disk, clock: this.clock, random: this.#engineRandom, openCheckpoint };
    const opened = await this.#outcome('open', FileChannel.open(channelDirectory, options, environment));
    if ('error' in opened) {
      const code = isForebayError(opened.error) ? opened.error.code : undefined;
      const noRoom = code === 'DISK_FULL' && this.parts.mayRefuse;
      const failing = (code === 'DIR_UNUSABLE' || code === 'CHANNEL_FAILED') && this.struckAt > 0;
      if (!noRoom && !failing) this.#report('opens-always', describe(opened.error));
      return false;
    }
    this.#channel = opened.value;
    this.hasOpened = true;
    this.oracle.opened();
    this.#checkDamages();
    return true;
  }

  async close(): Promise<void> {
    const failed = this.channel.stats().health.state === 'failed';
    const closed = await this.#outcome('close', this.channel.close());
    if ('error' in closed && !this.#mayRefuse) this.#report('goes-on', `close: ${describe(closed.error)}`);
    if (!('error' in closed) && !failed) this.oracle.synced();
    this.#checkDamages();
  }

  /** An orderly stop and a start, in one process. */
  async reopen(): Promise<boolean> {
    if (this.channel.stats().health.state === 'failed') this.isTorn = true;
    await this.close();
    this.oracle.ended(false);
    return this.open();
  }

  /** One put transaction; false where it was refused. */
  async put(count: number, bodyBytes: number, noted = false): Promise<boolean> {
    const { transaction, events } = this.oracle.put(count, bodyBytes, noted);
    const notes = notesOf(transaction);
    const result = await this.#outcome('put', this.channel.put(events, notes === undefined ? undefined : { notes }));
    return this.#settled(transaction, result, (ranges) => ranges);
  }

  async note(): Promise<boolean> {
    const transaction = this.oracle.note();
    const result = await this.#outcome('put', this.channel.put([], { notes: notesOf(transaction) ?? {} }));
    return this.#settled(transaction, result, () => []);
  }

  async take(max: number, consumer?: Consumer, waitMs = 0): Promise<Lease> {
    const taken = await this.#outcome('take', (consumer ?? this.channel).take(max, { waitMs }));
    if ('error' in taken) {
      if (!this.#mayRefuse) this.#report('goes-on', `take: ${describe(taken.error)}`);
      return { batch: undefined as unknown as TakeBatch, events: [] };
    }
    return { batch: taken.value, events: this.oracle.delivered(taken.value.events) };
  }

  /** Acknowledges `events` of a lease, all of it where not given. */
  async commit(lease: Lease, consumer?: Consumer, events?: readonly KnownEvent[], noted = false): Promise<boolean> {
    const chosen = events ?? lease.events;
    if (chosen.length === 0) return true;
    const transaction = this.oracle.settle('ack', chosen, noted);
    const notes = notesOf(transaction);
    const options = notes === undefined ? undefined : { notes };
    const call = consumer === undefined ? lease.batch.commit(options) : consumer.commit(rangesOf(chosen), options);
    const isStored = this.#settled(transaction, await this.#outcome('commit', call), () => []);
    if (isStored) this.oracle.returned(chosen);
    return isStored;
  }

  async rollback(lease: Lease, consumer?: Consumer, events?: readonly KnownEvent[]): Promise<void> {
    const chosen = events ?? lease.events;
    if (chosen.length === 0) return;
    this.oracle.returned(chosen);
    const call = consumer === undefined ? lease.batch.rollback() : consumer.rollback(rangesOf(chosen));
    const result = await this.#outcome('rollback', call);
    if ('error' in result) this.#report('goes-on', `rollback: ${describe(result.error)}`);
  }

  /** The transaction, to be resolved; undefined where it was refused. */
  async prepare(consumer: Consumer, events: readonly KnownEvent[], noted = false): Promise<Transaction | undefined> {
    if (events.length === 0) return undefined;
    const transaction = this.oracle.settle('prepare', events, noted);
    const notes = notesOf(transaction);
    const call = consumer.prepare(rangesOf(events), { id: transaction.id }, notes === undefined ? {} : { notes });
    const result = await this.#outcome('prepare', call);
    if ('value' in result) transaction.prepareId = result.value;
    if (!this.#settled(transaction, result, () => [])) return undefined;
    this.oracle.returned(events);
    return transaction;
  }

  async resolve(prepared: Transaction, outcome: 'commit' | 'rollback', noted = false): Promise<boolean> {
    const transaction = this.oracle.resolve(prepared, outcome, noted);
    const notes = notesOf(transaction);
    const call = this.channel.resolve(prepared.prepareId ?? '', outcome, notes === undefined ? {} : { notes });
    const result = await this.#outcome('resolve', call);
    if ('value' in result && !result.value) {
      this.#report('prepared-survives', `prepared take ${prepared.prepareId} cannot be resolved: it is unknown`);
    }
    return this.#settled(transaction, result, () => []);
  }

  /** Nothing is done for so long; what is acknowledged is synced then, also by interval. */
  async idle(forMs: number): Promise<void> {
    const before = this.oracle.transactions.filter(({ fate }) => fate === 'stored');
    await new Promise<void>((resolve) => this.clock.after(forMs, resolve));
    await this.#outcome('idle', Promise.resolve());
    if (forMs < 2 * intervalMs || this.channel.stats().health.state === 'failed') return;
    for (const one of before) one.synced = true;
  }

  /** Lets others run. */
  async pause(): Promise<void> {
    await this.#outcome('pause', turn());
  }

  async checkpoint(): Promise<void> {
    await this.#outcome('checkpoint', this.channel.checkpoint());
  }

  /** Looks at everything there is, changes nothing, and holds it against what is known. Nothing may be leased. */
  async observe(): Promise<void> {
    const consumer = this.channel.consumer('observer');
    const events: DeliveredEvent[] = [];
    for (;;) {
      const taken = await this.#outcome('take', consumer.take(1000));
      if ('error' in taken) {
        this.#report('goes-on', `take: ${describe(taken.error)}`);
        return;
      }
      if (taken.value.events.length === 0) break;
      events.push(...taken.value.events);
    }
    await this.#outcome('close', consumer.close());
    const { channel } = this;
    const notes = new Map(channel.notes.keys().map((key) => [key, channel.notes.get(key) ?? null]));
    compare(this.oracle, { events, notes, unresolved: channel.unresolved(), stats: channel.stats() });
  }

  #settled<Value>(
    transaction: Transaction,
    result: Outcome<Value>,
    rangesOfValue: (value: Value) => readonly SequenceRange[],
  ): boolean {
    if ('value' in result) {
      this.oracle.stored(transaction, rangesOfValue(result.value));
      checkSums(this.oracle, this.channel.stats());
      return true;
    }
    const { error } = result;
    const outcome = isForebayError(error) ? error.outcome : undefined;
    if (!this.#mayRefuse || outcome === undefined) {
      this.#report('goes-on', `${transaction.kind} ${transaction.id}: ${describe(error)}`);
    }
    this.oracle.refused(transaction, outcome ?? 'unknown');
    return false;
  }

  /** What a call came to; never, where the disk stopped meanwhile. */
  async #outcome<Value>(name: string, call: Promise<Value>): Promise<Outcome<Value>> {
    this.#steps += 1;
    this.#waiting.push(name);
    let outcome: Outcome<Value>;
    try {
      outcome = { value: await call };
    } catch (error) {
      outcome = { error };
    }
    this.#steps += 1;
    this.#waiting.splice(this.#waiting.indexOf(name), 1);
    if (this.disk.stopped) await new Promise<never>(() => undefined);
    return outcome;
  }

  /** A torn write may only be an unproven tail; where none was torn, nothing is wrong. */
  #checkDamages(): void {
    const { isTorn } = this;
    for (const { kind, path, offset, message } of this.#channel?.damages ?? []) {
      if (isTorn && kind === 'unprovenTail') continue;
      const torn = isTorn ? 'a write was torn' : 'no write was torn';
      this.#report('no-false-damage', `${kind} at ${path}:${offset}, though ${torn}: ${message}`);
    }
  }

  #report(checker: Parameters<Oracle['findings']['report']>[0], text: string): void {
    this.oracle.findings.report(checker, `life ${this.oracle.life}: ${text}`);
  }
}

function turn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

function describe(error: unknown): string {
  if (!isForebayError(error)) return error instanceof Error ? (error.stack ?? error.message) : String(error);
  return `${error.code} (${error.outcome}) ${error.message}`;
}

function rangesOf(events: readonly KnownEvent[]): SequenceRange[] {
  const sequences = events.map(({ sequence }) => sequence).sort((one, other) => one - other);
  return sequences.map((sequence) => ({ first: sequence, last: sequence }));
}
