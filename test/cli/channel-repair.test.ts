/** `forebay channel repair`: what it prints and how it ends; beside an owner, and interrupted in the middle. */
import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import test, { type TestContext } from 'node:test';
import { nodeDisk } from '../../src/base/disk-node.ts';
import { FileChannel } from '../../src/channel/file-channel.ts';
import { readFiles } from '../damage/reference-log.ts';
import { forebay } from '../support/forebay-here.ts';
import { tempDir } from '../support/temp-dir.ts';

const options = { segmentBytes: 65_536, minimumFreeBytes: 0 };

/** 100 events in several segments; of the second, a byte of a transaction of ten is spoiled, and of a header page. */
async function damagedChannel(t: TestContext): Promise<string> {
  const directory = join(await tempDir(t), 'c1');
  await using channel = await FileChannel.open(directory, options);
  for (let from = 0; from < 100; from += 10) {
    const lines = Array.from({ length: 10 }, (_, at) => `line ${from + at} ${'x'.repeat(2000)}`);
    await channel.put(lines.map((line) => ({ headers: {}, body: Buffer.from(line) })));
  }
  await channel.close();
  const [, name = ''] = readdirSync(directory).filter((one) => /^[0-9a-f]{16}\.seg$/.test(one));
  const path = join(directory, name);
  const bytes = readFileSync(path);
  for (const at of [bytes.indexOf('xxxx'), 100]) bytes.writeUInt8(bytes.readUInt8(at) ^ 8, at);
  writeFileSync(path, bytes);
  return directory;
}

/** All but the lock's empty file. */
async function filesIn(directory: string): Promise<ReadonlyMap<string, Buffer>> {
  return await readFiles(nodeDisk(), directory);
}

test('the plan, exit 2; done with --apply, exit 0; then nothing is to be done', async (t) => {
  const directory = await damagedChannel(t);
  const before = await filesIn(directory);
  const plan = await forebay('channel', 'repair', directory);
  assert.equal(plan.status, 2, plan.stderr);
  assert.match(plan.stdout, /: segmentHeader: .*\n {2}rewrite: .*\n.*: frame: .*10 events lost.*\n {2}settle: /);
  assert.match(plan.stdout, /\n2 damages, 10 events lost; 90 events that wait are kept; nothing was changed/);
  assert.deepEqual(await filesIn(directory), before);
  const done = await forebay('channel', 'repair', directory, '--apply', '--json');
  assert.equal(done.status, 0, done.stdout + done.stderr);
  const { applied, ok, eventsLost, eventsKept, quarantineDirs, damages } = JSON.parse(done.stdout);
  assert.deepEqual([applied, ok, eventsLost, eventsKept, damages.length], [true, true, 10, 90, 2]);
  assert.deepEqual(quarantineDirs, [join(directory, 'quarantine')]);
  const kept = readdirSync(join(directory, 'quarantine'));
  assert.deepEqual(
    kept.map((name) => name.slice(name.lastIndexOf('.'))),
    ['.bin', '.bin', '.json'],
  );
  const verify = await forebay('channel', 'verify', directory);
  assert.equal(verify.status, 0);
  assert.match(verify.stdout, /^1 place that a repair has settled: .*\n.*; all of it holds\n$/);
  const again = await forebay('channel', 'repair', directory);
  assert.deepEqual([again.status, again.stdout], [0, 'all of it holds: nothing is to be done\n']);
});

test('a channel in use: the plan is told, --apply is exit 75 and changes nothing', async (t) => {
  const directory = await damagedChannel(t);
  await using owner = await FileChannel.open(directory, options);
  await new Promise((resolve) => setTimeout(resolve, 200));
  const before = await filesIn(directory);
  const plan = await forebay('channel', 'repair', directory);
  assert.equal(plan.status, 2, plan.stderr);
  const refused = await forebay('channel', 'repair', directory, '--apply');
  assert.equal(refused.status, 75, refused.stdout);
  assert.match(refused.stderr, /owned by another process/);
  assert.deepEqual(await filesIn(directory), before);
  await owner.close();
});

test('interrupted in the middle of --apply it is exit 130, and the next one finishes', async (t) => {
  const directory = await damagedChannel(t);
  const running = forebay('channel', 'repair', directory, '--apply');
  const isActing = () => existsSync(join(directory, 'quarantine'));
  while (!isActing()) await new Promise((resolve) => setImmediate(resolve));
  process.emit('SIGINT', 'SIGINT');
  const interrupted = await running;
  assert.equal(interrupted.status, 130, interrupted.stdout + interrupted.stderr);
  const next = await forebay('channel', 'repair', directory, '--apply');
  assert.equal(next.status, 0, next.stderr);
  assert.equal((await forebay('channel', 'verify', directory)).status, 0);
  await using channel = await FileChannel.open(directory, options);
  assert.equal((await channel.take(1000)).events.length, 90);
});
