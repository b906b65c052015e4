/** What works of a channel count: events, headers, groups, bytes that were read. */
import assert from 'node:assert/strict';
import test from 'node:test';
import { memoryDisk } from '../../src/base/disk-memory.ts';
import { diskWith, fileWith } from '../../src/base/disk-with.ts';
import { kib } from '../../src/base/units.ts';
import { runWork } from '../../src/bench/channel-work.ts';
import { randomEvents } from '../../src/bench/events.ts';
import { measuredDisk } from '../../src/bench/measured-disk.ts';
import { readSequentially, writeReadable } from '../../src/bench/sequential-read.ts';
import { FileChannel } from '../../src/channel/file-channel.ts';

test('a work counts what the channel has: puts are there, and what was taken is gone', async () => {
  const channel = await FileChannel.open('/c', { checkpoint: 'memory', minimumFreeBytes: 0 }, { disk: memoryDisk() });
  const options = { windowMs: 20, bodyBytes: 50, headers: 3 };
  const { put } = await runWork(channel, { kind: 'put', producers: 3, batch: 7 }, options);
  assert.equal(channel.stats().depthEvents, put?.events);
  const events = put?.events ?? 0;
  const { taken } = await runWork(channel, { kind: 'take', consumers: 1, batch: 1000, events }, { windowMs: 60_000 });
  assert.equal(taken?.events, events);
  assert.equal(channel.stats().depthEvents, 0);
  await channel.close();
});

test('events have so many headers, of which one changes from event to event', () => {
  const [first, second] = randomEvents(2, 10, 1, 3);
  assert.deepEqual(Object.keys(first?.headers ?? {}), ['header-1', 'header-2', 'header-3']);
  const differing = Object.keys(first?.headers ?? {}).filter((name) => first?.headers[name] !== second?.headers[name]);
  assert.deepEqual(differing, ['header-3']);
  assert.deepEqual(randomEvents(1, 10, 1)[0]?.headers, {});
  assert.notDeepEqual(first?.body, second?.body);
});

test('zeros written ahead are no group', async () => {
  const { disk, counts, reset } = measuredDisk(memoryDisk());
  await disk.makeDirectory('/d');
  const file = await disk.open('/d/f', { mode: 'create', writeThrough: true });
  await file.write(disk.allocate(64 * kib).fill(0), 0);
  assert.equal(counts().writes, 0);
  file.writeSync(disk.allocate(4 * kib).fill(1), 0);
  await file.write(disk.allocate(8 * kib).fill(1), 4 * kib);
  await file.write(disk.allocate(8 * kib).fill(1), 12 * kib);
  const { writes, bytes, bytesMedian } = counts();
  assert.deepEqual([writes, bytes, bytesMedian], [3, 20 * kib, 8 * kib]);
  reset();
  assert.equal(counts().writes, 0);
});

test('reading in order goes through the whole file, round and round', async () => {
  const plain = memoryDisk();
  await plain.makeDirectory('/d');
  await writeReadable(plain, '/d/f', 4 * 1024 * kib);
  assert.equal((await plain.entry('/d/f'))?.bytes, 4 * 1024 * kib);
  let given = 0;
  const counting = diskWith(plain, {
    open: async (path, options) => {
      const file = await plain.open(path, options);
      return fileWith(file, {
        read: async (target, position) => {
          const read = await file.read(target, position);
          given += read;
          return read;
        },
      });
    },
  });
  const durationMs = 200;
  const startMs = performance.now();
  const perSecond = await readSequentially(counting, ['/d/f', '/d/f'], { durationMs, readsAtOnce: 4 });
  const least = given / ((performance.now() - startMs) / 1000);
  const most = given / (durationMs / 1000);
  assert.ok(given > 8 * 1024 * kib, `${given}`);
  assert.ok(perSecond >= least && perSecond <= most, `${least} to ${most}: ${perSecond}`);
});
