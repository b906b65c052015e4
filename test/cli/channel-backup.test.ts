/** `forebay channel backup`: beside an owner, interrupted, killed, to where it must not go; what stats say after. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import test, { type TestContext } from 'node:test';
import { fileChannel } from '../../src/adapters/channels/file.ts';
import { readKeys } from '../../src/agent/contracts/read-keys.ts';
import { systemClock } from '../../src/base/clock.ts';
import { FileChannel } from '../../src/channel/file-channel.ts';
import { makeEvents, sequencesOf, upTo } from '../conformance/channel-support.ts';
import { forebay, type Ran } from '../support/forebay-here.ts';
import { root } from '../support/source.ts';
import { tempDir } from '../support/temp-dir.ts';

const options = { segmentBytes: 1_048_576, minimumFreeBytes: 0 };

function verb(...args: string[]): Promise<Ran> {
  return forebay('channel', ...args);
}

/** Without a checkpoint a look takes no process of its own. */
function open(directory: string, checkpoint: 'lmdb' | 'memory' = 'memory'): Promise<FileChannel> {
  return FileChannel.open(directory, { ...options, checkpoint });
}

async function statsOf(directory: string) {
  return JSON.parse((await verb('stats', directory, '--json')).stdout);
}

/** So large that a backup takes a while. */
async function makeLarge(t: TestContext): Promise<{ readonly home: string; readonly copy: string }> {
  const top = await tempDir(t);
  const home = join(top, 'c1');
  await using channel = await FileChannel.open(home, { ...options, segmentBytes: 16_777_216 });
  for (let index = 0; index < 12; index += 1) await channel.put([{ headers: {}, body: Buffer.alloc(4_000_000, 'x') }]);
  return { home, copy: join(top, 'copy') };
}

/** Resolves once the backup has begun to copy. */
async function begun(copy: string): Promise<void> {
  while (!existsSync(copy) || !readdirSync(copy).some((name) => name.endsWith('.seg'))) {
    await new Promise((resolve) => setImmediate(resolve));
  }
}

test('beside an owner: JSON, a copy that verifies, stats that say what may be sent twice', async (t) => {
  const top = await tempDir(t);
  const [home, copy] = [join(top, 'c1'), join(top, 'deep', 'copy')];
  const channel = await open(home, 'lmdb');
  await channel.put(makeEvents(100));
  await (await channel.take(30)).commit();
  await channel.take(20);
  await channel.checkpoint();
  const { channelId } = channel.stats();
  const { leasedEvents, parent } = await statsOf(home);
  assert.deepEqual([leasedEvents, parent], [20, undefined], "as of the owner's last checkpoint");
  // Nothing proves this one yet.
  await channel.put(makeEvents(1, 100));
  const made = await verb('backup', home, copy, '--json');
  assert.equal(made.status, 0, made.stderr);
  const report = JSON.parse(made.stdout);
  const { segments, bytes, ...rest } = report;
  assert.ok(segments === 1 && bytes > 8192);
  const numbers = { events: 101, depth: 71, mayRepeatFrom: 31, damages: [] };
  assert.deepEqual(rest, { channelId: report.channelId, parentChannelId: channelId, ...numbers });
  assert.equal((await verb('verify', copy)).status, 0);
  assert.deepEqual((await statsOf(copy)).parent, { channelId, mayRepeatFrom: 31 });
  {
    await using restored = await open(copy);
    assert.deepEqual(restored.mayRepeat(), [{ first: 31, last: 101 }]);
    await restored.put(makeEvents(5, 101));
    const batch = await restored.take(71);
    assert.deepEqual(sequencesOf(batch), upTo(71, 31));
    await batch.commit();
    assert.deepEqual(restored.mayRepeat(), []);
  }
  assert.deepEqual((await statsOf(copy)).parent, { channelId, mayRepeatFrom: null });
  assert.match(
    (await verb('stats', copy)).stdout,
    /\nbackup of +[0-9a-f]{32}; nothing waits that it may deliver too\n/,
  );
  await channel.close();
});

test('an agent that opens a backup says once from where on events are sent twice', async (t) => {
  const top = await tempDir(t);
  const [home, copy] = [join(top, 'c1'), join(top, 'copy')];
  {
    await using channel = await open(home);
    await channel.put(makeEvents(10));
    await (await channel.take(4)).commit();
  }
  assert.match((await verb('backup', home, copy)).stdout, /\nfrom sequence 5 on both channels may deliver the same/);
  for (const [directory, expected] of [
    [home, []],
    [copy, [{ fromSequence: 5, events: 6 }]],
  ] as const) {
    const said: unknown[] = [];
    const warn = (_text: string, fields: Readonly<Record<string, unknown>> = {}): void => {
      said.push({ fromSequence: fields['fromSequence'], events: fields['events'] });
    };
    const log = { info: () => undefined, warn, error: () => undefined };
    const keys = { dataDirs: directory, checkpointDir: join(directory, 'checkpoint'), maxFileSize: '1048576' };
    const { values } = readKeys(fileChannel.keys, new Map(Object.entries(keys)));
    assert.ok(values);
    const context = { name: 'c1', log, clock: systemClock, count: () => undefined };
    const channel = await fileChannel.create(values, context).open();
    await channel.close();
    assert.deepEqual(said, expected, directory);
  }
});

test('Ctrl-C: 130, and what was begun is gone; a kill leaves what is no channel and is not written over', async (t) => {
  const { home, copy } = await makeLarge(t);
  const interrupted = verb('backup', home, copy);
  await begun(copy);
  process.emit('SIGINT', 'SIGINT');
  const { status, stderr } = await interrupted;
  assert.deepEqual([status, stderr, readdirSync(copy)], [130, `error: interrupted; ${copy} holds no backup\n`, []]);
  const command = ['--import=tsx', join(root, 'src/cli/main.ts'), 'channel', 'backup', home, copy];
  const child = spawn(process.execPath, command, { stdio: 'ignore' });
  const ended = once(child, 'exit');
  await begun(copy);
  child.kill('SIGKILL');
  assert.deepEqual(await ended, [null, 'SIGKILL'], 'killed in the middle');
  const left = readdirSync(copy);
  assert.ok(left.includes('backup-incomplete.json') && !left.includes('channel.json'), left.join());
  assert.equal((await verb('verify', copy)).status, 1);
  await assert.rejects(open(copy), { code: 'NOT_A_CHANNEL' });
  const again = await verb('backup', home, copy);
  assert.deepEqual([again.status, again.stdout], [1, '']);
  assert.match(again.stderr, /holds a backup that was cut off, which is no channel: remove it/);
  assert.deepEqual(readdirSync(copy), left);
  assert.equal((await verb('verify', home)).status, 0);
});

test('a destination that is used, a file, or in the channel; no destination; no channel', async (t) => {
  const top = await tempDir(t);
  const home = join(top, 'c1');
  await (await open(home)).close();
  mkdirSync(join(top, 'used'));
  writeFileSync(join(top, 'used', 'mine'), 'x');
  for (const [name, why] of [
    ['used', /holds 'mine'; name a directory that is empty or not there\n$/],
    ['used/mine', /is not a directory/],
    ['c1/copy', /is the channel's own/],
  ] as const) {
    const { status, stdout, stderr } = await verb('backup', home, join(top, name));
    assert.deepEqual([status, stdout], [1, '']);
    assert.match(stderr, why);
  }
  assert.deepEqual([readdirSync(join(top, 'used')), existsSync(join(home, 'copy'))], [['mine'], false]);
  assert.equal((await verb('backup', home)).status, 64);
  assert.equal((await verb('backup')).status, 64);
  const nowhere = await verb('backup', join(top, 'nowhere'), join(top, 'x'));
  assert.deepEqual([nowhere.status, existsSync(join(top, 'x'))], [1, false]);
});
