/**
 * A real file system of 64 MiB, filled: by the channel itself, and by others. Mounting needs root; without it this is
 * skipped and says so.
 */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { rmSync, statfsSync, unlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import test, { type TestContext } from 'node:test';
import { isForebayError } from '../../src/base/errors.ts';
import { mib } from '../../src/base/units.ts';
import { FileChannel } from '../../src/channel/file-channel.ts';
import type { ChannelOptions } from '../../src/channel/options.ts';
import { makeTempDir } from '../support/temp-dir.ts';
import { Ledger } from './ledger.ts';

const options: ChannelOptions = { segmentBytes: 2 * mib, minimumFreeBytes: 0, keepAliveMs: 200, checkpoint: 'lmdb' };
const putsMax = 1000;
const rounds = 3;

/** A fresh file system, or undefined where this process must not mount. */
async function smallDisk(context: TestContext): Promise<string | undefined> {
  const path = await makeTempDir();
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=64m', 'forebay-test', path], { stdio: 'pipe' });
  } catch {
    rmSync(path, { recursive: true });
    context.skip('needs to mount file systems, as root');
    return undefined;
  }
  context.after(() => {
    execFileSync('umount', [path]);
    rmSync(path, { recursive: true });
  });
  return path;
}

/** Puts until one is refused for want of room; gives how many were stored. */
async function fill(ledger: Ledger, channel: FileChannel): Promise<number> {
  for (let puts = 0; puts < putsMax; puts += 1) {
    const { outcome, error } = await ledger.put(channel, 50, 4000);
    if (outcome === 'stored') continue;
    assert.ok(isForebayError(error) && error.code === 'DISK_FULL', String(error));
    assert.equal(outcome, 'notStored');
    return puts;
  }
  return assert.fail('it never was full');
}

/** Takes everything, a few events a time, in the middle of which acknowledgements need room of their own. */
async function drain(ledger: Ledger, channel: FileChannel, max: number): Promise<void> {
  for (let batch = await ledger.take(channel, max); batch.events.length > 0; batch = await ledger.take(channel, max)) {
    assert.equal((await ledger.ack(batch)).outcome, 'stored', 'takes never stop');
  }
}

test('a real disk of 64 MiB: full, drained, full again; takes never stop', async (context) => {
  const root = await smallDisk(context);
  if (root === undefined) return;
  const directory = join(root, 'channel');
  const ledger = new Ledger();
  let channel = await FileChannel.open(directory, options);
  for (let round = 0; round < rounds; round += 1) {
    const puts = await fill(ledger, channel);
    assert.ok(puts * 200_000 > 40 * mib, `only ${puts} puts fit into 64 MiB`);
    for (let turn = 0; turn < 1500; turn += 1) await channel.notes.set('turn', turn);
    await channel.notes.delete('turn');
    await drain(ledger, channel, 700);
    assert.equal((await ledger.put(channel, 1, 20)).outcome, 'stored', 'it resumes by itself');
    ledger.assertCounted(channel);
    await drain(ledger, channel, 700);
  }
  await fill(ledger, channel);
  await channel.close();
  channel = await FileChannel.open(directory, options);
  await ledger.assertKept(channel);
  await drain(ledger, channel, 2000);
  ledger.assertDelivered();
  await channel.close();
});

test('a real disk that others fill to the last byte: puts wait for them, acknowledgements do not', async (context) => {
  const root = await smallDisk(context);
  if (root === undefined) return;
  const ledger = new Ledger();
  const channel = await FileChannel.open(join(root, 'channel'), { ...options, keepAliveMs: 20_000 });
  for (let puts = 0; puts < 40; puts += 1) assert.equal((await ledger.put(channel, 50, 4000)).outcome, 'stored');
  const { bavail, bsize } = statfsSync(root);
  const other = join(root, 'other');
  writeFileSync(other, Buffer.alloc(bavail * bsize));
  // In flight when the disk is found full, a put is refused; later ones wait.
  const refused = [];
  while (channel.stats().health.state === 'ok') refused.push(await ledger.put(channel, 50, 4000));
  const waiting = ledger.put(channel, 50, 4000);
  const batch = await ledger.take(channel, 500);
  assert.equal((await ledger.ack(batch)).outcome, 'stored');
  unlinkSync(other);
  assert.equal((await waiting).outcome, 'stored', 'it resumes by itself');
  assert.equal(channel.stats().health.state, 'ok', channel.stats().health.reasons.join());
  for (const { error, outcome } of refused) {
    if (outcome !== 'stored') assert.equal(isForebayError(error) && error.code, 'DISK_FULL');
  }
  ledger.assertCounted(channel);
  await channel.close();
});
