/**
 * How fast a large channel is read: `verify` against the disk's own rate, one event found by its time. Ten gigabytes
 * where the disk has room for them; the figures are printed, and the bars leave room for the tests beside this one.
 */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { readdir, rm, statfs } from 'node:fs/promises';
import { join } from 'node:path';
import test, { type TestContext } from 'node:test';
import { promisify } from 'node:util';
import { systemClock } from '../../../src/base/clock.ts';
import { nodeDisk } from '../../../src/base/disk-node.ts';
import { FileChannel } from '../../../src/channel/file-channel.ts';
import { viewChannel } from '../../../src/channel/reader/channel-view.ts';
import { dumpEvents } from '../../../src/channel/reader/dump.ts';
import { SegmentWalk } from '../../../src/channel/reader/segment-walk.ts';
import { verifyChannel } from '../../../src/channel/reader/verify.ts';
import { tempDir } from '../../support/temp-dir.ts';

const bodyBytes = 500;
const batchEvents = 1000;
const largeBytes = 10e9;
const smallBytes = 1e9;
const run = promisify(execFile);

interface Made {
  readonly directory: string;
  readonly events: number;
  /** When half of them had been put. */
  readonly halfMs: number;
}

async function make(t: TestContext): Promise<Made> {
  const directory = join(await tempDir(t), 'c1');
  const { bavail, bsize } = await statfs(join(directory, '..'));
  const events = (bavail * bsize > 3 * largeBytes ? largeBytes : smallBytes) / bodyBytes;
  const channel = await FileChannel.open(directory, { capacityEvents: events });
  const body = Buffer.alloc(bodyBytes, 'a log line ');
  let halfMs = 0;
  for (let put = 0; put < events; put += batchEvents) {
    if (put === events / 2) halfMs = Date.now();
    await channel.put(Array.from({ length: batchEvents }, (_, at) => ({ headers: { host: `web${at % 7}` }, body })));
  }
  await channel.close();
  return { directory, events, halfMs };
}

/** Gigabytes a second, past the cache, of the segments of a channel: what the disk gives to one reader. */
async function diskRate(directory: string): Promise<number> {
  const names = (await readdir(directory)).filter((name) => name.endsWith('.seg')).slice(0, 32);
  const startMs = performance.now();
  let bytes = 0;
  for (const name of names) {
    await run('dd', [`if=${join(directory, name)}`, 'of=/dev/null', 'bs=4M', 'iflag=direct', 'status=none']);
    bytes += 64 * 1024 * 1024;
  }
  return bytes / (performance.now() - startMs) / 1e6;
}

interface Found {
  readonly tookMs: number;
  readonly sequence: number;
}

/** How long it takes to find the first event of a time, by what the segments say of themselves, and its sequence. */
async function find(directory: string, fromMs: number): Promise<Found> {
  const startMs = performance.now();
  const view = await viewChannel(directory, {}, { disk: nodeDisk(), clock: systemClock });
  for await (const { event } of dumpEvents(view, { fromMs })) {
    return { tookMs: Math.round(performance.now() - startMs), sequence: event.sequence };
  }
  throw new Error('no event of that time');
}

/** The same without what they say: by reading all groups before it. */
async function findByWalk(directory: string, fromMs: number): Promise<Found> {
  const startMs = performance.now();
  const view = await viewChannel(directory, {}, { disk: nodeDisk(), clock: systemClock });
  for (const segment of view.segments) {
    const walk = await SegmentWalk.open(view, segment, { checksPuts: true });
    for (let step = await walk?.next(); step !== undefined; step = await walk?.next()) {
      if (step.kind !== 'group' || step.group.header.wallMs < fromMs) continue;
      const sequence = step.group.header.nextSequence;
      await walk?.close();
      return { tookMs: Math.round(performance.now() - startMs), sequence };
    }
    await walk?.close();
  }
  throw new Error('no group of that time');
}

test('ten gigabytes: verify keeps up with the disk, and an event is found by its time', async (t) => {
  const { directory, events, halfMs } = await make(t);
  const found = await find(directory, halfMs);
  const view = await viewChannel(directory, {}, { disk: nodeDisk(), clock: systemClock });
  const startMs = performance.now();
  const report = await verifyChannel(view);
  const rate = report.bytesRead / (performance.now() - startMs) / 1e6;
  const disk = await diskRate(directory);
  assert.equal(report.ok, true);
  assert.equal(report.events, events);
  assert.ok(Math.abs(found.sequence - events / 2) <= 2 * batchEvents, `${found.sequence} is not the middle`);

  await rm(join(directory, 'checkpoint'), { recursive: true });
  const without = await find(directory, halfMs);
  const walked = await findByWalk(directory, halfMs);
  assert.deepEqual([without.sequence, walked.sequence], [found.sequence, found.sequence]);
  for (const { tookMs } of [found, without]) assert.ok(tookMs < 1000, `found after ${tookMs} ms`);
  assert.ok(rate > 0.15 * Math.min(1, disk), `${rate} GB/s where the disk gives ${disk}`);
  const size = `${(report.bytesRead / 1e9).toFixed(1)} GB`;
  console.log(`shows: verify of ${size}: ${rate.toFixed(2)} GB/s; the disk alone, by dd: ${disk.toFixed(2)} GB/s`);
  const others = `without a checkpoint ${without.tookMs} ms; without an index, by a walk, ${walked.tookMs} ms`;
  console.log(`shows: one event by its time in ${size}, by its segments: ${found.tookMs} ms, ${others}`);
});
