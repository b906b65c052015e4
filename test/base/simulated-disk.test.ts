/** The simulated disk is a disk; and what it forgets, keeps and refuses is what it is there for. */
import assert from 'node:assert/strict';
import test from 'node:test';
import type { DiskFile } from '../../src/base/disk.ts';
import { systemCode } from '../../src/base/errors.ts';
import { diskSuite } from '../conformance/disk.ts';
import { SimulatedDisk, type SimulatedDiskOptions } from '../support/simulated-disk.ts';
import { DiskStopped } from '../support/simulated-faults.ts';

diskSuite('simulated disk', async () => {
  const disk = new SimulatedDisk({ seed: 1 });
  await disk.makeDirectory('/data');
  return { disk, directory: '/data' };
});

const page = 4096;

async function start(options: Partial<SimulatedDiskOptions> = {}): Promise<SimulatedDisk> {
  const disk = new SimulatedDisk({ seed: 1, ...options });
  await disk.makeDirectory('/d');
  return disk;
}

/** A file whose name and first pages, filled with `byte`, are durable. */
async function durableFile(disk: SimulatedDisk, pages: number, byte: number): Promise<DiskFile> {
  const file = await disk.open('/d/f', { mode: 'create' });
  if (pages > 0) await file.write(Buffer.alloc(pages * page, byte), 0);
  await file.sync();
  await disk.syncDirectory('/d');
  return file;
}

/** The bytes of a file; undefined where it is not there. */
async function content(disk: SimulatedDisk, path = '/d/f'): Promise<Buffer | undefined> {
  const entry = await disk.entry(path);
  if (entry === undefined) return undefined;
  const file = await disk.open(path, { mode: 'read' });
  const bytes = Buffer.alloc(entry.bytes);
  await file.read(bytes, 0);
  await file.close();
  return bytes;
}

/** What is found after power cuts with many seeds, as text, each once, sorted. */
async function afterPowerCuts(
  disk: SimulatedDisk,
  describe: (cut: SimulatedDisk) => Promise<string | undefined>,
): Promise<string[]> {
  const found = new Set<string>();
  for (let seed = 0; seed < 200; seed += 1) found.add(String(await describe(disk.powerCut(seed))));
  return [...found].sort();
}

/** Each 512-byte sector as its first byte, checked to be whole. */
function sectors(bytes: Buffer | undefined): string {
  assert.ok(bytes);
  let text = '';
  for (let at = 0; at < bytes.length; at += 512) {
    const sector = bytes.subarray(at, at + 512);
    assert.ok(
      sector.every((byte) => byte === sector[0]),
      `sector at ${at} is of one write`,
    );
    text += String(sector[0]);
  }
  return text;
}

test('a synced write in a synced directory survives every power cut', async () => {
  const disk = await start();
  await durableFile(disk, 2, 7);
  const found = await afterPowerCuts(disk, async (cut) => sectors(await content(cut)));
  assert.deepEqual(found, ['7'.repeat(16)]);
});

test('an unsynced write survives a kill whole, and a power cut in any of its sectors', async () => {
  const disk = await start();
  const file = await durableFile(disk, 1, 7);
  await file.write(Buffer.alloc(page, 8), 0);
  assert.equal(sectors(await content(disk.kill())), '8'.repeat(8));
  const found = await afterPowerCuts(disk, async (cut) => sectors(await content(cut)));
  assert.ok(found.includes('7'.repeat(8)) && found.includes('8'.repeat(8)), 'none and all are among them');
  assert.ok(found.length > 30, `${found.length} different states`);
  assert.ok(
    found.some((text) => /87+8/.test(text)),
    'not only prefixes',
  );
});

test('an unsynced write that extends the file brings its length only with its sectors; holes are zero', async () => {
  const disk = await start();
  const file = await durableFile(disk, 1, 7);
  await file.write(Buffer.alloc(page, 8), 2 * page);
  const found = await afterPowerCuts(disk, async (cut) => sectors(await content(cut)));
  for (const text of found) assert.match(text, /^7{8}(0{8}[08]*8)?$/);
  assert.ok(found.some((text) => /80+8/.test(text)));
});

test('of two unsynced writes to one place either may be found', async () => {
  const disk = await start();
  const file = await durableFile(disk, 0, 0);
  await file.write(Buffer.alloc(512, 1), 0);
  await file.write(Buffer.alloc(512, 2), 0);
  assert.deepEqual(await afterPowerCuts(disk, async (cut) => sectors(await content(cut))), ['', '1', '2']);
});

test('an unsynced truncate is found done or not', async () => {
  const disk = await start();
  const file = await durableFile(disk, 1, 7);
  await file.truncate(512);
  const found = await afterPowerCuts(disk.snapshot(), async (cut) => sectors(await content(cut)));
  assert.deepEqual(found, ['7', '7'.repeat(8)]);
  await file.sync();
  assert.deepEqual(await afterPowerCuts(disk, async (cut) => sectors(await content(cut))), ['7']);
});

test('a failed sync: the bytes are read, later syncs do not write them, a power cut keeps or loses each', async () => {
  const disk = await start();
  const file = await durableFile(disk, 1, 7);
  await file.write(Buffer.alloc(1024, 8), 0);
  disk.inject({ at: ({ kind }) => kind === 'sync', error: 'EIO' });
  await assert.rejects(file.sync(), { code: 'EIO' });
  await file.write(Buffer.alloc(512, 9), 1024);
  await file.sync();
  assert.equal(sectors(await content(disk.snapshot())), '88977777', 'reads see all of it');
  // The next process, too, and its sync changes nothing.
  const next = disk.kill();
  const again = await next.open('/d/f', { mode: 'write' });
  await again.sync();
  const found = await afterPowerCuts(next, async (cut) => sectors(await content(cut)));
  assert.deepEqual(found, ['77977777', '78977777', '87977777', '88977777']);
  next.evictLost();
  assert.equal(sectors(await content(next.snapshot())), '77977777', 'and they can vanish from reads');
});

test('bytes written again after a failed sync are synced as any others', async () => {
  const disk = await start();
  const file = await durableFile(disk, 1, 7);
  await file.write(Buffer.alloc(512, 8), 0);
  disk.inject({ at: ({ kind }) => kind === 'sync', error: 'EIO' });
  await assert.rejects(file.sync(), { code: 'EIO' });
  await file.write(Buffer.alloc(100, 9), 0);
  await file.sync();
  const found = await afterPowerCuts(disk, async (cut) => (await content(cut))?.toString('hex', 0, 512));
  assert.deepEqual(found, [Buffer.alloc(512, 8).fill(9, 0, 100).toString('hex')], 'the sector is written whole');
});

test('names change for processes at once, for power cuts with the sync of their directory', async () => {
  const disk = await start();
  await durableFile(disk, 1, 7);
  await disk.rename('/d/f', '/d/g');
  assert.deepEqual(await disk.snapshot().list('/d'), ['g'], 'a kill keeps it');
  const list = async (cut: SimulatedDisk): Promise<string> => String(await cut.list('/d'));
  assert.deepEqual(await afterPowerCuts(disk, list), ['f', 'g'], 'one or the other, never both or none');
  const unsynced = disk.kill();
  await unsynced.syncDirectory('/d');
  assert.deepEqual(await afterPowerCuts(unsynced, list), ['g']);
});

test('a file created and synced, its directory not, may have no name; and a name may lead to no bytes', async () => {
  const disk = await start();
  const file = await disk.open('/d/f', { mode: 'create' });
  await file.write(Buffer.alloc(512, 7), 0);
  const bytes = async (cut: SimulatedDisk): Promise<string> => String((await content(cut))?.length);
  assert.deepEqual(await afterPowerCuts(disk.snapshot(), bytes), ['0', '512', 'undefined']);
  await file.sync();
  assert.deepEqual(await afterPowerCuts(disk.snapshot(), bytes), ['512', 'undefined']);
  await disk.syncDirectory('/d');
  assert.deepEqual(await afterPowerCuts(disk, bytes), ['512']);
});

test('a replaced file is found old or new, also across directories, after whichever sync', async () => {
  for (const synced of ['none', '/d', '/e']) {
    const disk = await start();
    await disk.makeDirectory('/e');
    await durableFile(disk, 0, 0);
    await disk.rename('/d/f', '/e/f');
    if (synced !== 'none') await disk.syncDirectory(synced);
    const found = await afterPowerCuts(disk, async (cut) => `${await cut.list('/d')}|${await cut.list('/e')}`);
    assert.deepEqual(found, synced === 'none' ? ['f|', '|f'].sort() : ['|f']);
  }
});

test('a sync never brings back what an unsynced rename has replaced', async () => {
  const disk = await start();
  await disk.makeDirectory('/e');
  await durableFile(disk, 1, 7);
  await (await disk.open('/e/f', { mode: 'create' })).close();
  await disk.rename('/d/f', '/e/f');
  await disk.syncDirectory('/d');
  await disk.syncDirectory('/e');
  const found = await afterPowerCuts(disk, async (cut) => sectors(await content(cut, '/e/f')));
  assert.deepEqual(found, ['7'.repeat(8)]);
});

test('the sync of a directory that failed leaves its changes in doubt for good', async () => {
  const disk = await start();
  await durableFile(disk, 0, 0);
  disk.inject({ at: ({ kind }) => kind === 'syncDirectory', error: 'EIO' });
  await disk.unlink('/d/f');
  await assert.rejects(disk.syncDirectory('/d'), { code: 'EIO' });
  await disk.syncDirectory('/d');
  assert.deepEqual(await afterPowerCuts(disk.snapshot(), async (cut) => String(await cut.list('/d'))), ['', 'f']);
  const file = await disk.open('/d/f', { mode: 'create' });
  await file.sync();
  await disk.syncDirectory('/d');
  assert.deepEqual(await afterPowerCuts(disk, async (cut) => String(await cut.list('/d'))), ['f']);
});

test('made directories are durable, with their parents, also those an earlier process left unsynced', async () => {
  const disk = new SimulatedDisk({ seed: 1 });
  disk.stopAt(1, 'after');
  await assert.rejects(disk.makeDirectory('/a/b/c'), DiskStopped);
  const next = disk.kill();
  assert.deepEqual(await afterPowerCuts(next.snapshot(), async (cut) => String(await cut.list('/'))), ['', 'a']);
  await next.makeDirectory('/a/b/c');
  assert.deepEqual(await afterPowerCuts(next, async (cut) => String(await cut.list('/a/b'))), ['c']);
});

test('a write-through write is two points: after the write it is cached, after the sync durable', async () => {
  const expected: [number, 'before' | 'after', RegExp][] = [
    [4, 'before', /^7{8}$/],
    [4, 'after', /^[78]{8}$/],
    [5, 'before', /^[78]{8}$/],
    [5, 'after', /^8{8}$/],
  ];
  for (const way of ['write', 'writeSync'] as const) {
    for (const [extra, phase, pattern] of expected) {
      const disk = await start();
      await (await durableFile(disk, 1, 7)).close();
      const file = await disk.open('/d/f', { mode: 'write', writeThrough: true });
      const first = disk.operations.length + 1;
      disk.stopAt(first + extra - 4, phase);
      await assert.rejects(async () => file[way](disk.allocate(page).fill(8), 0), DiskStopped);
      const found = await afterPowerCuts(disk, async (cut) => sectors(await content(cut)));
      for (const text of found) assert.match(text, pattern);
      assert.equal(found.length > 1, pattern.source.includes('['), `${way} ${extra} ${phase}`);
    }
  }
});

test('a write stopped in the middle leaves some of its sectors, to the next process too', async () => {
  const found = new Set<string>();
  for (let seed = 0; seed < 50; seed += 1) {
    const disk = await start({ seed });
    const file = await durableFile(disk, 1, 7);
    disk.stopAt(disk.operations.length + 1, 'during');
    await assert.rejects(file.write(Buffer.alloc(page, 8), 0), DiskStopped);
    await assert.rejects(file.read(Buffer.alloc(1), 0), DiskStopped);
    await assert.rejects(disk.open('/d/f', { mode: 'read' }), DiskStopped);
    assert.throws(() => file.writeSync(Buffer.alloc(1), 0), DiskStopped);
    assert.equal(disk.stopped, true);
    found.add(sectors(await content(disk.kill())));
  }
  assert.ok(found.size > 20, `${found.size} different states`);
});

test('a stop reaches calls that were under way', async () => {
  const disk = await start();
  const file = await durableFile(disk, 0, 0);
  const under = file.write(Buffer.alloc(10), 0);
  disk.kill();
  await assert.rejects(under, DiskStopped);
});

test('the process is dead after kill: its locks are free, its calls are refused', async () => {
  const disk = await start();
  const lock = await disk.lock('/d/lock');
  assert.ok(lock);
  const next = disk.kill();
  await assert.rejects(disk.lock('/d/lock'), DiskStopped);
  await assert.rejects(lock.release(), DiskStopped);
  assert.ok(await next.lock('/d/lock'));
});

test('a snapshot leaves the disk running and is not touched by it', async () => {
  const disk = await start();
  const file = await durableFile(disk, 1, 7);
  const before = disk.snapshot();
  await file.write(Buffer.alloc(page, 8), 0);
  await disk.rename('/d/f', '/d/g');
  assert.equal(sectors(await content(before)), '7'.repeat(8));
  assert.equal(await content(disk), undefined);
});

test('a fault strikes where it is asked to, once or until it is taken back', async () => {
  const disk = await start();
  const file = await durableFile(disk, 1, 7);
  disk.inject({ at: disk.operations.length + 2, error: 'EIO' });
  await file.write(Buffer.alloc(10, 1), 0);
  await assert.rejects(file.write(Buffer.alloc(page, 2), page), { code: 'EIO' });
  await file.write(Buffer.alloc(10, 3), 0);
  const heal = disk.inject({ at: ({ kind, path }) => kind === 'read' && path === '/d/f', error: 'EIO', sticky: true });
  for (let tries = 0; tries < 3; tries += 1) await assert.rejects(file.read(Buffer.alloc(1), 0), { code: 'EIO' });
  heal();
  assert.equal(await file.read(Buffer.alloc(1), 0), 1);
  disk.inject({ at: ({ kind }) => kind === 'rename', error: 'EROFS' });
  await assert.rejects(disk.rename('/d/f', '/d/g'), { code: 'EROFS' });
  assert.deepEqual(await disk.list('/d'), ['f']);
});

test('a write-through write whose implied sync fails is a failed sync', async () => {
  const disk = await start();
  await (await durableFile(disk, 1, 7)).close();
  const file = await disk.open('/d/f', { mode: 'write', writeThrough: true });
  disk.inject({ at: disk.operations.length + 2, error: 'EIO' });
  await assert.rejects(file.write(disk.allocate(page).fill(8), 0), { code: 'EIO' });
  await file.sync();
  assert.equal(sectors(await content(disk)), '8'.repeat(8));
  const found = await afterPowerCuts(disk, async (cut) => sectors(await content(cut)));
  assert.ok(found.includes('7'.repeat(8)), 'the later sync wrote nothing');
});

test('a short write goes on, or fails with its prefix written', async () => {
  for (let seed = 0; seed < 20; seed += 1) {
    const disk = await start({ seed });
    await (await durableFile(disk, 0, 0)).close();
    const file = await disk.open('/d/f', { mode: 'write', writeThrough: true });
    const before = disk.operations.length;
    disk.inject({ at: before + 1, error: 'short' });
    await file.write(disk.allocate(4 * page).fill(8), 0);
    assert.equal(sectors(await content(disk)), '8'.repeat(32));
    assert.deepEqual(
      disk.operations.slice(before).map(({ kind }) => kind),
      ['write', 'write', 'sync'],
    );
    disk.inject({ at: ({ kind }) => kind === 'write', error: 'short', continuation: 'ENOSPC' });
    await assert.rejects(file.write(disk.allocate(4 * page).fill(9), 0), { code: 'ENOSPC' });
    assert.match(sectors(await content(disk)), /^(9{8}){0,3}(8{8}){1,4}$/);
  }
});

test('a full disk refuses what extends, changes nothing by it, and takes what overwrites', async () => {
  const disk = await start({ capacityBytes: 4 * page });
  const file = await durableFile(disk, 3, 7);
  assert.equal(await disk.freeBytes('/d'), page);
  const before = disk.fingerprint();
  await assert.rejects(file.write(Buffer.alloc(2 * page, 8), 2 * page + page), { code: 'ENOSPC' });
  assert.equal(disk.fingerprint(), before);
  await file.write(Buffer.alloc(page, 8), 2 * page);
  await file.write(Buffer.alloc(page, 8), 3 * page);
  assert.equal(await disk.freeBytes('/d'), 0);
  await disk.unlink('/d/f');
  assert.equal(await disk.freeBytes('/d'), 4 * page);
});

test('lies: a sync that does nothing is seen by power cuts only', async () => {
  const disk = await start({ lies: { skipSync: true } });
  await durableFile(disk, 1, 7);
  assert.equal(sectors(await content(disk.snapshot())), '7'.repeat(8));
  const found = await afterPowerCuts(disk, async (cut) => sectors(await content(cut)));
  assert.ok(found.includes(''), 'the bytes may be gone');
  const named = new SimulatedDisk({ seed: 1, lies: { skipDirectorySync: true } });
  await named.makeDirectory('/d');
  assert.deepEqual(await afterPowerCuts(named, async (cut) => String(await cut.list('/'))), ['', 'd']);
});

test('equal seeds and calls give equal operations, states and crashes; other seeds others', async () => {
  const run = async (seed: number): Promise<SimulatedDisk> => {
    const disk = await start({ seed });
    const file = await durableFile(disk, 2, 7);
    disk.inject({ at: ({ kind, position }) => kind === 'write' && position === page, error: 'EIO' });
    await Promise.allSettled([file.write(Buffer.alloc(page, 1), 0), file.write(Buffer.alloc(page, 2), page)]);
    await disk.rename('/d/f', '/d/g');
    return disk;
  };
  const [one, same, other] = [await run(5), await run(5), await run(6)];
  assert.deepEqual(one.operations, same.operations);
  assert.equal(one.fingerprint(), same.fingerprint());
  assert.notEqual(one.fingerprint(), other.fingerprint());
  assert.equal(one.powerCut(3).fingerprint(), same.powerCut(3).fingerprint());
  assert.equal(one.kill().fingerprint(), one.fingerprint());
});

test('the fingerprint tells apart what is durable from what is only cached', async () => {
  const disk = await start();
  const file = await durableFile(disk, 1, 7);
  const synced = disk.fingerprint();
  await file.write(Buffer.alloc(page, 7), 0);
  assert.notEqual(disk.fingerprint(), synced, 'the same bytes, but unsynced');
  await file.sync();
  assert.equal(disk.fingerprint(), synced);
});

test('operations are listed with what they touch, reads are counted apart', async () => {
  const disk = await start();
  const seen: string[] = [];
  disk.watch(({ index, kind, path }) => seen.push(`${index} ${kind} ${path}`));
  const file = await durableFile(disk, 1, 7);
  await file.truncate(10);
  await disk.unlink('/d/f');
  await disk.unlink('/d/f');
  assert.deepEqual(
    disk.operations.map(({ index, kind, path, bytes }) => `${index} ${kind} ${path} ${bytes}`),
    [
      '1 makeDirectory /d 0',
      '2 syncDirectory / 0',
      '3 create /d/f 0',
      '4 write /d/f 4096',
      '5 sync /d/f 0',
      '6 syncDirectory /d 0',
      '7 truncate /d/f 10',
      '8 unlink /d/f 0',
    ],
  );
  assert.equal(seen.length, 6);
  const before = disk.readCount;
  await disk.entry('/d');
  assert.equal(disk.readCount, before + 1);
  assert.equal(systemCode(await disk.open('/d/f', { mode: 'read' }).catch((error: unknown) => error)), 'ENOENT');
});

test('crash states of a disk of ten segments are many and cheap', async () => {
  const disk = await start();
  for (let segment = 0; segment < 10; segment += 1) {
    const file = await disk.open(`/d/${segment}`, { mode: 'create' });
    await file.write(Buffer.alloc(64 * 1024, segment), 0);
    if (segment < 8) await file.sync();
  }
  await disk.syncDirectory('/d');
  const states = new Set<string>();
  for (let seed = 0; seed < 2_000; seed += 1) states.add(disk.powerCut(seed).fingerprint());
  assert.ok(states.size > 1_600, `${states.size} different states`);
});
