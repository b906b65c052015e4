/** Snappy read: what Hadoop and our own compressor wrote, every element of the format, and bytes that lie. */
import assert from 'node:assert/strict';
import test from 'node:test';
import { compressAvroSnappy, readAvroSnappy } from '../../../../src/agent/contracts/formats/avro-snappy.ts';
import { snappyBlock } from '../../../../src/agent/contracts/formats/snappy-block.ts';
import { readSnappyBlock } from '../../../../src/agent/contracts/formats/snappy-reader.ts';
import { decodeSnappy, readBlockStream } from '../../../adapters/sinks/hdfs/block-decoders.ts';
import { readGolden } from '../../../adapters/sinks/hdfs/golden.ts';
import { SeededRandom } from '../../../support/seeded-random.ts';

const bytesMax = 2 ** 20;
const read = (hex: string, max = bytesMax): string | undefined =>
  readSnappyBlock(Buffer.from(hex.replaceAll(' ', ''), 'hex'), max)?.toString('latin1');

/** A letter that is said `times` times, as a literal of one byte and copies of 64. */
function run(times: number): Buffer {
  const copies = Array.from({ length: (times - 1) / 64 }, () => [0xfe, 1, 0]);
  return Buffer.from([0x80 | (times & 0x7f), 0x80 | ((times >> 7) & 0x7f), times >> 14, 0, 0x78, ...copies.flat()]);
}

test('what Hadoop wrote', () => {
  const text = readBlockStream(readGolden('snappy'), (block) => readSnappyBlock(block, bytesMax) ?? Buffer.alloc(0));
  assert.equal(text.toString(), 'hello hello hello hello hello hellosecond second second second');
});

test('each element: literals with lengths of one to four bytes, copies with offsets of one, two and four', () => {
  assert.equal(read('00'), '');
  assert.equal(read('02 04 6162'), 'ab');
  assert.equal(read('02 f0 01 6162'), 'ab');
  assert.equal(read('02 f4 0100 6162'), 'ab');
  assert.equal(read('02 f8 010000 6162'), 'ab');
  assert.equal(read('02 fc 01000000 6162'), 'ab');
  assert.equal(read('0d 04 6162 1d 02'), 'ababababababa');
  assert.equal(read('05 04 6162 0a 0200'), 'ababa');
  assert.equal(read('05 04 6162 0b 02000000'), 'ababa');
  // 300 back: three bits of an offset of eleven are in the tag.
  const far = `61${'62'.repeat(299)}`;
  assert.equal(read(`b002 f4 2b01 ${far} 21 2c`), `a${'b'.repeat(299)}abbb`);
});

test('bytes of every kind come back from our compressor', () => {
  const random = new SeededRandom(17);
  for (let size = 0; size < 3000; size += 1 + (size >> 3)) {
    for (const values of [2, 5, 256]) {
      const bytes = Buffer.from(Array.from({ length: size }, () => random.below(values)));
      assert.deepEqual(readSnappyBlock(snappyBlock(bytes), size), bytes, `${size} of ${values}`);
    }
  }
});

test('a literal of more than 16 MiB comes back', () => {
  const bytes = Buffer.allocUnsafe(2 ** 24 + 100);
  // A sequence that repeats nowhere near.
  for (let at = 0, state = 1; at < bytes.length; at += 4) {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    bytes.writeUInt32LE(state, at);
  }
  const block = snappyBlock(bytes);
  assert.equal(block[4], 63 << 2, 'the length has four bytes');
  assert.ok(readSnappyBlock(block, bytes.length)?.equals(bytes));
});

test('damaged bytes are none, and no claim is believed', () => {
  const wrong = {
    'no length': '',
    'a length without its end': 'ffffffffff',
    'more than there is': '03 04 6162',
    'less than there is': '01 04 6162',
    'a literal past the end': '05 10 6162',
    'a literal whose length is cut off': '02 f4 01',
    'a copy of nothing': '05 04 6162 0a 0000',
    'a copy from before the beginning': '05 04 6162 0a 0300',
    'a copy past the end': '04 04 6162 0a 0200',
    'a copy whose offset is cut off': '05 04 6162 0a 02',
    'an offset of 32 bits': '05 04 6162 0b ffffffff',
    'four gigabytes': 'ffffffff0f 04 6162',
  };
  for (const [what, hex] of Object.entries(wrong)) assert.equal(read(hex), undefined, what);
  assert.equal(read('02 04 6162', 1), undefined);
});

test('the size that a block claims is believed up to 64 bytes for three', () => {
  const times = 1 + 64 * 1000;
  assert.equal(readSnappyBlock(run(times), bytesMax)?.toString(), 'x'.repeat(times));
  // Memory for a claim is taken only where the elements could fill it.
  const claim = Buffer.concat([Buffer.from([0xff, 0xff, 0xff, 0xff, 0x03]), Buffer.alloc(100)]);
  const before = process.memoryUsage().arrayBuffers;
  const blocks = Array.from({ length: 50 }, () => readSnappyBlock(claim, 2 ** 30));
  assert.ok(blocks.every((block) => block === undefined));
  assert.ok(process.memoryUsage().arrayBuffers - before < 2 ** 20);
});

test('any change of a byte gives no wrong size, and no error but “none”', () => {
  const random = new SeededRandom(29);
  const bytes = Buffer.from('GET /index.html 200\nGET /index.htm 404\n'.repeat(30));
  const block = snappyBlock(bytes);
  for (let round = 0; round < 20_000; round += 1) {
    const changed = Buffer.from(block);
    changed[random.below(changed.length)] = random.below(256);
    if (round % 3 === 0) changed[random.below(4)] = random.below(256);
    const found = readSnappyBlock(changed, bytesMax);
    if (found !== undefined) assert.ok(found.equals(decodeSnappy(changed)));
  }
});

test('Avro’s block ends with the checksum of the plain bytes', () => {
  // crc32 of 123456789 is known: cbf43926.
  const block = compressAvroSnappy(Buffer.from('123456789'));
  assert.equal(block.toString('hex'), `0920${Buffer.from('123456789').toString('hex')}cbf43926`);
  assert.deepEqual(readAvroSnappy(block, 9), { data: Buffer.from('123456789') });
  assert.match(JSON.stringify(readAvroSnappy(block, 8)), /excessive size/);
  assert.match(JSON.stringify(readAvroSnappy(block.subarray(0, -1), 9)), /checksum|no Snappy/);
  assert.match(JSON.stringify(readAvroSnappy(block.subarray(0, 3), 9)), /no Snappy block/);
  block[5] = 0x30;
  assert.match(JSON.stringify(readAvroSnappy(block, 9)), /checksum does not hold/);
});
