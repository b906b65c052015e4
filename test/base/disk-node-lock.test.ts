/** The owner's lock: held by the kernel, for one open at a time, until the process ends in whatever way. */
import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { symlinkSync, writeFileSync } from 'node:fs';
import test, { type TestContext } from 'node:test';
import { fileURLToPath } from 'node:url';
import { flockProgramLock } from '../../native-free-bench/flock-lock.ts';
import { nodeDisk } from '../../src/base/disk-node.ts';
import { diskSuite } from '../conformance/disk.ts';
import { tempDir } from '../support/temp-dir.ts';

const disk = nodeDisk();
const program = fileURLToPath(new URL('../support/hold-lock.ts', import.meta.url));

diskSuite('real disk, flock program', async (context) => ({
  disk: nodeDisk({ tryLock: flockProgramLock }),
  directory: await tempDir(context),
}));

/** A process that tries the lock: what it says, and its exit. */
async function tryInChild(context: TestContext, path: string): Promise<{ child: ChildProcess; said: string }> {
  const child = spawn(process.execPath, ['--import', 'tsx', program, path], { stdio: ['ignore', 'pipe', 'inherit'] });
  context.after(() => child.kill('SIGKILL'));
  assert.ok(child.stdout);
  const [said] = await once(child.stdout, 'data');
  return { child, said: String(said).trim() };
}

test('a second process is refused, and kill -9 of the owner frees the lock at once', async (context) => {
  const path = `${await tempDir(context)}/lock`;
  const { child, said } = await tryInChild(context, path);
  assert.equal(said, 'held');
  assert.equal(await disk.lock(path), undefined);
  child.kill('SIGKILL');
  await once(child, 'exit');
  const lock = await disk.lock(path);
  assert.ok(lock, 'free as soon as the owner is gone');
  assert.equal((await tryInChild(context, path)).said, 'refused');
  await lock.release();
  assert.equal((await tryInChild(context, path)).said, 'held');
});

test('the same file under another name is refused', async (context) => {
  const directory = await tempDir(context);
  symlinkSync(directory, `${directory}/link`);
  symlinkSync(`${directory}/lock`, `${directory}/alias`);
  const lock = await disk.lock(`${directory}/lock`);
  assert.equal(await disk.lock(`${directory}/link/lock`), undefined);
  assert.equal(await disk.lock(`${directory}/alias`), undefined);
  await lock?.release();
  const again = await disk.lock(`${directory}/alias`);
  assert.equal(await disk.lock(`${directory}/lock`), undefined);
  await again?.release();
});

test('reading and closing the file elsewhere in the process does not free the lock', async (context) => {
  const path = `${await tempDir(context)}/lock`;
  writeFileSync(path, 'kept');
  const lock = await disk.lock(path);
  const reader = await disk.open(path, { mode: 'read' });
  await reader.read(Buffer.alloc(4), 0);
  await reader.close();
  assert.equal((await tryInChild(context, path)).said, 'refused');
  assert.equal((await disk.entry(path))?.bytes, 4);
  await lock?.release();
});

test("a reader's probe of byte 1 does not refuse an owner that is starting", async (context) => {
  const path = `${await tempDir(context)}/lock`;
  writeFileSync(path, '');
  const { default: locks } = await import('fs-native-extensions');
  const { open } = await import('node:fs/promises');
  const probe = await open(path, 'r');
  assert.equal(locks.tryLock(probe.fd, 1, 1, { shared: true }), true);
  const starting = disk.lock(path);
  await new Promise((resolve) => setTimeout(resolve, 30));
  await probe.close();
  const lock = await starting;
  assert.ok(lock, 'waited for the probe');
  const next = await open(path, 'r');
  assert.equal(locks.tryLock(next.fd, 1, 1, { shared: true }), false, 'byte 1 says the owner is alive');
  assert.equal(locks.tryLock(next.fd, 2, 1, { shared: true }), true, 'and no more bytes are locked than two');
  await next.close();
  await lock.release();
});

test('an error other than a held lock is passed on, and the file is closed', async (context) => {
  const path = `${await tempDir(context)}/lock`;
  const failing = nodeDisk({ tryLock: () => Promise.reject(new Error('no locks here')) });
  await assert.rejects(failing.lock(path), /no locks here/);
  const lock = await disk.lock(path);
  assert.ok(lock);
  await lock.release();
});

test('a look at the owner tells whether there is one, and disturbs none', async (context) => {
  const path = `${await tempDir(context)}/lock`;
  assert.equal(await disk.owner(path), 'none', 'no file');
  const { child } = await tryInChild(context, path);
  assert.equal(await disk.owner(path), 'running');
  child.kill('SIGKILL');
  await once(child, 'exit');
  assert.equal(await disk.owner(path), 'none');
  const looks = Array.from({ length: 50 }, () => disk.owner(path));
  const lock = await disk.lock(path);
  await Promise.all(looks);
  assert.ok(lock, 'looks do not make an owner that starts fail');
  assert.equal(await disk.owner(path), 'running', 'in this process too');
  await lock.release();
});
