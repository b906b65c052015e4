/** What is done to any channel, and to the model: puts, takes, the ways to settle them, notes, consumers. */
import assert from 'node:assert/strict';
import fc from 'fast-check';
import type { SequenceRanges } from '../../src/base/units.ts';
import type { Consumer, TakeBatch } from '../../src/channel/channel.ts';
import type { NoteChanges } from '../../src/queue/notes.ts';
import { SequenceSet } from '../../src/queue/sequence-set.ts';
import { expand, refuses } from '../conformance/channel-support.ts';
import { type Model, type Name, names } from './model.ts';
import { assertSame, assertTaken, keepAliveMs, settleDown, toEvent, type World } from './world.ts';

/** One step of a run. */
export type Action = fc.AsyncCommand<Model, World, false>;

/** Actions that were executed, by name. */
export const executed: Map<string, number> = new Map();

/** `run` does it to both and compares what it got; what can be seen from outside is compared after it. */
export function action(
  name: string,
  given: unknown,
  check: (model: Readonly<Model>) => boolean,
  run: (model: Model, world: World) => Promise<void>,
): Action {
  return {
    check,
    run: async (model, world) => {
      executed.set(name, (executed.get(name) ?? 0) + 1);
      await run(model, world);
      assertSame(model, world);
    },
    toString: () => `${name}(${JSON.stringify(given)})`,
  };
}

const always = (): boolean => true;
const named = fc.constantFrom<Name[]>('a', 'b', 'c');
const anyone = fc.constantFrom<Name[]>(...names);
/** Which of what a consumer holds: every event whose index, modulo 16, has its bit set. */
const mask = fc.integer({ min: 1, max: 2 ** 16 - 1 });
const count = fc.integer({ min: 1, max: 12 });
const bodyBytes = fc.oneof(
  { arbitrary: fc.integer({ min: 0, max: 60 }), weight: 6 },
  { arbitrary: fc.integer({ min: 0, max: 6000 }), weight: 1 },
);
const value = fc.oneof(fc.constant(undefined), fc.integer({ min: 0, max: 99 }), fc.constant({ file: 'x', offset: 7 }));
/** Note changes, mostly none. */
const notes: fc.Arbitrary<NoteChanges | undefined> = fc.option(
  fc.dictionary(fc.constantFrom('p', 'q', 'r', 's'), value, { maxKeys: 2, minKeys: 1, noNullPrototype: true }),
  { nil: undefined, freq: 2 },
);

/** Ranges of ascending sequences. */
export function rangesOf(sequences: readonly number[]): SequenceRanges {
  const set = new SequenceSet();
  for (const sequence of sequences) set.addRange(sequence, sequence);
  return set.toRanges();
}

/** `notes` as an option. */
function withNotes(changes: NoteChanges | undefined): { notes?: NoteChanges } {
  return changes === undefined ? {} : { notes: changes };
}

function consumerOf(world: World, name: Name): Consumer {
  return world.consumers.get(name) as Consumer;
}

/** A take by name; '' is the channel's own consumer. */
function take(world: World, name: Name, max: number, maxBytes: number): Promise<TakeBatch> {
  return name === '' ? world.channel.take(max, { maxBytes }) : consumerOf(world, name).take(max, { maxBytes });
}

function keep(world: World, name: Name, batch: TakeBatch): void {
  if (batch.events.length > 0) world.batches.get(name)?.push(batch);
}

const put = fc.tuple(count, bodyBytes, notes).map(([size, bytes, changes]) =>
  action(
    'put',
    [size, bytes, changes],
    (model) => model.fits(size),
    async (model, { channel }) => {
      const events = model.make(size, bytes);
      const ranges = await channel.put(events.map(toEvent), withNotes(changes));
      assert.equal(expand(ranges).length, size);
      model.applyPut(events, ranges[0]?.first ?? 0, changes);
    },
  ),
);

const putTransaction = fc.tuple(fc.integer({ min: 0, max: 5 }), bodyBytes, notes, fc.boolean()).map((given) => {
  const [size, bytes, changes, commits] = given;
  return action(
    'putTransaction',
    given,
    (model) => model.fits(size),
    async (model, { channel }) => {
      const events = model.make(size, bytes);
      const transaction = channel.beginPut();
      for (const event of events) transaction.put(toEvent(event));
      for (const [key, note] of Object.entries(changes ?? {})) transaction.note(key, note);
      if (commits) {
        const ranges = await transaction.commit();
        assert.equal(expand(ranges).length, size);
        model.applyPut(events, ranges[0]?.first ?? 0, changes);
      } else await transaction.rollback();
      await refuses('TRANSACTION_STATE', () => (commits ? transaction.rollback() : transaction.commit()));
    },
  );
});

/** Several transactions at once: in the order of the calls, each whole. */
const putTogether = fc.array(fc.tuple(count, bodyBytes, notes), { minLength: 2, maxLength: 5 }).map((parts) =>
  action(
    'putTogether',
    parts,
    (model) => model.fits(parts.reduce((sum, [size]) => sum + size, 0)),
    async (model, { channel }) => {
      const made = parts.map(([size, bytes, changes]) => ({ events: model.make(size, bytes), changes }));
      const stored = await Promise.all(
        made.map(({ events, changes }) => channel.put(events.map(toEvent), withNotes(changes))),
      );
      for (const [index, { events, changes }] of made.entries()) {
        model.applyPut(events, stored[index]?.[0]?.first ?? 0, changes);
      }
    },
  ),
);

/** A put that finds no room: it waits until its time is over, or until a take makes room. */
const putIntoFull = fc.tuple(fc.integer({ min: 1, max: 40 }), fc.boolean(), named).map((given) => {
  const [size, makesRoom, name] = given;
  return action(
    'putIntoFull',
    given,
    (model) => !model.fits(size),
    async (model, world) => {
      const events = model.make(size, 0);
      const waiting = world.channel.put(events.map(toEvent));
      if (!makesRoom) {
        world.clock.advance(keepAliveMs);
        const error = await refuses('CHANNEL_FULL', () => waiting);
        assert.equal(error.outcome, 'notStored');
        return;
      }
      while (!model.fits(size)) {
        const batch = await take(world, name, size, 1e9);
        assertTaken(model, name, batch, size, 1e9);
        keep(world, name, batch);
      }
      const ranges = await waiting;
      model.applyPut(events, ranges[0]?.first ?? 0, undefined);
    },
  );
});

const takeSome = fc.tuple(anyone, fc.integer({ min: 1, max: 30 }), fc.constantFrom(1, 300, 1e6)).map((given) => {
  const [name, max, maxBytes] = given;
  return action('take', given, always, async (model, world) => {
    const batch = await take(world, name, max, maxBytes);
    assertTaken(model, name, batch, max, maxBytes);
    keep(world, name, batch);
  });
});

/** Takes on several consumers at once: disjoint, and first come first served. */
const takeTogether = fc.array(fc.tuple(anyone, count), { minLength: 2, maxLength: 4 }).map((parts) =>
  action('takeTogether', parts, always, async (model, world) => {
    const batches = await Promise.all(parts.map(([name, max]) => take(world, name, max, 1e6)));
    for (const [index, [name, max]] of parts.entries()) {
      const batch = batches[index] as TakeBatch;
      assertTaken(model, name, batch, max, 1e6);
      keep(world, name, batch);
    }
  }),
);

/** A take that finds nothing: its time ends, it is aborted, or a put comes. */
const takeFromEmpty = fc.tuple(named, count, fc.constantFrom('expire', 'abort', 'put')).map((given) => {
  const [name, size, ends] = given;
  return action(
    'takeFromEmpty',
    given,
    (model) => model.ready.length === 0 && model.fits(size),
    async (model, world) => {
      const { channel, clock } = world;
      const abort = new AbortController();
      const waiting = consumerOf(world, name).take(100, { waitMs: 500, signal: abort.signal });
      await settleDown();
      if (ends === 'expire') clock.advance(500);
      else if (ends === 'abort') abort.abort();
      else {
        const events = model.make(size, 0);
        const ranges = await channel.put(events.map(toEvent));
        model.applyPut(events, ranges[0]?.first ?? 0, undefined);
      }
      const batch = await waiting;
      assertTaken(model, name, batch, 100, 1e9);
      keep(world, name, batch);
    },
  );
});

/** The oldest batch that a consumer still has is settled; a second time it cannot be. */
const settleBatch = fc.tuple(anyone, fc.boolean(), notes).map((given) => {
  const [name, commits, changes] = given;
  return action('settleBatch', given, always, async (model, { batches }) => {
    const batch = batches.get(name)?.shift();
    if (batch === undefined) return;
    const leased = new Set(model.heldBy(name));
    const still = expand(batch.ranges).filter((sequence) => leased.has(sequence));
    if (commits) {
      assert.deepEqual(expand(await batch.commit(withNotes(changes))), still);
      model.acknowledge(name, still, changes);
    } else {
      await batch.rollback();
      model.giveBack(name, still);
    }
    await refuses('TRANSACTION_STATE', () => batch.commit());
    await refuses('TRANSACTION_STATE', () => batch.rollback());
  });
});

const settlePart = fc.tuple(named, mask, fc.boolean(), notes).map((given) => {
  const [name, bits, commits, changes] = given;
  return action('settlePart', given, always, async (model, world) => {
    const picked = model.pick(name, bits);
    if (commits) {
      assert.deepEqual(expand(await consumerOf(world, name).commit(rangesOf(picked), withNotes(changes))), picked);
      model.acknowledge(name, picked, changes);
    } else {
      await consumerOf(world, name).rollback(rangesOf(picked));
      model.giveBack(name, picked);
    }
  });
});

const drop = fc.tuple(named, mask, notes).map((given) => {
  const [name, bits, changes] = given;
  return action('drop', given, always, async (model, world) => {
    const picked = model.pick(name, bits);
    assert.deepEqual(expand(await consumerOf(world, name).drop(rangesOf(picked), withNotes(changes))), picked);
    model.drop(name, picked, changes);
  });
});

/** What another holds, or nobody, is refused whole: nothing of it is applied. */
const waysToSettle = fc.constantFrom('commit', 'drop', 'rollback', 'prepare');
const settleForeign = fc.tuple(named, mask, waysToSettle, fc.nat()).map((given) => {
  const [name, bits, how, at] = given;
  return action('settleForeign', given, always, async (model, world) => {
    const foreign = [
      ...model.ready,
      ...names.filter((other) => other !== name).flatMap((other) => model.heldBy(other)),
    ];
    const one = foreign[at % Math.max(1, foreign.length)] ?? model.lastSequence + 1;
    const ranges = rangesOf([...model.pick(name, bits), one]);
    const consumer = consumerOf(world, name);
    const noteChanges = { notes: { p: 'never' } };
    await refuses('TRANSACTION_STATE', () => {
      if (how === 'commit' || how === 'drop') return consumer[how](ranges, noteChanges);
      return how === 'rollback' ? consumer.rollback(ranges) : consumer.prepare(ranges, null, noteChanges);
    });
  });
});

const prepare = fc.tuple(named, mask, notes).map((given) => {
  const [name, bits, changes] = given;
  return action(
    'prepare',
    given,
    (model) => model.pick(name, bits).length > 0,
    async (model, world) => {
      const picked = model.pick(name, bits);
      const id = await consumerOf(world, name).prepare(rangesOf(picked), { bits }, withNotes(changes));
      model.prepare(id, name, picked, { bits }, changes);
    },
  );
});

const resolve = fc.tuple(fc.nat({ max: 3 }), fc.constantFrom('commit', 'rollback'), notes).map((given) => {
  const [at, outcome, changes] = given;
  return action('resolve', given, always, async (model, { channel }) => {
    const id = [...model.prepared.keys()][at];
    const known = await channel.resolve(id ?? 'never given', outcome, withNotes(changes));
    assert.equal(known, id !== undefined);
    if (id === undefined) return;
    model.resolve(id, outcome, changes);
    assert.equal(await channel.resolve(id, outcome), false, 'a resolved id is gone');
  });
});

const changeNote = fc.tuple(fc.constantFrom('p', 'q', 't'), value).map((given) => {
  const [key, note] = given;
  return action('changeNote', given, always, async (model, { channel }) => {
    if (note === undefined) await channel.notes.delete(key);
    else await channel.notes.set(key, note);
    model.applyNotes(Object.fromEntries([[key, note]]));
  });
});

/** The same name again, after a close or without: the earlier one holds nothing any longer. */
const openConsumerAgain = fc.tuple(named, fc.boolean()).map((given) => {
  const [name, closes] = given;
  return action('openConsumerAgain', given, always, async (model, world) => {
    const earlier = consumerOf(world, name);
    const held = rangesOf(model.heldBy(name));
    if (closes) await earlier.close();
    world.consumers.set(name, world.channel.consumer(name));
    const stale = world.batches.get(name)?.[0];
    world.batches.set(name, []);
    model.giveBack(name, model.heldBy(name));
    const code = closes ? 'CHANNEL_CLOSED' : 'TRANSACTION_STATE';
    await refuses(code, () => earlier.commit(held));
    await refuses(code, () => earlier.rollback(held));
    await refuses('CHANNEL_CLOSED', () => earlier.take(1));
    if (stale !== undefined) await refuses(code, () => stale.commit());
  });
});

/** For any channel; the weights keep queues neither empty nor full. */
export const actions: fc.Arbitrary<Action>[] = [
  put,
  put,
  putTransaction,
  putTogether,
  putIntoFull,
  takeSome,
  takeSome,
  takeTogether,
  takeFromEmpty,
  settleBatch,
  settleBatch,
  settlePart,
  settlePart,
  drop,
  settleForeign,
  prepare,
  resolve,
  changeNote,
  openConsumerAgain,
];
