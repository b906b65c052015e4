/** Where lines that are too long are cut, and what a line reader needs of its charsets. */
import type { Charset } from '../../../agent/contracts/java/charset.ts';
import { decode } from './file-charset.ts';

/** See LineReader. */
export interface LineText {
  /** The newline in the bytes of the file. One of two or four bytes starts on a boundary of its own. */
  readonly newline: Buffer;
  /** Bodies are the file's bytes, where those are valid UTF-8. */
  readonly isUtf8: boolean;
  /** Of the file. */
  readonly charset: string;
  /** Undefined where the line is not text in its charset and the policy is FAIL. */
  readonly decode: (line: Buffer) => string | undefined;
  /** How many bytes of a line the most characters take, at most `charsMax` of them. */
  readonly cutBytes: (line: Buffer, charsMax: number) => number;
  /** In the charset of the events. */
  readonly encode: (text: string) => Buffer;
}

/** Byte behind the most characters, at most `charsMax` of Java's, from `from` on; -1 where there are fewer. */
export function utf8Cut(bytes: Buffer, from: number, end: number, charsMax: number): number {
  let chars = 0;
  for (let at = from; at < end; at += 1) {
    const byte = bytes[at] as number;
    if ((byte & 0xc0) === 0x80) continue;
    if (chars >= charsMax) return at;
    const units = byte >= 0xf0 ? 2 : 1;
    // A pair of surrogates stays together, unless it is all there may be.
    if (chars > 0 && chars + units > charsMax) return at;
    chars += units;
  }
  return chars >= charsMax ? end : -1;
}

/** Bytes of the first `charsMax` characters of a line that has as many. */
export function cutBytes(line: Buffer, charsMax: number, charset: Charset): number {
  const text = decode(charset, 'REPLACE', line) ?? '';
  const last = text.charCodeAt(charsMax - 1);
  const splitsPair = last >= 0xd800 && last < 0xdc00 && text.length > charsMax;
  const chars = splitsPair ? Math.max(2, charsMax - 1) : charsMax;
  const kept = text.slice(0, chars);
  const bytes = charset.encode(kept);
  // What was replaced may have had another length: then as many units.
  if (bytes.equals(line.subarray(0, bytes.length))) return bytes.length;
  return Math.min(line.length, chars * charset.encode('\n').length);
}
