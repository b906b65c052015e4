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

test('a first group that does not hold, and that nothing follows, is kept and reported', async () => {
  const disk = new SimulatedDisk({ seed: 1 });
  const small = { segmentBytes: 65_536 };
  const channel = await FileChannel.open('/c', small, { disk, openCheckpoint });
  await channel.put([{ headers: {}, body: Buffer.alloc(30_000, 1) }]);
  await channel.put([{ headers: {}, body: Buffer.alloc(30_000, 2) }]);
  const next = disk.kill();
  const path = '/c/0000000000000002.seg';
  const file = await next.open(path, { mode: 'write' });
  await file.write(Buffer.from('gone'), 2 * pageBytes + 24);
  await file.close();
  const again = await FileChannel.open('/c', small, { disk: next, openCheckpoint });
  assert.deepEqual(
    again.damages.map(({ kind, path: where, offset, bytes }) => [kind, where, offset, bytes]),
    [['unprovenTail', path, 2 * pageBytes, 8 * pageBytes]],
  );
  assert.deepEqual(await next.list('/c/quarantine'), ['0000000000000002-8192.bin', '0000000000000002-8192.json']);
  assert.equal(again.stats().depthEvents, 1);
  await again.close();
});
