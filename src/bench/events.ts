/** The events that are measured with: random bytes that a seed repeats, so that no compression flatters a disk. */
import type { Disk } from '../base/disk.ts';
import type { Event, Headers } from '../event/event.ts';

/** Body of an event where nothing else is said, bytes: the size that all figures of the documents speak of. */
export const bodyBytesDefault = 500;

const noHeaders: Headers = Object.freeze({});

/** `count` events with bodies of `bodyBytes` pseudo-random bytes each, and with so many headers. */
export function randomEvents(count: number, bodyBytes: number, seed: number, headers = 0): Event[] {
  const bytes = randomBytes(count * bodyBytes, seed);
  return Array.from({ length: count }, (_, index) => ({
    headers: headers === 0 ? noHeaders : headersOf(headers, index),
    body: bytes.subarray(index * bodyBytes, (index + 1) * bodyBytes),
  }));
}

/** As a log's are: the same on every event, but for the last one, which counts as an offset does. */
function headersOf(count: number, index: number): Headers {
  const names = Array.from({ length: count }, (_, at) => [`header-${at + 1}`, `a value of number ${at + 1}`] as const);
  return { ...Object.fromEntries(names), [`header-${count}`]: String(1_000_000 + 500 * index) };
}

/** `bytes` (a multiple of a page) pseudo-random bytes, aligned, to be written past the cache. */
export function randomBlock(disk: Disk, bytes: number): Buffer {
  const block = disk.allocate(bytes);
  block.set(randomBytes(bytes, bytes));
  return block;
}

/** Pseudo-random bytes: xorshift32, seeded so that neighbouring seeds differ at once. */
export function randomBytes(count: number, seed: number): Buffer {
  const words = new Uint32Array(Math.ceil(count / 4));
  let state = (Math.imul(seed + 1, 0x9e3779b1) ^ 0x6d2b79f5) >>> 0 || 1;
  for (let index = 0; index < words.length; index++) {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    words[index] = state;
  }
  return Buffer.from(words.buffer, 0, count);
}
