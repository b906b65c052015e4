/** Each line once in each channel: across kills, across channels that do not have the same, across renames unseen. */
import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { appendFile, mkdir, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import test from 'node:test';
import { fileURLToPath } from 'node:url';
import { type Channel, FileChannel } from '../../../../src/engine.ts';
import { SeededRandom } from '../../../support/seeded-random.ts';
import { tempDir } from '../../../support/temp-dir.ts';
import { makeSource, takeLines, until } from './harness.ts';

const kills = 24;
const life = fileURLToPath(new URL('life.ts', import.meta.url));

function startLife(dir: string, expected: number): ChildProcess {
  return spawn(process.execPath, ['--import', 'tsx', life, dir, String(expected)], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
}

/** Appends numbered lines, cuts some in two, renames the file now and then. */
class Writer {
  readonly #logs: string;
  readonly #random: () => number;
  lines = 0;
  #rotations = 0;

  constructor(logs: string, random: () => number) {
    this.#logs = logs;
    this.#random = random;
  }

  async burst(): Promise<void> {
    const log = join(this.#logs, 'app.log');
    const count = 1 + Math.floor(this.#random() * 400);
    const text = Array.from({ length: count }, (_, index) => `${this.lines + index} ${'x'.repeat(60)}\n`).join('');
    const cut = Math.floor(this.#random() * text.length);
    await appendFile(log, text.slice(0, cut));
    await new Promise((resolve) => setTimeout(resolve, 5));
    await appendFile(log, text.slice(cut));
    this.lines += count;
    if (this.#random() > 0.1) return;
    this.#rotations += 1;
    await rename(log, join(this.#logs, `app.log.${this.#rotations}`));
  }

  /** Writes until told to end. */
  run(): () => Promise<void> {
    let isOver = false;
    const written = (async () => {
      while (!isOver) await this.burst();
    })();
    return async () => {
      isOver = true;
      await written;
    };
  }
}

test(`a process killed ${kills} times: each line once in each of two channels`, async (t) => {
  const seed = Number(process.env['FOREBAY_SEED'] ?? Math.floor(Math.random() * 1e9));
  t.diagnostic(`FOREBAY_SEED=${seed}`);
  const seeded = new SeededRandom(seed);
  const random = () => seeded.next() / 2 ** 32;
  const dir = await tempDir(t);
  const logs = join(dir, 'logs');
  await mkdir(logs);
  const writer = new Writer(logs, random);
  for (let kill = 0; kill < kills; kill += 1) {
    const child = startLife(dir, 0);
    const exit = once(child, 'exit');
    await once(child.stdout ?? child, 'data');
    const endWriting = writer.run();
    await new Promise((resolve) => setTimeout(resolve, random() * 150));
    child.kill('SIGKILL');
    await exit;
    await endWriting();
  }
  const [code] = (await once(startLife(dir, writer.lines), 'exit')) as [number];
  assert.equal(code, 0);
  for (const name of ['c1', 'c2']) {
    const channel = await FileChannel.open(join(dir, name));
    const numbers = (await takeLines(channel, Number.POSITIVE_INFINITY, 0)).map((line) => Number.parseInt(line, 10));
    await channel.close();
    const missing = writer.lines - new Set(numbers).size;
    assert.deepEqual({ missing, twice: numbers.length - new Set(numbers).size }, { missing: 0, twice: 0 }, name);
  }
  t.diagnostic(`${writer.lines} lines`);
});

/** Two file channels: c2 takes 10 events and no more. */
async function openUnequal(dir: string, c2Capacity: number): Promise<{ c1: Channel; c2: Channel }> {
  const c1 = await FileChannel.open(join(dir, 'c1'));
  return { c1, c2: await FileChannel.open(join(dir, 'c2'), { capacityEvents: c2Capacity, keepAliveMs: 30 }) };
}

async function closeAll(channels: { c1: Channel; c2: Channel }): Promise<void> {
  await channels.c1.close();
  await channels.c2.close();
}

const lines = Array.from({ length: 300 }, (_, index) => `line ${index}`);

test('channels that do not have the same: each gets what it does not have, in this life and in the next', async (t) => {
  const dir = await tempDir(t);
  await writeFile(join(dir, 'a'), `${lines.join('\n')}\n`);
  const properties = {
    filegroups: 'g',
    'filegroups.g': join(dir, 'a'),
    positionFile: join(dir, 'positions.json'),
    batchSize: '8',
  };
  const first = await openUnequal(dir, 10);
  const { source, counts } = makeSource(first, properties);
  t.after(() => source.stop());
  await source.start();
  await until(() => (counts.get('ChannelWriteFail') ?? 0) > 0);
  const inSecond = await takeLines(first.c2, 8, 0);
  await until(() => (counts.get('ChannelWriteFail') ?? 0) > 1);
  await source.stop();
  assert.ok(first.c1.stats().depthEvents > 60, 'c1 went on');
  await closeAll(first);

  const second = await openUnequal(dir, 1000);
  const again = makeSource(second, properties);
  t.after(() => again.source.stop());
  await again.source.start();
  await until(() => second.c1.stats().depthEvents === lines.length);
  assert.deepEqual([...inSecond, ...(await takeLines(second.c2, lines.length - 8))], lines);
  assert.deepEqual(await takeLines(second.c1, lines.length), lines);
  assert.deepEqual(await takeLines(second.c2, 1, 100), []);
  await again.source.stop();
  await closeAll(second);
});

test('renamed to a name that does not match, while nobody looked: the rest is read, and nothing twice', async (t) => {
  const dir = await tempDir(t);
  const log = join(dir, 'a');
  await writeFile(log, 'one\n');
  const channel = await FileChannel.open(join(dir, 'c'));
  t.after(() => channel.close());
  const properties = { filegroups: 'g', 'filegroups.g': log, positionFile: join(dir, 'positions.json') };
  const tail = async () => {
    const { source } = makeSource({ c1: channel }, properties);
    t.after(() => source.stop());
    await source.start();
    return source;
  };
  const first = await tail();
  assert.deepEqual(await takeLines(channel, 1), ['one']);
  await first.stop();
  await appendFile(log, 'two\n');
  await rename(log, join(dir, 'rotated'));
  await writeFile(log, 'new\n');
  const second = await tail();
  assert.deepEqual((await takeLines(channel, 2)).sort(), ['new', 'two']);
  await second.stop();
  const third = await tail();
  assert.deepEqual(await takeLines(channel, 1, 200), []);
  await third.stop();
});

test('a new file with an old inode is read whole', async (t) => {
  const dir = await tempDir(t);
  const log = join(dir, 'a');
  await writeFile(log, 'the old one\n');
  const channel = await FileChannel.open(join(dir, 'c'));
  t.after(() => channel.close());
  const properties = { filegroups: 'g', 'filegroups.g': log, positionFile: join(dir, 'positions.json') };
  const tail = async () => {
    const { source } = makeSource({ c1: channel }, properties);
    t.after(() => source.stop());
    await source.start();
    return source;
  };
  const first = await tail();
  assert.equal((await takeLines(channel, 1)).length, 1);
  await first.stop();
  await rm(join(dir, 'positions.json'));
  // The same inode, other bytes: as when the system gives the number to the next file.
  await writeFile(log, 'a new one that is longer\n');
  const second = await tail();
  assert.deepEqual(await takeLines(channel, 1), ['a new one that is longer']);
  await second.stop();
});

test('a channel that joins later begins where the others are, and has nothing twice', async (t) => {
  const dir = await tempDir(t);
  const log = join(dir, 'a');
  await writeFile(log, 'one\n');
  const c1 = await FileChannel.open(join(dir, 'c1'));
  const c2 = await FileChannel.open(join(dir, 'c2'));
  t.after(() => closeAll({ c1, c2 }));
  const properties = { filegroups: 'g', 'filegroups.g': log, positionFile: join(dir, 'positions.json') };
  const run = async (channels: Record<string, Channel>, then: () => Promise<void>) => {
    const { source } = makeSource(channels, properties);
    t.after(() => source.stop());
    await source.start();
    await then();
    await source.stop();
  };
  await run({ c1 }, async () => assert.deepEqual(await takeLines(c1, 1), ['one']));
  await run({ c1, c2 }, () => until(() => c2.notes.keys().length >= 2));
  await run({ c1, c2 }, async () => {
    await appendFile(log, 'two\n');
    assert.deepEqual(await takeLines(c2, 2, 300), ['two']);
    assert.deepEqual(await takeLines(c1, 2, 300), ['two']);
  });
});
