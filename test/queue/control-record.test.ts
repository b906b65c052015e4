/** Control records: every kind comes back from its bytes, and damaged bytes never throw. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import {
  type AckHeader,
  ackHeader,
  type ControlRecord,
  decodeControl,
  encodeControl,
} from '../../src/queue/control-record.ts';

const one = [{ first: 7, last: 12 }];
const many = [
  { first: 7, last: 7 },
  { first: 9, last: 2 ** 40 },
];
const take = {
  id: 'a-1',
  consumer: 'k1',
  ranges: many,
  note: { path: '/x', parts: [1, 2] },
  preparedAt: 1_700_000_000_000,
};
const notes = { position: { file: 'f', offset: 3 }, gone: undefined };

const records: readonly ControlRecord[] = [
  { kind: 'ack', ranges: one, notes: undefined },
  { kind: 'ack', ranges: one, notes },
  { kind: 'ack', ranges: many, notes: undefined },
  { kind: 'ack', ranges: many, notes },
  { kind: 'drop', ranges: one, notes: undefined },
  { kind: 'drop', ranges: many, notes },
  { kind: 'prepare', take, notes: undefined },
  { kind: 'prepare', take: { ...take, note: null }, notes },
  { kind: 'resolve', id: 'a-1', outcome: 'commit', notes },
  { kind: 'resolve', id: 'a-1', outcome: 'rollback', notes: undefined },
  { kind: 'notes', notes },
  { kind: 'notes', notes: {} },
];

function headerOf(record: ControlRecord): AckHeader {
  return 'ranges' in record ? ackHeader(record.ranges) : { baseSequence: 0, count: 0, explicit: false };
}

describe('control records', () => {
  for (const record of records) {
    const bytes = encodeControl(record);
    it(`${record.kind} with ${bytes.length} bytes comes back`, () => {
      assert.deepEqual(decodeControl(record.kind, bytes, headerOf(record)), record);
    });

    it(`${record.kind} with ${bytes.length} bytes: cut or with a flipped bit it is another record or none`, () => {
      for (let at = 0; at < bytes.length; at++) {
        decodeControl(record.kind, bytes.subarray(0, at), headerOf(record));
        for (let bit = 0; bit < 8; bit++) {
          const damaged = Buffer.from(bytes);
          damaged[at]! ^= 1 << bit;
          const decoded = decodeControl(record.kind, damaged, headerOf(record));
          if (decoded !== undefined) assert.notDeepEqual(decoded, record);
        }
      }
    });
  }

  it('acknowledge or drop one range without notes in no bytes', () => {
    for (const kind of ['ack', 'drop'] as const) {
      assert.equal(encodeControl({ kind, ranges: one, notes: undefined }).length, 0);
    }
    assert.deepEqual(ackHeader(one), { baseSequence: 7, count: 6, explicit: false });
    assert.deepEqual(ackHeader(many), { baseSequence: 7, count: 2 ** 40 - 7, explicit: true });
  });

  it('refuse an acknowledgement whose header and ranges differ, or whose header is impossible', () => {
    const bytes = encodeControl({ kind: 'ack', ranges: many, notes: undefined });
    const header = ackHeader(many);
    assert.equal(decodeControl('ack', bytes, { ...header, baseSequence: 8 }), undefined);
    assert.equal(decodeControl('ack', bytes, { ...header, count: header.count + 1 }), undefined);
    const none = Buffer.alloc(0);
    for (const [baseSequence, count] of [
      [0, 1],
      [1, 0],
      [Number.NaN, 1],
      [2 ** 53 - 1, 2],
    ] as const) {
      assert.equal(decodeControl('ack', none, { baseSequence, count, explicit: false }), undefined);
    }
  });
});
