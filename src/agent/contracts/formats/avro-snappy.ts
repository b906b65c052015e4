/**
 * A block of an Avro container file with the codec `snappy`: one raw Snappy block, then the CRC-32 of the plain bytes,
 * big-endian (Avro 1.8 specification, "Required Codecs" and "snappy").
 */
import { crc32 } from 'node:zlib';
import { snappyBlock } from './snappy-block.ts';
import { readSnappyBlock } from './snappy-reader.ts';

const checksumBytes = 4;

/** Compresses up to 2 GiB. */
export function compressAvroSnappy(data: Uint8Array): Buffer {
  const checksum = Buffer.alloc(checksumBytes);
  checksum.writeUInt32BE(crc32(data));
  return Buffer.concat([snappyBlock(data), checksum]);
}

/** The plain bytes, which are no more than `bytesMax`; or what is wrong with the stored ones. Total. */
export function readAvroSnappy(stored: Buffer, bytesMax: number): { data: Buffer } | { problem: string } {
  const end = stored.length - checksumBytes;
  const data = end < 0 ? undefined : readSnappyBlock(stored.subarray(0, end), bytesMax);
  if (data === undefined) return { problem: 'its data is no Snappy block, or one of an excessive size' };
  return crc32(data) === stored.readUInt32BE(end) ? { data } : { problem: 'its checksum does not hold' };
}
