/** `forebay channel replay`: what was delivered is sent again, once and in order, also after a kill. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import test, { type TestContext } from 'node:test';
import { setTimeout as pass } from 'node:timers/promises';
import { registry } from '../../src/adapters/registry.ts';
import { AgentRunner } from '../../src/agent/runner.ts';
import { type Clock, systemClock } from '../../src/base/clock.ts';
import { FileChannel } from '../../src/channel/file-channel.ts';
import { loadConfiguration } from '../../src/config/load.ts';
import { forebay } from '../support/forebay-here.ts';
import { readTree } from '../support/golden-channel.ts';
import { root } from '../support/source.ts';
import { tempDir } from '../support/temp-dir.ts';

const dayMs = 86_400_000;
/** 50 days ago, at midnight: what the channel retains is older than any clock of a test. */
const firstDayMs = Math.floor(Date.now() / dayMs - 50) * dayMs;
const quiet = { info: () => undefined, warn: () => undefined, error: () => undefined };

interface Place {
  readonly home: string;
  readonly channel: string;
  readonly configuration: string;
  /** Of the sink `roll`. */
  readonly files: string;
}

/** A configuration whose channel retains what it delivered, and events put over three days. */
async function makePlace(t: TestContext, eventsPerDay: number): Promise<Place> {
  const home = await tempDir(t);
  const [channel, configuration, files] = [join(home, 'c1'), join(home, 'a.properties'), join(home, 'files')];
  const lines = [
    'channels = c1',
    'sinks = roll',
    'channels.c1.type = file',
    `channels.c1.dataDirs = ${channel}`,
    `channels.c1.checkpointDir = ${join(home, 'checkpoint')}`,
    'channels.c1.retentionHours = 87600',
    'channels.c1.minimumRequiredSpace = 1048576',
    'sinks.roll.type = file_roll',
    'sinks.roll.channel = c1',
    `sinks.roll.sink.directory = ${files}`,
    'sinks.roll.sink.rollInterval = 0',
    'sinks.roll.sink.batchSize = 7',
  ];
  const others = [
    'sinks = roll hdfs',
    'sinks.hdfs.type = hdfs',
    'sinks.hdfs.channel = c1',
    `sinks.hdfs.hdfs.path = file://${join(home, 'hdfs')}/%{host}/%Y-%m-%d`,
    'sinks.hdfs.hdfs.fileType = DataStream',
    'sinks.hdfs.hdfs.useLocalTimeStamp = true',
    'sinks.hdfs.hdfs.rollCount = 100',
  ];
  const text = (all: readonly string[]): string => all.map((line) => `a1.${line}\n`).join('');
  await writeFile(configuration, text(lines));
  await writeFile(join(home, 'more.properties'), text(others));
  await mkdir(files);
  let wallMs = firstDayMs;
  const clock: Clock = { ...systemClock, wallMs: () => wallMs };
  const options = { segmentBytes: 65_536, minimumFreeBytes: 0, retentionHours: 87_600 } as const;
  const owner = await FileChannel.open(channel, { ...options, checkpointDir: join(home, 'checkpoint') }, { clock });
  for (let number = 0; number < 3 * eventsPerDay; number += 100) {
    wallMs = firstDayMs + Math.floor((number * dayMs) / eventsPerDay) + 1;
    await owner.put(
      Array.from({ length: 100 }, (_, at) => {
        const body = Buffer.from(`${number + at} GET /page/${(number + at) % 7} ${'x'.repeat(40)}`);
        return { headers: { host: `web${(number + at) % 3}` }, body };
      }),
    );
  }
  await owner.close();
  return { home, channel, configuration, files };
}

/** Runs the agent of a configuration until its channel is empty. */
async function drain(configuration: string): Promise<void> {
  const surroundings = { environment: {}, system: new Map(), now: new Date() };
  const { plans } = await loadConfiguration({ files: [configuration], agent: 'a1', registry, surroundings });
  const [plan] = plans;
  assert.ok(plan !== undefined);
  const runner = new AgentRunner({ log: () => quiet, clock: systemClock });
  await runner.start(plan);
  while (runner.stats().channels.get('c1')?.depthEvents !== 0) await pass(5);
  assert.deepEqual(await runner.stop(), []);
}

/** All lines of the files below a directory, file by file in the order of their names. */
async function linesBelow(directory: string): Promise<string[]> {
  const files = await readTree(directory);
  return [...files.values()].flatMap(linesOf);
}

function linesOf(bytes: Buffer): string[] {
  return bytes.toString().split('\n').slice(0, -1);
}

async function untilLines(directory: string, count: number): Promise<void> {
  while ((await linesBelow(directory)).length < count) await pass(5);
}

function numbersOf(lines: readonly string[]): number[] {
  return lines.map((line) => Number.parseInt(line, 10));
}

test('a day sent again: files that were deleted are restored from the channel, line by line', async (t) => {
  const perDay = 1000;
  const { home, channel, configuration, files } = await makePlace(t, perDay);
  await drain(configuration);
  const delivered = await linesBelow(files);
  assert.equal(delivered.length, 3 * perDay);
  for (const name of await readdir(files)) await rm(join(files, name));
  const before = await readTree(channel);
  const day = (number: number): string => new Date(firstDayMs + number * dayMs).toISOString();
  const range = ['--from', day(1), '--to', new Date(firstDayMs + 2 * dayMs - 1).toISOString()];
  const sent = await forebay('channel', 'replay', '-f', configuration, '-n', 'a1', '--sink', 'roll', ...range);
  assert.equal(sent.status, 0, sent.stderr);
  assert.equal(sent.stdout, '1,000 events sent through a1.roll, sequences 1001…2000\n');
  assert.deepEqual(await linesBelow(files), delivered.slice(perDay, 2 * perDay));
  const [more, out] = [join(home, 'more.properties'), join(home, 'hdfs')];
  const both = ['-f', configuration, '-f', more, '-n', 'a1', '--sink', 'hdfs'];
  const hdfs = await forebay('channel', 'replay', channel, ...both, '--json');
  assert.equal(hdfs.status, 0, hdfs.stderr);
  const { events, first, last, notDelivered } = JSON.parse(hdfs.stdout);
  assert.deepEqual([events, first, last, notDelivered], [3000, 1, 3000, 0]);
  const written = [...(await readTree(out))].map(([name, bytes]) => ({ name, lines: linesOf(bytes) }));
  for (const host of [0, 1, 2]) {
    const theirs = written.filter(({ name }) => name.startsWith(`web${host}/`)).flatMap(({ lines }) => lines);
    const ours = delivered.filter((_, number) => number % 3 === host);
    assert.deepEqual(theirs.sort(), ours.sort(), 'what one directory gets is whole');
  }
  for (const { name, lines } of written) {
    const numbers = numbersOf(lines);
    assert.ok(
      numbers.every((number, at) => at === 0 || number > Number(numbers[at - 1])),
      `${name} is in order`,
    );
    assert.ok(!name.endsWith('.tmp'), 'all files are closed');
  }
  assert.deepEqual(await readTree(channel), before, 'the channel is as it was');
  console.log(`shows: replay: a day of ${perDay} events and three of ${events}, in ${written.length} files of hdfs`);
});

test('a replay that is killed, and one that is stopped, go on: each line once, in order', async (t) => {
  const { home, channel, configuration, files } = await makePlace(t, 1000);
  const resume = join(home, 'resume.json');
  const args = ['channel', 'replay', '-f', configuration, '-n', 'a1', '--sink', 'roll', '--resume', resume];
  const run = async (signal: NodeJS.Signals, lines: number): Promise<number | null> => {
    const command = ['--import=tsx', join(root, 'src/cli/main.ts'), ...args, '--rate', '3000'];
    const child = spawn(process.execPath, command, { stdio: 'ignore' });
    await untilLines(files, lines);
    child.kill(signal);
    const [status] = await once(child, 'exit');
    return status;
  };
  assert.equal(await run('SIGKILL', 330), null);
  const killedAt = (await linesBelow(files)).length;
  assert.equal(await run('SIGINT', killedAt + 300), 130);
  const stoppedAt = (await linesBelow(files)).length;
  assert.ok(killedAt >= 330 && stoppedAt < 3000, `cut off at ${killedAt} and ${stoppedAt} lines`);
  const rest = await forebay(...args);
  assert.equal(rest.status, 0, rest.stderr);
  assert.deepEqual(
    numbersOf(await linesBelow(files)),
    Array.from({ length: 3000 }, (_, number) => number),
  );
  assert.deepEqual((await readdir(home)).sort(), [
    'a.properties',
    'c1',
    'checkpoint',
    'files',
    'more.properties',
    'resume.json',
  ]);
  const again = await forebay(...args);
  assert.match(again.stdout, /^0 events sent/);
  const other = await forebay(...args, '--from', '7');
  assert.equal(other.status, 64);
  assert.match(other.stderr, /is of another replay \(from is null in it, and "7" here\)/);
  const toStdout = await forebay('channel', 'replay', channel, '--resume', resume);
  assert.equal(toStdout.status, 64, 'nor to another receiver');
  console.log(`shows: replay: killed at ${killedAt} and stopped at ${stoppedAt} of 3000 lines, each there once`);
});

test('to stdout: ranges, states, a rate; what is wrong is said before anything is sent', async (t) => {
  const { home, channel, configuration } = await makePlace(t, 100);
  const owner = await FileChannel.open(channel, { minimumFreeBytes: 0, checkpointDir: join(home, 'checkpoint') });
  t.after(() => owner.close());
  await (await owner.take(50)).commit();
  const resume = join(home, 'r.json');
  const part = await forebay('channel', 'replay', channel, '--to', '120', '--resume', resume, '--json');
  assert.equal(part.status, 0, part.stderr);
  const events = part.stdout
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line));
  assert.deepEqual(
    events.map(({ sequence }) => sequence),
    Array.from({ length: 120 }, (_, at) => at + 1),
  );
  assert.equal(JSON.parse(part.stderr).nextSequence, 121);
  assert.equal(JSON.parse(await readFile(resume, 'utf8')).nextSequence, 121);
  const startMs = performance.now();
  const slow = await forebay('channel', 'replay', channel, '--where', 'host=web1', '--rate', '200', '--format', 'raw');
  const tookMs = performance.now() - startMs;
  assert.equal(slow.stdout.split('\n').length, 101);
  assert.ok(tookMs >= 490, `100 events at 200 a second in ${tookMs} ms`);
  const acked = await forebay('channel', 'replay', channel, '--state', 'acked', '--format', 'raw');
  assert.deepEqual(
    numbersOf(acked.stdout.split('\n').slice(0, -1)),
    Array.from({ length: 50 }, (_, at) => at),
  );
  const bad: readonly (readonly [readonly string[], number, RegExp])[] = [
    [[channel, '--rate', '0'], 64, /--rate '0': events a second/],
    [[channel, '--sink', 'roll'], 64, /--sink needs --conf-file and --name/],
    [['-f', configuration, '-n', 'a1', '--sink', 'none'], 78, /a1 has no sink 'none': it has roll/],
    [[channel, '--resume', configuration], 64, /is no such file/],
    [[join(home, 'files')], 1, /holds no channel/],
  ];
  for (const [args, status, text] of bad) {
    const refused = await forebay('channel', 'replay', ...args);
    assert.deepEqual([refused.status, refused.stdout], [status, ''], refused.stderr);
    assert.match(refused.stderr, text);
  }
  await rm(join(home, 'files'), { recursive: true });
  const stuck = await forebay('channel', 'replay', '-f', configuration, '-n', 'a1', '--sink', 'roll');
  assert.equal(stuck.status, 1);
  assert.match(stuck.stderr, /sink roll does not start/);
});
