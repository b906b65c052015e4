/** The bytes of a checkpoint: what was written comes back, and nothing else passes for it. */
import assert from 'node:assert/strict';
import test from 'node:test';
import {
  decodeIndexEntry,
  decodeRecord,
  encodeIndexValue,
  encodeRecord,
  sequenceKey,
  sequenceOfTimeKey,
  timeKey,
} from '../../src/checkpoint/record-bytes.ts';
import { makeEntry, makeRecord } from '../conformance/checkpoint-store.ts';

/** Calls with each copy of `bytes` in which one bit is flipped, or that was cut short, or grew by a byte. */
function* damaged(bytes: Buffer): Generator<Buffer> {
  for (let bit = 0; bit < bytes.length * 8; bit += 1) {
    const copy = Buffer.from(bytes);
    copy[bit >> 3] = (copy[bit >> 3] ?? 0) ^ (1 << (bit & 7));
    yield copy;
  }
  for (let length = 0; length < bytes.length; length += 1) yield bytes.subarray(0, length);
  yield Buffer.concat([bytes, Buffer.alloc(1)]);
}

test('a record comes back as it was written, and its bytes are these', () => {
  const record = makeRecord(7, 20);
  const bytes = encodeRecord(record);
  assert.deepEqual(decodeRecord(bytes), record);
  const fields = [
    '46424350', // magic
    '0100', // version
    '2000', // bytes of channelId
    '0100000000000000', // segmentId
    'aaaaaaaaaaaaaaa7', // epoch
    '0090000000000000', // offset
    '0700000000000000', // serial
    'd7538453', // headerCrc
    '00000000', // flags
    'bd02000000000000', // nextSequence
    '0074c006450c7a42', // savedAt
    '14000000', // bytes of state
    '9d4fb58e', // CRC
    Buffer.from(record.channelId).toString('hex'),
    '07'.repeat(20), // state
  ];
  assert.equal(bytes.toString('hex'), fields.join(''));
});

test('no damaged record passes for one', () => {
  let seen = 0;
  for (const bytes of damaged(encodeRecord(makeRecord(3, 40)))) {
    seen += 1;
    assert.equal(decodeRecord(bytes), undefined, `case ${seen}`);
  }
  assert.ok(seen > 1000);
});

test('no damaged index entry passes for one, its key included', () => {
  const entry = makeEntry(123_456_789);
  const key = sequenceKey(entry.sequence);
  const value = encodeIndexValue(entry);
  assert.deepEqual(decodeIndexEntry(key, value), entry);
  let seen = 0;
  for (const bytes of damaged(value)) {
    seen += 1;
    assert.equal(decodeIndexEntry(key, bytes), undefined, `value, case ${seen}`);
  }
  for (const bytes of damaged(key)) {
    seen += 1;
    assert.equal(decodeIndexEntry(bytes, value), undefined, `key, case ${seen}`);
  }
  assert.ok(seen > 300);
});

test('keys compare as what they stand for', () => {
  const numbers = [0, 1, 255, 256, 65_535, 2 ** 32 - 1, 2 ** 32, 2 ** 33 + 5, Number.MAX_SAFE_INTEGER];
  for (const [at, number] of numbers.entries()) {
    const next = numbers[at + 1];
    if (next === undefined) continue;
    assert.ok(sequenceKey(number).compare(sequenceKey(next)) < 0, `sequences ${number} and ${next}`);
    assert.ok(timeKey(number, 5).compare(timeKey(next, 5)) < 0, `times ${number} and ${next}`);
    assert.ok(timeKey(5, next).compare(timeKey(5, number)) < 0, 'the smaller sequence of a time comes last');
    assert.equal(sequenceOfTimeKey(timeKey(7, number)), number);
  }
  assert.equal(sequenceOfTimeKey(sequenceKey(5)), undefined);
  const past = timeKey(5, 0);
  past.fill(0xff, 9);
  assert.equal(sequenceOfTimeKey(past), undefined);
});
