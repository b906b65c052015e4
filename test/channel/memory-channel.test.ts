/** MemoryChannel: the suite of all channels without its restarts, and what only it does. */
import assert from 'node:assert/strict';
import { it } from 'node:test';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { ForebayError } from '../../src/base/errors.ts';
import { MemoryChannel, type MemoryChannelOptions } from '../../src/channel/memory-channel.ts';
import { channelSuite, durabilityCases } from '../conformance/channel.ts';

channelSuite(
  'MemoryChannel',
  async (options) => {
    const channel = await MemoryChannel.open(options);
    return { channel, done: () => channel.close() };
  },
  { durable: false },
);

it('MemoryChannel leaves out exactly the cases that need a restart', () => {
  assert.deepEqual(durabilityCases, [
    'committed puts are there after a restart, others are not',
    'committed takes do not come back; leased and rolled back ones do, once',
    'dropped events do not come back after a restart, and their counts and notes stay',
    'sequences go on after a restart, also of an empty channel',
    'acknowledgements of scattered events are exact after a restart',
    'prepared takes wait for their resolution over restarts',
    'notes survive with what they rode with',
    'counters go on over restarts and add up',
    'a full channel stays full over a restart, and drains',
    'a restart with nothing done changes nothing',
  ]);
});

it('MemoryChannel refuses options of channels on disk', async () => {
  const options = { segmentBytes: 2 ** 20 } as MemoryChannelOptions;
  await assert.rejects(MemoryChannel.open(options), (error) => {
    return error instanceof ForebayError && error.code === 'CONFIG_INVALID' && error.message.includes('segmentBytes');
  });
});

it('MemoryChannel lets settled events go', async () => {
  const channel = await MemoryChannel.open();
  const events = Array.from({ length: 1000 }, () => ({ headers: {}, body: Buffer.alloc(0) }));
  const before = memoryBytes();
  for (let turn = 0; turn < 1000; turn++) {
    await channel.put(events);
    await (await channel.take(1000)).commit();
  }
  const grown = memoryBytes() - before;
  assert.ok(grown < 4 * 2 ** 20, `a million events went through, ${grown} bytes stayed`);
  await channel.close();
});

function memoryBytes(): number {
  setFlagsFromString('--expose-gc');
  runInNewContext('gc')();
  const { heapUsed, arrayBuffers } = process.memoryUsage();
  return heapUsed + arrayBuffers;
}
