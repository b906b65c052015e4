/** Failover: the preferred sink that works, by Flume's rules; time is a manual clock's. */
import assert from 'node:assert/strict';
import test from 'node:test';
import { failoverProcessor } from '../../../src/adapters/processors/failover.ts';
import { readKeys } from '../../../src/agent/contracts/read-keys.ts';
import { type Group, makeGroup, sinkOf } from './sinks.ts';

const { signal } = new AbortController();

function make(group: Group, properties: Record<string, string>) {
  const { values, problems } = readKeys(failoverProcessor.keys, new Map(Object.entries(properties)));
  assert.deepEqual(problems, []);
  assert.ok(values);
  return failoverProcessor.create(values, group.context);
}

test('the largest priority is used, and the next when it fails; the event is not lost', async () => {
  const group = await makeGroup(['k1', 'k2', 'k3'], 4);
  const processor = make(group, { 'priority.k1': '5', 'priority.k2': '10', 'priority.k3': '1' });
  assert.equal(await processor.process(signal), 'ready');
  sinkOf(group, 'k2').isBroken = true;
  assert.equal(await processor.process(signal), 'ready');
  sinkOf(group, 'k1').isBroken = true;
  assert.equal(await processor.process(signal), 'ready');
  assert.deepEqual(sinkOf(group, 'k2').bodies, ['1']);
  assert.deepEqual(sinkOf(group, 'k1').bodies, ['2']);
  assert.deepEqual(sinkOf(group, 'k3').bodies, ['3']);
});

test('a failed sink rests 2 s, 4 s, 8 s … up to maxpenalty, and comes back to the front', async () => {
  const group = await makeGroup(['k1', 'k2'], 100);
  const processor = make(group, { 'priority.k1': '2', 'priority.k2': '1', maxpenalty: '5000' });
  const k1 = sinkOf(group, 'k1');
  k1.isBroken = true;
  await processor.process(signal);
  assert.equal(k1.calls, 1);
  let calls = 1;
  for (const restMs of [2000, 4000, 5000, 5000]) {
    group.clock.advance(restMs);
    await processor.process(signal);
    assert.equal(k1.calls, calls, `${restMs} ms are not over yet`);
    group.clock.advance(1);
    await processor.process(signal);
    calls += 1;
    assert.equal(k1.calls, calls, `${restMs} ms are over`);
  }
  k1.isBroken = false;
  group.clock.advance(5001);
  const before = sinkOf(group, 'k2').calls;
  await processor.process(signal);
  await processor.process(signal);
  assert.equal(k1.bodies.length, 2);
  assert.equal(sinkOf(group, 'k2').calls, before);
  assert.ok(group.said.some(({ level, text }) => level === 'info' && /works again/.test(text)));
});

test('a rested sink with nothing to do stays among the failed, and is asked first again', async () => {
  const group = await makeGroup(['k1', 'k2'], 2);
  const processor = make(group, { 'priority.k1': '2', 'priority.k2': '1' });
  const k1 = sinkOf(group, 'k1');
  k1.isBroken = true;
  await processor.process(signal);
  await processor.process(signal);
  k1.isBroken = false;
  group.clock.advance(2001);
  assert.equal(await processor.process(signal), 'backoff');
  assert.equal(await processor.process(signal), 'backoff');
  assert.equal(k1.calls, 3);
  assert.ok(!group.said.some(({ text }) => /works again/.test(text)));
  await group.channel.put([{ headers: {}, body: Buffer.from('3') }]);
  assert.equal(await processor.process(signal), 'ready');
  assert.deepEqual(k1.bodies, ['3']);
});

test('all failed: rejects with every reason, and the events stay', async () => {
  const group = await makeGroup(['k1', 'k2'], 3);
  const processor = make(group, {});
  for (const sink of group.sinks.values()) sink.isBroken = true;
  await assert.rejects(processor.process(signal), (error: AggregateError) => {
    assert.match(error.message, /every sink of the group has failed/);
    return error.errors.length === 2;
  });
  await assert.rejects(processor.process(signal), /every sink/);
  assert.equal(sinkOf(group, 'k1').calls, 1, 'both rest');
  assert.equal(group.channel.stats().depthEvents, 3);
});

test('without priorities: in the order of the group; an equal one is left out, an unknown one said', async () => {
  const group = await makeGroup(['k1', 'k2', 'k3'], 3);
  const processor = make(group, { 'priority.k3': '-1', 'priority.k9': '4' });
  sinkOf(group, 'k1').isBroken = true;
  await processor.process(signal);
  assert.deepEqual(
    [...group.sinks.values()].map(({ calls }) => calls),
    [1, 1, 0],
  );
  const warnings = group.said.filter(({ level }) => level === 'warn').map(({ text }) => text);
  assert.match(warnings[0] ?? '', /k3 is not used: it has the priority of k1/);
  assert.match(warnings[1] ?? '', /priority\.k9 has no effect/);
});
