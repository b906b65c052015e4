/** What the commands need of memory for a channel of millions: as much as for a small one. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import test, { type TestContext } from 'node:test';
import { mib } from '../../../src/base/units.ts';
import { FileChannel } from '../../../src/channel/file-channel.ts';
import { root } from '../../support/source.ts';
import { tempDir } from '../../support/temp-dir.ts';

/**
 * Whole processes: the loader of TypeScript takes 75 of them, the young generation of V8 up to 96. Ten million events
 * at 32 bytes each would be as much again.
 */
const peakBytesMax = 320 * mib;
const putEvents = 10_000;
const verbs = ['stats', 'segments', 'verify', 'dump --format raw'];
const sizes = [
  { count: 1_000_000, asked: [...verbs, 'dump', 'dump --json --state all'] },
  { count: 10_000_000, asked: verbs },
];

async function fill(t: TestContext, count: number): Promise<string> {
  const directory = join(await tempDir(t), 'c1');
  const options = { minimumFreeBytes: 0, capacityEvents: count, checkpoint: 'memory' } as const;
  await using channel = await FileChannel.open(directory, options);
  const headers = { host: 'web1' };
  for (let from = 0; from < count; from += putEvents) {
    await channel.put(Array.from({ length: putEvents }, (_, at) => ({ headers, body: Buffer.from(`${from + at}`) })));
  }
  return directory;
}

interface Cost {
  readonly lines: number;
  readonly peakBytes: number;
  readonly seconds: number;
}

/** Its output goes through a pipe, as it does in practice. */
function run(directory: string, verb: string): Cost {
  const [name = '', ...rest] = verb.split(' ');
  const notes = join(directory, '..', 'peak');
  const hook = `import { writeFileSync } from 'node:fs';
    process.on('exit', () => writeFileSync(${JSON.stringify(notes)}, String(process.resourceUsage().maxRSS)));`;
  const args = [
    `--import=data:text/javascript;base64,${Buffer.from(hook).toString('base64')}`,
    '--import=tsx',
    'src/cli/main.ts',
  ];
  const command = [process.execPath, ...args, 'channel', name, directory, ...rest].map((one) => `'${one}'`).join(' ');
  const startMs = performance.now();
  const script = `set -o pipefail; ${command} | wc -l`;
  const { stdout, stderr, status } = spawnSync('bash', ['-c', script], { cwd: root, encoding: 'utf8' });
  assert.equal(status, 0, stderr);
  const seconds = (performance.now() - startMs) / 1000;
  return { lines: Number(stdout), peakBytes: Number(readFileSync(notes, 'utf8')) * 1024, seconds };
}

for (const { count, asked } of sizes) {
  test(`memory stays flat over ${count / 1e6} million events`, { timeout: 600_000 }, async (t) => {
    const directory = await fill(t, count);
    for (const verb of asked) {
      const { lines, peakBytes, seconds } = run(directory, verb);
      if (verb.startsWith('dump')) assert.equal(lines, count);
      assert.ok(peakBytes < peakBytesMax, `${verb}: ${Math.round(peakBytes / mib)} MiB`);
      const figures = `${Math.round(peakBytes / mib)} MiB at most, ${seconds.toFixed(1)} s`;
      console.log(`shows: channel ${verb} of ${count / 1e6} million events: ${figures}`);
    }
  });
}
