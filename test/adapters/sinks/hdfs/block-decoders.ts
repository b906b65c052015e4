/** Reads what the block codecs write, without Hadoop: as plain as their format texts, and nothing shared with src/. */
import assert from 'node:assert/strict';

/** Every block of Hadoop's BlockCompressorStream, decoded and joined. Fails where a length does not hold. */
export function readBlockStream(stream: Buffer, decode: (block: Buffer) => Buffer): Buffer {
  const blocks: Buffer[] = [];
  for (let at = 0; at < stream.length; ) {
    const plainBytes = stream.readInt32BE(at);
    const compressedBytes = stream.readInt32BE(at + 4);
    assert.ok(plainBytes > 0 && compressedBytes > 0, 'a length of 0 ends the file for Hadoop');
    assert.ok(compressedBytes <= 262_144, 'a block fits the buffer of a reader');
    at += 8;
    const block = decode(stream.subarray(at, at + compressedBytes));
    assert.equal(block.length, plainBytes);
    blocks.push(block);
    at += compressedBytes;
  }
  return Buffer.concat(blocks);
}

/** One block of raw Snappy. */
export function decodeSnappy(block: Buffer): Buffer {
  let at = 0;
  let length = 0;
  for (let shift = 0; ; shift += 7) {
    const byte = block.readUInt8(at++);
    length += (byte & 0x7f) * 2 ** shift;
    if (byte < 0x80) break;
  }
  const out: number[] = [];
  while (at < block.length) {
    const tag = block.readUInt8(at++);
    if ((tag & 3) === 0) {
      const extra = Math.max(0, (tag >> 2) - 59);
      const bytes = 1 + (extra === 0 ? tag >> 2 : block.readUIntLE(at, extra));
      at += extra;
      for (const byte of block.subarray(at, at + bytes)) out.push(byte);
      at += bytes;
    } else if ((tag & 3) === 1) {
      copy(out, ((tag >> 5) << 8) | block.readUInt8(at++), 4 + ((tag >> 2) & 7));
    } else {
      assert.equal(tag & 3, 2, 'no offset of four bytes');
      copy(out, block.readUInt16LE(at), 1 + (tag >> 2));
      at += 2;
    }
  }
  assert.equal(out.length, length);
  return Buffer.from(out);
}

/** One block of raw LZ4, with the rules for its end. */
export function decodeLz4(block: Buffer): Buffer {
  const out: number[] = [];
  let at = 0;
  const more = (nibble: number): number => {
    let length = nibble;
    for (let byte = nibble === 15 ? 255 : 0; byte === 255; length += byte) byte = block.readUInt8(at++);
    return length;
  };
  while (at < block.length) {
    const token = block.readUInt8(at++);
    const literals = more(token >> 4);
    for (const byte of block.subarray(at, at + literals)) out.push(byte);
    at += literals;
    if (at === block.length) {
      assert.ok(literals >= 5 || out.length < 13, 'the last five bytes are literals');
      return Buffer.from(out);
    }
    const offset = block.readUInt16LE(at);
    at += 2;
    copy(out, offset, 4 + more(token & 15));
  }
  throw new Error('the last sequence has literals only');
}

function copy(out: number[], offset: number, length: number): void {
  assert.ok(offset > 0 && offset <= out.length, `offset ${offset} of ${out.length}`);
  for (let left = length; left > 0; left -= 1) out.push(out[out.length - offset] as number);
}
