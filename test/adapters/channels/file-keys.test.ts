/** Keys that the file channel shares with spillablememory: each does the same in both. */
import assert from 'node:assert/strict';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import test, { type TestContext } from 'node:test';
import { setTimeout } from 'node:timers/promises';
import { fileChannel, spillableMemoryChannel } from '../../../src/adapters/channels/file.ts';
import type { ChannelDefinition } from '../../../src/agent/contracts/components.ts';
import type { Keys } from '../../../src/agent/contracts/keys.ts';
import { ofAnyKeys } from '../../../src/agent/contracts/registry.ts';
import { type Channel, type Clock, MemoryChannel } from '../../../src/engine.ts';
import { ManualClock } from '../../support/manual-clock.ts';
import { tempDir } from '../../support/temp-dir.ts';
import { sinkOn, valuesOf } from '../contexts.ts';

const file = ofAnyKeys(fileChannel);
const spillable = ofAnyKeys(spillableMemoryChannel);
const { context } = sinkOn(await MemoryChannel.open());

/** In directories of its own, of which `texts` may name others. Closed when the test ends. */
async function open(
  t: TestContext,
  definition: ChannelDefinition<Keys>,
  texts: Record<string, string>,
  clock: Clock = context.clock,
): Promise<Channel> {
  const directory = await tempDir(t);
  const directories = { dataDirs: join(directory, 'data'), checkpointDir: join(directory, 'checkpoint') };
  const values = valuesOf(definition, { ...directories, ...texts });
  const channel = await definition.create(values, { ...context, clock }).open();
  t.after(() => channel.close());
  return channel;
}

function events(count: number, bytes = 10) {
  return Array.from({ length: count }, () => ({ headers: {}, body: Buffer.alloc(bytes, 'x') }));
}

/** When the first checkpoint is there, by the clock; 20 s where it is not by then. */
async function firstCheckpointMs(t: TestContext, definition: ChannelDefinition<Keys>, interval: string) {
  const clock = new ManualClock();
  const channel = await open(t, definition, { checkpointInterval: interval }, clock);
  await channel.put(events(1));
  while (channel.stats().checkpoint === null && clock.nowMs < 20_000) {
    clock.advance(50);
    await setTimeout(2);
  }
  return clock.nowMs;
}

test('file: a checkpoint each checkpointInterval', async (t) => {
  const ms = await firstCheckpointMs(t, file, '1500');
  assert.ok(ms >= 1500 && ms < 20_000, `${ms} ms`);
});

test('spillablememory: a checkpoint each checkpointInterval', async (t) => {
  const ms = await firstCheckpointMs(t, spillable, '1500');
  assert.ok(ms >= 1500 && ms < 20_000, `${ms} ms`);
});

test('file: transactionCapacity is what one transaction takes', async (t) => {
  const channel = await open(t, file, { transactionCapacity: '4' });
  await channel.put(events(4));
  await assert.rejects(channel.put(events(5)), { code: 'TRANSACTION_TOO_LARGE' });
});

test('minimumRequiredSpace: a put that needs another file of the log waits for it', async (t) => {
  const small = { maxFileSize: '65536', 'keep-alive': '0' };
  const fill = async (channel: Channel): Promise<void> => {
    for (let put = 0; put < 6; put += 1) await channel.put(events(1, 40_000));
  };
  await fill(await open(t, file, { ...small, minimumRequiredSpace: '1048576' }));
  // More than any disk has.
  const channel = await open(t, file, { ...small, minimumRequiredSpace: '8000000000000000' });
  await assert.rejects(fill(channel), { code: 'DISK_FULL' });
});

test('spillablememory: dataDirs, checkpointDir and transactionCapacity', async (t) => {
  const directory = await tempDir(t);
  const dataDirs = [join(directory, 'd1'), join(directory, 'd2')];
  const checkpointDir = join(directory, 'cp');
  const channel = await open(t, spillable, { dataDirs: dataDirs.join(), checkpointDir, transactionCapacity: '4' });
  for (const path of [...dataDirs, checkpointDir]) assert.ok((await readdir(path)).includes('channel.json'), path);
  await assert.rejects(channel.put(events(5)), { code: 'TRANSACTION_TOO_LARGE' });
});
