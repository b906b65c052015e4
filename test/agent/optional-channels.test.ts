/** Optional channels of a running agent: one that cannot open, or fails, holds nobody back, and joins later. */
import assert from 'node:assert/strict';
import test from 'node:test';
import { replicatingSelector } from '../../src/adapters/selectors/replicating.ts';
import type { ChannelDefinition, SourceDefinition } from '../../src/agent/contracts/components.ts';
import { ofAnyKeys } from '../../src/agent/contracts/registry.ts';
import type { Plan } from '../../src/agent/plan.ts';
import { AgentRunner } from '../../src/agent/runner.ts';
import { nodeDisk } from '../../src/base/disk-node.ts';
import { diskWith, fileWith } from '../../src/base/disk-with.ts';
import { FileChannel } from '../../src/engine.ts';
import { tempDir } from '../support/temp-dir.ts';
import { RecordedLog } from './recorded-log.ts';
import { fastClock, makeWorld, planOf, until, type World } from './small-parts.ts';

type TestContext = Parameters<typeof tempDir>[0];

function make(t: TestContext, factor = 20) {
  const world = makeWorld();
  const log = new RecordedLog();
  const runner = new AgentRunner({ log: (component) => log.of(component), clock: fastClock(factor) });
  t.after(async () => void (await runner.stop(500)));
  return { world, log, runner };
}

/** r1 feeds c1, and c2 optionally. `asksNotes: false`: it never looks at a note. */
function planWith(
  world: World,
  more: { optional?: string; asksNotes?: boolean; definitions?: Readonly<Record<string, ChannelDefinition>> } = {},
): Plan {
  const { optional = 'c2', asksNotes = true, definitions = {} } = more;
  const plan = planOf(world, {
    channels: { c1: '1', c2: '1' },
    sources: { r1: 'c1 c2' },
    sinks: { k1: 'c1', k2: 'c2' },
    definitions,
  });
  const selector = {
    name: 'selector',
    definition: ofAnyKeys(replicatingSelector),
    values: { optional: optional.split(' ') },
    fingerprint: optional,
  };
  const sources = plan.sources.map((source) => {
    return { ...source, selector, definition: asksNotes ? source.definition : withoutNotes(world) };
  });
  return { ...plan, sources };
}

/** As the counting source, but for notes. */
function withoutNotes(world: World): SourceDefinition {
  return {
    types: ['forgetful'],
    keys: {},
    create: (_values, { name, processor }) => {
      let isStopped = false;
      let life: Promise<void> = Promise.resolve();
      const run = async (): Promise<void> => {
        for (let next = 1; !isStopped; next += 1) {
          await processor.process([{ headers: {}, body: Buffer.from(`${name}-${next}`) }]);
          world.counted.set(name, next);
          await new Promise((resolve) => setTimeout(resolve, 2));
        }
      };
      return {
        start: async () => {
          world.order.push(`start ${name}`);
          life = run();
        },
        stop: async () => {
          isStopped = true;
          await life;
          world.order.push(`stop ${name}`);
        },
      };
    },
  };
}

function numbersAt(world: World, sink: string): number[] {
  return (world.delivered.get(sink) ?? []).map((body) => Number(body.slice('r1-'.length)));
}

/** n, n + 1, … with nothing left out and nothing twice. */
function assertUnbroken(numbers: readonly number[], first: number): void {
  assert.deepEqual(
    numbers,
    numbers.map((_, index) => first + index),
  );
}

test('an optional channel that cannot open: its source runs, and starts again for its notes once it can', async (t) => {
  const { world, runner, log } = make(t);
  world.broken.add('open c2');
  await runner.start(planWith(world));
  assert.ok(world.order.includes('start r1'));
  await until(() => numbersAt(world, 'k1').length > 10, 'events at k1');
  assert.equal(runner.stats().states.get('channel c2'), 'failing');
  assert.match(log.text, /starts without optional channels that are not open/);
  assert.ok(!world.order.includes('start k2') && !world.order.includes('stop r1'));
  world.broken.clear();
  await until(() => numbersAt(world, 'k2').length > 10, 'events at k2');
  const steps = world.order.filter((step) => step.endsWith(' r1') || step === 'start k2');
  assert.deepEqual(steps, ['start r1', 'start k2', 'stop r1', 'start r1']);
  assert.ok(Number(world.noted.get('r1')) > 0, 'it looked at the notes again');
  await runner.stop();
  assertUnbroken(numbersAt(world, 'k1'), 1);
  assertUnbroken(numbersAt(world, 'k2'), numbersAt(world, 'k2')[0] ?? 0);
});

test('a source that never asks for notes goes on undisturbed while the channel joins', async (t) => {
  const { world, runner, log } = make(t);
  world.broken.add('open c2');
  await runner.start(planWith(world, { asksNotes: false }));
  await until(() => numbersAt(world, 'k1').length > 10, 'events at k1');
  world.broken.clear();
  await until(() => numbersAt(world, 'k2').length > 10, 'events at k2');
  assert.match(log.text, /optional channel c2 is open, and has joined/);
  await runner.stop();
  assert.deepEqual(
    world.order.filter((step) => step.endsWith(' r1')),
    ['start r1', 'stop r1'],
  );
  assertUnbroken(numbersAt(world, 'k1'), 1);
  assert.ok((numbersAt(world, 'k2')[0] ?? 0) > 1);
  assertUnbroken(numbersAt(world, 'k2'), numbersAt(world, 'k2')[0] ?? 0);
});

test('a channel whose opening hangs holds up no other, and the source for which it is optional runs', async (t) => {
  const { world, runner } = make(t, 100);
  world.hanging.add('open c2');
  await runner.start(planWith(world));
  await until(() => numbersAt(world, 'k1').length > 10, 'events at k1');
  assert.equal(runner.stats().states.get('channel c2'), 'starting');
});

test('a required channel is waited for, and all of them where none is required', async (t) => {
  for (const optional of ['c1', 'c1 c2']) {
    const { world, runner } = make(t);
    world.broken.add('open c2');
    await runner.start(planWith(world, { optional }));
    await until(() => world.order.filter((step) => step === 'open c2').length > 2, 'c2 was tried again');
    assert.ok(!world.order.includes('start r1'), optional);
    world.broken.clear();
    await until(() => numbersAt(world, 'k2').length > 5, 'events at k2');
    await runner.stop();
  }
});

/** c2 fails under a running source, cannot be opened for a while, and is back. Resolves when the agent has stopped. */
async function failAndReturn(t: TestContext, asksNotes: boolean): Promise<World> {
  const { world, runner } = make(t);
  const dir = await tempDir(t);
  const real = nodeDisk();
  let isBroken = false;
  const refuse = <T>(call: () => T): T => {
    if (isBroken) throw Object.assign(new Error('EIO: i/o error'), { code: 'EIO' });
    return call();
  };
  const disk = diskWith(real, {
    open: async (path, options) => {
      const file = await refuse(() => real.open(path, options));
      return fileWith(file, {
        write: async (source, position) => refuse(() => file.write(source, position)),
        writeSync: (source, position) => refuse(() => file.writeSync(source, position)),
        sync: async () => refuse(() => file.sync()),
      });
    },
  });
  const c2: ChannelDefinition = {
    types: ['file'],
    keys: {},
    create: () => ({ open: () => FileChannel.open(dir, { checkpoint: 'memory', minimumFreeBytes: 0 }, { disk }) }),
  };
  await runner.start(planWith(world, { asksNotes, definitions: { c2 } }));
  await until(() => numbersAt(world, 'k2').length > 10, 'events at k2');
  // On a slow machine it may have come late to begin with.
  world.order.length = 0;
  isBroken = true;
  await until(() => runner.stats().states.get('channel c2') === 'failing', 'c2 cannot be opened');
  const before = world.counted.get('r1') ?? 0;
  await until(() => (world.counted.get('r1') ?? 0) > before + 10, 'the source goes on');
  isBroken = false;
  await until(() => (numbersAt(world, 'k2').at(-1) ?? 0) > before + 20, 'new events at k2');
  await runner.stop();
  assertUnbroken(numbersAt(world, 'k1'), 1);
  return world;
}

test('an optional channel that fails while it runs is left and joined again: the source goes on', async (t) => {
  const stepsOf = ({ order }: World) => order.filter((step) => step.endsWith(' r1'));
  assert.deepEqual(stepsOf(await failAndReturn(t, false)), ['stop r1']);
  // It looks at the notes again when the channel is back.
  assert.deepEqual(stepsOf(await failAndReturn(t, true)), ['stop r1', 'start r1', 'stop r1']);
});

test('a selector that throws when it is asked for optional channels: its source fails, all else runs', async (t) => {
  const { world, runner, log } = make(t, 100);
  const plan = planOf(world, {
    channels: { c1: '1', c2: '1' },
    sources: { r1: 'c1', r2: 'c2' },
    sinks: { k1: 'c1', k2: 'c2' },
  });
  const optionalChannels = (): never => {
    throw new Error('no such header');
  };
  const withBadSelector = (first: boolean): Plan => ({
    ...plan,
    sources: plan.sources.map((source) => {
      const { selector, fingerprint } = source;
      if (source.name !== 'r1' || !first) return { ...source, fingerprint: `${fingerprint} good` };
      return { ...source, selector: { ...selector, definition: { ...selector.definition, optionalChannels } } };
    }),
  });
  await runner.start(withBadSelector(true));
  const states = (): unknown[] => ['r1', 'r2'].map((name) => runner.stats().states.get(`source ${name}`));
  await until(() => (world.delivered.get('k2') ?? []).length > 10, 'events at k2');
  assert.deepEqual(states(), ['failing', 'running']);
  const said = log.lines.find(({ component, level }) => component === 'r1' && level === 'error');
  assert.equal(said?.text, 'cannot start, and will try again');
  const error = said?.fields['error'] as Error;
  assert.match(error.message, /the selector of source r1 cannot say which channels are optional/);
  assert.equal((error.cause as Error).message, 'no such header');
  // The agent is still there for a configuration that is better.
  await runner.swap(withBadSelector(false));
  await until(() => numbersAt(world, 'k1').length > 10, 'events at k1');
  assert.deepEqual(states(), ['running', 'running']);
  assert.ok(log.lines.every(({ component, level }) => component !== 'agent' || level !== 'error'));
});
