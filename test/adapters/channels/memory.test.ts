/** The memory channel under Flume's keys. */
import assert from 'node:assert/strict';
import test from 'node:test';
import { memoryChannel } from '../../../src/adapters/channels/memory.ts';
import { readKeys } from '../../../src/agent/contracts/read-keys.ts';
import type { Channel } from '../../../src/engine.ts';
import { ManualClock } from '../../support/manual-clock.ts';

const log = { info: () => undefined, warn: () => undefined, error: () => undefined };

function read(properties: Record<string, string>) {
  return readKeys(memoryChannel.keys, new Map(Object.entries(properties)));
}

async function open(properties: Record<string, string>): Promise<{ channel: Channel; clock: ManualClock }> {
  const { values, problems } = read(properties);
  assert.deepEqual(problems, []);
  assert.ok(values);
  const clock = new ManualClock();
  const context = { name: 'c1', log, clock, count: () => undefined };
  return { channel: await memoryChannel.create(values, context).open(), clock };
}

function events(count: number, bytes = 10) {
  return Array.from({ length: count }, () => ({ headers: {}, body: Buffer.alloc(bytes) }));
}

/** How long, by the clock, a put waited before it was refused. */
async function waitedMs(clock: ManualClock, put: Promise<unknown>): Promise<number> {
  const startedMs = clock.nowMs;
  await assert.rejects(clock.run(put), { code: 'CHANNEL_FULL' });
  return clock.nowMs - startedMs;
}

test("Flume's defaults: 100 events, 100 a transaction, 3 s", async () => {
  const { channel, clock } = await open({});
  await assert.rejects(channel.put(events(101)), { code: 'TRANSACTION_TOO_LARGE' });
  await channel.put(events(100));
  assert.equal(await waitedMs(clock, channel.put(events(1))), 3000);
});

test('capacity, transactionCapacity and keep-alive in seconds', async () => {
  const { channel, clock } = await open({ capacity: '7', transactionCapacity: '5', 'keep-alive': '2' });
  await assert.rejects(channel.put(events(6)), { code: 'TRANSACTION_TOO_LARGE' });
  await channel.put(events(5));
  await channel.put(events(2));
  assert.equal(await waitedMs(clock, channel.put(events(1))), 2000);
});

test('byteCapacity bounds the bytes; 0 does not', async () => {
  const { channel, clock } = await open({ byteCapacity: '1000', 'keep-alive': '1' });
  await channel.put(events(1, 900));
  assert.equal(await waitedMs(clock, channel.put(events(1, 200))), 1000);
  const unbounded = await open({ byteCapacity: '0' });
  await unbounded.channel.put(events(10, 1_000_000));
  assert.equal(unbounded.channel.stats().depthEvents, 10);
});

test('what is no number, or not above 0, has the default and is said, as in Flume', () => {
  const { values, problems, warnings } = read({
    capacity: 'many',
    transactionCapacity: '0',
    'keep-alive': 'x',
    byteCapacity: 'y',
    byteCapacityBufferPercentage: '10',
  });
  assert.deepEqual(problems, []);
  assert.equal(values?.capacity, 100);
  assert.equal(values?.transactionCapacity, 100);
  assert.equal(values?.['keep-alive'], 3);
  assert.equal(values?.byteCapacity, undefined);
  assert.equal(warnings.length, 5);
});

test('transactionCapacity above capacity is refused', () => {
  const { values } = read({ capacity: '50' });
  assert.ok(values);
  assert.match(memoryChannel.check?.(values)[0]?.message ?? '', /at most capacity, which is 50/);
});
