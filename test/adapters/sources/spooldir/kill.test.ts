/** `kill -9` again and again while files are spooled into two channels: each line is in each channel exactly once. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import test from 'node:test';
import { fileURLToPath } from 'node:url';
import { FileChannel } from '../../../../src/engine.ts';
import { SeededRandom } from '../../../support/seeded-random.ts';
import { tempDir } from '../../../support/temp-dir.ts';
import { drainText, isAllDone, makeSource, until } from './support.ts';

const kills = 20;
const files = 20;
const linesPerFile = 3000;
const childPath = fileURLToPath(new URL('./kill-child.ts', import.meta.url));

/** Runs a life; it ends `delayMs` after it started spooling. */
async function live(root: string, delayMs: number): Promise<void> {
  const child = spawn(process.execPath, ['--import', 'tsx', childPath], {
    env: { ...process.env, SPOOL_ROOT: root },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const ended = new Promise<NodeJS.Signals | null>((resolve) => child.on('exit', (_code, signal) => resolve(signal)));
  child.stdout.once('data', () => setTimeout(() => child.kill('SIGKILL'), delayMs));
  assert.equal(await ended, 'SIGKILL');
}

test('every line is in each of two channels exactly once, whatever was killed', { timeout: 90_000 }, async (t) => {
  const root = await tempDir(t);
  const spoolDir = join(root, 'spool');
  await mkdir(spoolDir);
  const expected: string[] = [];
  for (let file = 0; file < files; file += 1) {
    const lines = Array.from(
      { length: linesPerFile },
      (_, line) => `file ${file} line ${line} ${'x'.repeat(line % 90)}`,
    );
    expected.push(...lines);
    await writeFile(join(spoolDir, `f${String(file).padStart(2, '0')}.log`), `${lines.join('\n')}\n`);
  }
  const random = new SeededRandom(4);
  let midway = 0;
  for (let life = 0; life < kills; life += 1) {
    await live(root, random.below(60));
    if (!(await isAllDone(spoolDir))) midway += 1;
  }
  assert.ok(midway >= kills / 2, `only ${midway} lives ended with files left`);
  const options = { segmentBytes: 1_048_576, minimumFreeBytes: 0 };
  const channels = new Map([
    ['c1', await FileChannel.open(join(root, 'c1'), options)],
    ['c2', await FileChannel.open(join(root, 'c2'), options)],
  ]);
  const { source, errors } = makeSource(channels, { spoolDir });
  await source.start();
  await until(() => isAllDone(spoolDir), 'all files are done');
  await source.stop();
  expected.sort();
  for (const channel of channels.values()) {
    assert.deepEqual((await drainText(channel)).sort(), expected);
    await channel.close();
  }
  assert.deepEqual(errors, []);
  t.diagnostic(`${midway} of ${kills} lives ended in the middle`);
});
