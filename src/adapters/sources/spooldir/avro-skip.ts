/**
 * Where a value of an Avro schema ends, in bytes that may be damaged: nothing is decoded, no count is believed, and a
 * long need not fit a number.
 */
import avsc, { type Type, type types } from 'avsc';

/** The end of the value at `at`; negative where the bytes are none. Total. */
export type EndOf = (bytes: Buffer, at: number) => number;

const none = -1;
const longBytesMax = 10;
const textTypes: ReadonlySet<string> = new Set(['bytes', 'string']);
const varintTypes: ReadonlySet<string> = new Set(['int', 'long', 'enum']);
const fixedSizes: Readonly<Record<string, number>> = { null: 0, boolean: 1, float: 4, double: 8 };

/** For values of `type`. */
export function endOfValues(type: Type, known: Map<Type, EndOf> = new Map()): EndOf {
  const before = known.get(type);
  if (before !== undefined) return before;
  let made: EndOf | undefined;
  // A type may hold itself.
  const endOf: EndOf = (bytes, at) => (at < 0 || made === undefined ? none : made(bytes, at));
  known.set(type, endOf);
  made = makeEndOf(type, (inner) => endOfValues(inner, known));
  return endOf;
}

function makeEndOf(type: Type, endOf: (inner: Type) => EndOf): EndOf {
  const { typeName } = type;
  const size = fixedSizes[typeName] ?? (typeName === 'fixed' ? (type as types.FixedType).size : undefined);
  if (size !== undefined) return (bytes, at) => within(bytes, at + size);
  if (varintTypes.has(typeName)) return varintEnd;
  if (textTypes.has(typeName)) return sizedEnd;
  if (typeName === 'record' || typeName === 'error') {
    const fields = (type as types.RecordType).fields.map((field) => endOf(field.type));
    return (bytes, at) => fields.reduce((position, field) => field(bytes, position), at);
  }
  if (typeName === 'array') return blocksEnd(endOf((type as types.ArrayType).itemsType));
  if (typeName === 'map') {
    const value = endOf((type as types.MapType).valuesType);
    return blocksEnd((bytes, at) => value(bytes, sizedEnd(bytes, at)));
  }
  const branches = (type as types.UnwrappedUnionType).types.map(endOf);
  return (bytes, at) => {
    const end = varintEnd(bytes, at);
    return end < 0 ? none : (branches[readLong(bytes, at)]?.(bytes, end) ?? none);
  };
}

/** Of arrays and maps: a count before each block, a negative one with the block's size behind it; 0 at the end. */
function blocksEnd(item: EndOf): EndOf {
  return (bytes, at) => {
    for (let position = at; ; ) {
      const head = varintEnd(bytes, position);
      if (head < 0) return none;
      const count = readLong(bytes, position);
      position = head;
      if (count === 0) return position;
      if (count < 0) position = sizedEnd(bytes, position);
      for (let left = count; left > 0 && position >= 0; left -= 1) {
        const next = item(bytes, position);
        // Values of no size: as many as there may be.
        if (next === position) break;
        position = next;
      }
      if (position < 0) return none;
    }
  };
}

function sizedEnd(bytes: Buffer, at: number): number {
  const start = varintEnd(bytes, at);
  if (start < 0) return none;
  const size = readLong(bytes, at);
  return size < 0 ? none : within(bytes, start + size);
}

function within(bytes: Buffer, end: number): number {
  return end <= bytes.length ? end : none;
}

function varintEnd(bytes: Buffer, at: number): number {
  if (at < 0) return none;
  const last = Math.min(bytes.length, at + longBytesMax);
  for (let position = at; position < last; position += 1) {
    if ((bytes[position] as number) < 0x80) return position + 1;
  }
  return none;
}

/** One that ends. As near as a number comes: what is that large is larger than any file. */
function readLong(bytes: Buffer, at: number): number {
  let value = 0;
  let scale = 1;
  for (let position = at; ; position += 1) {
    const byte = bytes[position] as number;
    value += (byte & 0x7f) * scale;
    if (byte < 0x80) return value % 2 === 0 ? value / 2 : -(value + 1) / 2;
    scale *= 128;
  }
}

/** Of metadata: each value by its key; undefined where the bytes end before it does. Total. */
export function readBytesMap(bytes: Buffer, at: number): { entries: Map<string, Buffer>; end: number } | undefined {
  const entries = new Map<string, Buffer>();
  const text = (position: number, end: number) => bytes.subarray(varintEnd(bytes, position), end);
  const entry: EndOf = (_bytes, position) => {
    const keyEnd = sizedEnd(bytes, position);
    const end = keyEnd < 0 ? none : sizedEnd(bytes, keyEnd);
    if (end >= 0) entries.set(text(position, keyEnd).toString(), text(keyEnd, end));
    return end;
  };
  const end = blocksEnd(entry)(bytes, at);
  return end < 0 ? undefined : { entries, end };
}

/** A long at `at`, and what is behind it; undefined where there is none. Total. */
export function longAt(bytes: Buffer, at: number): { readonly value: number; readonly end: number } | undefined {
  const end = varintEnd(bytes, at);
  return end < 0 ? undefined : { value: readLong(bytes, at), end };
}

/** The record type of a schema's text. @throws Where it is none. */
export function recordType(literal: string): Type {
  const type = avsc.Type.forSchema(JSON.parse(literal));
  if (type.typeName !== 'record') throw new Error(`its type is ${type.typeName}`);
  return type;
}
