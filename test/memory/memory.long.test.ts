/** Memory targets of design.md 5, whole processes of compiled code: what `VmHWM` says at the end. */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { before, describe, it } from 'node:test';
import { promisify } from 'node:util';
import { root } from '../support/source.ts';

const run = promisify(execFile);
const mib = 2 ** 20;
/** 10 M events waiting, whole process. */
const targetBytes = 150 * mib;
// On the repository's own disk: the system's temporary directory may be memory, which would count.
const scratch = join(root, '.bench-data', 'memory');
const data = join(scratch, 'channel');

async function compile(): Promise<void> {
  await rm(scratch, { recursive: true, force: true });
  await mkdir(scratch, { recursive: true });
  const config = {
    extends: join(root, 'tsconfig.json'),
    compilerOptions: {
      noEmit: false,
      rootDir: root,
      outDir: join(scratch, 'dist'),
      sourceMap: false,
    },
    include: [join(root, 'src'), join(root, 'test/memory/workload.ts')],
  };
  await writeFile(join(scratch, 'tsconfig.json'), JSON.stringify(config));
  await writeFile(join(scratch, 'package.json'), '{ "type": "module" }');
  await run(process.execPath, [join(root, 'node_modules/typescript/bin/tsc'), '-p', join(scratch, 'tsconfig.json')]);
}

/** One workload in a process of its own; its JSON line. */
async function measure(mode: string): Promise<Record<string, number>> {
  const workload = join(scratch, 'dist/test/memory/workload.js');
  const { stdout } = await run(process.execPath, [workload, data, mode], { maxBuffer: mib });
  const figures = JSON.parse(stdout) as Record<string, number>;
  process.stdout.write(`shows: memory: ${mode}: ${stdout}`);
  return figures;
}

describe('memory', { concurrency: 1 }, () => {
  before(compile);

  it('a transaction of 10 × 100 MB peaks at most at twice its bytes + 150 MiB', async () => {
    await rm(data, { recursive: true, force: true });
    const { bytes = 0, peak, peakAll, taken } = await measure('large-transaction');
    assert.equal(bytes, 1e9);
    assert.equal(taken, 10);
    assert.ok(Number(peak) <= 2 * bytes + targetBytes, `${peak}`);
    assert.ok(Number(peakAll) <= 2 * bytes + targetBytes, `${peakAll}`);
  });

  it('10,000 events of 8 KB in one transaction come back', async () => {
    await rm(data, { recursive: true, force: true });
    const { taken, peak } = await measure('many-large-events');
    assert.equal(taken, 10_000);
    assert.ok(Number(peak) <= 2 * 10_000 * 8192 + targetBytes, `${peak}`);
  });

  it('10 M waiting events stay within the target, while they are put and after an open', async () => {
    await rm(data, { recursive: true, force: true });
    const filled = await measure('fill-10m');
    assert.equal(filled['depthEvents'], 10_000_000);
    assert.ok(Number(filled['peak']) <= targetBytes, `${filled['peak']}`);
    const opened = await measure('idle');
    assert.equal(opened['depthEvents'], 10_000_001);
    assert.ok(Number(opened['peak']) <= targetBytes, `${opened['peak']}`);
    assert.ok(Number(opened['firstPutMs']) <= 1000, `${opened['firstPutMs']}`);
  });

  it('5 M waiting events of which every second one is acknowledged stay within the target', async () => {
    await rm(data, { recursive: true, force: true });
    await measure('fill-5m');
    const { held, depthEvents, even, peak } = await measure('every-second');
    assert.deepEqual([held, depthEvents, even], [2_500_000, 2_500_000, 1000]);
    assert.ok(Number(peak) <= targetBytes, `${peak}`);
    await rm(scratch, { recursive: true });
  });
});
