/** One checksum, two implementations: they must agree on every length, seed and place in memory. */
import assert from 'node:assert/strict';
import test from 'node:test';
import * as zlib from 'node:zlib';
import fc from 'fast-check';
import { crc32 } from '../../src/codec/checksum.ts';

/** Bit by bit, from the definition. */
function reference(bytes: Uint8Array, seed: number): number {
  let crc = ~seed;
  for (const byte of bytes) {
    crc ^= byte;
    for (let bit = 0; bit < 8; bit++) crc = (crc >>> 1) ^ (crc & 1 ? 0xedb88320 : 0);
  }
  return ~crc >>> 0;
}

test('the check value of CRC-32', () => {
  assert.equal(crc32(Buffer.from('123456789')), 0xcbf43926);
});

test('agrees with zlib and the definition on any length, seed and offset', () => {
  const bytes = fc.uint8Array({ minLength: 0, maxLength: 1500, size: 'max' });
  fc.assert(
    fc.property(bytes, fc.nat(64), fc.integer({ min: 0, max: 2 ** 32 - 1 }), (all, skip, seed) => {
      const part = Buffer.from(all).subarray(skip);
      const sum = crc32(part, seed);
      assert.equal(sum, reference(part, seed));
      // of no bytes zlib's own binding forgets the seed
      if (part.length > 0) assert.equal(sum, zlib.crc32(part, seed));
    }),
    { numRuns: 300 },
  );
});

test('agrees on every length around where the implementation changes', () => {
  const bytes = Buffer.from(Array.from({ length: 1024 }, (_, index) => index * 37));
  for (let length = 0; length <= bytes.length; length++) {
    const part = bytes.subarray(0, length);
    assert.equal(crc32(part), zlib.crc32(part), `length ${length}`);
  }
});

test('a seed continues the checksum of what came before', () => {
  const bytes = Buffer.from('the quick brown fox '.repeat(60));
  for (const cut of [0, 1, 100, 700, bytes.length]) {
    assert.equal(crc32(bytes.subarray(cut), crc32(bytes.subarray(0, cut))), crc32(bytes));
  }
});
