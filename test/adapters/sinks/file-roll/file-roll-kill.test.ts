/** The file_roll sink killed at random moments: every event stands in the files once. Runs itself to be killed. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { mkdir, readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import test from 'node:test';
import { setImmediate, setTimeout } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { textSerializer } from '../../../../src/adapters/serializers/text.ts';
import { fileRollSink } from '../../../../src/adapters/sinks/file-roll/file-roll-sink.ts';
import { FileChannel } from '../../../../src/engine.ts';
import { tempDir } from '../../../support/temp-dir.ts';
import { sinkOn, valuesOf } from '../../contexts.ts';

const eventCount = 30_000;
const kills = 6;
const workHere = process.env['FOREBAY_FILE_ROLL_WORK'];

async function work(home: string): Promise<void> {
  const channel = await FileChannel.open(join(home, 'channel'));
  const { context } = sinkOn(channel, () => textSerializer.create(valuesOf(textSerializer), context));
  const texts = { 'sink.directory': join(home, 'out'), 'sink.batchSize': '7', 'sink.rollInterval': '1' };
  const sink = fileRollSink.create(valuesOf(fileRollSink, texts), context);
  await sink.start();
  process.stdout.write('works\n');
  while (channel.stats().depthEvents > 0) {
    await sink.process(new AbortController().signal);
    await setImmediate();
  }
  await sink.stop();
  await channel.close();
}

/** Runs until it has killed it, or, without a time, until it ends. Resolves to whether it ended by itself. */
async function run(home: string, killAfterMs: number | undefined): Promise<boolean> {
  const args = ['--import', 'tsx', fileURLToPath(import.meta.url)];
  const child = spawn(process.execPath, args, {
    env: { ...process.env, FOREBAY_FILE_ROLL_WORK: home, NODE_TEST_CONTEXT: undefined },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const ended = new Promise<number | null>((resolve) => child.once('exit', resolve));
  if (killAfterMs !== undefined) {
    await new Promise((resolve) => child.stdout.once('data', resolve));
    await setTimeout(killAfterMs);
    child.kill('SIGKILL');
  }
  child.stdout.resume();
  return (await ended) === 0;
}

if (workHere === undefined) {
  test(`killed ${kills} times: every event stands in the files once`, { timeout: 90_000 }, async (t) => {
    const home = await tempDir(t);
    await mkdir(join(home, 'out'));
    const channel = await FileChannel.open(join(home, 'channel'));
    for (let from = 0; from < eventCount; from += 10_000) {
      const bodies = Array.from({ length: 10_000 }, (_, index) => Buffer.from(String(from + index)));
      await channel.put(bodies.map((body) => ({ headers: {}, body })));
    }
    await channel.close();
    const ends: boolean[] = [];
    for (let kill = 0; kill < kills; kill += 1) ends.push(await run(home, 5 + Math.random() * 120));
    t.diagnostic(`ended before the kill: ${ends.filter(Boolean).length} of ${kills}`);
    assert.equal(await run(home, undefined), true);
    const names = await readdir(join(home, 'out'));
    const texts = await Promise.all(names.map((name) => readFile(join(home, 'out', name), 'utf8')));
    const lines = texts.flatMap((text) => text.split('\n').slice(0, -1));
    t.diagnostic(`${names.length} files`);
    assert.equal(lines.length, eventCount);
    assert.equal(new Set(lines).size, eventCount);
    assert.ok(ends.includes(false), 'at least one kill came in the middle');
  });
} else await work(workHere);
