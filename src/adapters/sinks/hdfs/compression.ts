/**
 * `hdfs.codeC`: the codecs, by the names of Hadoop's classes, and how each writes. Every call makes bytes that can be
 * read as they are, and a file is what the calls made, one after the other: so each flush is readable, and a file can
 * be cut or gone on with where one ended.
 */
import { promisify } from 'node:util';
import * as zlib from 'node:zlib';
import { lz4Block } from '../../../agent/contracts/formats/lz4-block.ts';
import { snappyBlock } from '../../../agent/contracts/formats/snappy-block.ts';
import type { KeyType, ParsedValue } from '../../../agent/contracts/keys.ts';
import { type BlockFormat, blockStream } from './block-stream.ts';

/** Makes bytes smaller. */
export interface Codec {
  /** Hadoop's class, as a SequenceFile's header names it. */
  readonly className: string;
  /** What a file's name ends with, `.gz`, where `hdfs.fileSuffix` is not set. */
  readonly suffix: string;
  /** Takes zlib's formats off this thread. `bytes` must not change until it resolves. */
  readonly compress: (bytes: Uint8Array) => Promise<Buffer>;
}

type Compress = Codec['compress'];

interface CodecRow {
  /** Hadoop's class, without its package. */
  readonly name: string;
  /** Other names, lower case. What Flume takes, the class without its `Codec`, needs none. */
  readonly aliases: readonly string[];
  readonly suffix: string;
  readonly compress: Compress | { readonly refused: string };
}

const hadoopPackage = 'org.apache.hadoop.io.compress.';
const useInstead = 'use gzip (GzipCodec), deflate (DefaultCodec), snappy (SnappyCodec) or lz4 (Lz4Codec)';

/** A member or zlib stream of its own for each call. Level 6, as Hadoop's and zlib's preset. */
const gzip: Compress = promisify<Uint8Array, Buffer>(zlib.gzip);
const deflate: Compress = promisify<Uint8Array, Buffer>(zlib.deflate);

/** `bufferSize / 6 + 32` in SnappyCodec, `bufferSize / 255 + 16` in Lz4Codec; Java divides integers. */
const snappy: BlockFormat = {
  compressBlock: snappyBlock,
  overheadBytes: (bufferBytes) => Math.floor(bufferBytes / 6) + 32,
};
const lz4: BlockFormat = {
  compressBlock: lz4Block,
  overheadBytes: (bufferBytes) => Math.floor(bufferBytes / 255) + 16,
};

/** Node has it from 22.15 on; the types here are those of Node 20. */
function zstd(): CodecRow['compress'] {
  const { zstdCompress } = zlib as { zstdCompress?: typeof zlib.gzip };
  const refused = `needs Node 22.15 or newer, and this is ${process.version}: ${useInstead}`;
  return zstdCompress === undefined ? { refused } : promisify<Uint8Array, Buffer>(zstdCompress);
}

const lzo = { refused: `is not written: its library is under the GPL. ${sentence(useInstead)}` };

const rows: readonly CodecRow[] = [
  { name: 'GzipCodec', aliases: [], suffix: '.gz', compress: gzip },
  { name: 'DefaultCodec', aliases: [], suffix: '.deflate', compress: deflate },
  { name: 'DeflateCodec', aliases: [], suffix: '.deflate', compress: deflate },
  { name: 'SnappyCodec', aliases: [], suffix: '.snappy', compress: async (bytes) => blockStream(bytes, snappy) },
  { name: 'Lz4Codec', aliases: [], suffix: '.lz4', compress: async (bytes) => blockStream(bytes, lz4) },
  { name: 'ZStandardCodec', aliases: ['zstd'], suffix: '.zst', compress: zstd() },
  {
    name: 'BZip2Codec',
    aliases: [],
    suffix: '.bz2',
    compress: { refused: `is not written: neither Node nor a kept library makes bzip2. ${sentence(useInstead)}` },
  },
  { name: 'LzoCodec', aliases: [], suffix: '.lzo_deflate', compress: lzo },
  { name: 'LzopCodec', aliases: [], suffix: '.lzo', compress: lzo },
];

/**
 * A codec's name: the class with or without its package, or without its `Codec`, in any case of letters. `none` is no
 * codec, as in Flume.
 */
export const codecType: KeyType<Codec | undefined> = {
  name: 'gzip, deflate, snappy, lz4, zstd, none, or the class of one in Hadoop',
  parse: parseCodec,
};

function parseCodec(text: string): ParsedValue<Codec | undefined> {
  const given = text.toLowerCase();
  if (given === 'none') return { value: undefined };
  const short = given.slice(given.lastIndexOf('.') + 1);
  const row = rows.find(({ name, aliases }) => {
    const simple = name.toLowerCase();
    return short === simple || (short === given && (`${given}codec` === simple || aliases.includes(given)));
  });
  if (row === undefined) return { problem: `'${text}' is not a codec known here: ${useInstead}` };
  if (typeof row.compress === 'object') return { problem: `'${text}' ${row.compress.refused}` };
  return { value: { className: hadoopPackage + row.name, suffix: row.suffix, compress: row.compress } };
}

function sentence(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}
