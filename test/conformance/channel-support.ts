/** What the cases of the channel suite share: the subject, events, and how a refusal is asserted. */
import assert from 'node:assert/strict';
import type { ErrorCode } from '../../src/base/errors.ts';
import { type ForebayError, isForebayError } from '../../src/base/errors.ts';
import type { SequenceRange, SequenceRanges } from '../../src/base/units.ts';
import type { Channel, TakeBatch } from '../../src/channel/channel.ts';
import type { MemoryChannelOptions } from '../../src/channel/memory-channel.ts';
import type { Event } from '../../src/event/event.ts';

/** A channel under test. */
export interface ChannelSubject {
  readonly channel: Channel;
  /** Closes the channel in an orderly way and opens it again where it was. A channel that is not durable has none. */
  readonly reopen?: () => Promise<Channel>;
  /** Closes the channel, if it is open, and clears up. */
  done(): Promise<void>;
}

/** Opens a fresh, empty channel; options that every channel has. */
export type OpenChannel = (options?: MemoryChannelOptions) => Promise<ChannelSubject>;

/** One case: gets a fresh channel through `open` alone, which clears up after it. */
type ChannelCase = (open: (options?: MemoryChannelOptions) => Promise<ChannelSubject>) => Promise<void>;

/** Cases by name, which is what they claim. */
export type ChannelCases = Readonly<Record<string, ChannelCase>>;

/** `count` events that can be told apart: bodies `from`, `from + 1`, … */
export function makeEvents(count: number, from = 0): Event[] {
  return Array.from({ length: count }, (_, index) => ({
    headers: { host: 'a', n: String(from + index) },
    body: Buffer.from(String(from + index)),
  }));
}

/** The bodies as numbers: what `makeEvents` put there. */
export function bodiesOf(batch: TakeBatch): number[] {
  return batch.events.map(({ body }) => Number(body.toString()));
}

/** The sequences of a batch. */
export function sequencesOf(batch: TakeBatch): number[] {
  return batch.events.map(({ sequence }) => sequence);
}

/** 0 … count − 1, plus `from`. */
export function upTo(count: number, from = 0): number[] {
  return Array.from({ length: count }, (_, index) => from + index);
}

/** Inclusive at both ends. */
export function range(first: number, last: number): SequenceRange {
  return { first, last };
}

/** All sequences of `ranges`. */
export function expand(ranges: SequenceRanges): number[] {
  return ranges.flatMap(({ first, last }) => upTo(last - first + 1, first));
}

/** Asserts that `given` rejects, or throws at once, with a ForebayError of this code; gives the error. */
export async function refuses(code: ErrorCode, given: () => unknown): Promise<ForebayError> {
  let answer: unknown;
  try {
    answer = await given();
  } catch (error) {
    assert.ok(isForebayError(error), `a ForebayError, not ${String(error)}`);
    assert.equal(error.code, code, error.message);
    assert.ok(error.message.length > 10, 'a message that says what is wrong');
    return error;
  }
  assert.fail(`expected ${code}, got ${JSON.stringify(answer)}`);
}

/** Takes and commits everything that is ready; the bodies in the order of delivery. */
export async function drain(channel: Channel, max = 100): Promise<number[]> {
  const bodies: number[] = [];
  for (;;) {
    const batch = await channel.take(max);
    if (batch.events.length === 0) return bodies;
    bodies.push(...bodiesOf(batch));
    await batch.commit();
  }
}

/** put + requeued − taken − dropped − quarantined = depth, and no part of it is negative or larger than it. */
export function assertCountsAddUp(channel: Channel): void {
  const { counters, depthEvents, leasedEvents, preparedEvents } = channel.stats();
  const { put, requeued, taken, dropped, quarantined } = counters;
  assert.equal(depthEvents, put + requeued - taken - dropped - quarantined);
  assert.ok(leasedEvents >= 0 && preparedEvents >= 0 && leasedEvents + preparedEvents <= depthEvents);
}

/** Resolves after `delayMs`. */
export function sleep(delayMs: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, delayMs));
}

/** Whether `promise` is settled after a short while. */
export async function isSettled(promise: Promise<unknown>, withinMs = 30): Promise<boolean> {
  let settled = false;
  const note = (): void => {
    settled = true;
  };
  promise.then(note, note);
  await sleep(withinMs);
  return settled;
}
