/** Damage beside the log: the identity files, and spare segments, whose contents mean nothing. */
import assert from 'node:assert/strict';
import test from 'node:test';
import { SeededRandom } from '../support/seeded-random.ts';
import { expectAll } from './expectation.ts';
import { assertAsExpected } from './flip-check.ts';
import { buildReferenceLog, diskOf, type Files, home, type ReferenceLog, readFiles } from './reference-log.ts';
import { openAndDrain, withBytes, withFlip } from './trial.ts';
import { logPlans } from './units.ts';

const own = `${home}/channel.json`;
const copy = `${home}/checkpoint/channel.json`;

function bitsOf(reference: ReferenceLog, path: string): number[] {
  return Array.from({ length: (reference.files.get(path)?.length ?? 0) * 8 }, (_, bit) => bit);
}

test('every bit of an identity file: the other copy counts, and it is written again', async () => {
  const reference = await buildReferenceLog(logPlans.single);
  const expected = expectAll(reference);
  let flips = 0;
  for (const path of [own, copy]) {
    for (const bit of bitsOf(reference, path)) {
      const outcome = await openAndDrain(reference, withFlip(reference.files, path, bit), undefined, bit);
      assertAsExpected(reference, outcome, expected);
      const kinds = outcome.damages.map((damage) => [damage.kind, damage.path]);
      assert.deepEqual(kinds, path === own ? [['identity', own]] : [], `bit ${bit} of ${path}`);
      flips += 1;
    }
  }
  assert.ok(flips > 4000);
  console.log(`shows: damage: ${flips} flips of identity files, nothing lost`);
});

test('an identity file cut to any length is as good as gone', async () => {
  const reference = await buildReferenceLog(logPlans.single);
  const expected = expectAll(reference);
  for (let length = 0; length < (reference.files.get(own)?.length ?? 0); length += 7) {
    const files = withBytes(reference.files, own, (bytes) => bytes.subarray(0, length));
    const outcome = await openAndDrain(reference, files, undefined, length);
    assertAsExpected(reference, outcome, expected);
  }
});

test('without any identity that holds nothing is touched', async () => {
  const reference = await buildReferenceLog(logPlans.single);
  for (const bit of [5, 80, 300]) {
    const files = withFlip(withFlip(reference.files, own, bit), copy, bit);
    await assertRefused(reference, files);
  }
});

async function assertRefused(reference: ReferenceLog, files: Files): Promise<void> {
  const disk = await diskOf(files);
  const { FileChannel } = await import('../../src/channel/file-channel.ts');
  await assert.rejects(FileChannel.open(home, reference.options, { disk }), { code: 'NOT_A_CHANNEL' });
  assert.deepEqual(await readFiles(disk, '/'), files);
}

test('what stands in a spare segment means nothing', async () => {
  const reference = await buildReferenceLog(logPlans.single);
  const expected = expectAll(reference);
  const random = new SeededRandom(1);
  const [segment] = reference.segments;
  assert.ok(segment);
  for (const path of [...reference.files.keys()].filter((name) => name.includes('/free-'))) {
    const bytes = reference.files.get(path)?.length ?? 0;
    const contents: ((spare: Buffer) => Buffer)[] = [
      (spare) => random.bytes(spare.length),
      // A whole segment of this channel, which would be believed under a segment's name.
      () => Buffer.from(reference.files.get(segment.path) as Buffer),
      (spare) => spare.subarray(0, bytes / 2),
    ];
    for (const change of contents) {
      const outcome = await openAndDrain(reference, withBytes(reference.files, path, change), undefined, 1);
      assertAsExpected(reference, outcome, expected);
      assert.deepEqual(outcome.damages, []);
    }
    for (let turn = 0; turn < 50; turn++) {
      const files = withFlip(reference.files, path, random.below(bytes * 8));
      const outcome = await openAndDrain(reference, files, undefined, turn);
      assertAsExpected(reference, outcome, expected);
      assert.deepEqual(outcome.damages, []);
    }
  }
});
