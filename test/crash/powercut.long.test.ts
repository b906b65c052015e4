/** The same on xfs, and with fsync by interval, where only what is older than the interval is promised. */
import assert from 'node:assert/strict';
import test from 'node:test';
import { cutPowerRepeatedly } from './cut-lives.ts';
import { type FileSystem, mustCutPower, whyNoPowerCuts } from './mounted-image.ts';

const cuts = 20;
const timeout = 300_000;

function skipFor(fileSystem: FileSystem): string | false {
  const missing = whyNoPowerCuts(fileSystem);
  if (missing === undefined || mustCutPower()) return false;
  console.log(`shows: power cuts: skipped, ${missing}`);
  return missing;
}

test('what was acknowledged is there after a power cut on xfs', { skip: skipFor('xfs'), timeout }, async () => {
  assert.equal(whyNoPowerCuts('xfs'), undefined);
  const acks = await cutPowerRepeatedly({ fileSystem: 'xfs', cuts, acksMin: 50, fsyncIntervalMs: 0 });
  console.log(`shows: power cuts: ${cuts} on xfs, ${acks} acks, 0 lost`);
});

test('with fsync by interval all that is older than it is there', { skip: skipFor('ext4'), timeout }, async () => {
  assert.equal(whyNoPowerCuts('ext4'), undefined);
  const acks = await cutPowerRepeatedly({ fileSystem: 'ext4', cuts, acksMin: 50, fsyncIntervalMs: 50 });
  console.log(`shows: power cuts: ${cuts} on ext4 with fsync every 50 ms, ${acks} acks, none older lost`);
});

test('a disk that only says that it syncs is found out', { skip: skipFor('ext4'), timeout }, async () => {
  const lying = cutPowerRepeatedly({ fileSystem: 'ext4', cuts: 5, acksMin: 50, fsyncIntervalMs: 0, lies: true });
  await assert.rejects(lying);
});
