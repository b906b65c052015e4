/** The bytes of format 1 are pinned: they are written as ever, and what was written once is read for ever. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import test from 'node:test';
import { fileURLToPath } from 'node:url';
import { FrameType } from '../../src/wal/segment/frame-header.ts';
import { contentsOf, goldenVariants, openGolden, readTree, tellGolden } from '../support/golden-channel.ts';
import { readThroughGroups, type SeenFrame } from '../support/group-list.ts';

const root = resolve(fileURLToPath(import.meta.url), '../../golden/format-v1');
const variants = Object.keys(goldenVariants);

function storedFiles(variant: string): Promise<Map<string, Buffer>> {
  return readTree(join(root, variant));
}

for (const variant of variants) {
  test(`${variant}: the same story gives the same bytes`, async () => {
    const stored = await storedFiles(variant);
    const told = await tellGolden(variant);
    assert.deepEqual([...told.keys()].sort(), [...stored.keys()].sort());
    for (const [name, bytes] of stored) {
      const again = told.get(name) as Buffer;
      const differsAt = again.length === bytes.length ? again.findIndex((byte, at) => byte !== bytes[at]) : -2;
      assert.ok(again.equals(bytes), `${variant}/${name} differs, first at ${differsAt}: a new format version?`);
    }
  });

  test(`${variant}: the stored bytes give the expected events, notes and prepared takes`, async () => {
    const channel = await openGolden(variant, await storedFiles(variant));
    const expected: unknown = JSON.parse(readFileSync(join(root, `${variant}.json`), 'utf8'));
    assert.deepEqual(JSON.parse(JSON.stringify(await contentsOf(channel))), expected);
    await channel.close();
  });

  test(`${variant}: the stored bytes can be gone on with`, async () => {
    const channel = await openGolden(variant, await storedFiles(variant));
    const [range] = await channel.put([{ headers: {}, body: Buffer.from('new') }]);
    const taken = [];
    for (let batch = await channel.take(7); batch.events.length > 0; batch = await channel.take(7)) {
      taken.push(...batch.events.map(({ sequence }) => sequence));
      await batch.commit();
    }
    assert.equal(taken.at(-1), range?.first);
    assert.equal(channel.stats().depthEvents, channel.stats().preparedEvents);
    await channel.close();
  });
}

test('the stored channels hold every frame type that is written, in several segments and all forms', async () => {
  const seen: SeenFrame[] = [];
  for (const variant of variants) {
    for (const [name, bytes] of await storedFiles(variant)) {
      if (name.endsWith('.seg')) seen.push(...readThroughGroups(bytes));
    }
  }
  const { put, ack, prepare, resolve: resolved, note, state, open, mark, quarantine, rewind, drop, cut } = FrameType;
  const written = [put, ack, prepare, resolved, note, state, open, mark, quarantine, rewind, drop, cut];
  assert.deepEqual(
    [...new Set(seen.map(({ type }) => type))].sort((a, b) => a - b),
    written.sort((a, b) => a - b),
  );
  assert.deepEqual(
    [...new Set(seen.map(({ flags }) => flags))].sort((a, b) => a - b),
    [0, 1, 2, 4, 6, 8, 10],
  );
  assert.ok(new Set(seen.map(({ segmentId }) => segmentId)).size >= 4);
  const groupFlags = new Set(seen.map(({ group }) => group));
  for (const flag of [0, 1, 4, 5, 8]) assert.ok(groupFlags.has(flag), `a group with flags ${flag}`);
});
