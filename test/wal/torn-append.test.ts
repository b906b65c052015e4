/** A group whose write was cut while the file was still growing: the file ends inside it, and the log opens. */
import assert from 'node:assert/strict';
import test from 'node:test';
import { FileChannel } from '../../src/channel/file-channel.ts';
import { SimulatedDisk } from '../support/simulated-disk.ts';

const pageBytes = 4096;
const segment = '/c/0000000000000001.seg';
const openCheckpoint = async () => ({ store: undefined, notice: undefined });
const options = { segmentBytes: 1024 * 1024 };

/** A put of one page's worth of group, then one of `bodyBytes`, which is cut to its first `pages` pages. */
async function cutGroup(bodyBytes: number, pages: number): Promise<SimulatedDisk> {
  const disk = new SimulatedDisk({ seed: 1 });
  const channel = await FileChannel.open('/c', options, { disk, openCheckpoint });
  await channel.put([{ headers: {}, body: Buffer.from('whole') }]);
  await channel.put([{ headers: {}, body: Buffer.alloc(bodyBytes, 1) }]);
  const next = disk.kill();
  const file = await next.open(segment, { mode: 'write' });
  // Two header pages, STATE's group, the first put's group, then the one that is cut.
  await file.truncate((4 + pages) * pageBytes);
  await file.close();
  return next;
}

for (const pages of [1, 2, 70]) {
  test(`a group of 300,000 bytes of which ${pages} pages are there is a torn write`, async () => {
    const disk = await cutGroup(300_000, pages);
    const channel = await FileChannel.open('/c', options, { disk, openCheckpoint });
    const batch = await channel.take(10);
    assert.deepEqual(
      batch.events.map(({ body }) => body.toString()),
      ['whole'],
    );
    assert.deepEqual(
      channel.damages.map(({ kind, path }) => [kind, path]),
      [['unprovenTail', segment]],
    );
    await channel.close();
  });
}
