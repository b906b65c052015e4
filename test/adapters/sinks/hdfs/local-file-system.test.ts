/** Local files as the hdfs sink sees them: what each call does, what it never does, and what it says. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { chmod, link, mkdir, readdir, readFile, rm, stat, symlink } from 'node:fs/promises';
import { join } from 'node:path';
import test from 'node:test';
import { localFileSystem } from '../../../../src/adapters/sinks/hdfs/local-file-system.ts';
import { tempDir } from '../../../support/temp-dir.ts';

const files = localFileSystem();
const nobody = 65_534;
const isRoot = process.geteuid?.() === 0;

/** Rights hold for others than root only. */
async function asNobody(call: () => Promise<void>): Promise<void> {
  if (isRoot) process.seteuid?.(nobody);
  try {
    await call();
  } finally {
    if (isRoot) process.seteuid?.(0);
  }
}

async function write(path: string, ...texts: readonly string[]): Promise<void> {
  const stream = await files.create(path);
  assert.ok(stream !== undefined, path);
  for (const text of texts) await stream.write(Buffer.from(text));
  await stream.end();
}

test('a new file has its directories, the rights that the umask leaves, and what was written', async (t) => {
  const directory = await tempDir(t);
  const path = join(directory, 'a/b/c.tmp');
  const umask = process.umask(0o027);
  t.after(() => process.umask(umask));
  await write(path, 'one ', '', 'two');
  assert.equal(await readFile(path, 'utf8'), 'one two');
  assert.equal((await stat(path)).mode & 0o777, 0o640);
  for (const made of ['a', 'a/b']) assert.equal((await stat(join(directory, made))).mode & 0o777, 0o750);
  assert.equal(files.prefix, 'file://');
});

test('a file that is there is never opened as a new one, nor is a link to nowhere', async (t) => {
  const directory = await tempDir(t);
  const path = join(directory, 'a');
  await write(path, 'first');
  assert.equal(await files.create(path), undefined);
  assert.equal(await readFile(path, 'utf8'), 'first');
  const dangling = join(directory, 'link');
  await symlink(join(directory, 'nowhere'), dangling);
  assert.equal(await files.create(dangling), undefined);
  assert.equal((await files.status(dangling))?.kind, 'file');
  assert.deepEqual(await readdir(directory), ['a', 'link']);
});

test('of many that make the same file at once one does; those of one new directory all do', async (t) => {
  const directory = join(await tempDir(t), 'x/y');
  const same = await Promise.all(Array.from({ length: 20 }, () => files.create(join(directory, 'same'))));
  const made = same.filter((stream) => stream !== undefined);
  assert.equal(made.length, 1);
  const paths = Array.from({ length: 100 }, (_, index) => join(directory, `${index % 10}`, `${index}`));
  await Promise.all(paths.map((path) => write(path, path)));
  for (const path of paths) assert.equal(readFileSync(path, 'utf8'), path);
  await Promise.all(made.map((stream) => stream.abort()));
});

test('a file is gone on with at its end, in pieces of any size', async (t) => {
  const path = join(await tempDir(t), 'a');
  await write(path, 'begun ');
  const stream = await files.append(path);
  const large = Buffer.alloc(10_000_000, 'large ');
  await stream.write(large);
  await stream.write(Buffer.from('end'));
  await stream.end();
  assert.deepEqual(await readFile(path), Buffer.concat([Buffer.from('begun '), large, Buffer.from('end')]));
});

test('what was given up keeps what it has, and can be given up twice and after its end', async (t) => {
  const path = join(await tempDir(t), 'a');
  const stream = await files.create(path);
  await stream?.write(Buffer.from('half'));
  await stream?.abort();
  await stream?.abort();
  assert.equal(await readFile(path, 'utf8'), 'half');
  const ended = await files.append(path);
  await ended.end();
  await ended.abort();
  await assert.rejects(ended.end(), /cannot finish .*\/a/);
});

test('a file is cut, and never made longer', async (t) => {
  const path = join(await tempDir(t), 'a');
  await write(path, '0123456789');
  assert.equal(await files.truncate(path, 4), true);
  assert.equal(await files.truncate(path, 4), true);
  assert.equal(await readFile(path, 'utf8'), '0123');
  await assert.rejects(files.truncate(path, 5), /cannot cut to 5 bytes .*\/a: it has 4 bytes only/);
  assert.equal(await readFile(path, 'utf8'), '0123');
  await assert.rejects(files.truncate(`${path}x`, 0), /\(ENOENT\)/);
});

test('a rename keeps the file what it is, and replaces nothing', async (t) => {
  const directory = await tempDir(t);
  const [from, to, taken] = [join(directory, 'a.tmp'), join(directory, 'b/a'), join(directory, 'taken')];
  await mkdir(join(directory, 'b'));
  await write(from, 'events');
  const before = await files.status(from);
  assert.equal(before?.lengthBytes, 6);
  await files.rename(from, to);
  assert.deepEqual(await files.status(to), before);
  assert.equal(await files.status(from), undefined);
  await write(taken, 'others');
  await assert.rejects(files.rename(to, taken), /cannot rename .*\/b\/a to .*\/taken \(EEXIST\): something else has/);
  await assert.rejects(files.rename(to, join(directory, 'b')), /\(EEXIST\)/);
  await symlink('nowhere', join(directory, 'link'));
  await assert.rejects(files.rename(to, join(directory, 'link')), /\(EEXIST\)/);
  assert.equal(await readFile(taken, 'utf8'), 'others');
  assert.deepEqual(await files.status(to), before);
  await assert.rejects(files.rename(from, join(directory, 'c')), /\(ENOENT\)/);
  await assert.rejects(files.rename(to, join(directory, 'none/c')), /\(ENOENT\)/);
});

test('a rename that stopped between its two steps is done by the same rename', async (t) => {
  const directory = await tempDir(t);
  const [from, to] = [join(directory, 'a.tmp'), join(directory, 'a')];
  await write(from, 'events');
  await link(from, to);
  assert.deepEqual(await files.status(from), await files.status(to));
  await files.rename(from, to);
  assert.deepEqual(await readdir(directory), ['a']);
  assert.equal(await readFile(to, 'utf8'), 'events');
});

/** Linux lets nobody link what is another's: an answer as of a file system without hard links. */
const protectedLinks = '/proc/sys/fs/protected_hardlinks';
const canRefuseLinks = isRoot && existsSync(protectedLinks) && readFileSync(protectedLinks, 'utf8').trim() === '1';

test('where no hard link can be made, a rename does the same', {
  skip: canRefuseLinks ? false : 'needs root, and fs.protected_hardlinks',
}, async (t) => {
  const directory = await tempDir(t);
  const [from, to, taken] = [join(directory, 'a.tmp'), join(directory, 'b/a'), join(directory, 'taken')];
  await mkdir(join(directory, 'b'));
  await Promise.all([chmod(directory, 0o777), chmod(join(directory, 'b'), 0o777)]);
  await write(from, 'events');
  await write(taken, 'others');
  const before = await files.status(from);
  await asNobody(async () => {
    await assert.rejects(link(from, to), /EPERM/);
    await assert.rejects(files.rename(from, taken), /cannot rename .* \(EEXIST\)/);
    await files.rename(from, to);
  });
  assert.deepEqual(await files.status(to), before);
  assert.equal(await files.status(from), undefined);
  assert.equal(await readFile(taken, 'utf8'), 'others');
});

test('a file of the same name is not the same file', async (t) => {
  const path = join(await tempDir(t), 'a');
  const ids = new Set<string>();
  for (let round = 0; round < 50; round += 1) {
    await write(path);
    ids.add((await files.status(path))?.fileId ?? '');
    // Long enough for the system's clock of files, which goes in steps: the inode itself is used again.
    await new Promise((resolve) => setTimeout(resolve, 10));
    await rm(path);
  }
  assert.equal(ids.size, 50);
});

test('what stands at a path is told: nothing, a file, a directory', async (t) => {
  const directory = await tempDir(t);
  const path = join(directory, 'a');
  assert.equal(await files.status(path), undefined);
  await write(path, 'abc');
  assert.equal(await files.status(join(path, 'behind a file')), undefined);
  assert.equal((await files.status(path))?.kind, 'file');
  assert.equal((await files.status(directory))?.kind, 'directory');
  const byLink = join(directory, 'link');
  await symlink(path, byLink);
  assert.deepEqual(await files.status(byLink), await files.status(path));
});

test('a delete tells whether there was a file, and takes no directory', async (t) => {
  const directory = await tempDir(t);
  const path = join(directory, 'a');
  await write(path, 'abc');
  assert.equal(await files.delete(path), true);
  assert.equal(await files.delete(path), false);
  await assert.rejects(files.delete(directory), /cannot delete .* \((EISDIR|EPERM)\)/);
});

test('directories are made, and those that are there are fine', async (t) => {
  const directory = await tempDir(t);
  const path = join(directory, 'a/b/c');
  await Promise.all([files.makeDirectories(path), files.makeDirectories(path)]);
  await files.makeDirectories(path);
  assert.equal((await files.status(path))?.kind, 'directory');
  await write(join(directory, 'file'));
  await assert.rejects(files.makeDirectories(join(directory, 'file')), /cannot make the directory .* \(EEXIST\)/);
  await files.close();
  await files.close();
});

test('errors name what was tried, the path, the code and what to do', async (t) => {
  const directory = await tempDir(t);
  const file = join(directory, 'file');
  await write(file, 'x');
  await assert.rejects(
    files.create(join(file, 'a')),
    /^Error: cannot .*\/file\/a \(ENOTDIR\): a part of the path is a/,
  );
  await assert.rejects(files.create(join(directory, 'n'.repeat(300))), /\(ENAMETOOLONG\): shorten what the path is/);
  await assert.rejects(files.append(directory), /cannot go on with .* \(EISDIR\): a directory has that name/);
  await assert.rejects(files.append(`${file}x`), /cannot go on with .*\/filex \(ENOENT\): it or its directory is not/);
  await assert.rejects(files.create(`${file}\0`), /cannot create .*null bytes/);
  await chmod(directory, 0o755);
  await asNobody(async () => {
    if (!isRoot) await chmod(directory, 0o500);
    await assert.rejects(
      files.create(join(directory, 'a')),
      /cannot create .*\/a \(EACCES\): give this user the right/,
    );
    await assert.rejects(files.create(join(directory, 'a/b')), /cannot make the directory .*\/a \(EACCES\)/);
    await assert.rejects(files.delete(file), /cannot delete .*\/file \(EACCES\)/);
    if (!isRoot) await chmod(directory, 0o700);
  });
});

test('a full disk is said, and the file given up', {
  skip: existsSync('/dev/full') ? false : 'needs /dev/full',
}, async () => {
  const stream = await files.append('/dev/full');
  await assert.rejects(stream.write(Buffer.from('x')), /cannot write to \/dev\/full \(ENOSPC\): the disk is full/);
  await stream.abort();
});

test('a write that the system takes in part goes on, until it says why', async (t) => {
  const path = join(await tempDir(t), 'a');
  const module = new URL('../../../../src/adapters/sinks/hdfs/local-file-system.ts', import.meta.url);
  const program = `
    const { localFileSystem } = await import(process.argv[1]);
    const stream = await localFileSystem().create(process.argv[2]);
    const said = await stream.write(Buffer.alloc(12 * 1024, 'x')).catch(({ message }) => message);
    await stream.abort();
    console.log(said);`;
  const node = ['--import', 'tsx', '--input-type=module', '-e', program, module.href, path];
  const answer = execFileSync('sh', ['-c', 'ulimit -f 16; exec "$0" "$@"', process.execPath, ...node], {
    encoding: 'utf8',
  });
  assert.match(answer, /^cannot write to .*\/a \(EFBIG\): no file may be that long there/);
  assert.equal((await stat(path)).size, 8192);
});
