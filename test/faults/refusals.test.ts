/**
 * What an open refuses: each with its code, the path, and what to do; and what was on the disk is there to the last
 * byte, with nothing beside it.
 */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import test, { type TestContext } from 'node:test';
import type { Disk } from '../../src/base/disk.ts';
import { nodeDisk } from '../../src/base/disk-node.ts';
import { diskWith } from '../../src/base/disk-with.ts';
import type { ErrorCode } from '../../src/base/errors.ts';
import { FileChannel } from '../../src/channel/file-channel.ts';
import type { ChannelOptions } from '../../src/channel/options.ts';
import { crc32 } from '../../src/codec/checksum.ts';
import { zstdAvailable } from '../../src/codec/stored-payload.ts';
import { makeEvents, refuses } from '../conformance/channel-support.ts';
import { makeTempDir, tempDir } from '../support/temp-dir.ts';

const base: ChannelOptions = { segmentBytes: 65_536, checkpoint: 'memory', minimumFreeBytes: 0 };

/** Names and contents of everything below `path`. */
function contents(path: string): string[] {
  const entries = readdirSync(path, { recursive: true, withFileTypes: true });
  return entries
    .map((entry) => {
      const full = join(entry.parentPath, entry.name);
      const what = entry.isFile() ? createHash('sha1').update(readFileSync(full)).digest('hex') : 'directory';
      return `${full} ${what}`;
    })
    .sort();
}

interface Refusal {
  readonly code: ErrorCode;
  /** Undefined: no path is to blame. */
  readonly path: string | undefined;
  readonly says: RegExp;
}

/** Opens `directory`, expects the refusal, and that nothing below `around` changed. */
async function assertRefuses(
  around: string,
  directory: string,
  options: ChannelOptions,
  { code, path, says }: Refusal,
  disk: Disk = nodeDisk(),
): Promise<void> {
  const before = contents(around);
  const error = await refuses(code, () => FileChannel.open(directory, { ...base, ...options }, { disk }));
  assert.equal(error.path, path);
  assert.match(error.message, says);
  assert.deepEqual(contents(around), before, 'nothing on the disk changed');
}

/** A closed channel in a fresh directory, with a few events. */
async function closedChannel(context: TestContext, options: (root: string) => ChannelOptions = () => ({})) {
  const root = await tempDir(context);
  const directory = join(root, 'channel');
  const given = options(root);
  const channel = await FileChannel.open(directory, { ...base, ...given });
  await channel.put(makeEvents(5));
  await channel.close();
  return { root, directory, given };
}

async function opensAgain(directory: string, options: ChannelOptions): Promise<void> {
  const channel = await FileChannel.open(directory, { ...base, ...options });
  assert.equal(channel.stats().depthEvents, 5);
  await channel.close();
}

test('locked: the same channel opened twice, or one of its directories', async (context) => {
  const { root, directory } = await closedChannel(context);
  const owner = await FileChannel.open(directory, base);
  // The owner itself writes once more: a MARK, 100 ms after its open.
  await new Promise((resolve) => setTimeout(resolve, 1000));
  const says = /owned by another process.*close that channel first/;
  await assertRefuses(root, directory, {}, { code: 'CHANNEL_LOCKED', path: directory, says });
  await owner.close();
  await opensAgain(directory, {});
});

test('a data directory that is gone, or empty as an unmounted volume leaves it', async (context) => {
  const { root, directory, given } = await closedChannel(context, (path) => ({
    dataDirs: [join(path, 'channel'), join(path, 'second')],
  }));
  const second = join(root, 'second');
  renameSync(second, join(root, 'away'));
  const refusal: Refusal = { code: 'CHANNEL_DIR_MISSING', path: second, says: /mount it, or open with missingDir/ };
  await assertRefuses(root, directory, given, refusal);
  mkdirSync(second);
  await assertRefuses(root, directory, given, refusal);
  rmSync(second, { recursive: true });
  renameSync(join(root, 'away'), second);
  await opensAgain(directory, given);
});

/** The identity with some fields changed and its CRC right. */
function changeIdentity(directory: string, change: Record<string, unknown>): void {
  const path = join(directory, 'channel.json');
  const { content } = JSON.parse(readFileSync(path, 'utf8')) as { content: Record<string, unknown> };
  const changed = { ...content, ...change };
  writeFileSync(path, JSON.stringify({ content: changed, crc: crc32(Buffer.from(JSON.stringify(changed))) }));
}

for (const [name, change] of [
  ['version', { version: 2 }],
  ['feature', { features: ['later'] }],
] as const) {
  test(`a newer format: another ${name} in the identity`, async (context) => {
    const { root, directory } = await closedChannel(context);
    changeIdentity(directory, change);
    const says = /newer forebay.*open it with that version/;
    await assertRefuses(root, directory, {}, { code: 'FORMAT_UNSUPPORTED', path: directory, says });
  });
}

for (const [name, at] of [
  ['major version', 8],
  ['incompatible feature', 12],
] as const) {
  test(`a newer format: another ${name} in a segment header whose CRC holds`, async (context) => {
    const { root, directory } = await closedChannel(context);
    const path = join(directory, readdirSync(directory).find((file) => /^[0-9a-f]{16}\.seg$/.test(file)) ?? '');
    const bytes = readFileSync(path);
    for (const page of [0, 4096]) {
      bytes.writeUInt16LE(bytes.readUInt16LE(page + at) + 1, page + at);
      bytes.writeUInt32LE(crc32(bytes.subarray(page, page + 4092)), page + 4092);
    }
    writeFileSync(path, bytes);
    const says = /newer forebay.*open it with that version/;
    await assertRefuses(root, directory, {}, { code: 'FORMAT_UNSUPPORTED', path, says });
  });
}

test('something else in the directory', async (context) => {
  const root = await tempDir(context);
  writeFileSync(join(root, 'mail.txt'), 'not ours');
  const says = /holds 'mail.txt'.*name an empty directory/;
  await assertRefuses(root, root, {}, { code: 'NOT_A_CHANNEL', path: root, says });
});

test('a file where a directory should be, also in the middle of a path', async (context) => {
  const root = await tempDir(context);
  const file = join(root, 'file');
  writeFileSync(file, 'not ours');
  const says = /is not a directory: name a directory/;
  await assertRefuses(root, file, {}, { code: 'NOT_A_CHANNEL', path: file, says });
  const below = join(file, 'channel');
  await assertRefuses(root, below, {}, { code: 'NOT_A_CHANNEL', path: below, says });
  const directory = join(root, 'channel');
  const dataDirs = [directory, file];
  await assertRefuses(root, directory, { dataDirs }, { code: 'NOT_A_CHANNEL', path: file, says });
  await assertRefuses(root, directory, { checkpointDir: file }, { code: 'NOT_A_CHANNEL', path: file, says });
});

test('directories of two channels', async (context) => {
  const { root, directory } = await closedChannel(context);
  const other = join(root, 'other');
  await (await FileChannel.open(other, base)).close();
  const dataDirs = [directory, other];
  const refusal: Refusal = { code: 'NOT_A_CHANNEL', path: other, says: /belongs to another channel: name the/ };
  await assertRefuses(root, directory, { dataDirs }, refusal);
});

test('a network file system, for a new channel and for one that was moved there', async (context) => {
  const { root, directory } = await closedChannel(context);
  const disk = diskWith(nodeDisk(), { locality: async () => 'network' });
  const says = /network file system.*use a local disk/;
  await assertRefuses(root, directory, {}, { code: 'DIR_UNUSABLE', path: directory, says }, disk);
  const fresh = join(root, 'fresh');
  await assertRefuses(root, fresh, {}, { code: 'DIR_UNUSABLE', path: fresh, says }, disk);
});

test('the wrong key, no key, a key file that is not there or holds no key', async (context) => {
  const encryption = { activeKey: 1, keys: { 1: Buffer.alloc(32, 1) } };
  const { root, directory } = await closedChannel(context, () => ({ encryption }));
  const refusal = (says: RegExp, path = directory): Refusal => ({ code: 'KEY_WRONG', path, says });
  const open = (keys: Record<number, Uint8Array | string>, expected: Refusal) =>
    assertRefuses(root, directory, { encryption: { activeKey: 1, keys } }, expected);
  await open({ 1: Buffer.alloc(32, 2) }, refusal(/another key.*open with encryption\.keys\[1\]/));
  await assertRefuses(root, directory, {}, refusal(/not given: open with encryption\.keys\[1\]/));
  const missing = join(root, 'missing.key');
  await open({ 1: missing }, refusal(/cannot be read from .*missing\.key/, missing));
  const short = join(root, 'short.key');
  writeFileSync(short, 'too short');
  await open({ 1: short }, refusal(/neither 32 bytes nor 64 hex digits/, short));
  const fresh = join(root, 'fresh');
  const options = { encryption: { activeKey: 1, keys: { 1: missing } } };
  await assertRefuses(root, fresh, options, refusal(/cannot be read from/, missing));
  await opensAgain(directory, { encryption });
});

test('zstd where this Node has none', { skip: zstdAvailable ? 'this Node has zstd' : false }, async (context) => {
  const root = await tempDir(context);
  const says = /needs Node 22\.15 or later.*use 'deflate'/;
  const refusal: Refusal = { code: 'FORMAT_UNSUPPORTED', path: undefined, says };
  await assertRefuses(root, join(root, 'channel'), { compression: 'zstd' }, refusal);
});

/** Mounts `options` of a tmpfs that holds what `fill` makes; undefined where this process must not mount. */
async function readOnlyCopy(context: TestContext, directory: string): Promise<string | undefined> {
  const path = await makeTempDir();
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=16m', 'forebay-test', path], { stdio: 'pipe' });
  } catch {
    rmSync(path, { recursive: true });
    return undefined;
  }
  context.after(() => {
    execFileSync('umount', [path]);
    rmSync(path, { recursive: true });
  });
  execFileSync('cp', ['-a', `${directory}/.`, path]);
  execFileSync('mount', ['-o', 'remount,ro', path]);
  return path;
}

test('a read-only file system', async (context) => {
  const { directory } = await closedChannel(context);
  const path = await readOnlyCopy(context, directory);
  if (path === undefined) {
    context.skip('needs to mount file systems, as root');
    return;
  }
  const says = /cannot be used.*EROFS.*give this user write permission/;
  await assertRefuses(path, path, {}, { code: 'DIR_UNUSABLE', path, says });
  const fresh = join(path, 'fresh');
  await assertRefuses(path, fresh, {}, { code: 'DIR_UNUSABLE', path: fresh, says });
  assert.equal(dirname(fresh), path);
});
