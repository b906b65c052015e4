/** `hdfs.codeC`: names as Flume takes them, suffixes, refusals that say what to use, and members that add up. */
import assert from 'node:assert/strict';
import test from 'node:test';
import * as zlib from 'node:zlib';
import { type Codec, codecType } from '../../../../src/adapters/sinks/hdfs/compression.ts';

const hasZstd = 'zstdCompress' in zlib;

function codecOf(name: string): Codec {
  const parsed = codecType.parse(name);
  assert.ok('value' in parsed && parsed.value !== undefined, name);
  return parsed.value;
}

function problemOf(name: string): string {
  const parsed = codecType.parse(name);
  assert.ok('problem' in parsed, name);
  return parsed.problem;
}

test('a codec is found by its class, with and without package or Codec, in any case of letters', () => {
  const expected: [names: string[], className: string, suffix: string][] = [
    [['gzip', 'GZIP', 'GzipCodec', 'org.apache.hadoop.io.compress.GzipCodec'], 'GzipCodec', '.gz'],
    [['default', 'DefaultCodec', 'org.apache.hadoop.io.compress.DefaultCodec'], 'DefaultCodec', '.deflate'],
    [['deflate', 'DeflateCodec'], 'DeflateCodec', '.deflate'],
    [['snappy', 'SnappyCodec', 'org.apache.hadoop.io.compress.SnappyCodec'], 'SnappyCodec', '.snappy'],
    [['lz4', 'Lz4Codec', 'LZ4Codec'], 'Lz4Codec', '.lz4'],
  ];
  for (const [names, className, suffix] of expected) {
    for (const name of names) {
      const codec = codecOf(name);
      assert.deepEqual([codec.className, codec.suffix], [`org.apache.hadoop.io.compress.${className}`, suffix], name);
    }
  }
});

test('none is no codec', () => {
  assert.deepEqual(codecType.parse('None'), { value: undefined });
});

test('what is not written here is refused with what to use', () => {
  for (const name of ['bzip2', 'BZip2Codec', 'lzo', 'lzop', 'com.hadoop.compression.lzo.LzopCodec', 'zip', 'a.gzip']) {
    assert.match(problemOf(name), new RegExp(`^'${name}' .*gzip \\(GzipCodec\\), deflate`), name);
  }
  assert.match(problemOf('lzop'), /GPL/);
});

test('zstd is written where Node can, else refused with the version that can', async () => {
  for (const name of ['zstd', 'ZStandard', 'ZStandardCodec', 'org.apache.hadoop.io.compress.ZStandardCodec']) {
    if (!hasZstd) assert.match(problemOf(name), /Node 22\.15/);
    else {
      assert.equal(codecOf(name).suffix, '.zst');
      const frame = await codecOf(name).compress(Buffer.from('zstd'));
      const { zstdDecompressSync } = zlib as { zstdDecompressSync?: typeof zlib.gunzipSync };
      assert.equal(zstdDecompressSync?.(frame).toString(), 'zstd');
    }
  }
});

test('gzip: each flush is a member; one after the other they are a file, from the first on readable', async () => {
  const codec = codecOf('gzip');
  const first = await codec.compress(Buffer.from('first\n'));
  const second = await codec.compress(Buffer.from('second\n'));
  assert.equal(zlib.gunzipSync(first).toString(), 'first\n');
  assert.equal(zlib.gunzipSync(Buffer.concat([first, second])).toString(), 'first\nsecond\n');
});

test('deflate: each flush is a zlib stream that ends', async () => {
  const stream = await codecOf('DefaultCodec').compress(Buffer.alloc(100_000, 'ab'));
  assert.ok(stream.length < 1000);
  assert.ok(zlib.inflateSync(stream).equals(Buffer.alloc(100_000, 'ab')));
});
