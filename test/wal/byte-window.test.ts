/** The window of a sequential reader: what was viewed does not change; buffers given back are used again. */
import assert from 'node:assert/strict';
import test from 'node:test';
import { systemClock } from '../../src/base/clock.ts';
import { pageBytes } from '../../src/base/disk.ts';
import { memoryDisk } from '../../src/base/disk-memory.ts';
import { diskWith } from '../../src/base/disk-with.ts';
import { kib } from '../../src/base/units.ts';
import { BufferPool } from '../../src/wal/buffer-pool.ts';
import { ByteWindow } from '../../src/wal/byte-window.ts';

const windowBytes = 64 * kib;
const windows = 40;
/** Within its last page. */
const fileBytes = windows * windowBytes - 100;

async function openWindow() {
  const plain = memoryDisk();
  let allocated = 0;
  const allocate = (bytes: number): Buffer => {
    allocated += 1;
    return plain.allocate(bytes);
  };
  const disk = diskWith(plain, { allocate });
  const content = Buffer.from(Array.from({ length: fileBytes }, (_, at) => (at ^ (at >> 8)) & 0xff));
  await disk.makeDirectory('/a');
  const written = await disk.open('/a/file', { mode: 'create' });
  await written.write(content, 0);
  await written.close();
  const file = await disk.open('/a/file', { mode: 'read', pastCache: true });
  const buffers = new BufferPool(disk);
  const window = new ByteWindow(file, fileBytes, systemClock, { windowBytes, chunksAhead: 2, isWhole: true, buffers });
  return { window, content, allocations: () => allocated };
}

test('what was viewed stays as it is until it is given back, across any number of reads', async () => {
  const { window, content } = await openWindow();
  const views: { readonly at: number; readonly view: Buffer }[] = [];
  for (let at = 0; at < fileBytes; at += 3 * pageBytes) {
    views.push({ at, view: await window.view(at, 3 * pageBytes) });
  }
  assert.equal(views.at(-1)?.view.length, fileBytes % (3 * pageBytes));
  for (const { at, view } of views) assert.ok(view.equals(content.subarray(at, at + view.length)), `at ${at}`);
  await window.release();
});

test('buffers that were given back are used again: a long file takes a handful', async () => {
  const { window, content, allocations } = await openWindow();
  for (let at = 0; at < fileBytes; at += pageBytes) {
    window.recycle();
    const view = await window.view(at, 2 * pageBytes);
    assert.ok(view.equals(content.subarray(at, at + 2 * pageBytes)), `at ${at}`);
  }
  await window.release();
  assert.ok(allocations() <= 5, `${allocations()} buffers`);
});
