/** The commands beside others: an owner that starts or runs, a reader that has seen enough, a Ctrl-C. */
import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import test, { type TestContext } from 'node:test';
import { FileChannel } from '../../../src/channel/file-channel.ts';
import { forebay } from '../../support/forebay-here.ts';
import { tellStory } from '../../support/sample-channels.ts';
import { root } from '../../support/source.ts';
import { tempDir } from '../../support/temp-dir.ts';
import { snapshotOf } from '../../support/tree-snapshot.ts';

const looks = [['stats'], ['segments'], ['verify'], ['dump', '--state', 'all'], ['unresolved'], ['replay'], ['repair']];
const writes = [
  ['repair', '--apply'],
  ['rewind', '--to', '1'],
  ['resolve', '1-1', '--commit'],
];
const main = ['--import=tsx', join(root, 'src/cli/main.ts'), 'channel'];

/** More than a pipe holds. */
async function makeLong(t: TestContext): Promise<string> {
  const directory = join(await tempDir(t), 'c1');
  await using channel = await FileChannel.open(directory, { minimumFreeBytes: 0, checkpoint: 'memory' });
  for (let put = 0; put < 20; put += 1) {
    await channel.put(
      Array.from({ length: 1000 }, (_, at) => ({ headers: {}, body: Buffer.from(`line ${put}.${at}`) })),
    );
  }
  return directory;
}

test('who looks keeps no owner from starting, and needs none to have stopped', async (t) => {
  const { directory, options } = await tellStory(await tempDir(t), { isPreparing: true });
  let isOver = false;
  let count = 0;
  const looking = looks.map(async ([verb = '', ...rest]) => {
    while (!isOver) {
      const { status, stderr } = await forebay('channel', verb, directory, ...rest);
      assert.equal(status, 0, `${verb}: ${stderr}`);
      count += 1;
    }
  });
  for (let start = 0; start < 20; start += 1) {
    const channel = await FileChannel.open(directory, options);
    await channel.put([{ headers: {}, body: Buffer.from(`start ${start}`) }]);
    await channel.close();
  }
  isOver = true;
  await Promise.all(looking);
  assert.ok(count >= looks.length, `${count} looks`);
  console.log(`shows: 20 owners started, one after the other, while commands looked ${count} times: none was refused`);
});

test('beside a running owner: what looks changes nothing, what writes is told to try later', async (t) => {
  const { directory, options } = await tellStory(await tempDir(t), { isPreparing: true });
  await using channel = await FileChannel.open(directory, options);
  await channel.put([{ headers: {}, body: Buffer.from('proven by what follows') }]);
  // The MARK behind it is the last that an idle owner writes.
  while ((await looked(directory)) !== 121) await new Promise((resolve) => setTimeout(resolve, 20));
  const before = await snapshotOf(directory);
  for (const [verb = '', ...rest] of looks) {
    const { status, stderr } = await forebay('channel', verb, directory, ...rest);
    assert.equal(status, 0, `${verb}: ${stderr}`);
  }
  for (const [verb = '', ...rest] of writes) {
    const { status, stdout, stderr } = await forebay('channel', verb, directory, ...rest);
    assert.deepEqual([status, stdout], [75, ''], `${verb}: ${stderr}`);
    assert.match(stderr, /in use|another process|owns/, verb);
  }
  assert.deepEqual(await snapshotOf(directory), before);
});

async function looked(directory: string): Promise<number> {
  return JSON.parse((await forebay('channel', 'stats', directory, '--json')).stdout).counters.put;
}

test('a pipe that is closed early ends a command, and is no error', async (t) => {
  const directory = await makeLong(t);
  const command = [process.execPath, ...main, 'dump', directory, '--json'].join(' ');
  const script = `set -o pipefail; { ${command}; echo "status $?" >&2; } | head -n 1`;
  const { stdout, stderr } = spawnSync('bash', ['-c', script], { cwd: root, encoding: 'utf8', timeout: 60_000 });
  assert.equal(stderr, 'status 0\n');
  assert.equal(JSON.parse(stdout).body, 'line 0.0');
});

test('Ctrl-C ends a command at once, with 130 for a shell, and changes nothing', { timeout: 60_000 }, async (t) => {
  const directory = await makeLong(t);
  const before = await snapshotOf(directory);
  for (const verb of ['dump', 'replay']) {
    const child = spawn(process.execPath, [...main, verb, directory], { stdio: ['ignore', 'pipe', 'inherit'] });
    t.after(() => child.kill('SIGKILL'));
    // Nobody reads on: it waits in the middle.
    await once(child.stdout, 'readable');
    child.kill('SIGINT');
    const exited = once(child, 'exit');
    // What a replay calls sent still has to be taken from it.
    if (verb === 'replay') child.stdout.resume();
    const [status, signal] = await exited;
    // A shell tells both as 130.
    assert.ok(status === 130 || signal === 'SIGINT', `${verb}: ${status} ${signal}`);
  }
  assert.deepEqual(await snapshotOf(directory), before);
});
