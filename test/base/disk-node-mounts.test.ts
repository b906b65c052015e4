/**
 * File systems made for the test: ramfs refuses O_DIRECT, tmpfs does before Linux 6.6; a small one is full soon.
 * Mounting needs root; without it, these are skipped and say so.
 */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { rmdir } from 'node:fs/promises';
import test, { type TestContext } from 'node:test';
import { nodeDisk } from '../../src/base/disk-node.ts';
import { diskSuite } from '../conformance/disk.ts';
import { makeTempDir, tempDir } from '../support/temp-dir.ts';

const refusal = await mountRefusal();
const skip = refusal === undefined ? false : `needs to mount file systems, as root: ${refusal}`;

/** Mounts a fresh file system for one test. */
async function mounted(context: TestContext, type: string, options = 'rw'): Promise<string> {
  const path = await makeTempDir();
  execFileSync('mount', ['-t', type, '-o', options, 'forebay-test', path]);
  context.after(async () => {
    execFileSync('umount', [path]);
    await rmdir(path);
  });
  return path;
}

async function mountRefusal(): Promise<string | undefined> {
  const path = await makeTempDir();
  try {
    execFileSync('mount', ['-t', 'ramfs', 'forebay-test', path], { stdio: 'pipe' });
    execFileSync('umount', [path]);
    return undefined;
  } catch (error) {
    return String(error).split('\n')[0] ?? 'refused';
  } finally {
    await rmdir(path);
  }
}

if (skip === false) {
  diskSuite('tmpfs', async (context) => ({ disk: nodeDisk(), directory: await mounted(context, 'tmpfs') }));
}

test('ramfs takes no direct writes: buffered ones with a sync each work there', { skip }, async (context) => {
  const disk = nodeDisk();
  const directory = await mounted(context, 'ramfs');
  assert.equal(await disk.isDirect(directory), false);
  assert.deepEqual(readdirSync(directory), [], 'the refused trial leaves nothing behind');
  const file = await disk.open(`${directory}/a`, { mode: 'create', writeThrough: true });
  await file.write(disk.allocate(8192).fill(4), 4096);
  file.writeSync(disk.allocate(4096).fill(5), 0);
  const read = Buffer.alloc(12_288);
  assert.equal(await file.read(read, 0), 12_288);
  assert.ok(read.equals(Buffer.concat([Buffer.alloc(4096, 5), Buffer.alloc(8192, 4)])));
  await file.close();
  const reader = await disk.open(`${directory}/a`, { mode: 'read', pastCache: true });
  const aligned = disk.allocate(12_288);
  assert.equal(await reader.read(aligned, 0), 12_288);
  assert.ok(aligned.equals(read), 'past the cache is through it here');
  await reader.close();
});

test('each directory is tried for itself', { skip }, async (context) => {
  const disk = nodeDisk();
  const own = await tempDir(context);
  const alone = await nodeDisk().isDirect(own);
  assert.equal(await disk.isDirect(await mounted(context, 'ramfs')), false);
  assert.equal(await disk.isDirect(own), alone);
});

test('a full file system says ENOSPC, and what was there stays', { skip }, async (context) => {
  const disk = nodeDisk();
  const directory = await mounted(context, 'tmpfs', 'size=256k');
  const file = await disk.open(`${directory}/a`, { mode: 'create', writeThrough: true });
  await file.write(disk.allocate(65_536).fill(1), 0);
  await assert.rejects(file.write(disk.allocate(2 ** 20).fill(2), 65_536), { code: 'ENOSPC' });
  await file.truncate(65_536);
  await file.write(disk.allocate(65_536).fill(3), 0);
  assert.equal(await file.bytes(), 65_536);
  await file.close();
});

test('a directory on a full file system can still be opened', { skip }, async (context) => {
  const directory = await mounted(context, 'tmpfs', 'size=64k');
  const first = nodeDisk();
  const file = await first.open(`${directory}/a`, { mode: 'create', writeThrough: true });
  await file.write(first.allocate(65_536).fill(1), 0);
  await file.close();
  assert.equal(await first.freeBytes(directory), 0);

  const disk = nodeDisk();
  const again = await disk.open(`${directory}/a`, { mode: 'write', writeThrough: true });
  await again.write(disk.allocate(65_536).fill(2), 0);
  const read = Buffer.alloc(1);
  await again.read(read, 60_000);
  assert.equal(read[0], 2);
  await again.close();
  assert.deepEqual(readdirSync(directory), ['a']);
});

test('a directory that cannot be written says so', { skip }, async (context) => {
  const directory = await mounted(context, 'tmpfs', 'ro');
  const disk = nodeDisk();
  await assert.rejects(disk.isDirect(directory), { code: 'EROFS' });
  await assert.rejects(disk.lock(`${directory}/lock`), { code: 'EROFS' });
  await disk.makeDirectory(directory);
});

test('the parent of what was made is synced, whatever stands above it', { skip }, async (context) => {
  const directory = await mounted(context, 'ramfs');
  await nodeDisk().makeDirectory(`${directory}/a/b/c`);
  assert.deepEqual(readdirSync(`${directory}/a/b`), ['c']);
});
