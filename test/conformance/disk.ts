/** What every Disk does, whatever lies below: run against the real disk, the memory disk and the simulated one. */
import assert from 'node:assert/strict';
import test, { type TestContext } from 'node:test';
import { InvariantError } from '../../src/base/assert.ts';
import { type Disk, pageBytes } from '../../src/base/disk.ts';
import { systemCode } from '../../src/base/errors.ts';

/** A disk and an existing, empty directory of it. */
interface DiskUnderTest {
  readonly disk: Disk;
  readonly directory: string;
}

/** A fresh one for each test; the context is for clearing up. */
export type MakeDisk = (context: TestContext) => Promise<DiskUnderTest>;

function filled(disk: Disk, pages: number, byte: number): Buffer {
  return disk.allocate(pages * pageBytes).fill(byte);
}

async function rejectsWith(result: Promise<unknown>, code: string): Promise<void> {
  await assert.rejects(result, (error) => {
    assert.equal(systemCode(error), code);
    return true;
  });
}

/** Registers the tests; `name` leads their titles. */
export function diskSuite(name: string, make: MakeDisk): void {
  fileSuite(name, make);
  writeThroughSuite(name, make);
  nameSuite(name, make);
  directorySuite(name, make);
  lockSuite(name, make);
}

function fileSuite(name: string, make: MakeDisk): void {
  test(`${name}: what was written at a position is read there, gaps as zeros`, async (context) => {
    const { disk, directory } = await make(context);
    const file = await disk.open(`${directory}/a`, { mode: 'create' });
    await file.write(Buffer.from('hello'), 0);
    file.writeSync(Buffer.from('world'), 10_000);
    await file.sync();
    assert.equal(await file.bytes(), 10_005);
    const read = Buffer.alloc(20_000, 0xff);
    assert.equal(await file.read(read, 0), 10_005);
    const expected = Buffer.alloc(10_005);
    expected.write('hello', 0);
    expected.write('world', 10_000);
    assert.ok(read.subarray(0, 10_005).equals(expected));
    assert.ok(read.subarray(10_005).equals(Buffer.alloc(9_995, 0xff)), 'the rest of the target is untouched');
    assert.equal(await file.read(read, 10_005), 0);
    assert.equal(await file.read(read, 50_000), 0);
    assert.equal(await file.read(Buffer.alloc(0), 0), 0);
    await file.write(Buffer.alloc(0), 60_000);
    assert.equal(await file.bytes(), 10_005, 'an empty write changes nothing');
    await file.close();
  });

  test(`${name}: a write neither keeps nor changes the caller's buffer`, async (context) => {
    const { disk, directory } = await make(context);
    const file = await disk.open(`${directory}/a`, { mode: 'create' });
    const source = Buffer.from('first');
    await file.write(source, 0);
    source.write('other');
    await file.write(source.subarray(0, 2), 5);
    const read = Buffer.alloc(7);
    await file.read(read, 0);
    assert.equal(read.toString(), 'firstot');
    await file.close();
  });

  test(`${name}: truncate cuts and extends with zeros`, async (context) => {
    const { disk, directory } = await make(context);
    const file = await disk.open(`${directory}/a`, { mode: 'create' });
    await file.write(Buffer.alloc(9000, 7), 0);
    await file.truncate(5000);
    assert.equal(await file.bytes(), 5000);
    await file.truncate(9000);
    const read = Buffer.alloc(9000, 0xff);
    assert.equal(await file.read(read, 0), 9000);
    assert.ok(read.equals(Buffer.concat([Buffer.alloc(5000, 7), Buffer.alloc(4000)])));
    await file.close();
  });

  test(`${name}: past the cache the same is read, aligned or not, up to an end within a page`, async (context) => {
    const { disk, directory } = await make(context);
    const content = Buffer.from(Array.from({ length: 2 * pageBytes + 700 }, (_, at) => at % 251));
    const written = await disk.open(`${directory}/a`, { mode: 'create' });
    await written.write(content, 0);
    const file = await disk.open(`${directory}/a`, { mode: 'read', pastCache: true });
    for (const [position, bytes] of [
      [0, 4 * pageBytes],
      [pageBytes, pageBytes],
      [2 * pageBytes, pageBytes],
      [3 * pageBytes, pageBytes],
      [5, 3 * pageBytes],
      [pageBytes, 10],
    ] as const) {
      const target = disk.allocate(4 * pageBytes).fill(0xff);
      const read = await file.read(target.subarray(0, bytes), position);
      const expected = content.subarray(position, position + bytes);
      assert.equal(read, expected.length, `${bytes} bytes at ${position}`);
      assert.ok(target.subarray(0, read).equals(expected), `${bytes} bytes at ${position}`);
    }
    const own = Buffer.alloc(pageBytes + 1).subarray(1);
    assert.equal(await file.read(own, 0), pageBytes);
    assert.ok(own.equals(content.subarray(0, pageBytes)), 'into memory that starts anywhere');
    await written.write(Buffer.alloc(pageBytes, 7), 0);
    assert.equal(await file.read(disk.allocate(pageBytes), 0), pageBytes);
    const later = disk.allocate(pageBytes);
    await file.read(later, 0);
    assert.ok(later.equals(Buffer.alloc(pageBytes, 7)), 'what was written meanwhile is read');
    await written.close();
    await file.close();
  });

  test(`${name}: open modes`, async (context) => {
    const { disk, directory } = await make(context);
    const path = `${directory}/a`;
    await rejectsWith(disk.open(path, { mode: 'read' }), 'ENOENT');
    await rejectsWith(disk.open(path, { mode: 'write' }), 'ENOENT');
    await rejectsWith(disk.open(`${directory}/none/a`, { mode: 'create' }), 'ENOENT');
    const created = await disk.open(path, { mode: 'create' });
    assert.equal(created.path, path);
    await created.write(Buffer.from('x'), 0);
    await rejectsWith(disk.open(path, { mode: 'create' }), 'EEXIST');
    const writer = await disk.open(path, { mode: 'write' });
    const reader = await disk.open(path, { mode: 'read' });
    await writer.write(Buffer.from('y'), 1);
    const read = Buffer.alloc(2);
    assert.equal(await reader.read(read, 0), 2);
    assert.equal(read.toString(), 'xy');
    await rejectsWith(reader.write(Buffer.from('z'), 0), 'EBADF');
    for (const file of [created, writer, reader]) await file.close();
  });

  test(`${name}: a closed file refuses, and closing waits for what is under way`, async (context) => {
    const { disk, directory } = await make(context);
    const file = await disk.open(`${directory}/a`, { mode: 'create' });
    const writes = [0, 1, 2, 3].map((page) => file.write(Buffer.alloc(pageBytes, page), page * pageBytes));
    await file.close();
    await Promise.all(writes);
    await file.close();
    await rejectsWith(file.write(Buffer.from('x'), 0), 'EBADF');
    await rejectsWith(file.read(Buffer.alloc(1), 0), 'EBADF');
    assert.throws(
      () => file.writeSync(Buffer.from('x'), 0),
      (error) => systemCode(error) === 'EBADF',
    );
    assert.equal((await disk.entry(`${directory}/a`))?.bytes, 4 * pageBytes);
  });
}

function writeThroughSuite(name: string, make: MakeDisk): void {
  test(`${name}: write-through files take aligned writes and any reads`, async (context) => {
    const { disk, directory } = await make(context);
    const file = await disk.open(`${directory}/a`, { mode: 'create', writeThrough: true });
    await file.write(filled(disk, 3, 1), 0);
    file.writeSync(filled(disk, 1, 2), pageBytes);
    const large = filled(disk, 130, 3);
    await file.write(large.subarray(pageBytes), 3 * pageBytes);
    assert.equal(await file.bytes(), 132 * pageBytes);
    const read = Buffer.alloc(3 * pageBytes);
    assert.equal(await file.read(read, 1), 3 * pageBytes);
    const expected = Buffer.alloc(3 * pageBytes, 1);
    expected.fill(2, pageBytes - 1, 2 * pageBytes - 1);
    expected[3 * pageBytes - 1] = 3;
    assert.ok(read.equals(expected));
    await file.truncate(2 * pageBytes);
    await file.sync();
    await file.close();

    const again = await disk.open(`${directory}/a`, { mode: 'write', writeThrough: true });
    await again.write(filled(disk, 1, 9), 0);
    assert.equal(await again.read(read, 0), 2 * pageBytes);
    assert.ok(read.subarray(0, pageBytes).equals(Buffer.alloc(pageBytes, 9)));
    await again.close();
  });

  test(`${name}: a write-through file is read under another name too`, async (context) => {
    const { disk, directory } = await make(context);
    const file = await disk.open(`${directory}/a.tmp`, { mode: 'create', writeThrough: true });
    await disk.rename(`${directory}/a.tmp`, `${directory}/a`);
    await file.write(filled(disk, 1, 5), 0);
    const read = Buffer.alloc(pageBytes);
    assert.equal(await file.read(read, 0), pageBytes);
    assert.ok(read.equals(Buffer.alloc(pageBytes, 5)));
    await file.close();
  });

  test(`${name}: a write-through write that is not page-aligned is a bug of the caller`, async (context) => {
    const { disk, directory } = await make(context);
    const file = await disk.open(`${directory}/a`, { mode: 'create', writeThrough: true });
    const pages = filled(disk, 3, 1);
    await assert.rejects(file.write(pages.subarray(0, 100), 0), InvariantError);
    await assert.rejects(file.write(pages.subarray(512, 512 + pageBytes), 0), InvariantError);
    await assert.rejects(file.write(pages, 512), InvariantError);
    assert.throws(() => file.writeSync(pages, 512), InvariantError);
    assert.equal(await file.bytes(), 0);
    await file.close();
  });

  test(`${name}: allocated buffers are whole`, async (context) => {
    const { disk, directory } = await make(context);
    const file = await disk.open(`${directory}/a`, { mode: 'create', writeThrough: true });
    for (const pages of [1, 3, 16, 17, 300, 2048]) {
      const buffer = disk.allocate(pages * pageBytes);
      assert.equal(buffer.length, pages * pageBytes);
      buffer.fill(pages);
      await file.write(buffer, 0);
      const read = Buffer.alloc(buffer.length);
      assert.equal(await file.read(read, 0), buffer.length);
      assert.ok(read.equals(buffer));
    }
    await file.close();
  });
}

function nameSuite(name: string, make: MakeDisk): void {
  test(`${name}: rename moves and replaces, also across directories`, async (context) => {
    const { disk, directory } = await make(context);
    await put(disk, `${directory}/a`, 'from a');
    await put(disk, `${directory}/b`, 'from b');
    await disk.rename(`${directory}/a`, `${directory}/b`);
    assert.equal(await get(disk, `${directory}/b`), 'from a');
    assert.equal(await disk.entry(`${directory}/a`), undefined);
    await disk.makeDirectory(`${directory}/sub`);
    await disk.rename(`${directory}/b`, `${directory}/sub/c`);
    assert.equal(await get(disk, `${directory}/sub/c`), 'from a');
    assert.deepEqual(await disk.list(directory), ['sub']);
    await rejectsWith(disk.rename(`${directory}/none`, `${directory}/d`), 'ENOENT');
    await rejectsWith(disk.rename(`${directory}/sub/c`, `${directory}/none/c`), 'ENOENT');
    await disk.syncDirectory(`${directory}/sub`);
  });

  test(`${name}: an unlinked or replaced file lives on for who has it open`, async (context) => {
    const { disk, directory } = await make(context);
    await put(disk, `${directory}/a`, 'kept');
    const file = await disk.open(`${directory}/a`, { mode: 'write' });
    await disk.unlink(`${directory}/a`);
    await disk.unlink(`${directory}/a`);
    assert.equal(await disk.entry(`${directory}/a`), undefined);
    await put(disk, `${directory}/a`, 'new');
    await file.write(Buffer.from('K'), 0);
    const read = Buffer.alloc(4);
    await file.read(read, 0);
    assert.equal(read.toString(), 'Kept');
    await file.close();
    assert.equal(await get(disk, `${directory}/a`), 'new');
  });
}

function directorySuite(name: string, make: MakeDisk): void {
  test(`${name}: directories are made with their parents, listed sorted, described`, async (context) => {
    const { disk, directory } = await make(context);
    assert.deepEqual(await disk.list(directory), []);
    assert.equal(await disk.list(`${directory}/x`), undefined);
    await disk.makeDirectory(`${directory}/x/y/z`);
    await disk.makeDirectory(`${directory}/x/y/z`);
    await disk.makeDirectory(`${directory}/x`);
    for (const file of ['b', 'a', 'B', '10', '9']) await put(disk, `${directory}/x/${file}`, file);
    assert.deepEqual(await disk.list(`${directory}/x`), ['10', '9', 'B', 'a', 'b', 'y']);
    assert.equal((await disk.entry(`${directory}/x/y`))?.kind, 'directory');
    const entry = await disk.entry(`${directory}/x/10`);
    assert.equal(entry?.kind, 'file');
    assert.equal(entry?.bytes, 2);
    assert.ok(entry.storedBytes <= 65_536);
    assert.equal(await disk.entry(`${directory}/x/none`), undefined);
    await rejectsWith(disk.list(`${directory}/x/a`), 'ENOTDIR');
    await rejectsWith(disk.makeDirectory(`${directory}/x/a`), 'ENOTDIR');
    await rejectsWith(disk.makeDirectory(`${directory}/x/a/b`), 'ENOTDIR');
    await rejectsWith(disk.syncDirectory(`${directory}/none`), 'ENOENT');
    await rejectsWith(disk.open(`${directory}/x`, { mode: 'write' }), 'EISDIR');
  });

  test(`${name}: free space, locality and directness of a directory and of a file in it`, async (context) => {
    const { disk, directory } = await make(context);
    await put(disk, `${directory}/a`, 'x');
    for (const path of [directory, `${directory}/a`]) {
      assert.ok((await disk.freeBytes(path)) > 0);
      assert.equal(await disk.locality(path), 'local');
      assert.equal(await disk.isDirect(path), await disk.isDirect(directory));
    }
    await rejectsWith(disk.freeBytes(`${directory}/none`), 'ENOENT');
    await rejectsWith(disk.isDirect(`${directory}/none`), 'ENOENT');
    assert.deepEqual(await disk.list(directory), ['a'], 'the trial leaves nothing behind');
  });
}

function lockSuite(name: string, make: MakeDisk): void {
  test(`${name}: one lock a file, also in one process; free after release`, async (context) => {
    const { disk, directory } = await make(context);
    const path = `${directory}/lock`;
    const lock = await disk.lock(path);
    assert.ok(lock);
    assert.equal(await disk.lock(path), undefined);
    assert.equal(await disk.lock(path), undefined, 'a refused try does not free it');
    const other = await disk.lock(`${directory}/other`);
    assert.ok(other);
    await lock.release();
    assert.equal((await disk.entry(path))?.kind, 'file', 'the file stays');
    const next = await disk.lock(path);
    assert.ok(next);
    await next.release();
    await other.release();
    await rejectsWith(disk.lock(`${directory}/none/lock`), 'ENOENT');
  });

  test(`${name}: of several who lock at once one wins`, async (context) => {
    const { disk, directory } = await make(context);
    const tries = await Promise.all([1, 2, 3, 4].map(() => disk.lock(`${directory}/lock`)));
    const won = tries.filter((lock) => lock !== undefined);
    assert.equal(won.length, 1);
    await won[0]?.release();
  });
}

async function put(disk: Disk, path: string, text: string): Promise<void> {
  const file = await disk.open(path, { mode: 'create' });
  await file.write(Buffer.from(text), 0);
  await file.close();
}

async function get(disk: Disk, path: string): Promise<string> {
  const file = await disk.open(path, { mode: 'read' });
  const bytes = Buffer.alloc(await file.bytes());
  await file.read(bytes, 0);
  await file.close();
  return bytes.toString();
}
