/** A payload comes back from what was stored for it, and from nothing else. */
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import test from 'node:test';
import * as zlib from 'node:zlib';
import fc from 'fast-check';
import {
  type Compression,
  restorePayload,
  type StoredForm,
  type StoredPayload,
  storePayload,
  zstdAvailable,
} from '../../src/codec/stored-payload.ts';
import { payloadBytesMax } from '../../src/codec/validate-event.ts';

const associatedData = Buffer.from('frame header');
const nonce = Buffer.alloc(12, 9);
const cipher = { keyId: 1, dataKey: Buffer.alloc(32, 7) };
const otherCipher = { keyId: 1, dataKey: Buffer.alloc(32, 8) };
const text = Buffer.from('a line of a log, much like the next one\n'.repeat(200));
const compressions: Compression[] = zstdAvailable ? ['none', 'deflate', 'zstd'] : ['none', 'deflate'];

function store(raw: Buffer, compression: Compression, encrypted: boolean): StoredPayload {
  return storePayload(raw, { compression, cipher: encrypted ? cipher : undefined, associatedData, nonce });
}

function formOf(stored: StoredPayload, rawBytes: number): StoredForm {
  return { compressed: stored.compressed, encrypted: stored.encrypted, rawBytes };
}

function restoredKind(bytes: Buffer, form: StoredForm): string {
  return restorePayload(bytes, form, cipher, associatedData).kind;
}

test('zstd is there exactly where Node has it', () => {
  assert.equal(zstdAvailable, 'zstdCompressSync' in zlib);
  if (!zstdAvailable) assert.throws(() => store(text, 'zstd', false), { name: 'InvariantError' });
});

test('any payload comes back, by every way', () => {
  const raws = fc.oneof(
    fc.uint8Array({ maxLength: 600 }).map((bytes) => Buffer.from(bytes)),
    fc.tuple(fc.uint8Array({ minLength: 1, maxLength: 9 }), fc.nat(3000)).map(([bytes, n]) => Buffer.alloc(n, bytes)),
  );
  fc.assert(
    fc.property(raws, fc.constantFrom(...compressions), fc.boolean(), (raw, compression, encrypted) => {
      const stored = store(raw, compression, encrypted);
      const key = encrypted ? cipher : undefined;
      const restored = restorePayload(stored.stored, formOf(stored, raw.length), key, associatedData);
      assert.deepEqual(restored, { kind: 'payload', payload: raw });
      assert.equal(stored.encrypted, encrypted);
      assert.ok(stored.stored.length <= raw.length + (encrypted ? 28 : 0), 'compressed only where it is smaller');
    }),
    { numRuns: 400 },
  );
});

test('compression says which, and is left out where it does not help', () => {
  const deflated = store(text, 'deflate', false);
  assert.equal(deflated.compressed, true);
  assert.equal(deflated.stored[0], 1);
  assert.deepEqual(zlib.inflateRawSync(deflated.stored.subarray(1)), text);
  const short = Buffer.from('short');
  assert.deepEqual(store(short, 'deflate', false), { stored: short, compressed: false, encrypted: false });
  const random = createHash('shake256', { outputLength: 4000 }).update('seed').digest();
  assert.deepEqual(store(random, 'deflate', false), { stored: random, compressed: false, encrypted: false });
  assert.equal(store(random, 'none', false).stored, random);
  if (zstdAvailable) assert.equal(store(text, 'zstd', false).stored[0], 2);
});

test('encrypted form: nonce, ciphertext, tag', () => {
  const { stored } = store(Buffer.from('secret'), 'none', true);
  assert.equal(stored.toString('hex'), '09090909090909090909090954e0e7e6db8454a1b45254767c5ad88fd243d8692ace');
});

test('no key, another key, other associated data', () => {
  const stored = store(text, 'deflate', true);
  const form = formOf(stored, text.length);
  assert.equal(restorePayload(stored.stored, form, undefined, associatedData).kind, 'keyMissing');
  assert.equal(restorePayload(stored.stored, form, otherCipher, associatedData).kind, 'keyWrong');
  assert.equal(restorePayload(stored.stored, form, cipher, Buffer.from('another header')).kind, 'keyWrong');
});

test('encrypted: no flipped bit and no truncation gives a payload', () => {
  const raw = Buffer.from('a small payload');
  const stored = store(raw, 'none', true);
  for (let bit = 0; bit < stored.stored.length * 8; bit++) {
    const changed = Buffer.from(stored.stored);
    changed[bit >> 3] = (changed[bit >> 3] ?? 0) ^ (1 << (bit & 7));
    assert.equal(restoredKind(changed, formOf(stored, raw.length)), 'keyWrong', `bit ${bit}`);
  }
  for (let length = 0; length < stored.stored.length; length++) {
    const kind = restoredKind(stored.stored.subarray(0, length), formOf(stored, raw.length));
    assert.equal(kind, length < 28 ? 'malformed' : 'keyWrong');
  }
});

for (const compression of compressions.filter((name) => name !== 'none')) {
  test(`${compression}: damage is malformed or of the right size, a claim of another size is malformed`, () => {
    const raw = text.subarray(0, 400);
    const stored = store(raw, compression, false);
    for (let bit = 0; bit < stored.stored.length * 8; bit++) {
      const changed = Buffer.from(stored.stored);
      changed[bit >> 3] = (changed[bit >> 3] ?? 0) ^ (1 << (bit & 7));
      const restored = restorePayload(changed, formOf(stored, raw.length), undefined, associatedData);
      if (restored.kind === 'payload') assert.equal(restored.payload.length, raw.length);
    }
    for (let length = 0; length < stored.stored.length; length++) {
      assert.equal(
        restoredKind(stored.stored.subarray(0, length), formOf(stored, raw.length)),
        'malformed',
        `${length}`,
      );
    }
    for (const claim of [0, 1, raw.length - 1, raw.length + 1, payloadBytesMax, payloadBytesMax + 1, 2 ** 32 - 1]) {
      assert.equal(restoredKind(stored.stored, formOf(stored, claim)), 'malformed', `${claim}`);
    }
  });

  test(`${compression}: neither a bomb nor a claim makes it allocate`, () => {
    const bombBytes = 64 * 2 ** 20;
    const bomb = store(Buffer.alloc(bombBytes), compression, false);
    const small = store(text, compression, false);
    // The best of five: a busy machine can only make a call look slower than it is.
    const elapsedMs = (act: () => void): number => {
      const runs = Array.from({ length: 5 }, () => {
        const start = performance.now();
        act();
        return performance.now() - start;
      });
      return Math.min(...runs);
    };
    const wholeMs = elapsedMs(() => assert.equal(restoredKind(bomb.stored, formOf(bomb, bombBytes)), 'payload'));
    const stoppedMs = elapsedMs(() => assert.equal(restoredKind(bomb.stored, formOf(bomb, 1000)), 'malformed'));
    assert.ok(stoppedMs < wholeMs / 4, `stops at the limit: ${stoppedMs} ms, all of it takes ${wholeMs} ms`);
    const before = process.memoryUsage().arrayBuffers;
    assert.equal(restoredKind(small.stored, formOf(small, payloadBytesMax)), 'malformed');
    assert.ok(process.memoryUsage().arrayBuffers - before < 4 * 2 ** 20);
  });
}

test('algorithms that are not there', () => {
  const form = { compressed: true, encrypted: false, rawBytes: 100 };
  assert.equal(restoredKind(Buffer.from([3, 1, 2, 3]), form), 'unsupported');
  assert.equal(restoredKind(Buffer.from([0, 1, 2, 3]), form), 'malformed');
  assert.equal(restoredKind(Buffer.alloc(0), form), 'malformed');
  if (!zstdAvailable) assert.equal(restoredKind(Buffer.from([2, 1, 2, 3]), form), 'unsupported');
});

test('stored in clear: the length must be the one recorded', () => {
  assert.equal(restoredKind(text, { compressed: false, encrypted: false, rawBytes: text.length }), 'payload');
  assert.equal(restoredKind(text, { compressed: false, encrypted: false, rawBytes: text.length - 1 }), 'malformed');
});
