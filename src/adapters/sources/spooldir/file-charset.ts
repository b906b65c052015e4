/** Java's charsets as far as lines need them: which byte order a file has, and a line's bytes to text. */
import { isUtf8 } from 'node:buffer';
import { type Charset, type DecodeErrorPolicy, findCharset } from '../../../agent/contracts/java/charset.ts';

/** Flume's default. */
export const utf8: Charset = known('UTF-8');

const bigEndianMark = Buffer.from([0xfe, 0xff]);
const littleEndianMark = Buffer.from([0xff, 0xfe]);

function known(name: string): Charset {
  const charset = findCharset(name);
  if (charset === undefined) throw new Error(`no charset ${name}`);
  return charset;
}

/** The charset as this file has it, and how many bytes at its head only say so: UTF-16 is big-endian without a mark. */
export function charsetOfFile(charset: Charset, head: Buffer): { charset: Charset; headBytes: number } {
  if (charset.name !== 'UTF-16') return { charset, headBytes: 0 };
  const mark = head.subarray(0, bigEndianMark.length);
  const isLittle = mark.equals(littleEndianMark);
  const isMarked = isLittle || mark.equals(bigEndianMark);
  return { charset: known(isLittle ? 'UTF-16LE' : 'UTF-16BE'), headBytes: isMarked ? mark.length : 0 };
}

/** By name: two findings of a charset are two objects. */
export function isUtf8Charset({ name }: Charset): boolean {
  return name === utf8.name;
}

/** Undefined where the bytes are no text and the policy is FAIL. */
export function decode(charset: Charset, policy: DecodeErrorPolicy, bytes: Buffer): string | undefined {
  if (isUtf8Charset(charset) && isUtf8(bytes)) return bytes.toString();
  const decoder = charset.decoder(policy);
  const whole = decoder.write(bytes);
  if (whole.malformedAt !== undefined) return undefined;
  const end = decoder.end();
  return end.malformedAt === undefined ? whole.text + end.text : undefined;
}
