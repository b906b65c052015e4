/** `forebay channel tail` as a process, beside an owner that is another one: what it prints, and how it ends. */
import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import test, { type TestContext } from 'node:test';
import { setTimeout as pass } from 'node:timers/promises';
import { FileChannel } from '../../src/channel/file-channel.ts';
import { root } from '../support/source.ts';
import { tempDir } from '../support/temp-dir.ts';

const options = { segmentBytes: 65_536, minimumFreeBytes: 0, checkpoint: 'memory' } as const;
const forebay = ['--import=tsx', join(root, 'src/cli/main.ts'), 'channel', 'tail'];

/** Puts five numbered lines at a time, and says which it has put. They are taken, and retained. */
const owner = `import { FileChannel } from '${join(root, 'src/channel/file-channel.ts')}';
const channel = await FileChannel.open(process.argv[1], ${JSON.stringify({ ...options, retentionHours: 1 })});
const line = (number) => ({ headers: {}, body: Buffer.from(number + ' ' + 'x'.repeat(200)) });
for (let number = 1; ; number += 5) {
  await channel.put([0, 1, 2, 3, 4].map((at) => line(number + at)));
  process.stdout.write(String(number + 4) + '\\n');
  if (number % 2 === 1) await (await channel.take(10)).commit();
  await new Promise((resolve) => setTimeout(resolve, 1));
}`;

interface Running {
  readonly child: ChildProcess;
  stdout: string;
  stderr: string;
}

function start(t: TestContext, program: string, ...args: string[]): Running {
  const child = spawn(program, args, { cwd: root, stdio: ['ignore', 'pipe', 'pipe'] });
  t.after(() => child.kill('SIGKILL'));
  const running: Running = { child, stdout: '', stderr: '' };
  child.stdout?.setEncoding('utf8').on('data', (text: string) => {
    running.stdout += text;
  });
  child.stderr?.setEncoding('utf8').on('data', (text: string) => {
    running.stderr += text;
  });
  return running;
}

async function until(what: string, isSo: () => boolean): Promise<void> {
  const endMs = performance.now() + 60_000;
  while (!isSo()) {
    assert.ok(performance.now() < endMs, what);
    await pass(10);
  }
}

function linesOf({ stdout }: Running): string[] {
  return stdout.split('\n').slice(0, -1);
}

async function exitOf({ child }: Running): Promise<number | null> {
  if (child.exitCode === null && child.signalCode === null) await once(child, 'exit');
  return child.exitCode;
}

test('beside an owner that is killed, and the next one: every event once and in order; Ctrl-C', async (t) => {
  const directory = join(await tempDir(t), 'c1');
  await (await FileChannel.open(directory, options)).close();
  const first = start(t, process.execPath, '--import=tsx', '--input-type=module', '-e', owner, directory);
  const tail = start(t, process.execPath, ...forebay, directory, '--from', '1', '--format', 'raw');
  await until('it follows', () => linesOf(tail).length > 500);
  first.child.kill('SIGKILL');
  await exitOf(first);
  const acknowledged = Number(linesOf(first).at(-1));
  const second = await FileChannel.open(directory, options);
  const [range] = await second.put([{ headers: {}, body: Buffer.from('0') }]);
  await until('all of it', () => tail.stdout.endsWith('\n0\n'));
  tail.child.kill('SIGINT');
  assert.equal(await exitOf(tail), 130, tail.stderr);
  await second.close();
  const seen = linesOf(tail).map((line) => Number(line.split(' ')[0]));
  // What the first one did not prove came when the second one had written it again.
  const unsaid = seen.length - 1 - acknowledged;
  assert.ok(unsaid === 0 || unsaid === 5, `${unsaid} more than were acknowledged`);
  assert.deepEqual(seen, [...Array.from({ length: acknowledged + unsaid }, (_, at) => at + 1), 0]);
  assert.ok(range !== undefined && range.first > acknowledged + 1000, 'the second one leaves a gap');
  assert.match(tail.stderr, /^(no agent has the channel: waiting for one\n|an agent has the channel now\n)*$/);
  console.log(`shows: tail: ${seen.length} events of an owner that was killed and of the next, each once, in order`);
});

test('begins with the last ones, and ends with a typed error where the channel is removed', async (t) => {
  const directory = join(await tempDir(t), 'c1');
  const channel = await FileChannel.open(directory, options);
  for (let put = 0; put < 40; put += 1) {
    const bodies = Array.from({ length: 100 }, (_, at) => `\u001b[31m${put * 100 + at + 1}${'x'.repeat(100)}`);
    await channel.put(bodies.map((body, at) => ({ headers: { host: `h${at % 2}` }, body: Buffer.from(body) })));
  }
  await channel.close();
  const command = [process.execPath, ...forebay, directory, '--from', '1'].map((one) => `'${one}'`).join(' ');
  const piped = start(t, 'bash', '-c', `set -o pipefail; ${command} | head -n 3`);
  const tail = start(t, process.execPath, ...forebay, directory, '--last', '5', '--where', 'host=h1');
  assert.deepEqual([await exitOf(piped), linesOf(piped).length], [0, 3], piped.stderr);
  await until('three lines', () => linesOf(tail).length === 3);
  await rm(directory, { recursive: true });
  assert.equal(await exitOf(tail), 1);
  const shown = linesOf(tail).map((line) => /^(\d+) \S+Z pending \{host=h1\} \\u\{1b\}\[31m\1x+$/.exec(line)?.[1]);
  assert.deepEqual(shown, ['3996', '3998', '4000']);
  assert.match(
    tail.stderr,
    /^no agent has.*\nerror: .*c1 holds no channel any more: what was followed was removed.*\n$/,
  );
});
