/** The log's own frames: what is written comes back, and any other bytes are answered, not thrown at. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { packValue } from '../../src/codec/values.ts';
import type { SegmentRecord } from '../../src/wal/segment-info.ts';
import {
  decodeQuarantine,
  decodeState,
  encodeMark,
  encodeQuarantine,
  encodeState,
  isCleanMark,
  type QuarantineEntry,
  type StatePayload,
} from '../../src/wal/system-frames.ts';

const segment: SegmentRecord = {
  id: 3,
  epoch: '0123456789abcdef',
  directoryId: 'd1',
  firstSerial: 10,
  firstSequence: 100,
  tailEndSequence: 103,
  resumeSequence: 1_048_679,
  nextSequence: 1_048_700,
  endOffset: 16_384,
  endSerial: 12,
  minTimeMs: 1,
  maxTimeMs: 2,
  fileBytes: 65_536,
  pinned: false,
  absent: false,
  generation: 4,
};
const entry: QuarantineEntry = {
  segmentId: 3,
  offset: 8192,
  bytes: 4096,
  kind: 'group',
  ranges: [{ first: 1, last: 9 }],
};
const state: StatePayload = {
  segments: [segment],
  quarantine: [entry],
  absences: [{ directoryId: 'd2', afterSegmentId: 3, beforeSegmentId: 1_048_580 }],
  owner: Buffer.from('opaque'),
};

/** The seed that repeats a failure stands in what fast-check prints. */
const runs = { numRuns: 2000 };

describe('system frames', () => {
  it('come back as they were written', () => {
    assert.deepEqual(decodeState(encodeState(state)), state);
    assert.deepEqual(decodeQuarantine(encodeQuarantine([entry, entry])), [entry, entry]);
    assert.equal(isCleanMark(encodeMark(true)), true);
    assert.equal(isCleanMark(encodeMark(false)), false);
  });

  it('may say more than this version knows', () => {
    const more = packValue({ ...state, segments: [{ ...segment, later: 1 }], later: [1] });
    const read = decodeState(more);
    assert.equal(read?.segments[0]?.endOffset, segment.endOffset);
    assert.deepEqual(read?.owner, state.owner);
  });

  it('with a field that is missing or of another kind are none', () => {
    const { segments, quarantine, absences, owner } = state;
    const whole = { segments, quarantine, absences, owner };
    for (const name of Object.keys(whole)) {
      for (const value of [undefined, null, 1, 'x', [{}], [null]]) {
        assert.equal(decodeState(packValue({ ...whole, [name]: value })), undefined, `${name}: ${String(value)}`);
      }
    }
    const { absent: _mayBeAbsent, ...needed } = segment;
    for (const name of Object.keys(needed)) {
      const bad = packValue({ ...whole, segments: [{ ...segment, [name]: -1 }] });
      assert.equal(decodeState(bad), undefined, `segments[0].${name}`);
    }
    for (const change of [
      { kind: 'other' },
      { ranges: [{ first: 0, last: 1 }] },
      { ranges: [{ first: 3, last: 2 }] },
    ]) {
      assert.equal(decodeQuarantine(packValue([{ ...entry, ...change }])), undefined, JSON.stringify(change));
    }
  });

  it('with any one byte changed answer, and never throw', () => {
    for (const bytes of [encodeState(state), encodeQuarantine([entry]), encodeMark(true)]) {
      for (let at = 0; at < bytes.length; at++) {
        for (const mask of [1, 0x80, 0xff]) {
          const other = Buffer.from(bytes);
          other.writeUInt8(other.readUInt8(at) ^ mask, at);
          decodeState(other);
          decodeQuarantine(other);
          isCleanMark(other);
        }
      }
    }
  });

  it('answer for every input', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (array) => {
        const bytes = Buffer.from(array);
        const read = decodeState(bytes);
        assert.ok(read === undefined || Array.isArray(read.segments));
        decodeQuarantine(bytes);
        isCleanMark(bytes);
      }),
      runs,
    );
  });
});
