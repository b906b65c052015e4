/**
 * Puts one file's events into the channels: batch by batch, several in flight, each with its position. What a channel
 * refuses is offered again until it takes it; what a channel has is not offered to it again.
 */
import type { ProcessOptions, SourceContext } from '../../../agent/contracts/components.ts';
import { type Event, isForebayError, type NoteValue } from '../../../engine.ts';
import type { Deserializer, FileBatch } from './deserializer.ts';
import { FileProblem } from './file-problem.ts';
import { type LaneNote, laneCount, type NoteKeys, type Reading } from './progress.ts';
import { covers, nextEdge, prefixEnd } from './ranges.ts';
import type { Waiter } from './waiter.ts';

/** What a feeder is told. */
export interface FeederOptions {
  readonly batchEvents: number;
  /** Of waiting before the same events are offered again, ms. */
  readonly backoffMsMax: number;
}

/** One transaction, or one stretch that all channels have. */
interface Slot {
  readonly batch: FileBatch;
  readonly from: number;
  readonly lane: number;
  readonly bytes: number;
  readonly outcome: Promise<unknown>;
}

const backoffMsMin = 250;
/** Of bodies in flight; a batch that is larger goes alone. */
const inFlightBytesMax = 32 * 1024 * 1024;
/**
 * While one put is written the next is ready: more of them only grow old, and a garbage collector that meets them again
 * and again costs more than reading the lines. Batches of 1000, sixteen in flight: 2.9 s of processor for a million
 * lines and 212 MiB; two: 2.1 s and 153 MiB.
 */
const inFlightBatchesMin = 2;
const inFlightEventsMax = 2000;

/** For one source. */
export class Feeder {
  readonly #context: SourceContext;
  readonly #keys: NoteKeys;
  readonly #options: FeederOptions;
  readonly #waiter: Waiter;
  #batches = 0;
  #inFlight: Slot[] = [];
  /** Everything below it is in all required channels. */
  #floor = 0;
  /** A batch in flight was refused: nothing goes out before it has been taken. */
  #isRefused = false;

  constructor(context: SourceContext, keys: NoteKeys, options: FeederOptions, waiter: Waiter) {
    this.#context = context;
    this.#keys = keys;
    this.#options = options;
    this.#waiter = waiter;
  }

  /** Where the reading goes on: what is before it is in every channel. */
  startOf(reading: Reading): number {
    const { channels } = this.#context.processor;
    return Math.min(...channels.map((channel) => prefixEnd(reading.done.get(channel) ?? [])));
  }

  /**
   * All of the file; true when it is durable, false where the source was stopped before. Nothing is in flight then.
   *
   * @param isUnchanged Asked before the last events are put.
   * @throws {FileProblem} Where the file cannot be read further. What was before it is durable.
   */
  async feed(reading: Reading, deserializer: Deserializer, isUnchanged: () => Promise<boolean>): Promise<boolean> {
    let position = this.startOf(reading);
    this.#floor = position;
    this.#inFlight = [];
    this.#isRefused = false;
    const edges = [...reading.done.values()].flat();
    try {
      while (!this.#waiter.isStopped) {
        if (this.#isFull() && !(await this.#settleOldest(reading))) break;
        if (this.#isFull()) continue;
        const limits = { events: this.#options.batchEvents, until: nextEdge(edges, position) };
        const batch = await deserializer.read(limits);
        if (batch === undefined) return await this.#settleAll(reading);
        // An unfinished last line is no event yet.
        if (batch.isLast && !(await isUnchanged())) break;
        if (this.#isRefused && !(await this.#settleAll(reading))) break;
        this.#start(reading, batch, position);
        position = batch.to;
      }
      return (await this.#settleAll(reading)) && !this.#waiter.isStopped && this.#changed(reading);
    } catch (error) {
      await this.#settleAll(reading);
      throw error;
    }
  }

  #isFull(): boolean {
    const bytes = this.#inFlight.reduce((sum, slot) => sum + slot.bytes, 0);
    if (this.#inFlight.length === laneCount || bytes > inFlightBytesMax) return true;
    const events = this.#inFlight.reduce((sum, { batch }) => sum + batch.events.length, 0);
    return this.#inFlight.length >= inFlightBatchesMin && events >= inFlightEventsMax;
  }

  #changed(reading: Reading): never {
    throw new FileProblem(
      `${reading.file.path} was changed while it was read; it is read up to ${this.#floor}. ` +
        'Write files elsewhere and move them here when they are finished',
    );
  }

  #start(reading: Reading, batch: FileBatch, from: number): void {
    const lane = this.#batches % laneCount;
    this.#batches += 1;
    const { count, processor } = this.#context;
    const except = processor.channels.filter((channel) => covers(reading.done.get(channel) ?? [], from, batch.to));
    const isDone = except.length === processor.channels.length;
    if (!isDone) count('AppendBatchReceivedCount');
    const bytes = batch.events.reduce((sum, { body }) => sum + body.length, 0);
    const outcome = isDone ? Promise.resolve(undefined) : this.#offer(reading, { batch, from, lane, bytes }, except);
    this.#inFlight.push({ batch, from, lane, bytes, outcome });
  }

  /** Resolves to what went wrong. */
  async #offer(reading: Reading, slot: Omit<Slot, 'outcome'>, except: readonly string[]): Promise<unknown> {
    const { processor, count } = this.#context;
    const note = this.#laneNote(reading, slot);
    const options: ProcessOptions = {
      notes: { [this.#keys.lane(slot.lane)]: note satisfies NoteValue },
      ...(except.length === 0 ? {} : { except: new Set(except) }),
    };
    try {
      await processor.process(slot.batch.events as readonly Event[], options);
    } catch (error) {
      count('ChannelWriteFail');
      this.#isRefused = true;
      return error;
    }
    count('AppendBatchAcceptedCount');
    return undefined;
  }

  #laneNote(reading: Reading, { batch, from }: Omit<Slot, 'outcome'>): LaneNote {
    return { reading: reading.id, file: reading.file, from, to: batch.to, floor: this.#floor };
  }

  /** False where the source was stopped before a channel took it. */
  async #settleOldest(reading: Reading): Promise<boolean> {
    const [oldest] = this.#inFlight;
    if (oldest === undefined) return true;
    if ((await oldest.outcome) !== undefined) return await this.#settleAll(reading);
    this.#floor = oldest.batch.to;
    this.#inFlight.shift();
    return true;
  }

  /** In order, one at a time where one was refused. */
  async #settleAll(reading: Reading): Promise<boolean> {
    const slots = this.#inFlight;
    this.#inFlight = [];
    const outcomes = await Promise.all(slots.map(({ outcome }) => outcome));
    for (const [index, slot] of slots.entries()) {
      const error = outcomes[index];
      if (error !== undefined && !(await this.#retry(reading, slot, error))) return false;
      this.#floor = slot.batch.to;
    }
    this.#isRefused = false;
    return true;
  }

  async #retry(reading: Reading, slot: Slot, first: unknown): Promise<boolean> {
    const { path } = reading.file;
    let backoffMs = Math.min(backoffMsMin, this.#options.backoffMsMax);
    for (let error = first; error !== undefined; ) {
      if (isForebayError(error) && (error.code === 'EVENT_TOO_LARGE' || error.code === 'EVENT_INVALID')) {
        throw new FileProblem(`${path} has an event that no channel takes, between ${slot.from} and ${slot.batch.to}`, {
          cause: error,
        });
      }
      const { log } = this.#context;
      log.warn(`a channel did not take events of ${path}: they are offered again`, { error, backoffMs });
      if (!(await this.#waiter.wait(backoffMs))) return false;
      backoffMs = Math.min(backoffMs * 2, this.#options.backoffMsMax);
      try {
        error = await this.#offer(reading, slot, this.#haveIt(reading, slot));
      } catch (closed) {
        error = closed;
      }
    }
    return true;
  }

  /** Channels whose own notes say that they have this batch: looked at in the turn in which it is offered again. */
  #haveIt(reading: Reading, slot: Slot): string[] {
    const { processor } = this.#context;
    return processor.channels.filter((channel) => {
      if (covers(reading.done.get(channel) ?? [], slot.from, slot.batch.to)) return true;
      const note = processor.note(channel, this.#keys.lane(slot.lane)) as LaneNote | undefined;
      return note?.reading === reading.id && note.from === slot.from && note.to === slot.batch.to;
    });
  }
}
