/** `forebay bench` with processes of its own: openings and memory, and how it ends by signals and a closed pipe. */
import assert from 'node:assert/strict';
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import test from 'node:test';
import { setTimeout as pass } from 'node:timers/promises';
import { forebay } from '../support/forebay-here.ts';
import { root } from '../support/source.ts';
import { tempDir } from '../support/temp-dir.ts';

const program = ['--import=tsx', join(root, 'src/cli/main.ts'), 'bench'];
const disk = ['disk', '--size', '4', '--files', '1', '--duration-ms', '20000', '--way', 'buffered'];

/** Until it works in a directory of its own. */
async function start(home: string, args: readonly string[]): Promise<ChildProcess> {
  const child = spawn(process.execPath, [...program, ...args, home], { cwd: root, stdio: 'ignore' });
  const endMs = performance.now() + 20_000;
  while (readdirSync(home, { recursive: true }).length < 2) {
    assert.ok(performance.now() < endMs && child.exitCode === null);
    await pass(20);
  }
  return child;
}

test('openings after three endings, and the memory of whole processes', async (t) => {
  const home = await tempDir(t);
  const args = ['--quick', '--work', 'open,memory', '--waiting', '5000', '--body', '100'];
  const { status, stdout, stderr } = await forebay('bench', 'channel', home, ...args);
  assert.equal(status, 0, stderr);
  for (const ending of ['closed', 'killed', 'killed, checkpoint gone']) {
    assert.match(stdout, new RegExp(`\n${ending} +5,000 +100 +[\\d.]+ .* ok\n`));
  }
  const [before = 0, opened = 0, putting = 0] = [...stdout.matchAll(/ 5,000 +100 +([\d.]+) +[\d.]+–[\d.]+$/gm)].map(
    ([, mebibytes]) => Number(mebibytes),
  );
  assert.ok(before > 20 && opened > before && putting > 20, `${before}, ${opened}, ${putting} MiB`);
  assert.deepEqual(readdirSync(home), []);
  console.log(`shows: ${stdout.trimEnd().split('\n').slice(3).join('\nshows: ')}`);
});

test('signals end it at once with their status, also twice, and nothing is left', async (t) => {
  const cases: readonly (readonly [readonly NodeJS.Signals[], number])[] = [
    [['SIGINT'], 130],
    [['SIGTERM'], 143],
    [['SIGINT', 'SIGINT'], 130],
    [['SIGHUP'], 129],
  ];
  const channel = ['channel', '--work', 'open', '--waiting', '2000000', '--rounds', '1'];
  for (const args of [disk, channel]) {
    for (const [signals, expected] of cases) {
      const home = await tempDir(t);
      const child = await start(home, args);
      for (const signal of signals) child.kill(signal);
      const startMs = performance.now();
      const [status] = await once(child, 'exit');
      assert.equal(status, expected, `${args[0]} ${signals}`);
      assert.ok(performance.now() - startMs < 5000);
      assert.deepEqual(readdirSync(home), [], `${args[0]} ${signals}`);
    }
  }
});

test('a pipe that is closed early is no error, and nothing is left', async (t) => {
  const home = await tempDir(t);
  const command = [process.execPath, ...program, 'disk', '--quick', '--files', '1', `'${home}'`].join(' ');
  const script = `set -o pipefail; { ${command}; echo "status $?" >&2; } | head -c 10`;
  const { stdout, stderr } = spawnSync('bash', ['-c', script], { cwd: root, encoding: 'utf8' });
  assert.equal(stdout, 'forebay 0.');
  assert.match(stderr, /status 0\n$/);
  assert.deepEqual(readdirSync(home), []);
});
