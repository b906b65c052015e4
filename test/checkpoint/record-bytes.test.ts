/** The bytes of a checkpoint: what was written comes back, and nothing else passes for it. */
import assert from 'node:assert/strict';
import test from 'node:test';
import { decodeRecord, encodeRecord } from '../../src/checkpoint/record-bytes.ts';
import { makeRecord } from '../conformance/checkpoint-store.ts';

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
