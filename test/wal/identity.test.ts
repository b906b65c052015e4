/** The identity file: what it says comes back, a newer one is refused, and anything else is damage, never an error. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { crc32 } from 'node:zlib';
import { memoryDisk } from '../../src/base/disk-memory.ts';
import {
  decodeIdentity,
  encodeIdentity,
  type Identity,
  keyChannelOf,
  readIdentity,
  writeIdentity,
} from '../../src/wal/identity.ts';

const identity: Identity = {
  channelId: '0123456789abcdef0123456789abcdef',
  directoryId: 'd2',
  directories: [
    { id: 'd1', path: '/a' },
    { id: 'd2', path: '/ü b' },
  ],
  keys: [{ id: 7, fingerprint: 'fedcba9876543210fedcba9876543210' }],
  revision: 3,
  forming: false,
};

/** The file with its content changed and its checksum made good. */
function altered(change: Record<string, unknown>): string {
  const { content } = JSON.parse(encodeIdentity(identity)) as { content: Record<string, unknown> };
  const next = { ...content, ...change };
  return JSON.stringify({ content: next, crc: crc32(JSON.stringify(next)) });
}

describe('identity', () => {
  it('comes back as it was written, whatever the white space', () => {
    assert.deepEqual(decodeIdentity(encodeIdentity(identity)), { kind: 'identity', identity });
    assert.deepEqual(decodeIdentity(altered({})), { kind: 'identity', identity });
  });

  it('of a backup says whose it is, under a feature that an older version refuses', () => {
    const parent = {
      channelId: 'aa'.repeat(16),
      keyChannelId: 'bb'.repeat(16),
      mayRepeatFrom: 7,
      nextSequence: 9,
      copiedAt: 1_790_000_000_000,
    };
    const text = encodeIdentity({ ...identity, parent });
    assert.deepEqual(decodeIdentity(text), { kind: 'identity', identity: { ...identity, parent } });
    assert.deepEqual(JSON.parse(text).content.features, ['parent']);
    assert.deepEqual(
      [keyChannelOf({ ...identity, parent }), keyChannelOf(identity)],
      ['bb'.repeat(16), identity.channelId],
    );
    const wrong = [
      null,
      [],
      {},
      { ...parent, channelId: 'x' },
      { ...parent, mayRepeatFrom: -1 },
      { ...parent, copiedAt: '' },
    ];
    for (const one of wrong) assert.deepEqual(decodeIdentity(altered({ parent: one })), { kind: 'damaged' });
  });

  it('of another version or with features is refused, if its checksum holds', () => {
    assert.deepEqual(decodeIdentity(altered({ version: 2 })), { kind: 'unsupported', what: 'version 2' });
    assert.deepEqual(decodeIdentity(altered({ features: ['x'] })), { kind: 'unsupported', what: 'features x' });
    assert.deepEqual(decodeIdentity(encodeIdentity(identity).replace('"version": 1', '"version": 2')), {
      kind: 'damaged',
    });
  });

  it('with one field of another kind is damaged', () => {
    const wrong: readonly Record<string, unknown>[] = [
      { channelId: 'xyz' },
      { channelId: 1 },
      { directoryId: null },
      { directories: {} },
      { directories: [{ id: 1, path: '/a' }] },
      { keys: [{ id: '7', fingerprint: '' }] },
      { keys: undefined },
      { revision: '3' },
      { forming: 0 },
    ];
    for (const change of wrong) {
      assert.deepEqual(decodeIdentity(altered(change)), { kind: 'damaged' }, JSON.stringify(change));
    }
  });

  it('with any one byte changed is damaged, or says the same', () => {
    const bytes = Buffer.from(encodeIdentity(identity));
    let damaged = 0;
    for (let at = 0; at < bytes.length; at++) {
      const other = Buffer.from(bytes);
      other.writeUInt8(other.readUInt8(at) ^ 1, at);
      const read = decodeIdentity(other.toString('utf8'));
      if (read.kind === 'damaged') damaged += 1;
      else assert.deepEqual(read, { kind: 'identity', identity }, `byte ${at}`);
    }
    assert.ok(damaged > bytes.length / 2, `${damaged} of ${bytes.length}`);
  });

  it('is written whole, over an older one and a leftover', async () => {
    const disk = memoryDisk();
    await disk.makeDirectory('/a');
    assert.deepEqual(await readIdentity(disk, '/a'), { kind: 'none' });
    await writeIdentity(disk, '/a', { ...identity, revision: 1 });
    const leftover = await disk.open('/a/channel.json.new', { mode: 'create' });
    await leftover.write(Buffer.from('half'), 0);
    await leftover.close();
    await writeIdentity(disk, '/a', identity);
    assert.deepEqual(await readIdentity(disk, '/a'), { kind: 'identity', identity });
    assert.deepEqual(await disk.list('/a'), ['channel.json']);
  });
});
