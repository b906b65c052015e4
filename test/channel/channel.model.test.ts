/** A channel and a model of it take the same random steps: every event is in one place, and in the right order. */
import assert from 'node:assert/strict';
import { it } from 'node:test';
import fc from 'fast-check';
import type { Consumer, TakeBatch } from '../../src/channel/channel.ts';
import { MemoryChannel } from '../../src/channel/memory-channel.ts';
import { SequenceSet } from '../../src/queue/sequence-set.ts';
import { assertCountsAddUp, expand, makeEvents, sequencesOf } from '../conformance/channel-support.ts';

const names = ['a', 'b', 'c'] as const;
type Name = (typeof names)[number];

/** Where each event is: the model. */
class Places {
  readonly ready: Set<number> = new Set();
  readonly held: Map<Name, Set<number>> = new Map(names.map((name) => [name, new Set()]));
  readonly prepared: Map<string, number[]> = new Map();
  put = 0;
  taken = 0;

  heldBy(name: Name): Set<number> {
    const held = this.held.get(name);
    assert.ok(held !== undefined);
    return held;
  }

  giveBack(name: Name, sequences: Iterable<number>): void {
    for (const sequence of [...sequences]) {
      this.heldBy(name).delete(sequence);
      this.ready.add(sequence);
    }
  }

  drop(name: Name, sequences: Iterable<number>): void {
    for (const sequence of [...sequences]) this.heldBy(name).delete(sequence);
  }
}

interface World {
  readonly channel: MemoryChannel;
  readonly places: Places;
  readonly consumers: Map<Name, Consumer>;
  readonly batches: Map<Name, TakeBatch[]>;
}

type Step = (world: World) => Promise<void>;

const name = fc.constantFrom(...names);
/** Which of what a consumer holds: every event whose index has a bit set. */
const mask = fc.integer({ min: 1, max: 2 ** 16 });

function pick(world: World, who: Name, bits: number): number[] {
  const held = [...world.places.heldBy(who)].sort((a, b) => a - b);
  return held.filter((_, index) => ((bits >> (index % 16)) & 1) === 1);
}

function rangesOf(sequences: readonly number[]): { first: number; last: number }[] {
  const set = new SequenceSet();
  for (const sequence of sequences) set.addRange(sequence, sequence);
  return set.toRanges();
}

const steps: fc.Arbitrary<Step> = fc.oneof(
  fc.integer({ min: 1, max: 20 }).map(
    (count): Step =>
      async ({ channel, places }) => {
        for (const sequence of expand(await channel.put(makeEvents(count)))) places.ready.add(sequence);
        places.put += count;
      },
  ),
  fc.tuple(name, fc.integer({ min: 1, max: 15 })).map(
    ([who, max]): Step =>
      async (world) => {
        const { places, consumers, batches } = world;
        const batch = await consumers.get(who)!.take(max);
        const expected = [...places.ready].sort((a, b) => a - b).slice(0, max);
        assert.deepEqual(sequencesOf(batch), expected);
        for (const sequence of expected) {
          places.ready.delete(sequence);
          places.heldBy(who).add(sequence);
        }
        batches.get(who)!.push(batch);
      },
  ),
  fc.tuple(name, mask).map(
    ([who, bits]): Step =>
      async (world) => {
        const picked = pick(world, who, bits);
        assert.deepEqual(expand(await world.consumers.get(who)!.commit(rangesOf(picked))), picked);
        world.places.drop(who, picked);
        world.places.taken += picked.length;
      },
  ),
  fc.tuple(name, mask).map(
    ([who, bits]): Step =>
      async (world) => {
        const picked = pick(world, who, bits);
        await world.consumers.get(who)!.rollback(rangesOf(picked));
        world.places.giveBack(who, picked);
      },
  ),
  fc.tuple(name, fc.boolean()).map(
    ([who, commits]): Step =>
      async ({ places, batches }) => {
        const batch = batches.get(who)!.shift();
        if (batch === undefined) return;
        const still = sequencesOf(batch).filter((sequence) => places.heldBy(who).has(sequence));
        if (!commits) {
          await batch.rollback();
          places.giveBack(who, still);
          return;
        }
        assert.deepEqual(expand(await batch.commit()), still);
        places.drop(who, still);
        places.taken += still.length;
      },
  ),
  fc.tuple(name, mask).map(
    ([who, bits]): Step =>
      async (world) => {
        const picked = pick(world, who, bits);
        if (picked.length === 0) return;
        const id = await world.consumers.get(who)!.prepare(rangesOf(picked), { picked: picked.length });
        world.places.drop(who, picked);
        world.places.prepared.set(id, picked);
      },
  ),
  fc.tuple(fc.nat({ max: 3 }), fc.boolean()).map(
    ([at, commits]): Step =>
      async ({ channel, places }) => {
        const id = [...places.prepared.keys()][at];
        assert.equal(await channel.resolve(id ?? 'none', commits ? 'commit' : 'rollback'), id !== undefined);
        for (const sequence of places.prepared.get(id ?? 'none') ?? []) {
          if (commits) places.taken++;
          else places.ready.add(sequence);
        }
        places.prepared.delete(id ?? 'none');
      },
  ),
  fc.tuple(name, fc.boolean()).map(
    ([who, closes]): Step =>
      async ({ channel, places, consumers, batches }) => {
        if (closes) await consumers.get(who)!.close();
        consumers.set(who, channel.consumer(who));
        batches.set(who, []);
        places.giveBack(who, places.heldBy(who));
      },
  ),
);

function check({ channel, places }: World): void {
  const held = [...places.held.values()].reduce((sum, set) => sum + set.size, 0);
  const prepared = [...places.prepared.values()].reduce((sum, list) => sum + list.length, 0);
  const stats = channel.stats();
  assert.deepEqual([stats.leasedEvents, stats.preparedEvents], [held, prepared]);
  assert.equal(stats.depthEvents, places.ready.size + held + prepared);
  assert.deepEqual([stats.counters.put, stats.counters.taken], [places.put, places.taken]);
  assertCountsAddUp(channel);
  assert.deepEqual(
    channel.unresolved().map(({ id, ranges }) => [id, expand(ranges)]),
    [...places.prepared].map(([id, list]) => [id, list]),
  );
}

it('a channel does as its model does', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(steps, { maxLength: 60, size: 'max' }), async (given) => {
      const channel = await MemoryChannel.open();
      const world: World = {
        channel,
        places: new Places(),
        consumers: new Map(names.map((each) => [each, channel.consumer(each)])),
        batches: new Map(names.map((each) => [each, []])),
      };
      for (const step of given) {
        await step(world);
        check(world);
      }
      await channel.close();
    }),
    { numRuns: 300 },
  );
});
