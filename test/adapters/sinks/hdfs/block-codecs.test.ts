/** Snappy and LZ4 between Hadoop's lengths: every block comes back, and repeated text gets small. */
import assert from 'node:assert/strict';
import test from 'node:test';
import { codecType } from '../../../../src/adapters/sinks/hdfs/compression.ts';
import { SeededRandom } from '../../../support/seeded-random.ts';
import { decodeLz4, decodeSnappy, readBlockStream } from './block-decoders.ts';
import { readGolden } from './golden.ts';

const formats = [
  { name: 'snappy', decode: decodeSnappy },
  { name: 'lz4', decode: decodeLz4 },
];

async function compress(name: string, bytes: Uint8Array): Promise<Buffer> {
  const parsed = codecType.parse(name);
  assert.ok('value' in parsed && parsed.value !== undefined);
  return parsed.value.compress(bytes);
}

/** Lines as logs have them: much repeats, at many distances. */
function logLines(count: number): Buffer {
  const random = new SeededRandom(7);
  const line = (): string =>
    `10.0.0.${random.below(256)} - - "GET /item/${random.below(5000)} HTTP/1.1" 200 ${random.below(9999)}\n`;
  return Buffer.from(Array.from({ length: count }, line).join(''));
}

for (const { name, decode } of formats) {
  test(`${name}: the decoder of this test reads what Hadoop wrote`, () => {
    const text = readBlockStream(readGolden(name), decode).toString();
    assert.equal(text, 'hello hello hello hello hello hellosecond second second second');
  });

  test(`${name}: blocks of every small size and of each run come back`, async () => {
    const random = new SeededRandom(3);
    for (let length = 1; length < 400; length += 1) {
      const few = Buffer.from(Array.from({ length }, () => 97 + random.below(3)));
      const many = Buffer.from(Array.from({ length }, () => random.below(256)));
      for (const bytes of [few, many, Buffer.alloc(length, 'x')]) {
        assert.deepEqual(readBlockStream(await compress(name, bytes), decode), bytes, `${length} bytes`);
      }
    }
  });

  test(`${name}: bytes that do not shrink, long runs and long literals come back`, async () => {
    const random = new SeededRandom(5);
    const noise = Buffer.from(Array.from({ length: 600_000 }, () => random.below(256)));
    const mixed = Buffer.concat([noise.subarray(0, 70_000), Buffer.alloc(70_000), noise.subarray(0, 70_000)]);
    for (const bytes of [noise, mixed, Buffer.alloc(600_000, 'ab')]) {
      const stream = await compress(name, bytes);
      assert.ok(readBlockStream(stream, decode).equals(bytes));
      assert.ok(stream.length < bytes.length * 1.01 + 100);
    }
  });

  test(`${name}: what repeats as far back as an offset reaches, and one byte farther, comes back`, async () => {
    for (const distance of [65_534, 65_535, 65_536, 65_537]) {
      const zeros = Buffer.alloc(distance - 8);
      const bytes = Buffer.concat([Buffer.from('repeated'), zeros, Buffer.from('repeated, and the end of it')]);
      assert.ok(readBlockStream(await compress(name, bytes), decode).equals(bytes), `${distance} back`);
    }
  });

  test(`${name}: log lines take less than half, two flushes read as one file, no bytes make no block`, async () => {
    const lines = logLines(20_000);
    const stream = await compress(name, lines);
    assert.ok(stream.length < lines.length / 2, `${stream.length} of ${lines.length}`);
    const empty = await compress(name, Buffer.alloc(0));
    assert.equal(empty.length, 0);
    const twice = readBlockStream(Buffer.concat([stream, empty, stream]), decode);
    assert.ok(twice.equals(Buffer.concat([lines, lines])));
  });
}
