/** Load balancing: order, next sink on failure, and the rest of failed sinks, by Flume's rules. */
import assert from 'node:assert/strict';
import test from 'node:test';
import { defaultProcessor } from '../../../src/adapters/processors/default.ts';
import { loadBalanceProcessor } from '../../../src/adapters/processors/load-balance.ts';
import { readKeys } from '../../../src/agent/contracts/read-keys.ts';
import { type Group, makeGroup, sinkOf } from './sinks.ts';

const { signal } = new AbortController();

function make(group: Group, properties: Record<string, string> = {}) {
  const { values, problems } = readKeys(loadBalanceProcessor.keys, new Map(Object.entries(properties)));
  assert.deepEqual(problems, []);
  assert.ok(values);
  return loadBalanceProcessor.create(values, group.context);
}

function calls(group: Group): number[] {
  return [...group.sinks.values()].map((sink) => sink.calls);
}

test('round_robin: one after the other', async () => {
  const group = await makeGroup(['k1', 'k2', 'k3'], 7);
  const processor = make(group);
  for (let call = 0; call < 7; call += 1) assert.equal(await processor.process(signal), 'ready');
  assert.deepEqual(sinkOf(group, 'k1').bodies, ['1', '4', '7']);
  assert.deepEqual(sinkOf(group, 'k2').bodies, ['2', '5']);
  assert.deepEqual(sinkOf(group, 'k3').bodies, ['3', '6']);
});

test('a failing sink hands over to the next; without backoff it is tried again in its turn', async () => {
  const group = await makeGroup(['k1', 'k2'], 4);
  const processor = make(group, { selector: 'ROUND_ROBIN' });
  sinkOf(group, 'k1').isBroken = true;
  for (let call = 0; call < 4; call += 1) assert.equal(await processor.process(signal), 'ready');
  assert.deepEqual(calls(group), [2, 4]);
  assert.deepEqual(sinkOf(group, 'k2').bodies, ['1', '2', '3', '4']);
});

test('random: shuffled by the numbers drawn', async () => {
  const first = await makeGroup(['k1', 'k2', 'k3'], 2, [0, 0]);
  await make(first, { selector: 'random' }).process(signal);
  assert.deepEqual(calls(first), [0, 1, 0]);
  const other = await makeGroup(['k1', 'k2', 'k3'], 2, [0.99, 0.99]);
  await make(other, { selector: 'random' }).process(signal);
  assert.deepEqual(calls(other), [1, 0, 0]);
});

test('backoff: rests 2 s, 4 s, 8 s … up to selector.maxTimeOut', async () => {
  const group = await makeGroup(['k1', 'k2'], 100);
  const processor = make(group, { backoff: 'true', 'selector.maxTimeOut': '6000' });
  const k1 = sinkOf(group, 'k1');
  k1.isBroken = true;
  await processor.process(signal);
  assert.equal(k1.calls, 1);
  let expected = 1;
  for (const restMs of [2000, 4000, 6000, 6000]) {
    group.clock.advance(restMs);
    await processor.process(signal);
    await processor.process(signal);
    assert.equal(k1.calls, expected, `${restMs} ms are not over yet`);
    group.clock.advance(1);
    await processor.process(signal);
    await processor.process(signal);
    expected += 1;
    assert.equal(k1.calls, expected, `${restMs} ms are over`);
  }
});

test('backoff: a failure more than an hour behind the last rest starts anew at 2 s', async () => {
  const group = await makeGroup(['k1', 'k2'], 100);
  const processor = make(group, { backoff: 'true' });
  const k1 = sinkOf(group, 'k1');
  k1.isBroken = true;
  const both = async (): Promise<void> => {
    await processor.process(signal);
    await processor.process(signal);
  };
  await both();
  group.clock.advance(2001);
  await both();
  assert.equal(k1.calls, 2);
  group.clock.advance(3_600_000 + 4000);
  await both();
  assert.equal(k1.calls, 3);
  group.clock.advance(2001);
  await both();
  assert.equal(k1.calls, 4, 'two seconds were enough');
});

test('every sink failed, or rests: rejects, and the events stay', async () => {
  const group = await makeGroup(['k1', 'k2'], 3);
  const processor = make(group, { backoff: 'true' });
  for (const sink of group.sinks.values()) sink.isBroken = true;
  await assert.rejects(processor.process(signal), /every sink that was tried has failed/);
  await assert.rejects(processor.process(signal), /has to rest/);
  assert.deepEqual(calls(group), [1, 1]);
  assert.equal(group.channel.stats().depthEvents, 3);
});

test('a selector that is none of both is refused', () => {
  const { problems } = readKeys(loadBalanceProcessor.keys, new Map([['selector', 'org.example.Mine']]));
  assert.match(problems[0]?.message ?? '', /round_robin, random/);
});

test('default: passes on to its one sink, and refuses two', async () => {
  const one = await makeGroup(['k1'], 1);
  assert.equal(await defaultProcessor.create({}, one.context).process(signal), 'ready');
  assert.deepEqual(sinkOf(one, 'k1').bodies, ['1']);
  const two = await makeGroup(['k1', 'k2'], 1);
  assert.throws(() => defaultProcessor.create({}, two.context), /2 \(k1, k2\): use 'failover' or 'load_balance'/);
});
