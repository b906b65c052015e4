/**
 * A block in LZ4's raw format, as Hadoop's Lz4Codec puts it between its own lengths.
 *
 *     sequence   token: literals<<4 | match−4 | more of the literals' length | literals | offset u16 | more of match
 *
 * A nibble of 15 goes on in bytes that are added up, to the first that is not 255. The last sequence has literals only.
 * Source: lz4/lz4, doc/lz4_Block_format.md.
 */
import { findMatches } from './block-matches.ts';

const matchBytesMin = 4;
const nibbleMax = 15;

/** Compresses any block. Bytes that do not shrink grow by little: `n + n / 255 + 16` bounds it. */
export function lz4Block(block: Uint8Array): Buffer {
  const out = Buffer.allocUnsafe(block.length + Math.ceil(block.length / 255) + 16);
  let at = 0;
  const literal = (from: number, to: number, matchNibble: number): void => {
    const length = to - from;
    out[at] = (Math.min(length, nibbleMax) << 4) | matchNibble;
    at = writeMore(out, at + 1, length);
    out.set(block.subarray(from, to), at);
    at += length;
  };
  const literals = findMatches(block, (from, to, offset, length) => {
    literal(from, to, Math.min(length - matchBytesMin, nibbleMax));
    out[at] = offset & 0xff;
    out[at + 1] = offset >>> 8;
    at = writeMore(out, at + 2, length - matchBytesMin);
  });
  literal(literals, block.length, 0);
  return out.subarray(0, at);
}

/** What of `length` a nibble could not hold. */
function writeMore(out: Buffer, from: number, length: number): number {
  if (length < nibbleMax) return from;
  let at = from;
  let rest = length - nibbleMax;
  for (; rest >= 255; rest -= 255) out[at++] = 255;
  out[at++] = rest;
  return at;
}
