/** The exec source with real commands: lines, batches, restarts, ends, and what a full channel does to the pipe. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import test, { type TestContext } from 'node:test';
import { execSource } from '../../../../src/adapters/sources/exec/exec-source.ts';
import { createChannelProcessor } from '../../../../src/agent/channel-processor.ts';
import { readKeys } from '../../../../src/agent/contracts/read-keys.ts';
import { systemClock } from '../../../../src/base/clock.ts';
import { type Channel, MemoryChannel, type MemoryChannelOptions } from '../../../../src/engine.ts';
import { tempDir } from '../../../support/temp-dir.ts';

/** Runs a source over memory channels until the test ends. */
async function run(t: TestContext, properties: Record<string, string>, ...options: MemoryChannelOptions[]) {
  const opened = await Promise.all((options.length === 0 ? [{}] : options).map((one) => MemoryChannel.open(one)));
  const channels = new Map(opened.map((channel, index) => [`c${index + 1}`, channel]));
  const said: string[] = [];
  const counts = new Map<string, number>();
  const say = (text: string): void => void said.push(text);
  const context = {
    name: 'r1',
    log: { info: say, warn: say, error: say },
    clock: systemClock,
    count: (counter: string, by = 1) => void counts.set(counter, (counts.get(counter) ?? 0) + by),
  };
  const names = [...channels.keys()];
  const processor = createChannelProcessor({
    ...context,
    channels: names,
    channel: (name) => {
      const channel = channels.get(name);
      if (channel === undefined) throw new Error(`no channel ${name}`);
      return channel;
    },
    interceptors: [],
    selector: { route: () => ({ required: names, optional: [] }) },
  });
  const { values, problems } = readKeys(execSource.keys, new Map(Object.entries(properties)));
  if (values === undefined) throw new Error(JSON.stringify(problems));
  const source = execSource.create(values, { ...context, processor });
  t.after(() => source.stop());
  await source.start();
  return { source, channels: opened as readonly Channel[], channel: opened[0] as Channel, said, counts };
}

async function takeLines(channel: Channel, count: number, waitMs = 2000): Promise<string[]> {
  const lines: string[] = [];
  while (lines.length < count) {
    const batch = await channel.take(Math.min(1000, count - lines.length), { waitMs });
    if (batch.events.length === 0) break;
    lines.push(...batch.events.map(({ body }) => body.toString()));
    await batch.commit();
  }
  return lines;
}

async function until(is: () => boolean | Promise<boolean>): Promise<void> {
  for (let turn = 0; turn < 500; turn += 1) {
    if (await is()) return;
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  throw new Error('it did not come to be within 5 s');
}

const shell = '/bin/sh -c';
const soon = { batchTimeout: '50' };

test('a command split at blanks, quotes or not; its last line needs no end', async (t) => {
  const { channel, said } = await run(t, { command: `printf %s\\n "a  b" c`, ...soon });
  assert.deepEqual(await takeLines(channel, 3), ['"a', 'b"', 'c']);
  const other = await run(t, { command: 'printf one\\r\\n\\ntwo\\rthree', ...soon });
  assert.deepEqual(await takeLines(other.channel, 4), ['one', '', 'two', 'three']);
  await until(() => said.some((text) => text.includes('exited with 0')));
});

test('a shell is given the command as one argument', async (t) => {
  const { channel } = await run(t, { shell, command: 'for i in 1 2 3; do echo "line  $i"; done | tac', ...soon });
  assert.deepEqual(await takeLines(channel, 3), ['line  3', 'line  2', 'line  1']);
});

test('bytes that are no UTF-8 stay as they are', async (t) => {
  const { channel } = await run(t, { shell, command: "printf '\\377\\376x\\n'", ...soon });
  const batch = await channel.take(1, { waitMs: 2000 });
  assert.deepEqual([...(batch.events[0]?.body ?? [])], [0xff, 0xfe, 0x78]);
});

test('a charset whose line ends are other bytes', async (t) => {
  const octal = (byte: number): string => `\\${byte.toString(8).padStart(3, '0')}`;
  const bytes = [...Buffer.from('ä\nĊ\n', 'utf16le')].map(octal).join('');
  const { channel } = await run(t, { shell, command: `printf '${bytes}'`, charset: 'UTF-16LE', ...soon });
  const batch = await channel.take(3, { waitMs: 2000 });
  // The byte 0x0a is in `Ċ` as well.
  assert.deepEqual(
    batch.events.map(({ body }) => body.toString('utf16le')),
    ['ä', 'Ċ'],
  );
});

test('batches of batchSize, and after batchTimeout what there is', async (t) => {
  const { channel, counts } = await run(t, {
    shell,
    command: 'for i in 1 2 3 4 5 6 7; do echo $i; done; sleep 30',
    batchSize: '3',
    batchTimeout: '400',
  });
  assert.equal((await takeLines(channel, 6, 300)).length, 6);
  assert.equal(counts.get('AppendBatchAcceptedCount'), 2);
  assert.deepEqual(await takeLines(channel, 1, 100), []);
  assert.deepEqual(await takeLines(channel, 1), ['7']);
});

test('a command that ends is run again after the throttle, or its end is said', async (t) => {
  const { channel, said } = await run(t, { shell, command: 'echo x; exit 3', restart: 'true', restartThrottle: '50' });
  assert.deepEqual(await takeLines(channel, 3), ['x', 'x', 'x']);
  assert.ok(said.some((text) => text.includes('exited with 3')));
  const once = await run(t, { shell, command: 'echo x; kill -9 $$' });
  assert.deepEqual(await takeLines(once.channel, 2, 300), ['x']);
  assert.equal(once.said.filter((text) => text.includes('died of SIGKILL')).length, 1);
});

test('a command that is not there is said; with restart it is tried again', async (t) => {
  const dir = await tempDir(t);
  const command = join(dir, 'program');
  const { channel, said } = await run(t, { command, restart: 'true', restartThrottle: '30', ...soon });
  await until(() => said.some((text) => text.includes('could not be started')));
  await writeFile(command, '#!/bin/sh\necho here\nsleep 30\n', { mode: 0o755 });
  assert.deepEqual(await takeLines(channel, 1), ['here']);
});

test('errors are logged where that is asked for', async (t) => {
  const command = 'echo wrong >&2; echo right';
  const { said } = await run(t, { shell, command, logStdErr: 'true' });
  await until(() => said.includes('stderr: wrong'));
  const silent = await run(t, { shell, command });
  assert.deepEqual(await takeLines(silent.channel, 1), ['right']);
  assert.ok(!silent.said.some((text) => text.includes('wrong')));
});

test('a full channel stops the pipe; nothing is dropped, and no channel has a line twice', async (t) => {
  const full = { capacityEvents: 100, keepAliveMs: 30 };
  const dir = await tempDir(t);
  // More than the system's buffers between the two hold.
  const count = 20_000;
  const wrote = join(dir, 'wrote');
  const command = `seq -f %0100.0f 1 ${count}; touch ${wrote}`;
  const { channels, counts } = await run(t, { shell, command, batchSize: '50' }, {}, full);
  await until(() => (counts.get('ChannelWriteFail') ?? 0) > 0);
  await assert.rejects(readFile(wrote), 'the command waits');
  const [first, second] = channels as readonly [Channel, Channel];
  const expected = Array.from({ length: count }, (_, index) => String(index + 1).padStart(100, '0'));
  assert.deepEqual(await takeLines(second, count, 3000), expected);
  assert.deepEqual(await takeLines(first, count + 1, 100), expected);
});

test('the stop ends the whole group, and what was written is put', async (t) => {
  const dir = await tempDir(t);
  const pids = join(dir, 'pids');
  const command = `trap '' TERM; sleep 97 & echo $! > ${pids}; echo $$ >> ${pids}; echo last; wait; sleep 98`;
  const { source, channel } = await run(t, { shell, command, batchTimeout: '60000', batchSize: '100' });
  await until(async () => (await readFile(pids, 'utf8').catch(() => '')).trim().split('\n').length === 2);
  await new Promise((resolve) => setTimeout(resolve, 100));
  const start = performance.now();
  await source.stop();
  assert.ok(performance.now() - start < 6000);
  assert.deepEqual(await takeLines(channel, 2, 0), ['last']);
  for (const pid of (await readFile(pids, 'utf8')).trim().split('\n')) {
    const { stdout } = spawnSync('ps', ['-o', 'stat=', '-p', pid], { encoding: 'utf8' });
    assert.ok(stdout.trim() === '' || stdout.startsWith('Z'), `${pid} still runs`);
  }
});

test('a stop while a command writes without end loses no line it took', async (t) => {
  const { source, channel } = await run(t, { command: 'seq 1 1000000000', batchSize: '1000' });
  await until(() => channel.stats().depthEvents > 5000);
  await source.stop();
  const depth = channel.stats().depthEvents;
  const lines = await takeLines(channel, depth, 0);
  const expected = Array.from({ length: depth - 1 }, (_, index) => String(index + 1));
  // The last may be cut where the command was.
  assert.deepEqual(lines.slice(0, -1), expected);
});
