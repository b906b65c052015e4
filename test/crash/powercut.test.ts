/** Real power cuts on a real ext4: what was acknowledged before the cut is there after it, and nothing else. */
import assert from 'node:assert/strict';
import test from 'node:test';
import { cutPowerRepeatedly } from './cut-lives.ts';
import { mustCutPower, whyNoPowerCuts } from './mounted-image.ts';

const cuts = 20;
const missing = whyNoPowerCuts('ext4');
const skip = missing === undefined || mustCutPower() ? false : missing;
if (skip !== false) console.log(`shows: power cuts: skipped, ${skip}`);

test('what was acknowledged is there after a power cut', { skip, timeout: 180_000 }, async () => {
  assert.equal(missing, undefined);
  const acks = await cutPowerRepeatedly({ fileSystem: 'ext4', cuts, acksMin: 50, fsyncIntervalMs: 0 });
  console.log(`shows: power cuts: ${cuts} on ext4, ${acks} acks, 0 lost`);
});
