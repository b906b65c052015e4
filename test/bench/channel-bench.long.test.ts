/** Works of a channel on a real disk: their rates beside the disk's own limit, and an early end. */
import assert from 'node:assert/strict';
import { readdir } from 'node:fs/promises';
import test, { type TestContext } from 'node:test';
import { nodeDisk } from '../../src/base/disk-node.ts';
import { mib } from '../../src/base/units.ts';
import { type ChannelBenchOptions, type ChannelCell, measureChannel } from '../../src/bench/channel-bench.ts';
import { DiskGauge } from '../../src/bench/disk-rate.ts';
import { tempDir } from '../support/temp-dir.ts';

const kind = { kind: 'work', bodyBytes: 100, headers: 2 } as const;
const cells: readonly ChannelCell[] = [
  { ...kind, work: { kind: 'put', producers: 2, batch: 10 } },
  { ...kind, work: { kind: 'take', consumers: 1, batch: 100, events: 2000 } },
  { ...kind, work: { kind: 'mixed', producers: 2, consumers: 2, batch: 10 } },
];

async function placeOf(t: TestContext): Promise<ChannelBenchOptions> {
  const [disk, directory] = [nodeDisk(), await tempDir(t)];
  const gauge = new DiskGauge(disk, directory, { overwrittenBytes: mib, readableBytes: 2 * mib });
  t.after(() => gauge.close());
  const child = (): never => assert.fail('no process is started for works');
  return { disk, directory, gauge, child, rounds: 1, windowMs: 20, warmUpMs: 0, gaugeMs: 3 };
}

async function filesIn(directory: string): Promise<string[]> {
  const entries = await readdir(directory, { recursive: true, withFileTypes: true });
  return entries.filter((entry) => !entry.isDirectory()).map((entry) => entry.name);
}

test('each work has its rate, its latencies, and the share of what the disk does by itself', async (t) => {
  const place = await placeOf(t);
  const names: string[] = [];
  const rows = await measureChannel(cells, { ...place, onProgress: (_, name) => names.push(name) });
  assert.deepEqual(
    rows.map(({ name }) => name),
    ['put 2 × 10', 'take 1 × 100', 'put and take 2 + 2 × 10'],
  );
  assert.equal(names.length, 3);
  for (const row of rows) {
    assert.ok('eventsPerSecond' in row && row.limit !== undefined && row.share !== undefined, row.name);
    const { eventsPerSecond, commitsPerSecond, limit, share, cell, groupBytes, p50Us, p99Us } = row;
    assert.ok(eventsPerSecond.low > 0 && eventsPerSecond.high >= eventsPerSecond.median, row.name);
    if (cell.work.kind !== 'mixed') {
      assert.ok(Math.abs(eventsPerSecond.median / commitsPerSecond.median - cell.work.batch) < 0.01 * cell.work.batch);
    }
    assert.ok(limit.eventsPerSecond > 0 && share.low > 0 && groupBytes % 4096 === 0 && groupBytes > 0);
    assert.ok(limit.by === 'write' || cell.work.kind === 'take');
    assert.ok(p50Us > 0 && p99Us >= p50Us);
    assert.equal(row.putEventsPerSecond !== undefined, cell.work.kind === 'mixed');
    console.log(`shows: ${row.name}: ${Math.round(eventsPerSecond.median)} events/s of ${limit.eventsPerSecond | 0}`);
  }
  await place.gauge.close();
  assert.deepEqual(await filesIn(place.directory), []);
});

test('an interruption ends a work long before its window, with the channel closed', async (t) => {
  const abort = new AbortController();
  const place = { ...(await placeOf(t)), windowMs: 60_000, signal: abort.signal };
  const timer = setTimeout(() => abort.abort(new Error('enough')), 150);
  for (const cell of cells) await assert.rejects(measureChannel([cell], place), /enough/);
  clearTimeout(timer);
  assert.deepEqual(await filesIn(place.directory), []);
});
