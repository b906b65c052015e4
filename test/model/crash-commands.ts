/**
 * What only a durable channel goes through: time, restarts, kills, power cuts; at rest, in the middle of commits, and
 * in the middle of an open. What was in flight may be there whole or not at all, and the model learns which.
 */
import assert from 'node:assert/strict';
import fc from 'fast-check';
import type { ForebayError } from '../../src/base/errors.ts';
import { isForebayError } from '../../src/base/errors.ts';
import type { SequenceRanges } from '../../src/base/units.ts';
import type { Channel, Consumer } from '../../src/channel/channel.ts';
import type { FileChannel } from '../../src/channel/file-channel.ts';
import { expand, refuses } from '../conformance/channel-support.ts';
import type { StopPhase } from '../support/simulated-faults.ts';
import { type Action, action, rangesOf } from './commands.ts';
import type { Model, ModelEvent, Name } from './model.ts';
import { assertDelivered, assertReady, type Durable, settleDown, takeHold, toEvent, type World } from './world.ts';

/** How a life ends: the process alone, or the power with this seed. */
type End = { readonly power: number | undefined };

const end: fc.Arbitrary<End> = fc.record({ power: fc.option(fc.nat(), { nil: undefined }) });
const phase = fc.constantFrom<StopPhase[]>('before', 'during', 'after');
const always = (): boolean => true;

function durableOf(world: World): Durable {
  assert.ok(world.durable !== undefined);
  return world.durable;
}

/** Opens the channel and holds all of it against the model. */
async function reopen(model: Model, world: World): Promise<void> {
  takeHold(world, await durableOf(world).open());
  await assertReady(model, world.channel);
}

function crashed(model: Model, world: World, { power }: End): void {
  durableOf(world).crash(power);
  model.restart();
  model.isContiguous = false;
  model.mayHaveTail = true;
}

const wait = fc.constantFrom(1, 100, 40_000, 7_200_000).map((byMs) =>
  action('wait', byMs, always, async (_model, { clock }) => {
    clock.advance(byMs);
    await settleDown();
  }),
);

const checkpoint = fc.constant(null).map(() =>
  action('checkpoint', '', always, async (_model, world) => {
    await durableOf(world).channel?.checkpoint();
    assert.ok(world.channel.stats().checkpoint !== null);
  }),
);

const restart = fc.constant(null).map(() =>
  action('restart', '', always, async (model, world) => {
    const { channel } = world;
    const stale = [...world.batches.values()].flat()[0];
    await channel.close();
    world.clock.forget();
    await refuses('CHANNEL_CLOSED', () => channel.put([]));
    await refuses('CHANNEL_CLOSED', () => channel.take(1));
    if (stale !== undefined) await refuses('CHANNEL_CLOSED', () => stale.commit());
    model.restart();
    model.mayHaveTail = false;
    await reopen(model, world);
  }),
);

/** With nothing in flight: everything is as it was. */
const crash = end.map((given) =>
  action('crash', given, always, async (model, world) => {
    crashed(model, world, given);
    await reopen(model, world);
  }),
);

/** The open that follows a crash crashes too, some times, at any operation of it. */
const crashWhileOpening = fc
  .tuple(end, fc.array(fc.tuple(fc.integer({ min: 1, max: 40 }), phase, end), { minLength: 1, maxLength: 3 }))
  .map((given) => {
    const [first, others] = given;
    return action('crashWhileOpening', given, always, async (model, world) => {
      crashed(model, world, first);
      for (const [operation, when, next] of others) {
        const durable = durableOf(world);
        durable.disk.stopAt(operation, when);
        await durable.open().catch((error: unknown) => {
          if (!durable.disk.stopped) throw error;
        });
        durable.crash(next.power);
      }
      await reopen(model, world);
    });
  });

/** One commit in flight when the disk stops. */
interface Flight {
  /** Undefined while open; an error may say that it is not stored, or nothing. */
  outcome: 'stored' | 'notStored' | 'unknown';
  ranges: SequenceRanges;
  /** Whether it turned out to be there, applied to the model. */
  resolve(found: Found): void;
}

/** What the next life finds. */
interface Found {
  /** Undelivered events by the id in their body. */
  readonly byId: ReadonlyMap<number, number>;
  readonly sequences: ReadonlySet<number>;
  readonly channel: Channel;
}

function watch(flight: Flight, promise: Promise<SequenceRanges | string | undefined>): Promise<void> {
  return promise.then(
    (answer) => {
      flight.outcome = 'stored';
      if (typeof answer === 'object') flight.ranges = answer;
    },
    (error: unknown) => {
      assert.ok(isForebayError(error), `a ForebayError, not ${String(error)}`);
      flight.outcome = (error as ForebayError).outcome ?? 'notStored';
    },
  );
}

function settleFlight(flight: Flight, isThere: boolean): void {
  if (flight.outcome === 'stored') assert.ok(isThere, 'what was acknowledged is there');
  if (flight.outcome === 'notStored') assert.ok(!isThere, 'what was not stored never appears');
}

function flyPut(model: Model, channel: Channel, events: ModelEvent[], key: string): [Flight, Promise<void>] {
  const flight: Flight = {
    outcome: 'unknown',
    ranges: [],
    resolve: ({ byId, channel: next }) => {
      const there = events.filter(({ id }) => byId.has(id));
      assert.ok(there.length === 0 || there.length === events.length, 'a transaction is whole or not there');
      const isThere = there.length > 0;
      assert.equal(next.notes.get(key) !== undefined, isThere, 'notes come and go with their transaction');
      settleFlight(flight, isThere);
      if (!isThere) return;
      const first = byId.get(events[0]?.id ?? 0) ?? 0;
      if (flight.outcome === 'stored') assert.equal(flight.ranges[0]?.first, first);
      for (const [index, { id }] of events.entries()) assert.equal(byId.get(id), first + index);
      assert.ok(first > model.lastSequence, 'in the order of the calls');
      model.isContiguous = false;
      model.applyPut(events, first, { [key]: 1 });
      model.isContiguous = false;
    },
  };
  return [flight, watch(flight, channel.put(events.map(toEvent), { notes: { [key]: 1 } }))];
}

/** A commit or a drop. */
function flySettle(
  model: Model,
  consumer: Consumer,
  how: 'commit' | 'drop',
  picked: number[],
  key: string,
): [Flight, Promise<void>] {
  const name = consumer.name as Name;
  const flight: Flight = {
    outcome: 'unknown',
    ranges: [],
    resolve: ({ sequences, channel }) => {
      const back = picked.filter((sequence) => sequences.has(sequence));
      assert.ok(back.length === 0 || back.length === picked.length, 'an acknowledgement is whole or not there');
      const isThere = channel.notes.get(key) !== undefined;
      if (picked.length > 0) assert.equal(isThere, back.length === 0, 'notes come and go with their acknowledgement');
      settleFlight(flight, isThere);
      if (isThere) model[how === 'commit' ? 'acknowledge' : 'drop'](name, picked, { [key]: 1 });
    },
  };
  return [flight, watch(flight, consumer[how](rangesOf(picked), { notes: { [key]: 1 } }))];
}

function flyPrepare(model: Model, consumer: Consumer, picked: number[], key: string): [Flight, Promise<void>] {
  const name = consumer.name as Name;
  const flight: Flight = {
    outcome: 'unknown',
    ranges: [],
    resolve: ({ channel }) => {
      const take = channel.unresolved().find(({ note }) => note === key);
      assert.equal(channel.notes.get(key) !== undefined, take !== undefined);
      settleFlight(flight, take !== undefined);
      if (take === undefined) return;
      assert.deepEqual(expand(take.ranges), picked);
      model.prepare(take.id, name, picked, key, { [key]: 1 });
    },
  };
  return [flight, watch(flight, consumer.prepare(rangesOf(picked), key, { notes: { [key]: 1 } }))];
}

function flyResolve(
  model: Model,
  channel: Channel,
  id: string,
  outcome: 'commit' | 'rollback',
  key: string,
): [Flight, Promise<void>] {
  const flight: Flight = {
    outcome: 'unknown',
    ranges: [],
    resolve: ({ channel: next }) => {
      const isThere = next.notes.get(key) !== undefined;
      assert.equal(
        next.unresolved().every((take) => take.id !== id),
        isThere,
      );
      settleFlight(flight, isThere);
      if (isThere) model.resolve(id, outcome, { [key]: 1 });
    },
  };
  const answered = channel.resolve(id, outcome, { notes: { [key]: 1 } }).then(() => undefined);
  return [flight, watch(flight, answered)];
}

function flyRequeue(model: Model, channel: FileChannel, asked: SequenceRanges): [Flight, Promise<void>] {
  const named = expand(channel.acknowledgedOf(asked));
  const flight: Flight = {
    outcome: 'unknown',
    ranges: [],
    resolve: ({ sequences }) => {
      const back = named.filter((sequence) => sequences.has(sequence));
      assert.ok(back.length === 0 || back.length === named.length, 'a rewind is whole or not there');
      if (named.length > 0) settleFlight(flight, back.length > 0);
      model.requeue(back);
    },
  };
  return [
    flight,
    watch(
      flight,
      channel.requeue(asked).then(() => undefined),
    ),
  ];
}

/** Looks at everything that is ready in the new life, and gives it back. */
async function look(channel: Channel): Promise<Found> {
  const batches = [];
  for (let batch = await channel.take(1000); batch.events.length > 0; batch = await channel.take(1000)) {
    batches.push(batch);
  }
  const events = batches.flatMap((batch) => batch.events);
  const byId = new Map(
    events.map(({ body, sequence }) => [Number.parseInt(body.toString('latin1', 0, 12), 10), sequence]),
  );
  assert.equal(byId.size, events.length, 'no event twice');
  for (const batch of batches) await batch.rollback();
  return { byId, sequences: new Set(events.map(({ sequence }) => sequence)), channel };
}

/** From some settled event on, for a while. */
function askedOf(model: Model, at: number): SequenceRanges {
  const settled = [...model.settled.keys()].sort((a, b) => a - b).slice(-60);
  const first = settled[at % Math.max(1, settled.length)] ?? 1;
  return [{ first, last: first + 20 }];
}

/** What is still kept of settled events comes back, in order; nothing else does. */
const rewind = fc.nat().map((at) =>
  action('rewind', at, always, async (model, world) => {
    const channel = durableOf(world).channel as FileChannel;
    const asked = askedOf(model, at);
    const kept = expand(channel.acknowledgedOf(asked));
    // The newest segment is never let go.
    if (model.isContiguous && model.settled.has(model.lastSequence)) {
      const newest = { first: model.lastSequence, last: model.lastSequence };
      assert.deepEqual(channel.acknowledgedOf([newest]), [newest]);
    }
    assert.equal(await channel.requeue(asked), kept.length);
    model.requeue(kept);
  }),
);

const sizes = fc.array(fc.integer({ min: 1, max: 6 }), { minLength: 1, maxLength: 4 });
const stop = fc.tuple(fc.integer({ min: 1, max: 12 }), phase);
const bits = fc.integer({ min: 1, max: 2 ** 16 - 1 });

/** Puts, an acknowledgement, a drop, a prepare, a resolve and a rewind are on their way when the disk stops. */
const crashInFlight = fc.tuple(sizes, bits, bits, stop, end, fc.boolean()).map((given) => {
  const [puts, commitBits, prepareBits, [operation, when], how, large] = given;
  return action(
    'crashInFlight',
    given,
    (model) => model.fits(puts.reduce((sum, size) => sum + size, 0)),
    async (model, world) => {
      const { channel, consumers } = world;
      const { disk } = durableOf(world);
      disk.stopAt(disk.operations.length + operation, when);
      const key = `flight ${model.nextId} `;
      const flights: [Flight, Promise<void>][] = [];
      const committed = model.pick('a', commitBits);
      flights.push(flySettle(model, consumers.get('a') as Consumer, 'commit', committed, `${key}a`));
      const dropped = model.pick('c', commitBits);
      flights.push(flySettle(model, consumers.get('c') as Consumer, 'drop', dropped, `${key}c`));
      for (const [index, size] of puts.entries()) {
        flights.push(flyPut(model, channel, model.make(size, large ? 9000 : 10), key + index));
      }
      const prepared = model.pick('b', prepareBits);
      if (prepared.length > 0) flights.push(flyPrepare(model, consumers.get('b') as Consumer, prepared, `${key}b`));
      const [id] = model.prepared.keys();
      if (id !== undefined) flights.push(flyResolve(model, channel, id, large ? 'commit' : 'rollback', `${key}r`));
      const rewound = askedOf(model, commitBits);
      flights.push(flyRequeue(model, durableOf(world).channel as FileChannel, rewound));
      await world.clock.run(Promise.all(flights.map(([, done]) => done)));
      durableOf(world).crash(how.power);
      takeHold(world, await durableOf(world).open());
      const found = await look(world.channel);
      for (const [flight] of flights) flight.resolve(found);
      model.restart();
      model.isContiguous = false;
      model.mayHaveTail = true;
      for (const [sequence, event] of model.events) assert.ok(event !== undefined && sequence > 0);
      await assertReady(model, world.channel);
      for (const name of [...world.channel.notes.keys()].filter((each) => each.startsWith('flight'))) {
        await world.channel.notes.delete(name);
        model.notes.delete(name);
      }
    },
  );
});

/** The last puts of a life are the first thing read in the next: bodies too. */
const drain = fc.boolean().map((commits) =>
  action('drain', commits, always, async (model, { channel }) => {
    for (;;) {
      const batch = await channel.take(50);
      if (batch.events.length === 0) break;
      for (const event of batch.events) assertDelivered(event, model.events.get(event.sequence));
      const sequences = batch.events.map(({ sequence }) => sequence);
      assert.deepEqual(sequences, model.ready.slice(0, sequences.length));
      model.lease('', sequences.length);
      if (!commits) {
        await batch.rollback();
        model.giveBack('', sequences);
        return;
      }
      await batch.commit();
      model.acknowledge('', sequences, undefined);
    }
  }),
);

/** For a durable channel, beside those of commands.ts. */
export const durableActions: fc.Arbitrary<Action>[] = [
  wait,
  checkpoint,
  restart,
  crash,
  crashWhileOpening,
  crashInFlight,
  drain,
  rewind,
];
