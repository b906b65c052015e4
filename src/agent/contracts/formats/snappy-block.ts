/**
 * A block in Snappy's raw format, as Hadoop's SnappyCodec puts it between its own lengths, and Avro before a checksum.
 *
 *     length: varint | elements
 *     literal   tag (n−1)<<2, n ≤ 60 | bytes          60<<2, n−1 in one byte; 61<<2, n−1 in two; … 63<<2, in four
 *     copy      tag (n−1)<<2 | 2, n ≤ 64 | offset u16
 *
 * Little-endian. Source: google/snappy, format_description.txt.
 */
import { findMatches } from './block-matches.ts';

const copyBytesMax = 64;
const shortLiteralBytesMax = 60;

/** Compresses up to 2 GiB. Bytes that do not shrink grow by little: `32 + n + n / 6` bounds it, as in Snappy's own. */
export function snappyBlock(block: Uint8Array): Buffer {
  const out = Buffer.allocUnsafe(32 + block.length + Math.ceil(block.length / 6));
  let at = 0;
  let rest = block.length;
  for (; rest > 0x7f; rest >>>= 7) at = out.writeUInt8((rest & 0x7f) | 0x80, at);
  at = out.writeUInt8(rest, at);

  const literal = (from: number, to: number): void => {
    const length = to - from;
    if (length === 0) return;
    at = writeLiteralTag(out, at, length - 1);
    out.set(block.subarray(from, to), at);
    at += length;
  };
  const literals = findMatches(block, (from, to, offset, length) => {
    literal(from, to);
    for (let left = length; left > 0; left -= copyBytesMax) {
      out[at] = ((Math.min(left, copyBytesMax) - 1) << 2) | 2;
      out[at + 1] = offset & 0xff;
      out[at + 2] = offset >>> 8;
      at += 3;
    }
  });
  literal(literals, block.length);
  return out.subarray(0, at);
}

function writeLiteralTag(out: Buffer, at: number, lengthLessOne: number): number {
  if (lengthLessOne < shortLiteralBytesMax) return out.writeUInt8(lengthLessOne << 2, at);
  const bytes = lengthLessOne < 2 ** 8 ? 1 : lengthLessOne < 2 ** 16 ? 2 : lengthLessOne < 2 ** 24 ? 3 : 4;
  out.writeUInt8((shortLiteralBytesMax - 1 + bytes) << 2, at);
  return out.writeUIntLE(lengthLessOne, at + 1, bytes);
}
