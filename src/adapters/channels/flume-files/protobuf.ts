/**
 * The wire format of Protocol Buffers, as far as Flume's files use it: fields of 32 and 64 bits, and of a length. Whole
 * messages that are in memory; total. https://protobuf.dev/programming-guides/encoding
 */

/** A field's value: a number, or the bytes of a text or a message. */
type WireValue = number | bigint | Buffer;

/** One message's fields by number, in the order in which they stand; of one that stands several times all. */
export type WireMessage = ReadonlyMap<number, readonly WireValue[]>;

/** A varint and what follows it; undefined where there is none that fits a length. */
function readLength(bytes: Buffer, at: number): { readonly value: number; readonly next: number } | undefined {
  let value = 0;
  let scale = 1;
  for (let index = at; index < Math.min(at + 5, bytes.length); index += 1) {
    const byte = bytes[index] ?? 0;
    value += (byte & 0x7f) * scale;
    if (byte < 0x80) return { value, next: index + 1 };
    scale *= 128;
  }
  return undefined;
}

/** What `writeDelimitedTo` wrote at `at`, and where it ends; undefined where there is no whole one. */
export function readDelimited(
  bytes: Buffer,
  at: number,
): { readonly message: Buffer; readonly next: number } | undefined {
  const length = readLength(bytes, at);
  if (length === undefined || length.next + length.value > bytes.length) return undefined;
  const next = length.next + length.value;
  return { message: bytes.subarray(length.next, next), next };
}

/** Undefined where it is none. */
export function readMessage(bytes: Buffer): WireMessage | undefined {
  const fields = new Map<number, WireValue[]>();
  let at = 0;
  while (at < bytes.length) {
    const tag = readLength(bytes, at);
    if (tag === undefined) return undefined;
    const field = readField(bytes, tag.next, tag.value & 7);
    if (field === undefined) return undefined;
    const number = tag.value >>> 3;
    const values = fields.get(number);
    if (values === undefined) fields.set(number, [field.value]);
    else values.push(field.value);
    at = field.next;
  }
  return fields;
}

function readField(bytes: Buffer, at: number, type: number): { value: WireValue; next: number } | undefined {
  if (type === 5) return at + 4 > bytes.length ? undefined : { value: bytes.readInt32LE(at), next: at + 4 };
  if (type === 1) return at + 8 > bytes.length ? undefined : { value: bytes.readBigInt64LE(at), next: at + 8 };
  if (type === 0) return readLength(bytes, at);
  if (type !== 2) return undefined;
  const found = readDelimited(bytes, at);
  return found && { value: found.message, next: found.next };
}

/** The last value of a field of 32 bits. */
export function int32(message: WireMessage, field: number): number | undefined {
  const value = message.get(field)?.at(-1);
  return typeof value === 'number' ? value : undefined;
}

/** Of 64 bits. */
export function int64(message: WireMessage, field: number): bigint | undefined {
  const value = message.get(field)?.at(-1);
  return typeof value === 'bigint' ? value : undefined;
}

/** Of bytes. */
export function bytesOf(message: WireMessage, field: number): Buffer | undefined {
  const value = message.get(field)?.at(-1);
  return value instanceof Buffer ? value : undefined;
}
