/** Keys of the spooldir source whose effect is a time, a number of transactions, or a place beside the files. */
import assert from 'node:assert/strict';
import { readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import test, { type TestContext } from 'node:test';
import avsc from 'avsc';
import { systemClock } from '../../../../src/base/clock.ts';
import { type Channel, type Clock, MemoryChannel, type MemoryChannelOptions } from '../../../../src/engine.ts';
import { tempDir } from '../../../support/temp-dir.ts';
import { drain, isAllDone, makeSource, until } from './support.ts';

/** A source over one file, which is stopped when the test ends; and the waits that it asked for, which take no time. */
async function scene(
  t: TestContext,
  content: string | Buffer,
  keys: Record<string, string>,
  options: MemoryChannelOptions = {},
) {
  const spoolDir = await tempDir(t);
  await writeFile(join(spoolDir, 'a'), content);
  const channel: Channel = await MemoryChannel.open(options);
  const waitsMs: number[] = [];
  const clock: Clock = {
    ...systemClock,
    after: (delayMs, call, keepsAlive) => {
      waitsMs.push(delayMs);
      return systemClock.after(2, call, keepsAlive);
    },
  };
  const running = makeSource(new Map([['c1', channel]]), { spoolDir, ...keys }, (processor) => processor, clock);
  t.after(async () => {
    await running.source.stop();
    await channel.close();
  });
  await running.source.start();
  return { ...running, spoolDir, channel, waitsMs };
}

test('pollDelay is how long it waits before it looks again', async (t) => {
  const { spoolDir, waitsMs } = await scene(t, 'x\n', { pollDelay: '1234' });
  await until(() => isAllDone(spoolDir), 'it is done');
  await until(() => waitsMs.length >= 3, 'it looked three times');
  assert.deepEqual([...new Set(waitsMs)], [1234]);
});

test('maxBackoff is the longest wait for a channel that is full', async (t) => {
  const full = { capacityEvents: 1, keepAliveMs: 1 };
  const { waitsMs } = await scene(t, 'one\ntwo\n', { maxBackoff: '700', batchSize: '1' }, full);
  await until(() => waitsMs.length >= 4, 'it was offered four times');
  assert.deepEqual(waitsMs.slice(0, 4), [250, 500, 700, 700]);
});

test('batchSize events go in one transaction', async (t) => {
  const { spoolDir, counts } = await scene(t, 'x\n'.repeat(10), { batchSize: '4' });
  await until(() => isAllDone(spoolDir), 'it is done');
  assert.equal(counts.get('AppendBatchAcceptedCount'), 3);
});

test('trackerDir is where done files are remembered', async (t) => {
  const keys = { trackingPolicy: 'tracker_dir', trackerDir: '.mine' };
  const { spoolDir, channel, waitsMs } = await scene(t, 'x\n', keys);
  await until(() => waitsMs.length > 0, 'there is nothing more to do');
  assert.equal(channel.stats().depthEvents, 1);
  assert.deepEqual((await readdir(spoolDir)).sort(), ['.mine', 'a']);
  assert.deepEqual(await readdir(join(spoolDir, '.mine')), ['a.COMPLETED']);
});

test('schemaType chooses the header that names the schema', async (t) => {
  const schema: avsc.Schema = { type: 'record', name: 'Line', fields: [{ name: 'text', type: 'string' }] };
  const type = avsc.Type.forSchema(schema);
  const encoder = new avsc.streams.BlockEncoder(type, { writeHeader: true });
  const chunks: Buffer[] = [];
  encoder.on('data', (chunk: Buffer) => chunks.push(chunk));
  const ended = new Promise((resolve) => encoder.once('end', resolve));
  encoder.end({ text: 'x' });
  await ended;
  const keys = { deserializer: 'AVRO', 'deserializer.schemaType': 'LITERAL' };
  const { spoolDir, channel } = await scene(t, Buffer.concat(chunks), keys);
  await until(() => isAllDone(spoolDir), 'it is done');
  const [event] = await drain(channel);
  assert.deepEqual(Object.keys(event?.headers ?? {}), ['flume.avro.schema.literal']);
  assert.deepEqual(JSON.parse(event?.headers['flume.avro.schema.literal'] ?? ''), schema);
});
