/**
 * The bytes of a sequence set (docs/format.md#sets). Chunk by chunk, ascending:
 *
 *     varint   (chunks left out since the one before) × 3 + form
 *     form 0   varint span − 1: so many full chunks
 *     form 1   varint runs − 1, then each run's gap and length − 1
 *     form 2   8192 bytes of bitmap, u32 little-endian words: where runs would take more
 *
 * One set has one encoding; anything else is malformed.
 */
import {
  addOffsets,
  type Chunk,
  chunkSequences,
  chunkWords,
  countOffsets,
  fullChunk,
  isFull,
  nextInOffset,
  nextOutOffset,
  runChunk,
} from './chunk.ts';
import { ByteSink, ByteSource, malformedVarint, varintBytes } from './varint.ts';

const forms = 3;
const bitmapBytes: number = chunkWords * 4;
/** Sequences stay safe integers. */
const chunkIndexMax: number = Math.floor(Number.MAX_SAFE_INTEGER / chunkSequences);

/** The bytes of a set's chunks. */
export function encodeChunks(chunks: readonly Chunk[]): Buffer {
  const sink = new ByteSink();
  let next = 0;
  for (const chunk of chunks) {
    const skipped = (chunk.index - next) * forms;
    next = chunk.index + chunk.span;
    if (isFull(chunk)) {
      sink.varint(skipped);
      sink.varint(chunk.span - 1);
      continue;
    }
    const runs = runsOf(chunk);
    sink.varint(skipped + (runs === undefined ? 2 : 1));
    if (runs === undefined) writeBitmap(sink, chunk);
    else writeRuns(sink, runs);
  }
  return sink.finish();
}

/** Total: undefined for anything `encodeChunks` would not have written. Allocates at most a few times `bytes`. */
export function decodeChunks(bytes: Buffer): Chunk[] | undefined {
  const source = new ByteSource(bytes);
  const chunks: Chunk[] = [];
  let next = 0;
  while (!source.isAtEnd) {
    const head = source.varint();
    if (head === malformedVarint) return undefined;
    const index = next + Math.floor(head / forms);
    if (index > chunkIndexMax) return undefined;
    const chunk = readChunk(source, index, head % forms);
    if (chunk === undefined || chunk.index + chunk.span - 1 > chunkIndexMax) return undefined;
    const previous = chunks[chunks.length - 1];
    if (previous !== undefined && index === next && isFull(previous) && isFull(chunk)) return undefined;
    chunks.push(chunk);
    next = chunk.index + chunk.span;
  }
  // There is no sequence 0.
  if (chunks[0]?.index === 0 && nextInOffset(chunks[0], 0) === 0) return undefined;
  // What is left to refuse: a bitmap where runs are shorter, and the other way round.
  return encodeChunks(chunks).equals(bytes) ? chunks : undefined;
}

function readChunk(source: ByteSource, index: number, form: number): Chunk | undefined {
  if (form === 0) {
    const more = source.varint();
    return more === malformedVarint ? undefined : fullChunk(index, more + 1);
  }
  return form === 1 ? readRuns(source, index) : readBitmap(source, index);
}

function readRuns(source: ByteSource, index: number): Chunk | undefined {
  const more = source.varint();
  if (more === malformedVarint || more >= chunkSequences / 2) return undefined;
  let chunk: Chunk | undefined;
  let lowest = 0;
  for (let run = 0; run <= more; run++) {
    const gap = source.varint();
    const length = source.varint();
    if (gap === malformedVarint || length === malformedVarint) return undefined;
    const first = lowest + gap;
    const last = first + length;
    if (last >= chunkSequences) return undefined;
    if (chunk === undefined) chunk = runChunk(index, first, last);
    else addOffsets(chunk, first, last);
    lowest = last + 2;
  }
  // A run over the whole chunk has a form of its own, so this one is malformed.
  return chunk !== undefined && chunk.count < chunkSequences ? chunk : undefined;
}

function readBitmap(source: ByteSource, index: number): Chunk | undefined {
  const bytes = source.take(bitmapBytes);
  if (bytes === undefined) return undefined;
  const bits = new Uint32Array(chunkWords);
  for (let word = 0; word < chunkWords; word++) bits[word] = bytes.readUInt32LE(word * 4);
  const chunk: Chunk = { index, span: 1, count: 0, runs: undefined, bits };
  chunk.count = countOffsets(chunk, 0, chunkSequences - 1);
  return chunk.count > 0 && chunk.count < chunkSequences ? chunk : undefined;
}

/** The chunk's runs, or undefined where a bitmap is shorter. */
function runsOf(chunk: Chunk): number[] | undefined {
  const runs: number[] = [];
  let bytes = 0;
  let lowest = 0;
  for (let first = nextInOffset(chunk, 0); first < chunkSequences; ) {
    const end = nextOutOffset(chunk, first);
    bytes += varintBytes(first - lowest) + varintBytes(end - 1 - first);
    if (bytes > bitmapBytes) return undefined;
    runs.push(first, end - 1);
    lowest = end + 1;
    first = nextInOffset(chunk, end);
  }
  return runs;
}

function writeRuns(sink: ByteSink, runs: readonly number[]): void {
  sink.varint(runs.length / 2 - 1);
  let lowest = 0;
  for (let at = 0; at < runs.length; at += 2) {
    sink.varint(runs[at]! - lowest);
    sink.varint(runs[at + 1]! - runs[at]!);
    lowest = runs[at + 1]! + 2;
  }
}

function writeBitmap(sink: ByteSink, chunk: Chunk): void {
  const bits = chunk.bits;
  if (bits !== undefined) for (const word of bits) sink.u32(word);
}
