/** The null sink over a real channel. */
import assert from 'node:assert/strict';
import test from 'node:test';
import { nullSink } from '../../../../src/adapters/sinks/null/null-sink.ts';
import { type Event, MemoryChannel } from '../../../../src/engine.ts';
import { sinkOn, valuesOf } from '../../contexts.ts';

const never = new AbortController().signal;

function events(count: number): Event[] {
  return Array.from({ length: count }, () => ({ headers: {}, body: Buffer.from('x') }));
}

test('takes batches of batchSize, counts them, and says so every logEveryNEvents', async () => {
  const channel = await MemoryChannel.open();
  await channel.put(events(25));
  const { context, said, counts } = sinkOn(channel);
  const sink = nullSink.create(valuesOf(nullSink, { batchSize: '10', logEveryNEvents: '12' }), context);
  await assert.rejects(sink.process(never), /has not been started/);
  await sink.start();
  assert.equal(await sink.process(never), 'ready');
  assert.equal(channel.stats().depthEvents, 15);
  assert.deepEqual(said, []);
  assert.equal(await sink.process(never), 'ready');
  assert.equal(await sink.process(never), 'ready');
  assert.deepEqual(
    said.map(({ fields }) => fields['events']),
    [20, 25],
  );
  assert.equal(await sink.process(AbortSignal.abort()), 'backoff');
  assert.equal(channel.stats().depthEvents, 0);
  assert.equal(counts.get('EventDrainSuccessCount'), 25);
  await sink.stop();
  await sink.stop();
  await channel.close();
});

test('two sinks on one channel do not fence each other; one that stops gives back nothing that it took', async () => {
  const channel = await MemoryChannel.open();
  await channel.put(events(20));
  const sinks = ['k1', 'k2'].map((name) => {
    const { context } = sinkOn(channel);
    return nullSink.create(valuesOf(nullSink, { batchSize: '5' }), { ...context, name });
  });
  for (const sink of sinks) await sink.start();
  for (const sink of [...sinks, ...sinks]) assert.equal(await sink.process(never), 'ready');
  for (const sink of sinks) await sink.stop();
  assert.equal(channel.stats().depthEvents, 0);
  await channel.close();
});
