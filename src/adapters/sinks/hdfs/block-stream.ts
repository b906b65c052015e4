/**
 * How Hadoop's BlockCompressorStream lays out Snappy and LZ4, whose formats know no stream of their own. Big-endian.
 *
 *     per block   uncompressed length i32 | compressed length i32 | compressed bytes
 *
 * Hadoop allows several compressed parts behind one uncompressed length; one is enough. A reader takes an uncompressed
 * length of 0 for the end of the file, so an empty block is never written.
 */

/** Hadoop's `io.compression.codec.{snappy,lz4}.buffersize` preset: what a reader makes room for. */
const readerBufferBytes = 262_144;
const lengthBytes = 4;

/** How one block is made, and how much it may grow where it does not shrink. */
export interface BlockFormat {
  readonly compressBlock: (block: Uint8Array) => Buffer;
  readonly overheadBytes: (bufferBytes: number) => number;
}

/** `bytes` as blocks, each small enough that its compressed form fits a reader's buffer. Nothing for no bytes. */
export function blockStream(bytes: Uint8Array, { compressBlock, overheadBytes }: BlockFormat): Buffer {
  const blockBytesMax = readerBufferBytes - overheadBytes(readerBufferBytes);
  const parts: Buffer[] = [];
  for (let from = 0; from < bytes.length; from += blockBytesMax) {
    const block = bytes.subarray(from, from + blockBytesMax);
    const compressed = compressBlock(block);
    const lengths = Buffer.allocUnsafe(2 * lengthBytes);
    lengths.writeInt32BE(block.length, 0);
    lengths.writeInt32BE(compressed.length, lengthBytes);
    parts.push(lengths, compressed);
  }
  return Buffer.concat(parts);
}
