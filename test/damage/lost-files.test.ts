/**
 * Whole files and directories that are not where they were: removed, renamed, another channel's, older than the rest.
 * What they held is lost or held back, named to the sequence; the rest is delivered.
 */
import assert from 'node:assert/strict';
import test from 'node:test';
import type { Sequence } from '../../src/base/units.ts';
import { FileChannel } from '../../src/channel/file-channel.ts';
import { FrameType } from '../../src/wal/segment/frame-header.ts';
import { expectAll, rangesOf } from './expectation.ts';
import { assertAsExpected, checkFiles } from './flip-check.ts';
import {
  buildReferenceLog,
  diskOf,
  environmentOf,
  type Files,
  home,
  type ReferenceLog,
  readFiles,
} from './reference-log.ts';
import { openAndDrain, withBytes } from './trial.ts';
import { logPlans } from './units.ts';

const chain: Promise<ReferenceLog> = buildReferenceLog(logPlans.chain);

function without(files: Files, path: string): Files {
  const rest = new Map(files);
  rest.delete(path);
  return rest;
}

for (const at of [0, 1, 2]) {
  for (const withCheckpoint of [true, false]) {
    const which = ['the oldest', 'the middle', 'the newest'][at];
    test(`${which} segment is gone, ${withCheckpoint ? 'with' : 'without'} the checkpoint`, async () => {
      const reference = await chain;
      const path = reference.segments[at]?.path ?? '';
      const { outcome, expected } = await checkFiles(reference, without(reference.files, path), withCheckpoint, 1);
      if (at < 2) {
        assert.ok(expected.lost.length > 0);
        assert.deepEqual(
          outcome.damages.map((damage) => [damage.kind, damage.path]),
          [['segmentMissing', path]],
        );
      }
    });
  }
}

test('a segment under another name is still this segment', async () => {
  const reference = await chain;
  for (const at of [0, 1, 2]) {
    const { path } = reference.segments[at] as (typeof reference.segments)[0];
    const bytes = reference.files.get(path) as Buffer;
    const files = new Map(without(reference.files, path)).set(`${home}/00000000000000ff.seg`, bytes);
    const { outcome } = await checkFilesAs(reference, files, reference.files);
    assert.ok(outcome.damages.length > 0, 'it is said');
  }
});

/** Judges `files` as if they were `like`. */
async function checkFilesAs(reference: ReferenceLog, files: Files, like: Files) {
  assert.equal(like, reference.files);
  const outcome = await openAndDrain(reference, files, reference.checkpoint, 1);
  assertAsExpected(reference, outcome, expectAll(reference));
  return { outcome };
}

test("another channel's segment is left alone, whatever its number", async () => {
  const reference = await chain;
  const other = await buildReferenceLog({ lives: 1, bodyBytes: 70, seed: 1000 });
  const bytes = other.files.get(other.segments[0]?.path ?? '') as Buffer;
  for (const name of ['0000000000000009.seg', '0000000000000004.seg']) {
    const files = new Map(reference.files).set(`${home}/${name}`, bytes);
    const outcome = await openAndDrain(reference, files, reference.checkpoint, 1);
    assertAsExpected(reference, outcome, expectAll(reference));
    assert.deepEqual((await readFiles(outcome.disk, '/')).get(`${home}/${name}`), bytes);
  }
  for (const { path } of reference.segments) {
    const files = withBytes(reference.files, path, () => Buffer.from(bytes));
    await checkFiles(reference, files, true, 1);
  }
});

test('an older copy of a segment: what it does not hold yet is lost, to the sequence', async () => {
  const reference = await chain;
  for (const { path } of reference.segments) {
    for (const group of reference.groups.filter((one) => one.path === path).slice(1)) {
      for (const withCheckpoint of [true, false]) {
        // As it was before this group: zeros behind.
        const files = withBytes(reference.files, path, (bytes) => bytes.fill(0, group.header.offset));
        await checkFiles(reference, files, withCheckpoint, 1);
      }
    }
  }
});

test('a segment that was drained and given up comes back: nothing is delivered again', async () => {
  const reference = await chain;
  const [oldest] = reference.segments;
  assert.ok(oldest);
  const disk = await diskOf(reference.files);
  let channel = await FileChannel.open(home, reference.options, environmentOf(disk, undefined, 1));
  const pending = expectAll(reference).pending;
  const batch = await channel.take(1000);
  assert.equal(batch.events.length, pending.length);
  await batch.commit();
  for (const { id } of channel.unresolved()) await channel.resolve(id, 'commit');
  const body = Buffer.alloc(30_000, 'x');
  for (let count = 0; count < 8; count++) await channel.put([{ headers: {}, body }]);
  await channel.close();
  const files = await readFiles(disk, '/');
  assert.ok(!files.has(oldest.path), 'it was given up');

  const back = new Map(files).set(oldest.path, reference.files.get(oldest.path) as Buffer);
  channel = await FileChannel.open(home, reference.options, environmentOf(await diskOf(back), undefined, 2));
  const sequences: Sequence[] = [];
  for (let taken = await channel.take(100); taken.events.length > 0; taken = await channel.take(100)) {
    sequences.push(...taken.events.map(({ sequence }) => sequence));
  }
  assert.equal(sequences.length, 8);
  assert.equal(channel.stats().depthEvents, 8);
  await channel.close();
});

test('a data directory that is missing: refused untouched, or its events held back until it returns', async () => {
  const reference = await buildReferenceLog({ lives: 4, bodyBytes: 90, dataDirs: ['/d1', '/d2'] });
  const { pending } = expectAll(reference);
  for (const lost of ['/d1', '/d2']) {
    const isThere = ([path]: [string, Buffer]) => !path.startsWith(`${lost}/`);
    const rest: Files = new Map([...reference.files].filter(isThere));
    const held = pendingIn(reference, lost);
    assert.ok(held.length > 0 && held.length < pending.length);

    const untouched = await diskOf(rest);
    const refused = FileChannel.open(home, reference.options, environmentOf(untouched, undefined, 1));
    await assert.rejects(refused, { code: 'CHANNEL_DIR_MISSING', path: lost });
    assert.deepEqual(await readFiles(untouched, '/'), rest);

    const onward: ReferenceLog = { ...reference, options: { ...reference.options, missingDir: 'continue' } };
    const outcome = await openAndDrain(onward, rest, undefined, 1);
    const isNewestThere = !(reference.segments.at(-1)?.path ?? '').startsWith(`${lost}/`);
    const { put, requeued, taken, dropped, quarantined } = outcome.counters;
    assert.equal(put + requeued - taken - dropped - quarantined, outcome.depth);
    if (isNewestThere) {
      const delivered = outcome.delivered.map(({ sequence }) => sequence);
      assert.deepEqual(
        delivered,
        pending.filter((sequence) => !held.includes(sequence)),
      );
      const reported = outcome.damages.filter(({ kind }) => kind === 'absent');
      assert.deepEqual(
        rangesOf(reported.flatMap(({ sequences }) => sequences.flatMap(({ first, last }) => upTo(first, last)))),
        rangesOf(held),
      );
      assert.equal(quarantined, held.length);
    }

    const back = new Map([
      ...(await readFiles(outcome.disk, '/')),
      ...[...reference.files].filter((one) => !isThere(one)),
    ]);
    const again = await openAndDrain(reference, back, undefined, 2);
    assert.deepEqual(new Set(again.delivered.map(({ sequence }) => sequence)), new Set(pending));
    assert.equal(again.delivered.length, pending.length, 'once each');
    assert.equal(again.depth, pending.length + again.prepared.length);
    if (isNewestThere) assert.equal(again.counters.requeued, held.length);
  }
});

function upTo(first: Sequence, last: Sequence): Sequence[] {
  return Array.from({ length: last - first + 1 }, (_, index) => first + index);
}

/** Waiting, or prepared, and standing in that directory. */
function pendingIn(reference: ReferenceLog, directory: string): Sequence[] {
  const { pending, prepared } = expectAll(reference);
  // A tail that was written again stands in the directory of the later copy.
  const places = new Map<Sequence, string>();
  for (const { path, header } of reference.frames) {
    if (header.type !== FrameType.put) continue;
    for (let index = 0; index < header.count; index++) places.set(header.baseSequence + index, path);
  }
  const isThere = (sequence: Sequence) => places.get(sequence)?.startsWith(`${directory}/`) === true;
  return [...pending, ...prepared].filter(isThere).sort((a, b) => a - b);
}
