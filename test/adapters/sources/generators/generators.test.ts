/** The seq and stress sources over real channels: what they make, how much of it, how fast, and after a refusal. */
import assert from 'node:assert/strict';
import test from 'node:test';
import { seqSource } from '../../../../src/adapters/sources/generators/seq-source.ts';
import { stressSource } from '../../../../src/adapters/sources/generators/stress-source.ts';
import type { Source, SourceContext } from '../../../../src/agent/contracts/components.ts';
import { MemoryChannel } from '../../../../src/engine.ts';
import { ManualClock, turnOver } from '../../../support/manual-clock.ts';
import { drain, sourceInto, sourceOn, textsOf, until, valuesOf } from '../../contexts.ts';

const upTo = (count: number): string[] => Array.from({ length: count }, (_, index) => String(index));

test('seq counts from 0 to totalEvents, in batches', async () => {
  const channel = await MemoryChannel.open();
  const watched = sourceOn(channel);
  const sizes: number[] = [];
  const process = watched.context.processor.process;
  const processor = {
    ...watched.context.processor,
    process: (events: Parameters<typeof process>[0]) => {
      sizes.push(events.length);
      return process(events);
    },
  };
  const values = valuesOf(seqSource, { batchSize: '4', totalEvents: '10' });
  const source = seqSource.create(values, { ...watched.context, processor });
  await source.start();
  await source.start();
  await until(() => (watched.counts.get('EventAcceptedCount') ?? 0) >= 10, 'all are in');
  await source.stop();
  assert.deepEqual(sizes, [4, 4, 2]);
  assert.deepEqual(textsOf(await drain(channel)), upTo(10));
  await channel.close();
});

test('seq offers a batch that failed again, with the same numbers', async () => {
  const channel = await MemoryChannel.open({ capacityEvents: 7, keepAliveMs: 10 });
  const { context, counts, said } = sourceOn(channel);
  const source = seqSource.create(valuesOf(seqSource, { batchSize: '3', totalEvents: '30' }), context);
  await source.start();
  await until(() => (counts.get('ChannelWriteFail') ?? 0) > 0, 'the channel is full');
  const got: string[] = [];
  while (got.length < 30) {
    const batch = await channel.take(2, { waitMs: 5000 });
    got.push(...textsOf(batch.events));
    await batch.commit();
  }
  assert.deepEqual(got, upTo(30));
  assert.deepEqual([...new Set(said.map(({ level }) => level))], ['warn'], 'a full channel is no error');
  await source.stop();
  await channel.close();
});

test('seq takes the largest long of Java for no end, and refuses what is no count', () => {
  assert.equal(valuesOf(seqSource, { totalEvents: '9223372036854775807' }).totalEvents, Number.MAX_SAFE_INTEGER);
  assert.throws(() => valuesOf(seqSource, { totalEvents: '-1' }), /'-1' is not allowed/);
  assert.throws(() => valuesOf(seqSource, { batchSize: '0' }), /'0' is not allowed/);
});

/** The pauses that a source asks for when there is nothing to do. */
async function pausesOf(make: (context: SourceContext) => Source): Promise<number[]> {
  const channel = await MemoryChannel.open();
  const clock = new ManualClock();
  const pauses: number[] = [];
  const watchedClock = {
    wallMs: () => clock.wallMs(),
    monotonicMs: () => clock.monotonicMs(),
    after: (delayMs: number, call: () => void) => {
      pauses.push(delayMs);
      return clock.after(delayMs, call);
    },
  };
  const source = make({ ...sourceOn(channel, clock).context, clock: watchedClock });
  await source.start();
  for (let turn = 0; turn < 5; turn += 1) {
    await turnOver();
    clock.fireNext();
  }
  await turnOver();
  await source.stop();
  await channel.close();
  return pauses.slice(0, 5);
}

test('seq pauses longer each time it has nothing to do, up to maxBackoffSleep', async () => {
  const texts = { totalEvents: '0', backoffSleepIncrement: '30', maxBackoffSleep: '100' };
  const pauses = await pausesOf((context) => seqSource.create(valuesOf(seqSource, texts), context));
  assert.deepEqual(pauses, [30, 60, 90, 100, 100]);
});

test('stress pauses longer each time it has nothing to do, up to maxBackoffSleep', async () => {
  const texts = { maxTotalEvents: '0', backoffSleepIncrement: '40', maxBackoffSleep: '100' };
  const pauses = await pausesOf((context) => stressSource.create(valuesOf(stressSource, texts), context));
  assert.deepEqual(pauses, [40, 80, 100, 100, 100]);
});

test('a channel that refuses is said, and asked again after maxBackoffSleep', async () => {
  const channel = await MemoryChannel.open();
  await channel.close();
  const { context, said } = sourceOn(channel);
  const source = seqSource.create(valuesOf(seqSource, { maxBackoffSleep: '10' }), context);
  await source.start();
  await until(() => said.length > 2, 'it was asked three times');
  await source.stop();
  assert.match(said[0]?.text ?? '', /refused events: they are offered again/);
});

test('what can never be put is said with its reason, not only that the channel is full', async () => {
  const limits = [
    [{ capacityBytes: 100 }, 'warn', /the channel is full: this put of 150 bytes is over capacityBytes$/],
    [{ transactionCapacity: 2 }, 'error', /a put of 3 events; transactionCapacity allows 2: put fewer at a time$/],
  ] as const;
  for (const [options, level, reason] of limits) {
    const channel = await MemoryChannel.open({ keepAliveMs: 0, ...options });
    const { context, said } = sourceOn(channel);
    const texts = { size: '50', batchSize: '3', maxBackoffSleep: '10' };
    const source = stressSource.create(valuesOf(stressSource, texts), context);
    await source.start();
    await until(() => said.length > 0, 'it is said');
    await source.stop();
    assert.equal(said[0]?.level, level);
    assert.match(String(said[0]?.fields['error']), reason);
    await channel.close();
  }
});

for (const [name, texts] of [
  ['seq', { batchSize: '3', totalEvents: '30' }],
  ['stress', { batchSize: '3', maxTotalEvents: '30', size: '2' }],
] as const) {
  test(`${name} into two channels of which one is full again and again: each event once in both`, async () => {
    const roomy = await MemoryChannel.open();
    const narrow = await MemoryChannel.open({ capacityEvents: 4, keepAliveMs: 0 });
    const { context, counts } = sourceInto({ roomy, narrow });
    const source =
      name === 'seq'
        ? seqSource.create(valuesOf(seqSource, texts), context)
        : stressSource.create(valuesOf(stressSource, texts), context);
    await source.start();
    const got: string[] = [];
    while (got.length < 30) {
      const batch = await narrow.take(2, { waitMs: 5000 });
      assert.ok(batch.events.length > 0);
      got.push(...textsOf(batch.events));
      // Longer than a refused batch waits: it is refused more than once.
      await new Promise((resolve) => setTimeout(resolve, 60));
      await batch.commit();
    }
    await until(() => counts.get('EventAcceptedCount') === 30, 'all are in');
    await source.stop();
    assert.ok((counts.get('ChannelWriteFail') ?? 0) > 5, 'it was refused');
    const expected = name === 'seq' ? upTo(30) : Array.from({ length: 30 }, () => '\x7f\x7f');
    assert.deepEqual(got, expected);
    assert.deepEqual(textsOf(await drain(roomy)), expected);
    assert.equal(narrow.stats().depthEvents, 0);
    await roomy.close();
    await narrow.close();
  });
}

test('stress makes bodies of size bytes 0x7F, up to maxTotalEvents', async () => {
  const channel = await MemoryChannel.open();
  const { context, counts } = sourceOn(channel);
  const texts = { size: '3', batchSize: '4', maxTotalEvents: '10' };
  const source = stressSource.create(valuesOf(stressSource, texts), context);
  await source.start();
  await until(() => (counts.get('EventAcceptedCount') ?? 0) >= 10, 'all are in');
  await source.stop();
  assert.deepEqual(
    textsOf(await drain(channel)),
    Array.from({ length: 10 }, () => '\x7f\x7f\x7f'),
  );
  assert.equal(valuesOf(stressSource).size, 500);
  await channel.close();
});

test('stress: what was refused counts for maxTotalEvents, not for maxSuccessfulEvents', async () => {
  for (const [key, expected] of [
    ['maxTotalEvents', 6],
    ['maxSuccessfulEvents', 10],
  ] as const) {
    const channel = await MemoryChannel.open();
    const watched = sourceOn(channel);
    const { process } = watched.context.processor;
    let calls = 0;
    const processor = {
      ...watched.context.processor,
      process: async (events: Parameters<typeof process>[0]) => {
        calls += 1;
        if (calls === 1) await channel.put([{ headers: {}, body: 'no bytes' as unknown as Buffer }]);
        await process(events);
      },
    };
    const texts = { batchSize: '4', [key]: '10', maxBackoffSleep: '1' };
    const source = stressSource.create(valuesOf(stressSource, texts), { ...watched.context, processor });
    await source.start();
    await until(() => (watched.counts.get('EventAcceptedCount') ?? 0) >= expected, `${key} is reached`);
    await source.stop();
    assert.equal(channel.stats().depthEvents, expected, key);
    await channel.close();
  }
});

test('stress keeps to maxEventsPerSecond', async () => {
  const channel = await MemoryChannel.open();
  const { context } = sourceOn(channel);
  const texts = { size: '1', batchSize: '10', maxEventsPerSecond: '500' };
  const source = stressSource.create(valuesOf(stressSource, texts), context);
  const startMs = performance.now();
  await source.start();
  await new Promise((resolve) => setTimeout(resolve, 700));
  await source.stop();
  const seconds = (performance.now() - startMs) / 1000;
  const made = channel.stats().depthEvents;
  assert.ok(made <= 500 * seconds + 10 && made >= 100, `${made} events in ${seconds} s`);
  await channel.close();
});
