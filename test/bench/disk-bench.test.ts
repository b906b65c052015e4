/** What is measured of a disk: where writes go, how rounds run, how much space it takes, and how it is broken off. */
import assert from 'node:assert/strict';
import { readFileSync, statSync } from 'node:fs';
import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import test from 'node:test';
import { nodeDisk } from '../../src/base/disk-node.ts';
import { kib, mib } from '../../src/base/units.ts';
import { type DiskBenchOptions, measureDisk } from '../../src/bench/disk-bench.ts';
import { type DiskChoice, diskCells, spaceNeeded } from '../../src/bench/disk-cells.ts';
import { DiskLane, type WriteLayout } from '../../src/bench/disk-lane.ts';
import { RawFile, type WriteWay } from '../../src/bench/raw-file.ts';
import { inRounds, spreadOf } from '../../src/bench/rounds.ts';
import { runLanes } from '../../src/bench/write-loop.ts';
import { tempDir } from '../support/temp-dir.ts';

const disk = nodeDisk();
const layouts: readonly WriteLayout[] = ['appending', 'overwriting', 'zero-filled'];
const ways: readonly WriteWay[] = ['direct', 'buffered', 'dsync'];
const sizes: DiskBenchOptions = {
  rounds: 2,
  durationMs: 3,
  overwrittenBytes: 2 * mib,
  appendedBytesMax: 2 * mib,
  readableBytes: 2 * mib,
};

test('appending grows the file, overwriting goes round, and zeros are written ahead a stretch at a time', async (t) => {
  const directory = await tempDir(t);
  const source = disk.allocate(4 * kib).fill(7);
  const zeros = disk.allocate(64 * kib).fill(0);
  const written = async (layout: WriteLayout, steps: number, isAlone: boolean): Promise<Buffer> => {
    const file = RawFile.create(join(directory, `${layout}-${isAlone}`), 'buffered');
    assert.ok(file !== undefined);
    const lane = new DiskLane({ file, layout, source, zeros, endBytes: 64 * kib });
    for (let step = 0; step < steps; step++) await (isAlone ? lane.stepSync() : lane.step());
    assert.equal(lane.isFull, steps === 16 && layout !== 'overwriting', layout);
    await file.close();
    return readFileSync(file.path);
  };
  for (const isAlone of [true, false]) {
    const data = Buffer.alloc(12 * kib, 7);
    assert.deepEqual(await written('appending', 3, isAlone), data);
    assert.deepEqual(await written('zero-filled', 3, isAlone), Buffer.concat([data, Buffer.alloc(52 * kib)]));
    assert.equal((await written('overwriting', 32, isAlone)).length, 64 * kib);
  }
  assert.equal((await readdir(directory)).length, 6);
});

test('a lane that is full ends its loop before the time is over, and every write is counted', async (t) => {
  const directory = await tempDir(t);
  const source = disk.allocate(4 * kib);
  for (const way of ways) {
    const file = RawFile.create(join(directory, way), way);
    if (file === undefined) continue;
    const lane = new DiskLane({ file, layout: 'appending', source, zeros: source, endBytes: 40 * kib });
    const { steps, p50Us, p99Us } = await runLanes([lane], 60_000, undefined);
    assert.equal(steps, 10, way);
    assert.ok(p50Us > 0 && p99Us >= p50Us);
    assert.equal(statSync(file.path).size, 40 * kib);
    await file.remove();
  }
  assert.deepEqual(await readdir(directory), []);
});

test('every cell has a row, and no more space is taken than was said', async (t) => {
  const directory = await tempDir(t);
  const choice: DiskChoice = { layouts, ways, files: [1, 2], sizes: [64 * kib] };
  const cells = diskCells(choice);
  assert.equal(cells.length, 3 * 3 * 2 + 4);
  let [most, calls] = [0, 0];
  const rows = await measureDisk(disk, directory, cells, {
    ...sizes,
    onProgress: (done, total) => {
      calls += 1;
      assert.deepEqual([done, total], [calls, 2 * cells.length]);
      most = Math.max(most, calls);
    },
  });
  const entries = await Promise.all((await readdir(directory)).map((name) => stat(join(directory, name))));
  const bytes = entries.reduce((sum, { size }) => sum + size, 0);
  assert.ok(bytes > 0 && bytes + sizes.appendedBytesMax <= spaceNeeded(choice, sizes), `${bytes} bytes`);
  assert.deepEqual(
    rows.map(({ cell }) => cell),
    cells,
  );
  for (const { cell, perSecond, megabytesPerSecond, p50Us } of rows) {
    const isRefused = cell.kind === 'write' && cell.way === 'direct' && !(await disk.isDirect(directory));
    assert.equal(perSecond === undefined, isRefused, JSON.stringify(cell));
    if (perSecond === undefined || megabytesPerSecond === undefined) continue;
    assert.ok(perSecond.low > 0 && perSecond.low <= perSecond.median && perSecond.median <= perSecond.high);
    assert.ok(Math.abs(megabytesPerSecond.low - (perSecond.low * cell.bytes) / 1e6) < 1e-6);
    assert.equal(p50Us !== undefined, cell.kind === 'write');
  }
  console.log(`shows: ${rows.length} kinds of writes and reads, ${most} measurements`);
});

test('an interruption ends a measurement in its middle, alone and with several files', async (t) => {
  for (const files of [1, 3]) {
    const directory = await tempDir(t);
    const choice: DiskChoice = { layouts: ['overwriting'], ways: ['buffered'], files: [files], sizes: [4 * kib] };
    const abort = new AbortController();
    const timer = setTimeout(() => abort.abort(new Error('enough')), 100);
    const startMs = performance.now();
    const options = { ...sizes, durationMs: 30_000, signal: abort.signal };
    await assert.rejects(measureDisk(disk, directory, diskCells(choice), options), /enough/);
    clearTimeout(timer);
    assert.ok(performance.now() - startMs < 10_000);
  }
});

test('each round begins elsewhere, measures every cell once, and is to be broken off between two', async () => {
  const orders: string[] = ['', '', ''];
  const measured = await inRounds(['a', 'b', 'c'], { rounds: 3, signal: undefined }, async (cell, round) => {
    orders[round] += cell;
    return `${cell}${round}`;
  });
  assert.deepEqual(orders, ['abc', 'acb', 'cab']);
  assert.deepEqual(measured[1], { cell: 'b', rounds: ['b0', 'b1', 'b2'] });
  const abort = new AbortController();
  const seen: string[] = [];
  const broken = inRounds(['a', 'b'], { rounds: 1, signal: abort.signal }, async (cell) => {
    seen.push(cell);
    abort.abort();
  });
  await assert.rejects(broken, { name: 'AbortError' });
  assert.deepEqual(seen, ['a']);
  assert.deepEqual(spreadOf([3, 1, 2]), { median: 2, low: 1, high: 3 });
  assert.ok(Number.isNaN(spreadOf([]).median));
});
