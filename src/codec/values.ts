/**
 * Small structured values as bytes (MessagePack): notes, state, and what control frames hold.
 *
 * A value is null, a boolean, a number, a bigint of 64 bits, a string, bytes, undefined, or an array or plain
 * object of values. Nothing else is read: no extension type and no record of msgpackr's own, so that bytes off
 * a disk can neither run code nor build what they only claim to hold.
 *
 * msgpackr's two inner doors are used because its main one loads a native add-on.
 */
import { Packr } from 'msgpackr/pack';
import { Unpackr } from 'msgpackr/unpack';
import { invariant } from '../base/assert.ts';

/** Arrays and objects within one another; well below what the stack takes. */
const depthMax = 100;

// `useToJSON: false`: an object may have a key of that name. `variableMapSize`: more than 65535 keys.
const packr = new Packr({ useRecords: false, variableMapSize: true, useToJSON: false });
const unpackr = new Unpackr({ useRecords: false, mapsAsObjects: true });
const mapUnpackr = new Unpackr({ useRecords: false, mapsAsObjects: false });

/** What bytes turned out to be. */
export type UnpackedValue = { readonly kind: 'value'; readonly value: unknown } | { readonly kind: 'malformed' };

/**
 * The bytes of `value`. A lone surrogate in a string comes back as one or more U+FFFD.
 *
 * @throws {InvariantError} If it is not a value as described above, or deeper than 100: a bug in the caller.
 */
export function packValue(value: unknown): Buffer {
  const bytes = packr.pack(value);
  invariant(isWellFormed(bytes), 'a packed value is one that unpackValue reads');
  return bytes;
}

/**
 * The value whose bytes these are. Total: never throws, and allocates in proportion to the bytes that are
 * there. Byte strings in it alias `bytes`.
 */
export function unpackValue(bytes: Buffer): UnpackedValue {
  if (!isWellFormed(bytes)) return { kind: 'malformed' };
  try {
    // msgpackr renames a key '__proto__' in objects, but not in maps
    const value: unknown = bytes.includes('__proto__') ? plain(mapUnpackr.unpack(bytes)) : unpackr.unpack(bytes);
    return { kind: 'value', value };
  } catch {
    return { kind: 'malformed' };
  }
}

/** Maps turned into objects, all the way down. */
function plain(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(plain);
  if (!(value instanceof Map)) return value;
  const object: Record<string, unknown> = {};
  for (const [key, inner] of value as Map<string, unknown>) {
    const descriptor = { value: plain(inner), enumerable: true, writable: true, configurable: true };
    Object.defineProperty(object, key, descriptor);
  }
  return object;
}

/**
 * Whether `bytes` are exactly one value of the kinds above. Walks the tokens without recursion; nothing
 * that a count or length claims is believed before the bytes for it are there.
 */
function isWellFormed(bytes: Buffer): boolean {
  /** For each open array or object, how many items it still has. In objects names are items too. */
  const left: number[] = [1];
  /** Whether each is an object. */
  const isMap: boolean[] = [false];
  let position = 0;
  while (left.length > 0) {
    const top = left.length - 1;
    const remaining = left[top] ?? 0;
    if (remaining === 0) {
      left.pop();
      isMap.pop();
      continue;
    }
    left[top] = remaining - 1;
    const token = readToken(bytes, position);
    if (token === undefined || token.end > bytes.length) return false;
    if (isMap[top] === true && remaining % 2 === 0 && token.kind !== 'string') return false;
    position = token.end;
    if (token.kind !== 'array' && token.kind !== 'map') continue;
    const items = token.kind === 'map' ? 2 * token.items : token.items;
    if (items > bytes.length - position || left.length > depthMax) return false;
    left.push(items);
    isMap.push(token.kind === 'map');
  }
  return position === bytes.length;
}

interface Token {
  readonly kind: 'scalar' | 'string' | 'array' | 'map';
  /** The offset behind it, without items. May be past the bytes. */
  readonly end: number;
  readonly items: number;
}

/** Bytes of each fixed-size token from 0xc0 on, first byte included; 0 for one that is not read. */
const scalarBytes: Readonly<Record<number, number>> = {
  192: 1, // nil
  194: 1, // false
  195: 1, // true
  202: 5, // float 32
  203: 9, // float 64
  204: 2, // uint 8 … 64
  205: 3,
  206: 5,
  207: 9,
  208: 2, // int 8 … 64
  209: 3,
  210: 5,
  211: 9,
};

/** Tokens with a length or a count: its bytes, and what it counts. */
const sizedTokens: Readonly<
  Record<number, { readonly kind: 'bytes' | 'string' | 'array' | 'map'; readonly width: 1 | 2 | 4 }>
> = {
  196: { kind: 'bytes', width: 1 },
  197: { kind: 'bytes', width: 2 },
  198: { kind: 'bytes', width: 4 },
  217: { kind: 'string', width: 1 },
  218: { kind: 'string', width: 2 },
  219: { kind: 'string', width: 4 },
  220: { kind: 'array', width: 2 },
  221: { kind: 'array', width: 4 },
  222: { kind: 'map', width: 2 },
  223: { kind: 'map', width: 4 },
};

/** msgpackr's `undefined`: an extension of type 0 with one zero byte. */
const undefinedToken = 212;

function readToken(bytes: Buffer, position: number): Token | undefined {
  const first = bytes[position];
  if (first === undefined) return undefined;
  const next = position + 1;
  if (first < 128 || first >= 224) return { kind: 'scalar', end: next, items: 0 };
  if (first < 144) return { kind: 'map', end: next, items: first - 128 };
  if (first < 160) return { kind: 'array', end: next, items: first - 144 };
  if (first < 192) return { kind: 'string', end: next + first - 160, items: 0 };
  if (first === undefinedToken) {
    return bytes[next] === 0 && bytes[next + 1] === 0 ? { kind: 'scalar', end: next + 2, items: 0 } : undefined;
  }
  const fixed = scalarBytes[first];
  if (fixed !== undefined) return { kind: 'scalar', end: position + fixed, items: 0 };
  const sized = sizedTokens[first];
  if (sized === undefined || next + sized.width > bytes.length) return undefined;
  const size = bytes.readUIntBE(next, sized.width);
  const end = next + sized.width;
  if (sized.kind === 'bytes') return { kind: 'scalar', end: end + size, items: 0 };
  if (sized.kind === 'string') return { kind: 'string', end: end + size, items: 0 };
  return { kind: sized.kind, end, items: size };
}
