/** Avro container files by avsc, which has no codec `snappy` of its own: here it reads by the decoder of the tests. */
import assert from 'node:assert/strict';
import { Readable } from 'node:stream';
import { crc32 } from 'node:zlib';
import avro from 'avsc';
import { decodeSnappy } from '../adapters/sinks/hdfs/block-decoders.ts';

/** A file's records, the schema that its header has, and the codec. */
export interface AvroFile<Row> {
  readonly records: Row[];
  readonly schema: avro.Schema;
  readonly codec: string;
}

/** Reads a whole file. Fails where it is damaged. */
export async function readAvroFile<Row>(bytes: Buffer): Promise<AvroFile<Row>> {
  const codecs = {
    ...avro.streams.BlockDecoder.defaultCodecs(),
    snappy: (stored: Buffer, done: (error?: Error, plain?: Buffer) => void) => done(undefined, plainOf(stored)),
  };
  const decoder = new avro.streams.BlockDecoder({ codecs });
  const found: { schema: avro.Schema; codec: string } = { schema: 'null', codec: '' };
  decoder.on('metadata', (type: avro.Type, codec: string) => {
    found.schema = JSON.parse(JSON.stringify(type.schema({ exportAttrs: true })));
    found.codec = codec;
  });
  const records: Row[] = [];
  for await (const record of Readable.from([bytes]).pipe(decoder)) records.push(record);
  return { records, ...found };
}

function plainOf(stored: Buffer): Buffer {
  const plain = decodeSnappy(stored.subarray(0, -4));
  assert.equal(stored.readUInt32BE(stored.length - 4), crc32(plain), 'the checksum of the plain bytes');
  return plain;
}
