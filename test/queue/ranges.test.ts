/** Ranges as callers name them and as frames carry them. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { ForebayError } from '../../src/base/errors.ts';
import type { SequenceRange } from '../../src/base/units.ts';
import { decodeRanges, encodeRanges, normalizeRanges } from '../../src/queue/ranges.ts';

/** Ascending ranges that do not touch, up to the last safe integer. */
const normal: fc.Arbitrary<SequenceRange[]> = fc
  .array(
    fc.tuple(fc.oneof(fc.nat({ max: 300 }), fc.nat({ max: 2 ** 31 - 1 })), fc.oneof(fc.nat({ max: 300 }), fc.nat())),
    {
      maxLength: 40,
      size: 'max',
    },
  )
  .map((steps) => {
    let lowest = 1;
    return steps.map(([gap, length]) => {
      const range = { first: lowest + gap, last: lowest + gap + length };
      lowest = range.last + 2;
      return range;
    });
  });

describe('encodeRanges and decodeRanges', () => {
  it('give back what went in, and take it as normal', () => {
    fc.assert(
      fc.property(normal, (ranges) => {
        assert.deepEqual(decodeRanges(encodeRanges(ranges)), ranges);
        assert.deepEqual(normalizeRanges(ranges), ranges);
      }),
    );
    const far = [{ first: Number.MAX_SAFE_INTEGER, last: Number.MAX_SAFE_INTEGER }];
    assert.deepEqual(decodeRanges(encodeRanges(far)), far);
  });

  it('answer for any bytes with ranges that encode to them, or with nothing', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 40, size: 'max' }), (bytes) => {
        const ranges = decodeRanges(Buffer.from(bytes));
        if (ranges !== undefined) assert.deepEqual(encodeRanges(ranges), Buffer.from(bytes));
      }),
      { numRuns: 2000 },
    );
    assert.equal(decodeRanges(Buffer.from([5])), undefined, 'cut');
    assert.equal(decodeRanges(Buffer.from([0x80, 0x00, 0])), undefined, 'longer than needed');
    assert.equal(
      decodeRanges(Buffer.from([0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x0f, 0])),
      undefined,
      'past 2^53',
    );
  });
});

describe('normalizeRanges', () => {
  it('merges neighbours and leaves its input alone', () => {
    const input = [
      { first: 1, last: 2 },
      { first: 3, last: 3 },
      { first: 5, last: 9 },
    ];
    const before = structuredClone(input);
    assert.deepEqual(normalizeRanges(input), [
      { first: 1, last: 3 },
      { first: 5, last: 9 },
    ]);
    assert.deepEqual(input, before);
  });

  const refused: Record<string, unknown> = {
    'no array': { first: 1, last: 2 },
    'no range': [7],
    null: [null],
    'a fraction': [{ first: 1, last: 1.5 }],
    'sequence 0': [{ first: 0, last: 1 }],
    'last before first': [{ first: 2, last: 1 }],
    'a string': [{ first: '1', last: 2 }],
    'not a safe integer': [{ first: 1, last: 2 ** 53 }],
    overlap: [
      { first: 1, last: 5 },
      { first: 5, last: 6 },
    ],
    'descending order': [
      { first: 5, last: 6 },
      { first: 1, last: 2 },
    ],
  };
  for (const [name, ranges] of Object.entries(refused)) {
    it(`refuses ${name}`, () => {
      const answer = normalizeRanges(ranges);
      assert.ok(answer instanceof ForebayError);
      assert.equal(answer.code, 'TRANSACTION_STATE');
    });
  }
});
