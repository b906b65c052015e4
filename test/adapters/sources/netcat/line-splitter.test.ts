/** Lines out of bytes: any text, cut anywhere, with any limit. */
import assert from 'node:assert/strict';
import test from 'node:test';
import fc from 'fast-check';
import { LineSplitter } from '../../../../src/adapters/sources/netcat/line-splitter.ts';

test('lines are the same however their bytes are cut, and limits as well', () => {
  const pieces = fc.array(fc.oneof(fc.constant('\n'), fc.string({ unit: 'grapheme', maxLength: 4 })), {
    maxLength: 30,
  });
  fc.assert(
    fc.property(pieces, fc.array(fc.nat()), fc.integer({ min: 1, max: 12 }), (parts, cuts, charsMax) => {
      const text = parts.join('');
      const bytes = Buffer.from(text);
      const splitter = new LineSplitter(charsMax);
      const at = [...new Set(cuts.map((cut) => cut % (bytes.length + 1)))].sort((a, b) => a - b);
      const edges = [0, ...at, bytes.length];
      const lines = edges.slice(1).flatMap((end, index) => splitter.push(bytes.subarray(edges[index], end)));
      const wanted = bytes.toString().split('\n');
      const tooLong = wanted.findIndex((line) => line.length >= charsMax);
      const whole = tooLong < 0 ? wanted.slice(0, -1) : wanted.slice(0, tooLong);
      assert.deepEqual(
        lines.map((line) => line.toString()),
        whole,
      );
      assert.equal(splitter.isTooLong, tooLong >= 0);
      if (tooLong < 0) assert.equal(splitter.rest.toString(), wanted.at(-1));
    }),
  );
});
