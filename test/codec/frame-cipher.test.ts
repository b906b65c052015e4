/** Keys: pinned, since a channel written today must open tomorrow, and different for whatever differs. */
import assert from 'node:assert/strict';
import { hkdfSync } from 'node:crypto';
import test from 'node:test';
import { deriveSegmentKey, keyFingerprint } from '../../src/codec/frame-cipher.ts';

const master = Buffer.from(Array.from({ length: 32 }, (_, index) => index));
const channel = Buffer.alloc(16, 0xc4);
const epoch = Buffer.alloc(8, 0xe9);

test('a segment key is HKDF of the label, channel, segment, epoch and generation', () => {
  const info = Buffer.concat([
    Buffer.from('forebay segment key v1\0'),
    channel,
    Buffer.from('0500000000000000', 'hex'),
    epoch,
    Buffer.from('07000000', 'hex'),
  ]);
  const expected = Buffer.from(hkdfSync('sha256', master, '', info, 32));
  assert.deepEqual(deriveSegmentKey(master, channel, 5, epoch, 7), expected);
  assert.equal(expected.toString('hex'), '3e308764cb73fb02601d8a0cc926e5ac3dc12c43f049c371f43974249944acb7');
  assert.equal(keyFingerprint(master, channel), '8129161be4c50aa782d5e1e27eefd4d1');
});

test('each part makes another key', () => {
  const other = (bytes: Buffer): Buffer => Buffer.from(bytes.map((byte, index) => (index === 3 ? byte ^ 1 : byte)));
  const keys = [
    deriveSegmentKey(master, channel, 5, epoch, 7),
    deriveSegmentKey(other(master), channel, 5, epoch, 7),
    deriveSegmentKey(master, other(channel), 5, epoch, 7),
    deriveSegmentKey(master, channel, 6, epoch, 7),
    deriveSegmentKey(master, channel, 5 + 2 ** 40, epoch, 7),
    deriveSegmentKey(master, channel, 5, other(epoch), 7),
    deriveSegmentKey(master, channel, 5, epoch, 8),
  ].map((key) => key.toString('hex'));
  assert.equal(new Set(keys).size, keys.length);
  assert.notEqual(keyFingerprint(master, channel), keyFingerprint(other(master), channel));
  assert.notEqual(keyFingerprint(master, channel), keyFingerprint(master, other(channel)));
});

test('keys and ids of another length are a bug of the caller', () => {
  const broken = { name: 'InvariantError' };
  assert.throws(() => deriveSegmentKey(Buffer.alloc(31), channel, 5, epoch, 7), broken);
  assert.throws(() => deriveSegmentKey(master, Buffer.alloc(15), 5, epoch, 7), broken);
  assert.throws(() => deriveSegmentKey(master, channel, 5, Buffer.alloc(9), 7), broken);
  assert.throws(() => keyFingerprint(master, Buffer.alloc(0)), broken);
});
