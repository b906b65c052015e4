/** What every CheckpointStore does: run against the store in memory and the one on LMDB. */
import assert from 'node:assert/strict';
import test, { type TestContext } from 'node:test';
import type { CheckpointRecord, CheckpointStore } from '../../src/checkpoint/store.ts';

/** The channel all records of the suite belong to. */
export const suiteChannelId = '00112233445566778899aabbccddeeff';

/** A record whose every field follows from `serial`. */
export function makeRecord(serial: number, stateBytes = 1000): CheckpointRecord {
  return {
    channelId: suiteChannelId,
    segmentId: 1 + Math.floor(serial / 10),
    epoch: serial.toString(16).padStart(16, 'a'),
    offset: 8192 + serial * 4096,
    serial,
    headerCrc: (serial * 2654435761) % 2 ** 32,
    nextSequence: 1 + serial * 100,
    clean: serial % 2 === 0,
    savedAt: 1_790_000_000_000 + serial + 0.25,
    state: Buffer.alloc(stateBytes, serial % 251),
  };
}

/** A fresh, empty store for each test; the context is for clearing up. */
export type MakeCheckpointStore = (context: TestContext) => Promise<CheckpointStore>;

/** Registers the tests; `name` leads their titles. */
export function checkpointStoreSuite(name: string, make: MakeCheckpointStore): void {
  test(`${name}: a fresh store holds nothing`, async (context) => {
    const store = await make(context);
    assert.equal(await store.load(), undefined);
  });

  test(`${name}: the last record saved is the one loaded, whole`, async (context) => {
    const store = await make(context);
    for (const [serial, stateBytes] of [
      [1, 0],
      [2, 1],
      [3, 300_000],
      [4, 17],
    ] as const) {
      await store.save(makeRecord(serial, stateBytes));
      assert.deepEqual(await store.load(), makeRecord(serial, stateBytes));
    }
  });

  test(`${name}: a record's numbers may be as large as safe integers are`, async (context) => {
    const store = await make(context);
    const largest = Number.MAX_SAFE_INTEGER;
    const record: CheckpointRecord = {
      ...makeRecord(1),
      segmentId: largest,
      offset: largest,
      serial: largest,
      nextSequence: largest,
      headerCrc: 0xffffffff,
      epoch: 'ffffffffffffffff',
      savedAt: -1,
    };
    await store.save(record);
    assert.deepEqual(await store.load(), record);
  });

  test(`${name}: the caller may reuse its buffers once save was called`, async (context) => {
    const store = await make(context);
    const record = makeRecord(5);
    const saved = store.save(record);
    record.state.fill(0xee);
    await saved;
    assert.deepEqual(await store.load(), makeRecord(5));
  });

  test(`${name}: saves called together end with the last`, async (context) => {
    const store = await make(context);
    await Promise.all([1, 2, 3, 4, 5].map((serial) => store.save(makeRecord(serial))));
    assert.deepEqual(await store.load(), makeRecord(5));
  });
}
