/** The real disk is a disk, direct and buffered, and says so when the system does less than it was asked. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import {
  chmodSync,
  constants,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  renameSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import test from 'node:test';
import { fileURLToPath } from 'node:url';
import { nodeDisk } from '../../src/base/disk-node.ts';
import { shortWriteRefused } from '../../src/base/disk-node-transfer.ts';
import { systemCode } from '../../src/base/errors.ts';
import { diskSuite } from '../conformance/disk.ts';
import { tempDir } from '../support/temp-dir.ts';

diskSuite('real disk', async (context) => ({ disk: nodeDisk(), directory: await tempDir(context) }));
diskSuite('real disk, buffered', async (context) => ({
  disk: nodeDisk({ direct: false }),
  directory: await tempDir(context),
}));

test('a disk told to be buffered is not direct', async (context) => {
  assert.equal(await nodeDisk({ direct: false }).isDirect(await tempDir(context)), false);
});

test('a short write goes on where it can, and is an I/O error where it cannot', () => {
  const buffered = { number: 3, path: '/x', isDirect: false };
  const direct = { number: 3, path: '/x', isDirect: true };
  assert.equal(shortWriteRefused(direct, 8192, 8192, 512), undefined, 'not short');
  assert.equal(shortWriteRefused(buffered, 700, 8192, 700), undefined);
  assert.equal(shortWriteRefused(direct, 4096, 8192, 8192), undefined);
  assert.equal(shortWriteRefused(direct, 512, 8192, 4608)?.code, 'EIO');
  assert.equal(shortWriteRefused(direct, 0, 8192, 4096)?.code, 'EIO');
  assert.equal(shortWriteRefused(buffered, 0, 8192, 0)?.code, 'EIO');
  assert.match(shortWriteRefused(direct, 512, 8192, 4608)?.message ?? '', /short write: 512 of 8192 .* 4608, '\/x'/);
});

test('a write that a file size limit cuts short is refused with what the system says', async (context) => {
  const directory = await tempDir(context);
  const isDirect = await nodeDisk().isDirect(directory);
  const program = fileURLToPath(new URL('../support/write-over-limit.ts', import.meta.url));
  const run = (blocks: number, file: string, way: string, direct: string): string => {
    const script = `ulimit -f ${blocks}; exec "$0" --import tsx "$@"`;
    const args = ['-c', script, process.execPath, program, `${directory}/${file}`, way, direct];
    return execFileSync('sh', args, { encoding: 'utf8' }).trim();
  };
  // 16 blocks of 512 bytes: two pages are written, going on answers EFBIG.
  assert.equal(run(16, 'a', 'async', 'buffered'), 'EFBIG 8192');
  assert.equal(run(16, 'b', 'sync', 'direct'), 'EFBIG 8192');
  // 17 blocks: half a page more, where a direct write cannot go on.
  assert.equal(run(17, 'c', 'async', 'buffered'), 'EFBIG 8704');
  if (!isDirect) return context.diagnostic('not tried: this directory takes no direct writes');
  assert.equal(run(17, 'd', 'async', 'direct'), 'EIO 8704');
  assert.equal(run(17, 'e', 'sync', 'direct'), 'EIO 8704');
});

test('the answer on directness is found once a directory, and an error is not kept', async (context) => {
  const directory = await tempDir(context);
  const disk = nodeDisk();
  const missing = `${directory}/later`;
  await assert.rejects(disk.open(`${missing}/a`, { mode: 'create', writeThrough: true }), { code: 'ENOENT' });
  mkdirSync(missing);
  const answers = await Promise.all([disk.isDirect(missing), disk.isDirect(missing), disk.isDirect(directory)]);
  assert.equal(answers[0], answers[2]);
  const file = await disk.open(`${missing}/a`, { mode: 'create', writeThrough: true });
  await file.close();
  assert.deepEqual(readdirSync(missing), ['a']);
});

test('directories are made below one that cannot be read', { skip: process.getuid?.() === 0 }, async (context) => {
  const directory = await tempDir(context);
  mkdirSync(`${directory}/closed/own`, { recursive: true });
  chmodSync(`${directory}/closed`, 0o311);
  await nodeDisk().makeDirectory(`${directory}/closed/own/new`);
  chmodSync(`${directory}/closed`, 0o755);
});

test('a name is what it leads to', async (context) => {
  const directory = await tempDir(context);
  const disk = nodeDisk();
  symlinkSync(directory, `${directory}/link`);
  symlinkSync('nowhere', `${directory}/dangling`);
  assert.equal((await disk.entry(`${directory}/link`))?.kind, 'directory');
  assert.equal(await disk.entry(`${directory}/dangling`), undefined);
  assert.equal((await disk.entry('/dev/null'))?.kind, 'other');
  await disk.makeDirectory(`${directory}/link`);
});

test('reads and writes past 4 GiB keep their position', async (context) => {
  const file = await nodeDisk().open(`${await tempDir(context)}/sparse`, { mode: 'create', writeThrough: true });
  const position = 5 * 2 ** 30;
  await file.write(nodeDisk().allocate(4096).fill(3), position);
  assert.equal(await file.bytes(), position + 4096);
  const read = Buffer.alloc(10);
  assert.equal(await file.read(read, position + 4090), 6);
  assert.deepEqual([...read], [3, 3, 3, 3, 3, 3, 0, 0, 0, 0]);
  await file.close();
});

/** The flags, as the kernel has them, of this process's descriptors of a file. */
function flagsOf(path: string): number[] {
  return readdirSync('/proc/self/fd').flatMap((number) => {
    try {
      if (readlinkSync(`/proc/self/fd/${number}`) !== path) return [];
      const [, flags = ''] = /flags:\s*([0-7]+)/.exec(readFileSync(`/proc/self/fdinfo/${number}`, 'utf8')) ?? [];
      return [Number.parseInt(flags, 8)];
    } catch {
      return [];
    }
  });
}

test('past the cache: a direct descriptor of what was opened, where that can be; all is closed', async (context) => {
  const directory = await tempDir(context);
  const disk = nodeDisk();
  const [path, moved] = [`${directory}/a`, `${directory}/b`];
  writeFileSync(path, Buffer.alloc(8192, 1));
  const file = await disk.open(path, { mode: 'read', pastCache: true });
  const direct = flagsOf(path).filter((flags) => (flags & constants.O_DIRECT) !== 0).length;
  assert.equal(direct, (await disk.isDirect(directory)) ? 1 : 0);
  renameSync(path, moved);
  writeFileSync(path, Buffer.alloc(8192, 2));
  const target = disk.allocate(8192);
  assert.equal(await file.read(target, 0), 8192);
  assert.ok(target.every((byte) => byte === 1));
  await file.close();
  assert.deepEqual(flagsOf(moved), []);
  await assert.rejects(disk.open(`${directory}/none`, { mode: 'read', pastCache: true }), { code: 'ENOENT' });
});

test('closing waits for calls under way: a closed number could be the next file by then', async (context) => {
  const disk = nodeDisk();
  const file = await disk.open(`${await tempDir(context)}/a`, { mode: 'create' });
  const bytes = Buffer.alloc(2 ** 20, 1);
  let settled = 0;
  for (let write = 0; write < 16; write += 1) void file.write(bytes, write * bytes.length).then(() => (settled += 1));
  await file.close();
  assert.equal(settled, 16);
});

test('a failed sync is not repeated', async () => {
  // The only file at hand whose sync fails: EINVAL, each time the system is asked.
  const file = await nodeDisk().open('/dev/null', { mode: 'write' });
  const first = await file.sync().catch((error: unknown) => error);
  assert.equal(systemCode(first), 'EINVAL');
  assert.equal(await file.sync().catch((error: unknown) => error), first, 'the same error, not asked again');
  await file.close();
});
