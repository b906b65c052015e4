/**
 * Pages that cannot be read (EIO): tried again for a while, then as damage, but with the bytes left where they are and
 * their segment kept, whatever becomes of its other events. What can be read at the second try is no damage.
 */
import assert from 'node:assert/strict';
import { dirname } from 'node:path';
import test from 'node:test';
import { pageBytes } from '../../src/base/disk.ts';
import { FileChannel } from '../../src/channel/file-channel.ts';
import type { SimulatedDisk } from '../support/simulated-disk.ts';
import { expectAll, expectWithout, goneOf } from './expectation.ts';
import { assertAsExpected } from './flip-check.ts';
import { buildReferenceLog, environmentOf, home, type ReferenceLog, readFiles } from './reference-log.ts';
import { drainOn, withBytes } from './trial.ts';
import { logPlans } from './units.ts';
import { failReads, hastyClock, simulatedDiskOf } from './unreadable-pages.ts';

function environment(disk: SimulatedDisk) {
  return { ...environmentOf(disk, undefined, 1), clock: hastyClock };
}

async function pagesOf(reference: ReferenceLog): Promise<{ path: string; page: number }[]> {
  return reference.segments.flatMap(({ path, end }) =>
    Array.from({ length: end / pageBytes }, (_, page) => ({ path, page })),
  );
}

for (const name of ['single', 'chain'] as const) {
  test(`a page that cannot be read costs what stands in it, and its bytes stay: ${name}`, async () => {
    const reference = await buildReferenceLog(logPlans[name]);
    const newest = reference.segments.at(-1)?.path;
    for (const { path, page } of await pagesOf(reference)) {
      const at = `page ${page} of ${path}`;
      const disk = await simulatedDiskOf(reference.files);
      const readable = failReads(disk, path, page, Number.POSITIVE_INFINITY);
      const outcome = await drainOn(disk, reference, environment(disk));
      const zeroed = withBytes(reference.files, path, (bytes) =>
        bytes.fill(0, page * pageBytes, (page + 1) * pageBytes),
      );
      const expected = expectWithout(reference, { ...goneOf(reference, zeroed), endIsKnown: false });
      assertAsExpected(reference, outcome, expected);
      const isNamed = outcome.damages.some((damage) => damage.path === path);
      assert.ok(isNamed || (path !== newest && expected.lost.length === 0), `${at} is named`);
      await assertKept(reference, disk, path, at, readable, expected.lost.length > 0 || path === newest);
    }
  });
}

/** Everything else is taken, segments come and go: the one with the page is there as it was, if it held anything. */
async function assertKept(
  reference: ReferenceLog,
  disk: SimulatedDisk,
  path: string,
  at: string,
  readable: () => void,
  mustStay: boolean,
): Promise<void> {
  const channel = await FileChannel.open(home, reference.options, environment(disk));
  for (const { id } of channel.unresolved()) await channel.resolve(id, 'commit');
  for (let count = 0; count < 6; count++) {
    await channel.put([{ headers: {}, body: Buffer.alloc(30_000, 'x') }]);
    for (let batch = await channel.take(100); batch.events.length > 0; batch = await channel.take(100)) {
      await batch.commit();
    }
  }
  await channel.close();
  readable();
  const bytes = (await readFiles(disk, dirname(path))).get(path);
  if (mustStay && at.startsWith('page') && Number(at.split(' ')[1]) >= 2) {
    const end = reference.segments.find((segment) => segment.path === path)?.end ?? 0;
    assert.ok(bytes?.subarray(0, end).equals(reference.files.get(path)?.subarray(0, end) as Buffer), `${at} is kept`);
  }
}

test('what is read at a later try is no damage', async () => {
  const reference = await buildReferenceLog(logPlans.chain);
  for (const { path, page } of await pagesOf(reference)) {
    for (const times of [1, 3]) {
      const disk = await simulatedDiskOf(reference.files);
      failReads(disk, path, page, times);
      const outcome = await drainOn(disk, reference, environment(disk));
      assertAsExpected(reference, outcome, expectAll(reference));
      assert.deepEqual(outcome.damages, []);
    }
  }
});
