/** Options: the documented defaults, and a refusal that names option, value and what is allowed. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { ForebayError } from '../../src/base/errors.ts';
import { memoryOptionNames, optionNames, resolveOptions } from '../../src/channel/options.ts';

const key = Buffer.alloc(32, 7);

const refused: readonly (readonly [name: string, value: unknown])[] = [
  ['capacityEvents', 0],
  ['capacityEvents', -1],
  ['capacityEvents', 1.5],
  ['capacityEvents', '10'],
  ['capacity', 0],
  ['capacityBytes', 0],
  ['maxDiskBytes', Number.NaN],
  ['maxDiskBytes', 6 * 65_536 - 1],
  ['transactionCapacity', 2 ** 20 + 1],
  ['transactionBytesMax', 2 ** 30 + 1],
  ['keepAliveMs', -1],
  ['keepAliveMs', 2 ** 31],
  ['segmentBytes', 4096],
  ['dataDirs', []],
  ['dataDirs', ['a', 'a']],
  ['dataDirs', 'a'],
  ['checkpointDir', ''],
  ['checkpoint', 'sqlite'],
  ['checkpointIntervalMs', 0],
  ['minimumFreeBytes', -1],
  ['fsync', 'never'],
  ['fsync', { intervalMs: 0 }],
  ['fsync', { intervalMs: 5, more: 1 }],
  ['fsync', null],
  ['retentionHours', -0.5],
  ['retentionHours', Number.POSITIVE_INFINITY],
  ['retentionBytes', null],
  ['compression', 'gzip'],
  ['encryption', { activeKey: 1, keys: {} }],
  ['encryption', { activeKey: 1, keys: { 2: key } }],
  ['encryption', { activeKey: 1, keys: { 1: key.subarray(1) } }],
  ['encryption', { activeKey: 0, keys: { 0: key } }],
  ['encryption', { activeKey: 1, keys: { 1: key, '01': key } }],
  ['missingDir', true],
  ['capacityevents', 5],
];

describe('resolveOptions', () => {
  it('gives the documented defaults', () => {
    const mib = 2 ** 20;
    assert.deepEqual(resolveOptions({}), {
      capacityEvents: 1_000_000,
      capacityBytes: undefined,
      maxDiskBytes: undefined,
      transactionCapacity: 10_000,
      transactionBytesMax: 1024 * mib,
      keepAliveMs: 3000,
      segmentBytes: 64 * mib,
      dataDirs: undefined,
      checkpointDir: undefined,
      checkpoint: 'lmdb',
      checkpointIntervalMs: 30_000,
      minimumFreeBytes: 500 * mib,
      fsync: 'commit',
      retentionHours: 0,
      retentionBytes: 0,
      compression: 'none',
      encryption: undefined,
      missingDir: 'fail',
    });
    assert.deepEqual(Object.keys(resolveOptions({})).sort(), [...optionNames].sort());
  });

  it('takes every option, capacity for capacityEvents, and undefined for left out', () => {
    const given = {
      capacityBytes: 1,
      maxDiskBytes: 2 ** 30,
      transactionCapacity: 1,
      transactionBytesMax: 1,
      keepAliveMs: 0,
      segmentBytes: 65_536,
      dataDirs: ['a', 'b'],
      checkpointDir: 'c',
      checkpoint: 'memory',
      checkpointIntervalMs: 1,
      minimumFreeBytes: 0,
      fsync: { intervalMs: 10 },
      retentionHours: 0.5,
      retentionBytes: 5,
      compression: 'zstd',
      encryption: { activeKey: 2, keys: { 1: 'old.key', 2: key } },
      missingDir: 'continue',
    };
    assert.deepEqual(resolveOptions({ ...given, capacity: 7 }), { ...given, capacityEvents: 7 });
    assert.equal(resolveOptions({ capacity: 7, capacityEvents: 7, keepAliveMs: undefined }).capacityEvents, 7);
  });

  for (const [name, value] of refused) {
    it(`refuses ${name} ${JSON.stringify(value)}`, () => {
      assert.throws(
        () => resolveOptions({ [name]: value }),
        (error) => {
          assert.ok(error instanceof ForebayError && error.code === 'CONFIG_INVALID');
          assert.ok(error.message.includes(`'${name}'`), error.message);
          assert.ok(error.expected !== undefined && error.message.includes(String(error.expected)));
          return true;
        },
      );
    });
  }

  it('refuses what contradicts itself, what is no object, and what this kind of channel has not', () => {
    for (const options of [{ capacity: 5, capacityEvents: 6 }, null, [], 'x']) {
      assert.throws(() => resolveOptions(options), ForebayError);
    }
    assert.throws(() => resolveOptions({ segmentBytes: 2 ** 20 }, memoryOptionNames), /segmentBytes/);
  });

  it('never shows a key', () => {
    const secret = 'cafe'.repeat(16);
    assert.throws(
      () => resolveOptions({ encryption: { activeKey: 1, keys: { 1: Buffer.from(secret), 2: 5 } } }),
      (error) =>
        error instanceof ForebayError && !JSON.stringify({ ...error, message: error.message }).includes('cafe'),
    );
  });
});
