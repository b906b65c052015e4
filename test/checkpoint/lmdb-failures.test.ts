/** Where no checkpoint can be had, or one fails later: the caller is told, and what was saved stays. */
import assert from 'node:assert/strict';
import { type SpawnSyncReturns, spawnSync } from 'node:child_process';
import { existsSync, readdirSync, statSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import test from 'node:test';
import type { RootDatabaseOptionsWithPath } from 'lmdb';
import { type Clock, systemClock } from '../../src/base/clock.ts';
import type { Disk } from '../../src/base/disk.ts';
import { isForebayError } from '../../src/base/errors.ts';
import { openLmdbCheckpoint } from '../../src/checkpoint/lmdb.ts';
import type { LmdbModule } from '../../src/checkpoint/lmdb-store.ts';
import { makeRecord, suiteChannelId } from '../conformance/checkpoint-store.ts';
import { tempDir } from '../support/temp-dir.ts';
import { assertHolds, disk, filledStore, mustOpen } from './opened-store.ts';

/** The address of a module, by its path from here, as a string in a script. */
function address(path: string): string {
  return JSON.stringify(new URL(path, import.meta.url).href);
}

/** Runs `script` in another process, after the shell's `before`. */
function runScript(before: string, script: string): SpawnSyncReturns<string> {
  const loaders = process.execArgv.filter((argument) => !argument.startsWith('--test'));
  const command = [process.execPath, ...loaders, '--input-type=module', '--eval', script];
  const quoted = command.map((argument) => `'${argument.replaceAll("'", "'\\''")}'`).join(' ');
  return spawnSync('sh', ['-c', `${before}exec ${quoted}`], { encoding: 'utf8' });
}

test('where nothing can be written the checkpoint is unavailable, and nothing was touched', async (context) => {
  const directory = await tempDir(context);
  await filledStore(directory, 1);
  const before = readdirSync(directory);
  const refuse = (): Promise<never> => Promise.reject(Object.assign(new Error('EROFS: read-only'), { code: 'EROFS' }));
  const readOnly: Disk = {
    ...disk,
    open: (path, options) => (options.mode === 'read' ? disk.open(path, options) : refuse()),
    rename: refuse,
    unlink: refuse,
  };
  for (const afterUncleanStop of [false, true]) {
    const opened = await openLmdbCheckpoint(readOnly, directory, { channelId: suiteChannelId, afterUncleanStop });
    assert.ok(opened.kind === 'unavailable');
    assert.match(opened.why, /EROFS/);
  }
  assert.deepEqual(readdirSync(directory), before);
  const again = await mustOpen(directory);
  await assertHolds(again, 1);
  await again.store.close();
});

test('where a file stands in the place of the directory the checkpoint is unavailable', async (context) => {
  const file = join(await tempDir(context), 'checkpoint');
  writeFileSync(file, '');
  const opened = await openLmdbCheckpoint(disk, file, { channelId: suiteChannelId, afterUncleanStop: false });
  assert.equal(opened.kind, 'unavailable');
});

test('without the add-on the checkpoint is unavailable, and the directory is not even made', async (context) => {
  const directory = join(await tempDir(context), 'none');
  const opened = await openLmdbCheckpoint(disk, directory, {
    channelId: suiteChannelId,
    afterUncleanStop: false,
    loadLmdb: () => Promise.reject(new Error('Cannot find package')),
  });
  assert.ok(opened.kind === 'unavailable');
  assert.match(opened.why, /add-on does not load: Cannot find package/);
  assert.ok(!existsSync(directory));
});

test('importing the room loads no native add-on; opening does', (context) => {
  const script = `
    let loads = 0;
    const { dlopen } = process;
    process.dlopen = (...all) => { loads += 1; return dlopen.apply(process, all); };
    await import(${address('../../src/checkpoint/lmdb.ts')});
    const imported = loads;
    await import(${JSON.stringify(import.meta.resolve('lmdb'))});
    console.log(JSON.stringify({ imported, opened: loads }));`;
  const child = runScript('', script);
  context.diagnostic(child.stderr);
  const { imported, opened } = JSON.parse(child.stdout) as { imported: number; opened: number };
  assert.equal(imported, 0);
  assert.ok(opened > 0);
});

test('a full disk refuses a save and no more: the next one with room succeeds', async (context) => {
  const directory = await tempDir(context);
  let full = false;
  const filling: Disk = { ...disk, freeBytes: async (path) => (full ? 1_000_000 : disk.freeBytes(path)) };
  await filledStore(directory, 1);
  const opened = await mustOpen(directory, { on: filling });
  full = true;
  await assert.rejects(opened.store.save(makeRecord(2)), (error) => {
    assert.ok(isForebayError(error));
    assert.equal(error.code, 'DISK_FULL');
    return true;
  });
  await assertHolds(opened, 1);
  full = false;
  await opened.store.save(makeRecord(3));
  await assertHolds(opened, 3);
  await opened.store.close();
});

test('a disk too full for a copy makes the checkpoint unavailable, and it is there again later', async (context) => {
  const directory = await tempDir(context);
  await filledStore(directory, 1);
  const full: Disk = { ...disk, freeBytes: async () => 1_000_000 };
  const opened = await openLmdbCheckpoint(full, directory, { channelId: suiteChannelId, afterUncleanStop: true });
  assert.ok(opened.kind === 'unavailable');
  const again = await mustOpen(directory, { unclean: true });
  assert.equal(again.setAside, undefined);
  await assertHolds(again, 1);
  await again.store.close();
});

test('a file that damage made longer than the disk is copied, and closed, all the same', async (context) => {
  const directory = await tempDir(context);
  const path = join(directory, 'data.mdb');
  await filledStore(directory, 1);
  truncateSync(path, 4 * 2 ** 40);
  const copied = await mustOpen(directory, { unclean: true });
  assert.equal(copied.setAside, undefined);
  await assertHolds(copied, 1);
  assert.ok(statSync(path).size < 2 ** 30);
  // Nobody waits for the sum of four terabytes of nothing.
  truncateSync(path, 4 * 2 ** 40);
  await copied.store.close();
  const again = await mustOpen(directory);
  assert.equal(again.setAside, undefined);
  await assertHolds(again, 1);
  await again.store.close();
});

test('a write that fails ends the store, not the process; what was saved before is still there', async (context) => {
  const directory = await tempDir(context);
  const script = `
    const { openLmdbCheckpoint } = await import(${address('../../src/checkpoint/lmdb.ts')});
    const { nodeDisk } = await import(${address('../../src/base/disk-node.ts')});
    const { makeRecord, suiteChannelId } = await import(${address('../conformance/checkpoint-store.ts')});
    const said = [];
    const options = { channelId: suiteChannelId, afterUncleanStop: false };
    const { store } = await openLmdbCheckpoint(nodeDisk(), ${JSON.stringify(directory)}, options);
    await store.save(makeRecord(1));
    await store.save(makeRecord(2, 2_000_000)).catch((error) => said.push(error.code, error.message));
    await store.save(makeRecord(3)).catch((error) => said.push(error.code));
    said.push(await store.load());
    await store.close();
    await new Promise((resolve) => setTimeout(resolve, 20));
    console.log(JSON.stringify(said));`;
  // The limit stands in for a disk that fails: no file may be larger than 1024 blocks, of 512 bytes or of 1 KiB.
  const child = runScript("trap '' XFSZ; ulimit -f 1024; ", script);
  context.diagnostic(child.stderr);
  assert.equal(child.status, 0);
  const said = JSON.parse(child.stdout.trim().split('\n').at(-1) ?? '') as string[];
  assert.equal(said[0], 'WRITE_FAILED');
  assert.match(said[1] ?? '', /not saved: .*open the store again/);
  assert.deepEqual(said.slice(2), ['WRITE_FAILED', null]);

  const again = await mustOpen(directory, { unclean: true });
  assert.deepEqual(await again.store.load(), makeRecord(1));
  await again.store.close();
});

test('a write that LMDB never finishes ends the store after its limit, and closing does not wait', async (context) => {
  const directory = await tempDir(context);
  const never = new Promise<never>(() => undefined);
  const stuck = { put: () => never, remove: () => never, batch: () => never, flushed: never, close: () => never };
  const loadLmdb = async (): Promise<LmdbModule> => {
    const lmdb = await import('lmdb');
    const open = (options: RootDatabaseOptionsWithPath): unknown => {
      const environment = lmdb.open<Buffer, Buffer>(options);
      context.after(() => environment.close());
      return new Proxy(environment, {
        get: (target, name) => Reflect.get(name in stuck ? stuck : target, name, name in stuck ? stuck : target),
      });
    };
    return { open } as LmdbModule;
  };
  const clock: Clock = {
    ...systemClock,
    after: (_delayMs, call) => {
      const timer = setTimeout(call, 1);
      return { cancel: () => clearTimeout(timer) };
    },
  };
  const options = { channelId: suiteChannelId, afterUncleanStop: false, loadLmdb, clock };
  const opened = await openLmdbCheckpoint(disk, directory, options);
  assert.ok(opened.kind === 'opened');
  const { store } = opened;
  for (let round = 0; round < 2; round += 1) {
    await assert.rejects(store.save(makeRecord(1)), /did not finish a write within 60000 ms/);
  }
  await store.close();
});

test('a closed store finds nothing and refuses a save; closing twice is fine', async (context) => {
  const directory = await tempDir(context);
  await filledStore(directory, 1);
  const { store } = await mustOpen(directory);
  await Promise.all([store.close(), store.close()]);
  assert.equal(await store.load(), undefined);
  const refused = (error: unknown): boolean => isForebayError(error) && error.code === 'WRITE_FAILED';
  await assert.rejects(store.save(makeRecord(2)), refused);
  const again = await mustOpen(directory);
  assert.equal(again.setAside, undefined);
  await assertHolds(again, 1);
  await again.store.close();
});
