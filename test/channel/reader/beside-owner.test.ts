/** A reader beside an owner whose log moves: never damage where there is none, never an event that was not durable. */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import test from 'node:test';
import { systemClock } from '../../../src/base/clock.ts';
import { nodeDisk } from '../../../src/base/disk-node.ts';
import { FileChannel } from '../../../src/channel/file-channel.ts';
import { type ChannelView, viewChannel } from '../../../src/channel/reader/channel-view.ts';
import { dumpEvents } from '../../../src/channel/reader/dump.ts';
import { verifyChannel } from '../../../src/channel/reader/verify.ts';
import { tempDir } from '../../support/temp-dir.ts';

const runMs = 2500;
const options = { segmentBytes: 65_536, minimumFreeBytes: 0, checkpoint: 'memory' } as const;

function look(directory: string): Promise<ChannelView> {
  return viewChannel(directory, {}, { disk: nodeDisk(), clock: systemClock });
}

test('segments are written and used again while they are read', { timeout: 60_000 }, async (t) => {
  const directory = join(await tempDir(t), 'c1');
  const channel = await FileChannel.open(directory, options);
  let given = 0;
  let isOver = false;
  const producer = (async () => {
    for (; !isOver; given += 20) {
      const from = given + 1;
      await channel.put(Array.from({ length: 20 }, (_, at) => ({ headers: {}, body: Buffer.from(`${from + at}`) })));
    }
  })();
  const consumer = (async () => {
    while (!isOver) {
      const batch = await channel.take(100, { waitMs: 50 });
      await batch.commit();
    }
  })();
  const endMs = performance.now() + runMs;
  let reads = 0;
  let events = 0;
  let segmentsSeen = 0;
  while (performance.now() < endMs) {
    const putBefore = channel.stats().counters.put;
    const view = await look(directory);
    assert.equal(view.owner, 'running');
    // What had been acknowledged a while before is there; a MARK or the next group proves it.
    assert.ok(view.queue.counters.put <= given + 20);
    assert.ok(view.queue.counters.put >= putBefore - 20 * 64, `${view.queue.counters.put} of ${putBefore}`);
    const report = await verifyChannel(view);
    assert.deepEqual(report.damages, []);
    for await (const { event } of dumpEvents(view, {})) {
      assert.equal(event.body.toString(), `${event.sequence}`);
      events += 1;
    }
    segmentsSeen = Math.max(segmentsSeen, view.segments.at(-1)?.id ?? 0);
    reads += 1;
  }
  isOver = true;
  await Promise.all([producer, consumer]);
  await channel.close();
  const after = await look(directory);
  assert.deepEqual([after.owner, after.isClean, after.queue.counters.put], ['none', true, given]);
  assert.ok(reads >= 3 && segmentsSeen > 5, `${reads} reads, ${segmentsSeen} segments`);
  console.log(`shows: readers: ${reads} beside an owner that used ${segmentsSeen} segments, ${events} events seen`);
});
