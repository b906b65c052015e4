/** What every CheckpointStore does: run against the store in memory and the one on LMDB. */
import assert from 'node:assert/strict';
import test, { type TestContext } from 'node:test';
import type { CheckpointRecord, CheckpointStore, IndexEntry } from '../../src/checkpoint/store.ts';

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

/** The entry of one group; times ascend with sequences, two entries to each. */
export function makeEntry(sequence: number): IndexEntry {
  const timeMs = 1_790_000_000_000 + Math.floor(sequence / 2) * 10;
  return { sequence, segmentId: 1 + Math.floor(sequence / 1000), offset: (sequence % 2 ** 32) * 4096, timeMs };
}

function entriesFrom(first: number, count: number): IndexEntry[] {
  return Array.from({ length: count }, (_, at) => makeEntry(first + at));
}

/** A fresh, empty store for each test; the context is for clearing up. */
export type MakeCheckpointStore = (context: TestContext) => Promise<CheckpointStore>;

/** Registers the tests; `name` leads their titles. */
export function checkpointStoreSuite(name: string, make: MakeCheckpointStore): void {
  recordTests(name, make);
  sequenceTests(name, make);
  timeTests(name, make);
}

function recordTests(name: string, make: MakeCheckpointStore): void {
  test(`${name}: a fresh store holds nothing`, async (context) => {
    const store = await make(context);
    assert.equal(await store.load(), undefined);
    assert.equal(await store.findBySequence(Number.MAX_SAFE_INTEGER), undefined);
    assert.equal(await store.findByTime(Number.MAX_SAFE_INTEGER), undefined);
  });

  test(`${name}: the last record saved is the one loaded, whole`, async (context) => {
    const store = await make(context);
    for (const [serial, stateBytes] of [
      [1, 0],
      [2, 1],
      [3, 300_000],
      [4, 17],
    ] as const) {
      await store.save(makeRecord(serial, stateBytes), [], 0);
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
    const entry: IndexEntry = { sequence: largest, segmentId: largest, offset: largest, timeMs: largest };
    await store.save(record, [entry], 0);
    assert.deepEqual(await store.load(), record);
    assert.deepEqual(await store.findBySequence(largest), entry);
    assert.deepEqual(await store.findByTime(largest), entry);
  });

  test(`${name}: the caller may reuse its buffers once save was called`, async (context) => {
    const store = await make(context);
    const record = makeRecord(5);
    const saved = store.save(record, [], 0);
    record.state.fill(0xee);
    await saved;
    assert.deepEqual(await store.load(), makeRecord(5));
  });

  test(`${name}: saves called together end with the last`, async (context) => {
    const store = await make(context);
    await Promise.all([1, 2, 3, 4, 5].map((serial) => store.save(makeRecord(serial), [makeEntry(serial)], 0)));
    assert.deepEqual(await store.load(), makeRecord(5));
    for (const sequence of [1, 2, 3, 4, 5]) assert.deepEqual(await store.findBySequence(sequence), makeEntry(sequence));
  });
}

function sequenceTests(name: string, make: MakeCheckpointStore): void {
  test(`${name}: findBySequence gives the entry at or before it`, async (context) => {
    const store = await make(context);
    await store.save(makeRecord(1), [makeEntry(100), makeEntry(200)], 0);
    await store.save(makeRecord(2), [makeEntry(300)], 0);
    assert.equal(await store.findBySequence(0), undefined);
    assert.equal(await store.findBySequence(99), undefined);
    for (const [sequence, found] of [
      [100, 100],
      [101, 100],
      [199, 100],
      [200, 200],
      [299, 200],
      [300, 300],
      [2 ** 40, 300],
    ] as const) {
      assert.deepEqual(await store.findBySequence(sequence), makeEntry(found), `at ${sequence}`);
    }
  });

  test(`${name}: sequences past 2^32 keep their order`, async (context) => {
    const store = await make(context);
    const sequences = [1, 255, 256, 2 ** 32 - 1, 2 ** 32, 2 ** 40, 2 ** 52];
    await store.save(makeRecord(1), sequences.map(makeEntry), 0);
    for (const sequence of sequences) {
      assert.deepEqual(await store.findBySequence(sequence), makeEntry(sequence));
      assert.equal((await store.findBySequence(sequence - 1))?.sequence ?? 0, before(sequences, sequence));
    }
  });

  test(`${name}: an entry saved again replaces the one it had`, async (context) => {
    const store = await make(context);
    await store.save(makeRecord(1), [makeEntry(100)], 0);
    const moved: IndexEntry = { ...makeEntry(100), segmentId: 9, timeMs: 5 };
    await store.save(makeRecord(2), [moved], 0);
    assert.deepEqual(await store.findBySequence(100), moved);
    assert.deepEqual(await store.findByTime(makeEntry(100).timeMs), moved);
  });

  test(`${name}: entries below indexFrom are gone, in both orders, however many`, async (context) => {
    const store = await make(context);
    await store.save(makeRecord(1), entriesFrom(1, 3500), 0);
    await store.save(makeRecord(2), [makeEntry(4000)], 3200);
    assert.equal(await store.findBySequence(3199), undefined);
    assert.deepEqual(await store.findBySequence(3200), makeEntry(3200));
    assert.deepEqual(await store.findBySequence(3999), makeEntry(3500));
    assert.equal(await store.findByTime(makeEntry(3199).timeMs), undefined);
    assert.deepEqual(await store.findByTime(makeEntry(3200).timeMs), makeEntry(3200));
    await store.save(makeRecord(3), [makeEntry(4100)], 4100);
    assert.equal(await store.findBySequence(4099), undefined);
    assert.deepEqual(await store.findBySequence(5000), makeEntry(4100));
    await store.save(makeRecord(4), [makeEntry(4200)], 5000);
    assert.equal(await store.findBySequence(6000), undefined);
    assert.equal(await store.findByTime(Number.MAX_SAFE_INTEGER), undefined);
  });
}

function before(sequences: readonly number[], sequence: number): number {
  return Math.max(0, ...sequences.filter((other) => other < sequence));
}

function timeTests(name: string, make: MakeCheckpointStore): void {
  const at = (sequence: number, timeMs: number): IndexEntry => ({ ...makeEntry(sequence), timeMs });

  test(`${name}: findByTime gives the latest entry not after it; the first of equal ones`, async (context) => {
    const store = await make(context);
    const entries = [at(10, 1000), at(20, 2000), at(30, 2000), at(40, 2000), at(50, 3000)];
    await store.save(makeRecord(1), entries, 0);
    for (const [timeMs, found] of [
      [-5, undefined],
      [999, undefined],
      [1000, entries[0]],
      [1999, entries[0]],
      [2000, entries[1]],
      [2999.5, entries[1]],
      [3000, entries[4]],
      [Number.MAX_VALUE, entries[4]],
    ] as const) {
      assert.deepEqual(await store.findByTime(timeMs), found, `at ${timeMs}`);
    }
  });

  test(`${name}: a clock that went back orders by time, not by sequence`, async (context) => {
    const store = await make(context);
    await store.save(makeRecord(1), [at(10, 5000), at(20, 4000), at(30, 6000)], 0);
    assert.equal((await store.findByTime(4500))?.sequence, 20);
    assert.equal((await store.findByTime(5500))?.sequence, 10);
    await store.save(makeRecord(2), [], 20);
    assert.equal((await store.findByTime(5500))?.sequence, 20);
  });
}
