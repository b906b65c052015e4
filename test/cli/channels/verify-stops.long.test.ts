/** Ctrl-C in the middle of `forebay channel verify`: it ends, and leaves nothing behind where copies are made. */
import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync, readFileSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import test from 'node:test';
import { setTimeout as pass } from 'node:timers/promises';
import { mib } from '../../../src/base/units.ts';
import { FileChannel } from '../../../src/channel/file-channel.ts';
import { root } from '../../support/source.ts';
import { tempDir } from '../../support/temp-dir.ts';
import { snapshotOf } from '../../support/tree-snapshot.ts';

const bodyBytes = 64 * 1024;
const events = 3200;
const command = ['--import=tsx', join(root, 'src/cli/main.ts'), 'channel', 'verify'];

/** Bytes that a process has read until now. */
function readBytes({ pid }: ChildProcess): number {
  return Number(/^rchar: (\d+)$/m.exec(readFileSync(`/proc/${pid}/io`, 'utf8'))?.[1]);
}

test('Ctrl-C while segments are read, and while the checkpoint is copied: 130, nothing left', async (t) => {
  const home = await tempDir(t);
  const [directory, tmp] = [join(home, 'c1'), join(home, 'tmp')];
  await mkdir(tmp);
  const channel = await FileChannel.open(directory, { minimumFreeBytes: 0 });
  const body = Buffer.alloc(bodyBytes, 'a log line ');
  for (let put = 0; put < events; put += 100) {
    await channel.put(Array.from({ length: 100 }, () => ({ headers: {}, body })));
  }
  await channel.close();
  const before = await snapshotOf(directory);
  const copies = (): string[] => readdirSync(tmp).filter((name) => name.startsWith('forebay-'));
  const moments: readonly (readonly [string, (child: ChildProcess) => boolean])[] = [
    ['reading', (child) => readBytes(child) > 100 * mib],
    ['copying', () => copies().length > 0],
  ];
  const told: string[] = [];
  for (const [name, isThere] of moments) {
    // A terminal tells all that it runs: so it has a group of its own.
    const child = spawn(process.execPath, [...command, directory], {
      stdio: ['ignore', 'pipe', 'pipe'],
      detached: true,
      env: { ...process.env, TMPDIR: tmp },
    });
    t.after(() => child.kill('SIGKILL'));
    const said: Buffer[] = [];
    for (const stream of [child.stdout, child.stderr]) stream.on('data', (bytes: Buffer) => said.push(bytes));
    const exited = once(child, 'close');
    while (!isThere(child)) {
      assert.equal(child.exitCode, null, `it ended before: ${Buffer.concat(said)}`);
      await pass(1);
    }
    const read = readBytes(child);
    process.kill(-Number(child.pid), 'SIGINT');
    const [status, signal] = await exited;
    // A shell tells both as 130.
    assert.ok(status === 130 || signal === 'SIGINT', `${name}: ${status} ${signal}`);
    assert.equal(Buffer.concat(said).toString(), '', name);
    assert.deepEqual(copies(), [], name);
    told.push(`${name} after ${Math.round(read / mib)} MiB: ${signal ?? status}`);
  }
  assert.deepEqual(await snapshotOf(directory), before);
  console.log(`shows: Ctrl-C in the middle of verify: ${told.join(', ')}; nothing left behind`);
});
