/** A checkpoint of the earlier form, with an index of the log's groups beside its record: the record is still read. */
import assert from 'node:assert/strict';
import { readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import test from 'node:test';
import { crc32 } from 'node:zlib';
import { open } from 'lmdb';
import { readCheckpointCopy } from '../../src/checkpoint/lmdb-copy.ts';
import { environmentOptions } from '../../src/checkpoint/lmdb-store.ts';
import { encodeRecord, recordKey } from '../../src/checkpoint/record-bytes.ts';
import { makeRecord } from '../conformance/checkpoint-store.ts';
import { tempDir } from '../support/temp-dir.ts';
import { assertHolds, disk, mustOpen } from './opened-store.ts';

const indexEntries = 5000;
const smallBytes = 64 * 1024;

/** Key and value of the index by sequence, and the key by time, as they were. */
function indexOf(sequence: number): { readonly bySequence: Buffer; readonly value: Buffer; readonly byTime: Buffer } {
  const [bySequence, value, byTime] = [Buffer.alloc(9, 2), Buffer.alloc(28), Buffer.alloc(17, 3)];
  const timeMs = 1_790_000_000_000 + sequence;
  bySequence.writeBigUInt64BE(BigInt(sequence), 1);
  value.writeBigUInt64LE(1n, 0);
  value.writeBigUInt64LE(BigInt(sequence * 4096), 8);
  value.writeDoubleLE(timeMs, 16);
  value.writeUInt32LE(crc32(value.subarray(0, 24), crc32(bySequence)), 24);
  byTime.writeBigUInt64BE(BigInt(timeMs), 1);
  byTime.writeBigUInt64BE(BigInt(Number.MAX_SAFE_INTEGER - sequence), 9);
  return { bySequence, value, byTime };
}

/** What the earlier version left after a stop in order; without `record` only the index. */
async function leaveEarlier(directory: string, record: Buffer | undefined): Promise<void> {
  const data = join(directory, 'data.mdb');
  const environment = open<Buffer, Buffer>({ ...environmentOptions, path: data });
  await environment.batch(() => {
    if (record !== undefined) environment.put(recordKey, record);
    for (let sequence = 1; sequence <= indexEntries; sequence += 1) {
      const { bySequence, value, byTime } = indexOf(sequence);
      environment.put(bySequence, value);
      environment.put(byTime, Buffer.from([0]));
    }
  });
  await environment.flushed;
  await environment.close();
  const bytes = readFileSync(data);
  assert.ok(bytes.length > 4 * smallBytes, 'the index is there');
  const seal = { bytes: bytes.length, crc: crc32(bytes), check: crc32(`${bytes.length} ${crc32(bytes)}`) };
  writeFileSync(join(directory, 'seal.json'), `${JSON.stringify(seal).padEnd(127)}\n`);
}

test('the record is read, by an owner after any stop and beside one; the index is left behind', async (t) => {
  for (const unclean of [false, true]) {
    const directory = await tempDir(t);
    await leaveEarlier(directory, encodeRecord(makeRecord(7)));
    const copied = await readCheckpointCopy(disk, directory);
    assert.deepEqual(copied.kind === 'record' && copied.record, makeRecord(7));
    const opened = await mustOpen(directory, { unclean });
    assert.equal(opened.setAside, undefined);
    await assertHolds(opened, 7);
    await opened.store.save(makeRecord(8));
    await opened.store.close();
    const { size } = statSync(join(directory, 'data.mdb'));
    assert.ok(size < smallBytes, `${size} bytes`);
    const again = await mustOpen(directory);
    assert.equal(again.setAside, undefined);
    await assertHolds(again, 8);
    await again.store.close();
  }
});

test('one whose record is gone or damaged is set aside, and said', async (t) => {
  const damaged = encodeRecord(makeRecord(7));
  damaged.writeUInt8(damaged.readUInt8(100) ^ 1, 100);
  for (const [record, why] of [
    [undefined, /a process could not read it/],
    [damaged, /its record fails its checksum/],
  ] as const) {
    const directory = await tempDir(t);
    await leaveEarlier(directory, record);
    const opened = await mustOpen(directory);
    assert.match(opened.setAside?.why ?? '', why);
    assert.equal(await opened.store.load(), undefined);
    await opened.store.close();
  }
});
