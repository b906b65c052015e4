/** A running agent: order of starting and stopping, failing parts, a channel that fails, reloads. */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import test from 'node:test';
import type { ChannelDefinition } from '../../src/agent/contracts/components.ts';
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

function delivered(world: World, sink: string): string[] {
  return world.delivered.get(sink) ?? [];
}

/** `r1-1` … `r1-n`, each once, in order; n of the last. */
function assertSequence(bodies: readonly string[], source: string, last: number): void {
  assert.deepEqual(
    bodies.filter((body) => body.startsWith(`${source}-`)),
    Array.from({ length: last }, (_, index) => `${source}-${index + 1}`),
  );
}

test('channels open, then sinks start, then sources; stopped is in reverse, and all was delivered', async (t) => {
  const { world, runner } = make(t);
  await runner.start(
    planOf(world, { channels: { c1: '1', c2: '1' }, sources: { r1: 'c1 c2' }, sinks: { k1: 'c1', k2: 'c2' } }),
  );
  assert.deepEqual(world.order, ['open c1', 'open c2', 'start k1', 'start k2', 'start r1']);
  await until(() => delivered(world, 'k1').length > 20 && delivered(world, 'k2').length > 20, 'events at both sinks');
  const { states, counters, channels } = runner.stats();
  assert.deepEqual(
    [...states],
    ['channel c1', 'channel c2', 'sink k1', 'sink k2', 'source r1'].map((name) => [name, 'running']),
  );
  const accepted = counters.find(({ kind, name }) => kind === 'SOURCE' && name === 'r1')?.counts['EventAcceptedCount'];
  assert.ok(Number(accepted) >= 20);
  assert.ok((channels.get('c1')?.counters.put ?? 0) >= 20);
  world.order.length = 0;
  assert.deepEqual(await runner.stop(), []);
  assert.deepEqual(world.order, ['stop r1', 'stop k1', 'stop k2', 'close c1', 'close c2']);
  for (const sink of ['k1', 'k2']) assertSequence(delivered(world, sink), 'r1', delivered(world, sink).length);
});

test('what fails to start is tried again; the others run', async (t) => {
  const { world, runner, log } = make(t);
  for (const what of ['start k1', 'start r2', 'open c2']) world.broken.add(what);
  const sources = { r1: 'c1', r2: 'c1', r3: 'c2' };
  await runner.start(
    planOf(world, { channels: { c1: '1', c2: '1' }, sources, sinks: { k1: 'c1', k2: 'c1', k3: 'c2' } }),
  );
  assert.equal(runner.stats().states.get('sink k1'), 'failing');
  assert.equal(runner.stats().states.get('source r2'), 'failing');
  assert.equal(runner.stats().states.get('channel c2'), 'failing');
  await until(() => delivered(world, 'k2').length > 5, 'events at k2');
  assert.ok(!world.order.includes('start k3') && !world.order.includes('start r3'), 'their channel is not open');
  assert.match(log.text, /ERROR cannot start, and will try again/);
  world.broken.clear();
  await until(() => delivered(world, 'k3').length > 5 && delivered(world, 'k1').length > 5, 'events at k1 and k3');
  await until(() => (world.counted.get('r2') ?? 0) > 5, 'events of r2');
  assert.ok(world.order.indexOf('start k3') < world.order.indexOf('start r3'));
});

test('what does not stop within the limit is named, and the rest is stopped all the same', async (t) => {
  const { world, runner } = make(t);
  await runner.start(planOf(world, { channels: { c1: '1' }, sources: { r1: 'c1', r2: 'c1' }, sinks: { k1: 'c1' } }));
  world.hanging.add('stop r1');
  const startedMs = performance.now();
  assert.deepEqual(await runner.stop(4000), ['source r1']);
  assert.ok(performance.now() - startedMs < 3500);
  assert.deepEqual(world.order.slice(-4), ['stop r1', 'stop r2', 'stop k1', 'close c1']);
});

test('a start that hangs does not hold up a stop', async (t) => {
  const { world, runner } = make(t, 1);
  world.hanging.add('start k1');
  const started = runner.start(planOf(world, { channels: { c1: '1' }, sources: { r1: 'c1' }, sinks: { k1: 'c1' } }));
  await until(() => world.order.includes('start k1'), 'k1 starts');
  assert.deepEqual(await runner.stop(300), ['sink k1']);
  await started;
  assert.ok(!world.order.includes('start r1'));
});

test('a group: its processor chooses, and a sink that cannot start is no choice', async (t) => {
  const { world, runner } = make(t);
  world.broken.add('start k1');
  const asked: string[] = [];
  const processor = {
    types: ['first'] as const,
    keys: {},
    create: (
      _values: unknown,
      { sinks }: { sinks: ReadonlyMap<string, { process(signal: AbortSignal): Promise<'ready' | 'backoff'> }> },
    ) => ({
      process: async (signal: AbortSignal) => {
        for (const [name, sink] of sinks) {
          try {
            return await sink.process(signal);
          } catch (error) {
            asked.push(`${name}: ${(error as Error).message}`);
          }
        }
        return 'backoff' as const;
      },
    }),
  };
  const plan = planOf(world, {
    channels: { c1: '1' },
    sources: { r1: 'c1' },
    sinks: { k1: 'c1', k2: 'c1' },
    groups: { g1: { sinks: 'k1 k2', processor } },
  });
  await runner.start(plan);
  await until(() => delivered(world, 'k2').length > 5, 'events at k2');
  assert.equal(asked[0], 'k1: sink k1 has not started');
  world.broken.clear();
  await until(() => delivered(world, 'k1').length > 5, 'events at k1');
});

test('a channel that fails is opened again, what uses it restarts, and nothing acknowledged is lost', async (t) => {
  const { world, runner, log } = make(t);
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
  const definition: ChannelDefinition = {
    types: ['file'],
    keys: {},
    create: () => ({
      open: () => FileChannel.open(join(dir, 'c1'), { checkpoint: 'memory', minimumFreeBytes: 0 }, { disk }),
    }),
  };
  const parts = { channels: { c1: '1', c2: '1' }, sources: { r1: 'c1', r2: 'c2' }, sinks: { k1: 'c1', k2: 'c2' } };
  await runner.start(planOf(world, { ...parts, definitions: { c1: definition } }));
  await until(() => delivered(world, 'k1').length > 5, 'events at k1');
  isBroken = true;
  await until(() => world.order.includes('stop k1'), 'k1 is stopped');
  await until(() => runner.stats().states.get('channel c1') === 'failing', 'c1 cannot be opened');
  const before = delivered(world, 'k1').length;
  isBroken = false;
  await until(() => delivered(world, 'k1').length > before + 5, 'events at k1 again');
  assert.match(log.text, /ERROR the channel has failed: it is closed, and opened again/);
  assert.deepEqual(world.order.filter((step) => / [rk]1$/.test(step)).slice(0, 6), [
    'start k1',
    'start r1',
    'stop r1',
    'stop k1',
    'start k1',
    'start r1',
  ]);
  assert.ok(!world.order.includes('stop r2') && !world.order.includes('stop k2'), 'what is on c2 goes on');
  await runner.stop();
  const bodies = new Set(delivered(world, 'k1'));
  const left = await FileChannel.open(join(dir, 'c1'), { checkpoint: 'memory', minimumFreeBytes: 0 });
  for (const { body } of (await left.take(10_000)).events) bodies.add(Buffer.from(body).toString());
  await left.close();
  for (let number = 1; number <= (world.counted.get('r1') ?? 0); number += 1) assert.ok(bodies.has(`r1-${number}`));
});

test('swap: what is the same goes on; what was changed, added, removed is restarted, started, stopped', async (t) => {
  const { world, runner } = make(t);
  const before = { channels: { c1: '1', c2: '1' }, sources: { r1: 'c1', r2: 'c2' }, sinks: { k1: 'c1', k2: 'c2' } };
  await runner.start(planOf(world, before));
  world.order.length = 0;
  await runner.swap(planOf(world, before));
  assert.deepEqual(world.order, [], 'the same plan changes nothing');
  const changed = { channels: { c1: '1', c3: '1' }, sources: { r1: 'c1', r3: 'c3' }, sinks: { k1: 'c1', k3: 'c3' } };
  await runner.swap(planOf(world, { ...changed, fingerprints: { r1: 'other' } }));
  assert.deepEqual(world.order, [
    'stop r1',
    'stop r2',
    'stop k2',
    'close c2',
    'open c3',
    'start k3',
    'start r1',
    'start r3',
  ]);
  const names = runner.stats().counters.map(({ kind, name }) => `${kind} ${name}`);
  assert.deepEqual(names.sort(), ['CHANNEL c1', 'CHANNEL c3', 'SINK k1', 'SINK k3', 'SOURCE r1', 'SOURCE r3']);
  await until(() => delivered(world, 'k3').length > 5, 'events at k3');
  await runner.stop();
  assertSequence(delivered(world, 'k1'), 'r1', delivered(world, 'k1').length);
});

test('swap: a source that is bound to one channel more restarts', async (t) => {
  const { world, runner } = make(t);
  const parts = { channels: { c1: '1', c2: '1' }, sinks: { k1: 'c1', k2: 'c2' } };
  await runner.start(planOf(world, { ...parts, sources: { r1: 'c1' } }));
  world.order.length = 0;
  await runner.swap(planOf(world, { ...parts, sources: { r1: 'c1 c2' } }));
  assert.deepEqual(world.order, ['stop r1', 'start r1']);
  await until(() => delivered(world, 'k2').length > 5, 'events at k2');
});

test('swap: a memory channel keeps events and notes; where they do not fit, its settings', async (t) => {
  const { world, runner, log } = make(t);
  await runner.start(planOf(world, { channels: { c1: 'capacity=500' }, sources: { r1: 'c1' } }));
  await until(() => (world.counted.get('r1') ?? 0) > 250, '250 events');
  await runner.swap(planOf(world, { channels: { c1: 'capacity=10' } }));
  assert.match(log.text, /keeps its old settings until the next reload/);
  const held = runner.stats().channels.get('c1')?.depthEvents ?? 0;
  assert.equal(held, world.counted.get('r1'));
  await runner.swap(planOf(world, { channels: { c1: 'capacity=1000' } }));
  assert.equal(runner.stats().channels.get('c1')?.depthEvents, held);
  await runner.swap(planOf(world, { channels: { c1: 'capacity=1000' }, sinks: { k1: 'c1' } }));
  await until(() => delivered(world, 'k1').length === held, 'all at k1');
  assertSequence(delivered(world, 'k1'), 'r1', held);
  await runner.swap(planOf(world, { channels: { c1: 'capacity=1000' }, sources: { r1: 'c1' } }));
  assert.equal(world.noted.get('r1'), held);
});

test('swap: a file channel is closed before it is opened under its new settings, and keeps its events', async (t) => {
  const { world, runner, log } = make(t);
  const dir = await tempDir(t);
  const definition: ChannelDefinition = {
    types: ['file'],
    keys: {},
    create: () => ({ open: () => FileChannel.open(dir, { checkpoint: 'memory', minimumFreeBytes: 0 }) }),
  };
  const definitions = { c1: definition };
  await runner.start(planOf(world, { channels: { c1: '1' }, sources: { r1: 'c1' }, definitions }));
  await until(() => (world.counted.get('r1') ?? 0) > 5, 'events');
  await runner.swap(planOf(world, { channels: { c1: '2' }, sources: { r1: 'c1' }, definitions }));
  assert.deepEqual(world.order, ['start r1', 'stop r1', 'start r1']);
  assert.doesNotMatch(log.text, /ERROR/);
  await runner.swap(planOf(world, { channels: { c1: '2' }, sinks: { k1: 'c1' }, definitions }));
  await until(() => delivered(world, 'k1').length === world.counted.get('r1'), 'all at k1');
  assertSequence(delivered(world, 'k1'), 'r1', delivered(world, 'k1').length);
});
