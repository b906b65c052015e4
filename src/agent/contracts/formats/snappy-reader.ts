/**
 * Reads a block in Snappy's raw format from bytes that may be damaged. Its elements, little-endian, beside those that
 * snappy-block.ts writes: copies with an offset of 11 bits, tag (offset>>8)<<5 | (n−4)<<2 | 1 and one byte more, and of
 * 32 bits, tag (n−1)<<2 | 3. Source: google/snappy, format_description.txt.
 */

/** The best that an element does: a copy of 64 bytes takes three. */
const copyBytesMax = 64;
const copyElementBytes = 3;
const lengthBytesMax = 5;
const shortLiteralBytesMax = 60;

/**
 * The plain bytes; undefined where the block is damaged, or holds more than `bytesMax`. Total. What the block claims to
 * hold is believed only as far as its size can bear it out: 64 bytes for three.
 */
export function readSnappyBlock(block: Uint8Array, bytesMax: number): Buffer | undefined {
  const head = readLength(block);
  if (head === undefined || head.length > bytesMax) return undefined;
  if (head.length * copyElementBytes > (block.length - head.end) * copyBytesMax) return undefined;
  const out = Buffer.allocUnsafe(head.length);
  let from = head.end;
  let to = 0;
  while (from < block.length) {
    const tag = block[from] as number;
    const kind = tag & 3;
    const extraBytes = extraBytesOf(tag);
    const next = from + 1 + extraBytes;
    if (next > block.length) return undefined;
    const extra = readLittleEndian(block, from + 1, extraBytes);
    if (kind === 0) {
      const length = (extraBytes === 0 ? tag >>> 2 : extra) + 1;
      if (next + length > block.length || to + length > out.length) return undefined;
      out.set(block.subarray(next, next + length), to);
      from = next + length;
      to += length;
    } else {
      const length = kind === 1 ? 4 + ((tag >>> 2) & 7) : 1 + (tag >>> 2);
      const offset = kind === 1 ? ((tag >>> 5) << 8) | extra : extra;
      if (offset === 0 || offset > to || to + length > out.length) return undefined;
      // One by one: a copy may reach into what it writes.
      for (const end = to + length; to < end; to += 1) out[to] = out[to - offset] as number;
      from = next;
    }
  }
  // Memory that nothing was written into must not get out.
  return to === out.length ? out : undefined;
}

/** What the block says that it holds, and where its elements begin. */
function readLength(block: Uint8Array): { readonly length: number; readonly end: number } | undefined {
  let length = 0;
  for (let at = 0; at < Math.min(lengthBytesMax, block.length); at += 1) {
    const byte = block[at] as number;
    length += (byte & 0x7f) * 2 ** (7 * at);
    if (byte < 0x80) return { length, end: at + 1 };
  }
  return undefined;
}

/** Bytes between an element's tag and what follows: a long literal's length, a copy's offset. */
function extraBytesOf(tag: number): number {
  const kind = tag & 3;
  if (kind === 0) return Math.max(0, (tag >>> 2) - shortLiteralBytesMax + 1);
  return kind === 3 ? 4 : kind;
}

function readLittleEndian(block: Uint8Array, at: number, bytes: number): number {
  let value = 0;
  for (let index = bytes - 1; index >= 0; index -= 1) value = value * 256 + (block[at + index] as number);
  return value;
}
