/**
 * A source with a position, several calls under way, and channels that are often full: whatever happens, each
 * channel gets each event once, in order, and its note never says more than is there.
 */
import assert from 'node:assert/strict';
import test from 'node:test';
import fc from 'fast-check';
import type { ChannelProcessor } from '../../src/agent/contracts/components.ts';
import { type Channel, MemoryChannel } from '../../src/engine.ts';
import { drain, makeProcessor, numbered, upTo } from './processor-parts.ts';

const total = 120;
const names = ['c1', 'c2'] as const;

interface Run {
  readonly sizes: readonly number[];
  readonly callsMax: number;
  readonly capacities: readonly [number, number];
  readonly drains: readonly boolean[];
}

/** Offers all events from `from` on, with calls under way; ends at the first refusal, once all calls have settled. */
async function offer(
  processor: ChannelProcessor,
  { sizes, callsMax }: Run,
  from: number,
  except: Set<string>,
  to: number,
): Promise<void> {
  let next = from;
  let isRefused = false;
  let turn = 0;
  const underWay = new Set<Promise<void>>();
  while (next < to && !isRefused) {
    const size = Math.min(sizes[turn % sizes.length] ?? 1, to - next);
    turn += 1;
    const call = processor.process(numbered(next, size), { notes: { position: next + size }, except }).catch(() => {
      isRefused = true;
    });
    next += size;
    underWay.add(call);
    void call.then(() => underWay.delete(call));
    if (underWay.size >= callsMax) await Promise.race(underWay);
  }
  await Promise.all(underWay);
}

async function runOnce(run: Run): Promise<void> {
  const opened = await Promise.all(
    run.capacities.map((capacity) => MemoryChannel.open({ capacity, keepAliveMs: 1, transactionCapacity: 50 })),
  );
  const channels = new Map<string, Channel>(names.map((name, index) => [name, opened[index] as Channel]));
  const { processor } = makeProcessor(channels);
  const got = new Map<string, number[]>(names.map((name) => [name, []]));
  const positionOf = (name: string): number => Number(processor.note(name, 'position') ?? 0);
  const empty = async (name: string): Promise<void> => {
    const channel = channels.get(name);
    if (channel !== undefined) got.get(name)?.push(...(await drain(channel)));
  };
  const check = async (name: string): Promise<void> => {
    await empty(name);
    assert.deepEqual(got.get(name), upTo(positionOf(name)));
  };
  for (let turn = 0; names.some((name) => positionOf(name) < total); turn += 1) {
    assert.ok(turn < 2000, 'the source gets on');
    const positions = names.map(positionOf);
    const behind = Math.min(...positions);
    const ahead = Math.max(...positions);
    const isLevel = behind === ahead;
    const except = new Set(isLevel ? [] : names.filter((name) => positionOf(name) === ahead));
    const offering = offer(processor, run, behind, except, isLevel ? total : ahead);
    if (run.drains[turn % run.drains.length] === true) await Promise.all(names.map(empty));
    await offering;
    // While nothing is under way, what the note says is there.
    const name = names[turn % 2];
    if (name !== undefined) await check(name);
  }
  for (const name of names) await check(name);
  for (const channel of opened) await channel.close();
}

test('each channel gets each event once and in order, however often one is full', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.record({
        sizes: fc.array(fc.integer({ min: 1, max: 9 }), { minLength: 1, maxLength: 8 }),
        callsMax: fc.integer({ min: 1, max: 6 }),
        capacities: fc.tuple(fc.integer({ min: 9, max: 30 }), fc.integer({ min: 9, max: 30 })),
        drains: fc.array(fc.boolean(), { minLength: 1, maxLength: 6 }),
      }),
      runOnce,
    ),
    { numRuns: 40 },
  );
});
