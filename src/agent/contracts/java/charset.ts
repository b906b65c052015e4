/**
 * Java's charsets, over iconv-lite. Malformed bytes are found exactly in UTF-8 and UTF-16; in other charsets by what
 * iconv-lite could not decode, with the place as far as writing the text before it again tells. What vendors added to
 * the Chinese and Japanese charsets is iconv-lite's choice, which takes more than Java's where they differ.
 */
import { isUtf8 } from 'node:buffer';
import iconv from 'iconv-lite';
import type { KeyType } from '../keys.ts';
import { charsetNames } from './charset-names.ts';
import { findUtf8Fault } from './utf8-check.ts';

/** What to do with malformed bytes: stop, put U+FFFD in their place, leave them out. */
export type DecodeErrorPolicy = 'FAIL' | 'REPLACE' | 'IGNORE';

/** What came out of some bytes. */
interface DecodedText {
  readonly text: string;
  /** Under FAIL: where the first malformed byte stood, counted from the first byte of all. `text` ends before it. */
  readonly malformedAt: number | undefined;
}

/** Decodes a stream: characters may be cut anywhere between two writes. */
export interface StreamDecoder {
  /** How often bytes were malformed so far. */
  readonly malformedCount: number;
  /** After `malformedAt` was given, the decoder has stopped: all else is empty. */
  readonly write: (bytes: Uint8Array) => DecodedText;
  /** What is left over; a character that is cut off by the end is malformed. */
  readonly end: () => DecodedText;
}

/** A charset. */
export interface Charset {
  /** Java's canonical name. */
  readonly name: string;
  /** What the charset does not have, and half a pair of surrogates, becomes `?`, in UTF-16 U+FFFD: Java's getBytes. */
  readonly encode: (text: string) => Buffer;
  /** Malformed bytes become U+FFFD. A byte order mark stays, but in UTF-16 without LE or BE. */
  readonly decode: (bytes: Uint8Array) => string;
  readonly decoder: (policy: DecodeErrorPolicy) => StreamDecoder;
}

const replacement = '\ufffd';
const euroInGbk: Buffer = Buffer.from([0xa2, 0xe3]);

/** Decodes all that is whole of `bytes`, with U+FFFD or a report where it is malformed. */
type DecodeStep = (bytes: Uint8Array, isEnd: boolean) => { readonly pieces: readonly Piece[]; readonly taken: number };

/** Text, or malformed bytes at an offset. */
type Piece = string | number;

/** A decoder over a step that leaves what is not whole yet. */
class PieceDecoder implements StreamDecoder {
  readonly #step: DecodeStep;
  readonly #policy: DecodeErrorPolicy;
  #left: Uint8Array = new Uint8Array(0);
  /** Of the first byte in `#left`. */
  #offset = 0;
  #hasStopped = false;
  malformedCount = 0;

  constructor(step: DecodeStep, policy: DecodeErrorPolicy) {
    this.#step = step;
    this.#policy = policy;
  }

  write(bytes: Uint8Array): DecodedText {
    return this.#decode(this.#left.length === 0 ? bytes : Buffer.concat([this.#left, bytes]), false);
  }

  end(): DecodedText {
    return this.#decode(this.#left, true);
  }

  #decode(bytes: Uint8Array, isEnd: boolean): DecodedText {
    if (this.#hasStopped) return { text: '', malformedAt: undefined };
    const { pieces, taken } = this.#step(bytes, isEnd);
    let text = '';
    for (const piece of pieces) {
      if (typeof piece === 'string') text += piece;
      else {
        this.malformedCount += 1;
        if (this.#policy === 'REPLACE') text += replacement;
        if (this.#policy !== 'FAIL') continue;
        this.#hasStopped = true;
        return { text, malformedAt: this.#offset + piece };
      }
    }
    // A copy: the caller may fill its buffer anew.
    this.#left = Uint8Array.prototype.slice.call(bytes, taken);
    this.#offset += taken;
    return { text, malformedAt: undefined };
  }
}

const stepUtf8: DecodeStep = (bytes, isEnd) => {
  const pieces: Piece[] = [];
  const view = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (isUtf8(bytes)) return { pieces: [view.toString('utf8')], taken: bytes.length };
  let done = 0;
  for (let fault = findUtf8Fault(bytes, 0); fault !== undefined; fault = findUtf8Fault(bytes, done)) {
    if (fault.offset > done) pieces.push(view.toString('utf8', done, fault.offset));
    done = fault.offset;
    if (fault.isCutOff && !isEnd) return { pieces, taken: done };
    pieces.push(fault.offset);
    done += fault.length;
  }
  if (done < bytes.length) pieces.push(view.toString('utf8', done));
  return { pieces, taken: bytes.length };
};

/** A pair of surrogates, or what is malformed: to Java a first half takes the next unit with it, whatever that is. */
const surrogates = /[\ud800-\udbff][\udc00-\udfff]|([\ud800-\udbff][\0-\uffff]?|[\udc00-\udfff])/g;

/** UTF-16 with its bytes in one order. A byte alone at the end is malformed. */
function stepUtf16(isLittle: boolean): DecodeStep {
  return (bytes, isEnd) => {
    const view = Buffer.from(bytes);
    const even = view.length - (view.length % 2);
    if (!isLittle) view.subarray(0, even).swap16();
    const units = view.toString('utf16le', 0, even);
    const pieces: Piece[] = [];
    let done = 0;
    for (const { index, 1: malformed } of units.matchAll(surrogates)) {
      if (malformed === undefined) continue;
      if (index > done) pieces.push(units.slice(done, index));
      done = index;
      const mayBePair = malformed.length === 1 && malformed < '\udc00';
      if (mayBePair && !isEnd) return { pieces, taken: done * 2 };
      pieces.push(index * 2);
      done += malformed.length;
    }
    if (done < units.length) pieces.push(units.slice(done));
    if (isEnd && even < view.length) pieces.push(even);
    return { pieces, taken: isEnd ? view.length : even };
  };
}

/** UTF-16 in the order that a byte order mark says, which goes; big-endian without one. */
function stepMarkedUtf16(): DecodeStep {
  let step: DecodeStep | undefined;
  return (bytes, isEnd) => {
    if (step !== undefined) return step(bytes, isEnd);
    if (bytes.length < 2 && !isEnd) return { pieces: [], taken: 0 };
    const isLittle = bytes[0] === 0xff && bytes[1] === 0xfe;
    const isMarked = isLittle || (bytes[0] === 0xfe && bytes[1] === 0xff);
    step = stepUtf16(isLittle);
    if (!isMarked) return step(bytes, isEnd);
    const { pieces, taken } = step(bytes.subarray(2), isEnd);
    return { pieces: pieces.map((piece) => (typeof piece === 'string' ? piece : piece + 2)), taken: taken + 2 };
  };
}

/** Another charset: iconv-lite keeps what is not whole yet by itself. */
function stepIconv(codec: string): DecodeStep {
  const decoder = iconv.getDecoder(codec, { stripBOM: false });
  return (bytes, isEnd) => {
    const text = decoder.write(Buffer.from(bytes)) + (isEnd ? (decoder.end() ?? '') : '');
    const pieces: Piece[] = [];
    let offset = 0;
    for (const [at, part] of text.split(replacement).entries()) {
      if (at > 0) pieces.push(Math.min(offset, bytes.length));
      if (part !== '') pieces.push(part);
      offset += iconv.encode(part, codec).length + (at > 0 ? 1 : 0);
    }
    return { pieces, taken: bytes.length };
  };
}

function stepOf(codec: string): DecodeStep {
  if (codec === 'utf8') return stepUtf8;
  if (codec === 'utf-16') return stepMarkedUtf16();
  return codec === 'utf-16le' || codec === 'utf-16be' ? stepUtf16(codec === 'utf-16le') : stepIconv(codec);
}

/** Half of a pair without the other. */
const loneSurrogate = /[\ud800-\udfff]/u;
const loneSurrogates = new RegExp(loneSurrogate, 'gu');

function encode(codec: string, text: string): Buffer {
  if (codec === 'utf8') return encodeUtf8(text);
  if (codec === 'gbk') return encodeGbk(text);
  if (!codec.startsWith('utf-16')) return iconv.encode(isWide(codec) ? text : narrowed(text), codec);
  // Where UTF-8 has a question mark, Java's UTF-16 has U+FFFD.
  const whole = text.replace(loneSurrogates, replacement);
  if (codec !== 'utf-16') return iconv.encode(whole, codec, { addBOM: false });
  // Java writes big-endian behind a mark, and nothing for nothing.
  return text === '' ? Buffer.alloc(0) : iconv.encode(`\ufeff${whole}`, 'utf-16be', { addBOM: false });
}

/** Java writes `?` for half a pair, Node U+FFFD. Where each unit is one byte there is none to look for. */
function encodeUtf8(text: string): Buffer {
  const bytes = Buffer.from(text, 'utf8');
  if (bytes.length === text.length || !loneSurrogate.test(text)) return bytes;
  return Buffer.from(text.replace(loneSurrogates, '?'), 'utf8');
}

/** Whether the charset has characters above U+FFFF. */
function isWide(codec: string): boolean {
  return codec === 'gb18030';
}

/**
 * One `?` in place of a character of two UTF-16 units, where iconv-lite would write two, and of U+FFFD, which it takes
 * for a byte that the charset leaves open.
 */
function narrowed(text: string): string {
  return text.replace(/[\ufffd\u{10000}-\u{10ffff}]/gu, '?');
}

/** Java writes the euro sign in two bytes, where Microsoft's code page has one of its own. */
function encodeGbk(text: string): Buffer {
  const parts = narrowed(text)
    .split('\u20ac')
    .flatMap((part, at) => (at === 0 ? [iconv.encode(part, 'gbk')] : [euroInGbk, iconv.encode(part, 'gbk')]));
  return parts.length === 1 ? (parts[0] ?? Buffer.alloc(0)) : Buffer.concat(parts);
}

/** Finds a charset by a name of Java; undefined where Java does not know it, or we do not have it. */
export function findCharset(name: string): Charset | undefined {
  const names = charsetNames(name);
  if (names === undefined) return undefined;
  const { codec } = names;
  const decoder = (policy: DecodeErrorPolicy): StreamDecoder => new PieceDecoder(stepOf(codec), policy);
  return {
    name: names.name,
    encode: (text) => encode(codec, text),
    decode: (bytes) => {
      const whole = decoder('REPLACE');
      return whole.write(bytes).text + whole.end().text;
    },
    decoder,
  };
}

/** A charset by Java's name. */
export const charset: KeyType<Charset> = {
  name: 'charset of Java',
  parse: (text) => {
    const value = findCharset(text);
    if (value !== undefined) return { value };
    return {
      problem: `'${text}' is not allowed: a charset as UTF-8, ISO-8859-1, windows-1252, GBK, Shift_JIS or UTF-16`,
    };
  },
};
