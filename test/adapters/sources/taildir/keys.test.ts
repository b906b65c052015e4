/** Keys of the taildir source whose effect is when something is looked at or written. */
import assert from 'node:assert/strict';
import fs from 'node:fs/promises';
import { syncBuiltinESMExports } from 'node:module';
import { join } from 'node:path';
import test, { type TestContext } from 'node:test';
import { setTimeout } from 'node:timers/promises';
import { type Clock, MemoryChannel } from '../../../../src/engine.ts';
import { ManualClock } from '../../../support/manual-clock.ts';
import { tempDir } from '../../../support/temp-dir.ts';
import { makeSource, takeLines, until } from './harness.ts';

/** A source over one log in a directory that is as old as can be, stopped when the test ends. */
async function scene(t: TestContext, properties: Record<string, string>, clock?: Clock) {
  const dir = await tempDir(t);
  const logs = join(dir, 'logs');
  const log = join(logs, 'a.log');
  await fs.mkdir(logs);
  await fs.writeFile(log, 'one\n');
  await fs.utimes(logs, 1000, 1000);
  const positionFile = join(dir, 'positions.json');
  const channel = await MemoryChannel.open();
  const all = { filegroups: 'g', 'filegroups.g': join(logs, '.*'), positionFile, ...properties };
  const { source } = makeSource({ c1: channel }, all, () => ['c1'], clock);
  t.after(() => source.stop());
  await source.start();
  return { logs, log, channel, positionFile };
}

test('writePosInterval is how often the position file is written', async (t) => {
  const clock = new ManualClock();
  const properties = { writePosInterval: '200', maxBackoffSleep: '50' };
  const { log, channel, positionFile } = await scene(t, properties, clock);
  const pass = async (ms: number): Promise<void> => {
    for (let passed = 0; passed < ms; passed += 20) {
      clock.advance(20);
      await setTimeout(2);
    }
  };
  const written = (): Promise<string> => fs.readFile(positionFile, 'utf8').catch(() => '');
  assert.deepEqual(await takeLines(channel, 1), ['one']);
  // Flume's first is after 5 s, whatever is set.
  await pass(5100);
  await until(async () => (await written()).includes('"pos":4,'));
  await fs.appendFile(log, 'two\n');
  await pass(1000);
  assert.deepEqual(await takeLines(channel, 1), ['two']);
  await until(async () => (await written()).includes('"pos":8,'));
});

/** Of so many looks at a directory that did not change, how many listed it. */
async function listingsOf(t: TestContext, looks: number, cachePatternMatching: string): Promise<number> {
  const { readdir, stat } = fs;
  let watched = '';
  let lookedAt = 0;
  let listed = 0;
  // The real ones, counted.
  const counted = {
    stat: (...args: Parameters<typeof stat>) => {
      if (args[0] === watched) lookedAt += 1;
      return stat(...args);
    },
    readdir: (...args: Parameters<typeof readdir>) => {
      if (args[0] === watched) listed += 1;
      return readdir(...args);
    },
  };
  Object.assign(fs, counted);
  syncBuiltinESMExports();
  try {
    const { logs } = await scene(t, { cachePatternMatching, backoffSleepIncrement: '1', maxBackoffSleep: '1' });
    watched = logs;
    await until(() => lookedAt >= looks);
  } finally {
    Object.assign(fs, { readdir, stat });
    syncBuiltinESMExports();
  }
  return listed;
}

test('cachePatternMatching spares listings of a directory whose time did not change', async (t) => {
  const looks = 12;
  const cached = await listingsOf(t, looks, 'true');
  assert.ok(cached <= 2, `${cached} of ${looks}`);
  const listed = await listingsOf(t, looks, 'false');
  assert.ok(listed >= looks - 1, `${listed} of ${looks}`);
});
