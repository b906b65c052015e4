/** SequenceFiles against those that Hadoop wrote from the same records, and what a reader of splits needs. */
import assert from 'node:assert/strict';
import test from 'node:test';
import { type Codec, codecType } from '../../../../src/adapters/sinks/hdfs/compression.ts';
import { SequenceFileWriter, type SequenceRecord } from '../../../../src/adapters/sinks/hdfs/sequence-file.ts';
import { readGolden } from './golden.ts';
import { readSequenceFile } from './sequence-reader.ts';

/** What each golden file was written from, in two flushes of two. */
const records: readonly SequenceRecord[] = [
  { timestampMs: 1_700_000_000_000, body: Buffer.from('line 0') },
  { timestampMs: -1, body: Buffer.from('y'.repeat(200)) },
  { timestampMs: 0, body: Buffer.alloc(0) },
  { timestampMs: 2 ** 32, body: Buffer.from('z'.repeat(127)) },
];
const sync = Buffer.from('0123456789abcdef');

function deflateCodec(): Codec {
  const parsed = codecType.parse('DefaultCodec');
  assert.ok('value' in parsed && parsed.value !== undefined);
  return parsed.value;
}

async function inFlushesOfTwo(writer: SequenceFileWriter): Promise<Buffer> {
  const flushes = [await writer.batch(records.slice(0, 2)), await writer.batch(records.slice(2))];
  return Buffer.concat([writer.header(), ...flushes]);
}

for (const writeFormat of ['Writable', 'Text'] as const) {
  test(`${writeFormat}: byte for byte what Hadoop writes from the same records`, async () => {
    const golden = readGolden(writeFormat.toLowerCase());
    const writer = new SequenceFileWriter({ writeFormat, codec: undefined, sync: readSequenceFile(golden).sync });
    assert.equal((await inFlushesOfTwo(writer)).toString('hex'), golden.toString('hex'));
  });
}

test('by block: the same header, blocks and records as in what Hadoop writes', async () => {
  const golden = readGolden('block');
  const expected = readSequenceFile(golden);
  const writer = new SequenceFileWriter({ writeFormat: 'Writable', codec: deflateCodec(), sync: expected.sync });
  const header = writer.header();
  assert.equal(header.toString('hex'), golden.subarray(0, header.length).toString('hex'));
  assert.deepEqual(readSequenceFile(await inFlushesOfTwo(writer)), expected);
  assert.deepEqual(expected.records, records);
});

test('a vint of each length is read back', async () => {
  const sizes = [0, 127, 128, 255, 256, 65_535, 65_536, 2 ** 24];
  const bodies = sizes.map((size) => ({ timestampMs: size, body: Buffer.alloc(size, 'v') }));
  const writer = new SequenceFileWriter({ writeFormat: 'Text', codec: undefined, sync });
  const file = readSequenceFile(Buffer.concat([writer.header(), await writer.batch(bodies)]));
  assert.deepEqual(
    file.records.map(({ body }) => body.length),
    sizes,
  );
});

test('times of every size are kept', async () => {
  const times = [Number.MIN_SAFE_INTEGER, -(2 ** 32), -1, 0, 2 ** 31, 2 ** 32 - 1, Number.MAX_SAFE_INTEGER];
  const writer = new SequenceFileWriter({ writeFormat: 'Writable', codec: undefined, sync });
  const batch = await writer.batch(times.map((timestampMs) => ({ timestampMs, body: Buffer.from('x') })));
  const file = readSequenceFile(Buffer.concat([writer.header(), batch]));
  assert.deepEqual(
    file.records.map(({ timestampMs }) => timestampMs),
    times,
  );
});

test('within a batch a mark stands at least every 100 KiB and a record; each batch ends with one', async () => {
  const writer = new SequenceFileWriter({ writeFormat: 'Writable', codec: undefined, sync });
  const lines = Array.from({ length: 3000 }, (_, index) => ({ timestampMs: index, body: Buffer.alloc(500, 'm') }));
  const file = readSequenceFile(
    Buffer.concat([writer.header(), await writer.batch(lines), await writer.batch([]), await writer.batch(lines)]),
  );
  assert.equal(file.records.length, 6000);
  // 520 bytes a record, 102,400 to a mark: 197 records.
  const within = Array.from({ length: 15 }, (_, index) => 197 * (index + 1));
  assert.deepEqual(file.marks, [...within, 3000, ...within.map((at) => at + 3000), 6000]);
});

test('a block ends with the record that fills a million bytes', async () => {
  const writer = new SequenceFileWriter({ writeFormat: 'Text', codec: deflateCodec(), sync });
  const lines = Array.from({ length: 5000 }, (_, index) => ({ timestampMs: index, body: Buffer.alloc(488, 'b') }));
  const file = readSequenceFile(Buffer.concat([writer.header(), await writer.batch(lines)]));
  assert.deepEqual(file.marks, [0, 2000, 4000]);
  assert.deepEqual(file.records, lines);
  assert.equal((await writer.batch([])).length, 0);
});

test('a sync of another length is refused', () => {
  const make = (): SequenceFileWriter =>
    new SequenceFileWriter({ writeFormat: 'Text', codec: undefined, sync: Buffer.alloc(15) });
  assert.throws(make, RangeError);
});
