/** Dead letters in a running agent: its channels open first, and what uses them goes by them. */
import assert from 'node:assert/strict';
import test from 'node:test';
import type { SinkDefinition } from '../../src/agent/contracts/components.ts';
import type { Plan } from '../../src/agent/plan.ts';
import { AgentRunner } from '../../src/agent/runner.ts';
import { RecordedLog } from './recorded-log.ts';
import { fastClock, makeWorld, planOf, until, type World } from './small-parts.ts';

function make(t: test.TestContext) {
  const world = makeWorld();
  const log = new RecordedLog();
  const runner = new AgentRunner({ log: (component) => log.of(component), clock: fastClock(20) });
  t.after(async () => void (await runner.stop(500)));
  return { world, log, runner };
}

/** Delivers all but each third event of the counting source. */
function choosySink(world: World): SinkDefinition {
  return {
    types: ['choosy'],
    keys: {},
    create: (_values, { name, channel, undeliverable }) => ({
      start: async () => void world.order.push(`start ${name}`),
      stop: async () => void world.order.push(`stop ${name}`),
      process: async (signal) => {
        const consumer = channel.consumer(name);
        const batch = await consumer.take(100, { waitMs: 20, signal });
        const isBad = (body: Uint8Array): boolean => Number(String(body).split('-')[1]) % 3 === 0;
        const refused = batch.events.filter(({ body }) => isBad(body));
        try {
          if (refused.length > 0) {
            await undeliverable(
              consumer,
              refused.map((event) => ({ event, reason: 'its number is a multiple of 3' })),
            );
          }
          await batch.commit();
        } catch (error) {
          await batch.rollback();
          throw error;
        }
        const list = world.delivered.get(name) ?? [];
        list.push(...batch.events.filter(({ body }) => !isBad(body)).map(({ body }) => String(body)));
        world.delivered.set(name, list);
        return 'ready';
      },
    }),
  };
}

type Parts = Parameters<typeof planOf>[1];

/** k1 is choosy, its dead letters go to c2 or stay; any other sink collects. */
function choosyPlan(world: World, parts: Parts, deadLetterChannel: string | undefined): Plan {
  const plan = planOf(world, parts);
  const definition = choosySink(world);
  return {
    ...plan,
    sinks: plan.sinks.map((sink) => (sink.name === 'k1' ? { ...sink, definition, deadLetterChannel } : sink)),
  };
}

const parts = { channels: { c1: '1', c2: '1' }, sources: { r1: 'c1' }, sinks: { k1: 'c1', k2: 'c2' } };

function delivered(world: World, sink: string): string[] {
  return world.delivered.get(sink) ?? [];
}

/** `r1-7` as 7. */
function numbersAt(world: World, sink: string): number[] {
  return delivered(world, sink).map((body) => Number(body.slice(3)));
}

/** All of a kind up to the largest, each once. */
function assertEachOnce(numbers: readonly number[], isMeant: (number: number) => boolean): void {
  const all = Array.from({ length: Math.max(0, ...numbers) }, (_, index) => index + 1);
  assert.deepEqual(
    [...numbers].sort((a, b) => a - b),
    all.filter(isMeant),
  );
}

test('deadletter: the rest is delivered, and these go by the other channel, counted and said', async (t) => {
  const { world, runner, log } = make(t);
  await runner.start(choosyPlan(world, parts, 'c2'));
  await until(() => delivered(world, 'k1').length > 20 && delivered(world, 'k2').length > 10, 'events at both');
  const { counters } = runner.stats();
  const counted = counters.find(({ kind, name }) => kind === 'SINK' && name === 'k1')?.counts['EventDeadLetterCount'];
  assert.ok(Number(counted) >= 10);
  await runner.stop();
  assertEachOnce(numbersAt(world, 'k1'), (number) => number % 3 !== 0);
  assertEachOnce(numbersAt(world, 'k2'), (number) => number % 3 === 0);
  const line = log.lines.find(({ text }) => text.startsWith('events that cannot be delivered were moved'));
  assert.deepEqual([line?.component, line?.level, line?.fields['channel']], ['k1', 'warn', 'c2']);
});

test('block: nothing is dropped, and the log names the first', async (t) => {
  const { world, runner, log } = make(t);
  await runner.start(choosyPlan(world, parts, undefined));
  const errors = () => log.lines.filter(({ text }) => text === 'cannot deliver, and will try again');
  await until(() => errors().length > 1, 'an error');
  const message = 'event 3 cannot be delivered, and is kept: its number is a multiple of 3';
  assert.equal(String(errors()[0]?.fields['error']), `Error: ${message}`);
  assert.equal(runner.stats().channels.get('c1')?.counters.dropped, 0);
  assert.deepEqual(delivered(world, 'k2'), []);
});

test('a sink starts only once the channel of its dead letters is open', async (t) => {
  const { world, runner } = make(t);
  world.broken.add('open c2');
  await runner.start(choosyPlan(world, parts, 'c2'));
  assert.ok(!world.order.includes('start k1'), 'c2 is not open');
  world.broken.clear();
  await until(() => delivered(world, 'k2').length > 5, 'dead letters');
  assert.ok(world.order.lastIndexOf('open c2') < world.order.indexOf('start k1'));
});

test('swap: a sink goes by the new channel of its dead letters, and by new settings of the old one', async (t) => {
  const { world, runner } = make(t);
  await runner.start(choosyPlan(world, parts, 'c2'));
  world.order.length = 0;
  await runner.swap(choosyPlan(world, { ...parts, channels: { c1: '1', c2: 'capacity=500' } }, 'c2'));
  assert.deepEqual(world.order, ['stop k1', 'stop k2', 'open c2', 'close c2', 'start k1', 'start k2']);
  world.order.length = 0;
  const channels = { c1: '1', c2: 'capacity=500', c3: '1' };
  await runner.swap(choosyPlan(world, { ...parts, channels, sinks: { ...parts.sinks, k3: 'c3' } }, 'c3'));
  assert.deepEqual(world.order, ['stop k1', 'open c3', 'start k1', 'start k3']);
  await until(() => delivered(world, 'k3').length > 5, 'dead letters in c3');
  const letters = () => [...numbersAt(world, 'k2'), ...numbersAt(world, 'k3')];
  await until(() => Math.max(...letters()) === 3 * letters().length, 'all that were put into c2 at k2');
  await runner.stop();
  assertEachOnce(numbersAt(world, 'k1'), (number) => number % 3 !== 0);
  assertEachOnce(letters(), (number) => number % 3 === 0);
});
