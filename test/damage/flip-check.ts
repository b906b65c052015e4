/** The judgement of a damaged log: what was hit, what may be gone, whether the channel said and did exactly that. */
import assert from 'node:assert/strict';
import type { ByteOffset, Sequence } from '../../src/base/units.ts';
import { FrameType } from '../../src/wal/segment/frame-header.ts';
import { groupHeaderBytes } from '../../src/wal/segment/group-header.ts';
import { firstGroupOffset } from '../../src/wal/segment/segment-header.ts';
import { type Expectation, expand, expectAll, expectWithout, goneOf, rangesOf } from './expectation.ts';
import type { Files, FrameAt, GroupAt, ReferenceLog } from './reference-log.ts';
import { lossOf, type Outcome, openAndDrain, withFlip } from './trial.ts';

/** What a byte of a segment is part of. */
type Hit =
  | { readonly kind: 'segmentHeader' }
  | { readonly kind: 'group'; readonly group: GroupAt }
  | { readonly kind: 'frame'; readonly group: GroupAt; readonly frame: FrameAt }
  | { readonly kind: 'padding'; readonly group: GroupAt }
  | { readonly kind: 'beyond' };

/** What stands at `offset` of the segment at `path`. */
function hitOf(reference: ReferenceLog, path: string, offset: ByteOffset): Hit {
  if (offset < firstGroupOffset) return { kind: 'segmentHeader' };
  const group = reference.groups.find((one) => one.path === path && one.header.offset <= offset && offset < one.end);
  if (group === undefined) return { kind: 'beyond' };
  if (offset < group.header.offset + groupHeaderBytes) return { kind: 'group', group };
  const frame = reference.frames.find((one) => one.group === group && one.offset <= offset && offset < one.end);
  const padding = frame === undefined || offset >= frame.offset + 40 + frame.header.storedBytes;
  return padding ? { kind: 'padding', group } : { kind: 'frame', group, frame };
}

/** Opens the log with the bit flipped and asserts everything promise 3 says about it. */
export async function checkFlip(
  reference: ReferenceLog,
  path: string,
  bit: number,
  withCheckpoint: boolean,
): Promise<Outcome> {
  const hit = hitOf(reference, path, bit >> 3);
  const { outcome, expected } = await checkFiles(reference, withFlip(reference.files, path, bit), withCheckpoint, bit);
  const isNewest = path === reference.segments.at(-1)?.path;
  const mustBeNamed = isNewest ? !isTaken(reference, hit) && !isBetweenFrames(hit, bit >> 3) : expected.lost.length > 0;
  if (!mustBeNamed) return outcome;
  const named = outcome.damages.some((damage) => damage.path === path && touches(damage, hit, bit >> 3));
  assert.ok(named, `the damage is named: ${JSON.stringify(outcome.damages)}`);
  return outcome;
}

/** Opens changed files of the log; asserts that what holds is delivered, and what does not is reported. */
export async function checkFiles(
  reference: ReferenceLog,
  files: Files,
  withCheckpoint: boolean,
  seed: number,
): Promise<{ readonly outcome: Outcome; readonly expected: Expectation }> {
  const record = withCheckpoint ? reference.checkpoint : undefined;
  const outcome = await openAndDrain(reference, files, record, seed);
  const expected = expectWithout(reference, { ...goneOf(reference, files), endIsKnown: withCheckpoint });
  assertAsExpected(reference, outcome, expected);
  if (withCheckpoint) assertReturned(reference, outcome, expected);
  return { outcome, expected };
}

/** Delivery, loss and its report, state and counters. */
export function assertAsExpected(reference: ReferenceLog, outcome: Outcome, expected: Expectation): void {
  const { delivered, counters, depth, damages } = outcome;
  assert.deepEqual(
    delivered.map(({ sequence }) => sequence),
    expected.pending,
    'every undamaged event that waits is delivered, once and in order',
  );
  for (const { sequence, body } of delivered) assert.equal(body, reference.bodies.get(sequence));
  const isThere = (sequence: Sequence) => !expected.lost.includes(sequence);
  assert.deepEqual(outcome.prepared.filter(isThere), expected.prepared.filter(isThere), 'prepared takes');
  assert.deepEqual(outcome.notes, expected.notes, 'notes');
  const reported = damages.flatMap(({ eventsLost, sequences }) => (eventsLost > 0 ? sequences.flatMap(expand) : []));
  assert.deepEqual(rangesOf(reported), rangesOf(expected.lost), 'the reported loss is the loss');
  assert.equal(lossOf(damages), expected.lost.length, 'eventsLost adds up to the loss');
  const { put, requeued, taken, dropped, quarantined } = counters;
  assert.equal(put + requeued - taken - dropped - quarantined, depth, 'counters add up');
  assert.equal(depth, expected.pending.length + expected.prepared.filter(isThere).length, 'depth');
  assert.equal(quarantined, expected.lost.length, 'quarantined');
}

/** The checkpoint knows what was taken: what comes back is named. */
function assertReturned(reference: ReferenceLog, outcome: Outcome, expected: Expectation): void {
  const whole = expectAll(reference);
  const waited = new Set([...whole.pending, ...whole.prepared]);
  const waits = [...expected.pending, ...expected.prepared.filter((sequence) => !expected.lost.includes(sequence))];
  const named = outcome.damages.flatMap(({ eventsLost, sequences }) => (eventsLost === 0 ? sequences : []));
  // One that comes back may turn out to be lost as well, when it is delivered.
  const comesBack = named.flatMap(expand).filter((sequence) => !expected.lost.includes(sequence));
  assert.deepEqual(
    rangesOf(comesBack),
    rangesOf(waits.filter((sequence) => !waited.has(sequence))),
    'what comes back is named',
  );
}

/** A transaction that was taken as a whole: nobody reads it again, and nothing is lost with it. */
function isTaken(reference: ReferenceLog, hit: Hit): boolean {
  if (hit.kind !== 'frame' || hit.frame.header.type !== FrameType.put) return false;
  const { baseSequence, count } = hit.frame.header;
  const { pending, prepared } = expectAll(reference);
  return ![...pending, ...prepared].some((sequence) => baseSequence <= sequence && sequence < baseSequence + count);
}

/** The up to 7 bytes behind a payload, which only `verify` reads where the payload is not needed to open. */
function isBetweenFrames(hit: Hit, at: ByteOffset): boolean {
  return hit.kind === 'padding' && at < hit.group.header.offset + hit.group.header.bytes;
}

function touches(damage: { offset: number; bytes: number }, hit: Hit, at: ByteOffset): boolean {
  const end = damage.offset + Math.max(1, damage.bytes);
  if (hit.kind === 'segmentHeader') return damage.offset < firstGroupOffset;
  const from = 'group' in hit ? hit.group.header.offset : at;
  const to = 'group' in hit ? hit.group.end : at + 1;
  return damage.offset < to && from < end;
}
