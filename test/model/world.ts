/**
 * The channel beside the model, how both are compared, and its lives: closed in order, killed, or without power.
 */
import assert from 'node:assert/strict';
import type { Channel, Consumer, TakeBatch } from '../../src/channel/channel.ts';
import { FileChannel } from '../../src/channel/file-channel.ts';
import { MemoryChannel } from '../../src/channel/memory-channel.ts';
import type { ChannelOptions } from '../../src/channel/options.ts';
import { memoryCheckpointStore } from '../../src/checkpoint/memory.ts';
import type { CheckpointStore } from '../../src/checkpoint/store.ts';
import type { DeliveredEvent, Event } from '../../src/event/event.ts';
import { assertCountsAddUp, expand } from '../conformance/channel-support.ts';
import { ManualClock, turnOver } from '../support/manual-clock.ts';
import { SeededRandom } from '../support/seeded-random.ts';
import { SimulatedDisk } from '../support/simulated-disk.ts';
import { type Model, type ModelEvent, type Name, names } from './model.ts';

/** How long a put waits for room in all runs. */
export const keepAliveMs = 3000;

/** What differs between runs. */
export interface Setup {
  readonly seed: number;
  readonly capacityEvents: number;
  readonly twoDirectories: boolean;
  readonly compression: 'none' | 'deflate';
  readonly encrypted: boolean;
  /** Every write takes the way through the thread pool. */
  readonly slowDisk: boolean;
  readonly retentionHours: number;
}

/** The channel under test, and what was got of it. */
export interface World {
  channel: Channel;
  readonly consumers: Map<Name, Consumer>;
  readonly batches: Map<Name, TakeBatch[]>;
  readonly clock: ManualClock;
  /** Undefined for a channel that is not durable. */
  readonly durable: Durable | undefined;
}

/** A FileChannel on a disk that crashes. */
export class Durable {
  disk: SimulatedDisk;
  channel: FileChannel | undefined;
  readonly #clock: ManualClock;
  readonly #options: ChannelOptions;
  readonly #random: SeededRandom;
  readonly #store: CheckpointStore = memoryCheckpointStore();

  constructor(setup: Setup, clock: ManualClock) {
    this.disk = new SimulatedDisk({ seed: setup.seed });
    this.#clock = clock;
    this.#random = new SeededRandom(setup.seed);
    const key = Buffer.alloc(32, setup.seed);
    this.#options = {
      capacityEvents: setup.capacityEvents,
      keepAliveMs,
      segmentBytes: 65_536,
      compression: setup.compression,
      retentionHours: setup.retentionHours,
      encryption: setup.encrypted ? { activeKey: 1, keys: { 1: key } } : undefined,
      dataDirs: setup.twoDirectories ? ['/channel', '/other'] : undefined,
    };
  }

  /** Opens what the disk holds. */
  async open(): Promise<FileChannel> {
    const { disk } = this;
    const openCheckpoint = async () => ({ store: this.#store, notice: undefined });
    const environment = { disk, clock: this.#clock, random: this.#random, openCheckpoint };
    this.channel = await FileChannel.open('/channel', this.#options, environment);
    return this.channel;
  }

  /** The process ends at once; `powerSeed` given: the power, too. */
  crash(powerSeed: number | undefined): void {
    this.#clock.forget();
    this.disk = powerSeed === undefined ? this.disk.kill() : this.disk.powerCut(powerSeed);
  }
}

/** A fresh channel of either kind. */
export async function makeWorld(kind: 'file' | 'memory', setup: Setup): Promise<World> {
  const clock = new ManualClock(setup.slowDisk ? 2 : 0);
  const durable = kind === 'file' ? new Durable(setup, clock) : undefined;
  const { capacityEvents } = setup;
  const channel =
    durable === undefined ? await MemoryChannel.open({ capacityEvents, keepAliveMs }, clock) : await durable.open();
  const world = { channel, consumers: new Map(), batches: new Map(), clock, durable };
  takeHold(world, channel);
  return world;
}

/** After an open: fresh consumers, no batches. */
export function takeHold(world: World, channel: Channel): void {
  world.channel = channel;
  for (const name of names) {
    world.batches.set(name, []);
    if (name !== '') world.consumers.set(name, channel.consumer(name));
  }
}

/** The event as it is put. Equal headers now and then, so that columns and references both occur. */
export function toEvent({ id, bodyBytes }: ModelEvent): Event {
  const text = `${id} `;
  const body = bodyBytes === 0 ? Buffer.from(text) : Buffer.alloc(bodyBytes + text.length, text);
  return { headers: headersOf(id), body };
}

/** What `event` must be. */
export function assertDelivered(event: DeliveredEvent, expected: ModelEvent | undefined): void {
  assert.ok(expected !== undefined, `event ${event.sequence} is settled, or was never put`);
  const { headers, body } = toEvent(expected);
  assert.ok(Buffer.compare(body, event.body) === 0, `body of ${event.sequence}, which is event ${expected.id}`);
  assert.deepEqual({ ...event.headers }, headers);
}

/** As delivered by a take: the first ready ones, whole, within the limits. Leases them in the model. */
export function assertTaken(model: Model, name: Name, batch: TakeBatch, max: number, maxBytes: number): void {
  const { events } = batch;
  const expected = model.ready.slice(0, events.length);
  assert.deepEqual(
    events.map(({ sequence }) => sequence),
    expected,
    'a batch is the first of what is ready, ascending',
  );
  assert.ok(events.length > 0 || model.ready.length === 0, 'a take gets something where something is ready');
  assert.ok(events.length <= max);
  const bytes = events.reduce((sum, { body }) => sum + body.length, 0);
  assert.ok(bytes <= maxBytes || events.length === 1, `${bytes} bytes for ${maxBytes}`);
  assert.deepEqual(expand(batch.ranges), expected);
  for (const event of events) assertDelivered(event, model.events.get(event.sequence));
  model.lease(name, events.length);
}

/** Everything that can be seen without a take: after each command. */
export function assertSame(model: Model, world: World): void {
  const { channel, durable } = world;
  const stats = channel.stats();
  const { depthEvents, leasedEvents, preparedEvents, counters } = stats;
  assert.deepEqual(
    { depthEvents, leasedEvents, preparedEvents },
    { depthEvents: model.events.size, leasedEvents: model.heldCount, preparedEvents: model.preparedCount },
  );
  const { put, taken, dropped, requeued } = model;
  assert.deepEqual({ ...counters }, { put, requeued, taken, dropped, quarantined: 0 });
  assertCountsAddUp(channel);
  assert.equal(stats.oldestEventAgeMs === null, model.events.size === 0, 'an age where there are events');
  assert.equal(stats.oldestLeaseAgeMs === null, model.heldCount === 0, 'a lease age where there are leases');
  assertNotes(model, channel);
  assert.deepEqual(
    channel.unresolved().map(({ id, consumer, ranges, note }) => ({ id, consumer, sequences: expand(ranges), note })),
    [...model.prepared].map(([id, { consumer, sequences, note }]) => ({ id, consumer, sequences, note })),
  );
  if (durable?.channel !== undefined) assertUndamaged(model, durable.channel);
}

function assertNotes(model: Model, channel: Channel): void {
  assert.deepEqual([...channel.notes.keys()].sort(), [...model.notes.keys()].sort());
  for (const [key, value] of model.notes) assert.deepEqual(channel.notes.get(key), value);
}

function assertUndamaged(model: Model, channel: FileChannel): void {
  const damages = channel.damages.filter(({ kind }) => !(model.mayHaveTail && kind === 'unprovenTail'));
  assert.deepEqual(damages, [], 'no damage');
  if (channel.damages.length === 0) assert.deepEqual(channel.stats().health, { state: 'ok', reasons: [] });
}

/** Takes all that is ready, compares it, and gives it back. */
export async function assertReady(model: Model, channel: Channel): Promise<void> {
  const batches: TakeBatch[] = [];
  const sequences: number[] = [];
  for (;;) {
    const batch = await channel.take(1000);
    if (batch.events.length === 0) break;
    batches.push(batch);
    for (const event of batch.events) {
      assertDelivered(event, model.events.get(event.sequence));
      sequences.push(event.sequence);
    }
  }
  assert.deepEqual(sequences, model.ready);
  for (const batch of batches) await batch.rollback();
}

/** Lets what was called get as far as it can without time passing. */
export async function settleDown(): Promise<void> {
  for (let turn = 0; turn < 4; turn += 1) await turnOver();
}

function headersOf(id: number): Record<string, string> {
  if (id % 3 === 0) return { host: 'a' };
  return id % 3 === 1 ? { host: 'a', n: String(id) } : {};
}
