/** Avro's maps of strings, as headers of events. */
import { longAt } from '../../adapters/sources/spooldir/avro-skip.ts';
import type { Headers } from '../../event/event.ts';

/** Bytes or a string at `at`, and what is behind; undefined where there are none. Total. */
export function sizedAt(bytes: Buffer, at: number): { readonly bytes: Buffer; readonly end: number } | undefined {
  const size = longAt(bytes, at);
  if (size === undefined || size.value < 0 || size.end + size.value > bytes.length) return undefined;
  const end = size.end + size.value;
  return { bytes: bytes.subarray(size.end, end), end };
}

/** Neighbours often have the same: those are read once, and share one object. */
export class HeadersReader {
  #bytes: Buffer = Buffer.alloc(0);
  #headers: Headers = {};

  /** Of a map that takes all of `bytes`; undefined where it does not hold. Total. */
  read(bytes: Buffer): Headers | undefined {
    if (bytes.equals(this.#bytes)) return this.#headers;
    const headers = headersIn(bytes);
    if (headers === undefined) return undefined;
    // Not a view: it would keep the block that it is in.
    this.#bytes = Buffer.from(bytes);
    this.#headers = headers;
    return headers;
  }
}

/** Blocks: a count before each, a negative one with the block's size behind it; 0 at the end. */
function headersIn(bytes: Buffer): Headers | undefined {
  const pairs: [string, string][] = [];
  for (let at = 0; ; ) {
    const count = longAt(bytes, at);
    if (count === undefined) return undefined;
    // Any name is one of its own, `__proto__` too.
    if (count.value === 0) return count.end === bytes.length ? Object.fromEntries(pairs) : undefined;
    const sized = count.value < 0 ? sizedAt(bytes, count.end) : undefined;
    if (count.value < 0 && sized === undefined) return undefined;
    at = sized === undefined ? count.end : sized.end - sized.bytes.length;
    // Each takes two bytes at least: the bytes end before a count that is too large does.
    for (let left = Math.abs(count.value); left > 0; left -= 1) {
      const name = sizedAt(bytes, at);
      const value = name && sizedAt(bytes, name.end);
      if (name === undefined || value === undefined) return undefined;
      pairs.push([name.bytes.toString(), value.bytes.toString()]);
      at = value.end;
    }
    if (sized !== undefined && at !== sized.end) return undefined;
  }
}
