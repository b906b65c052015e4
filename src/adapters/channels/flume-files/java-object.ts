/**
 * Java's object serialization, read: objects, their fields, strings and arrays of bytes, which is what a key store
 * holds. Nothing is made of them but plain values. Java Object Serialization Specification, 6.4. Total, and bounded by
 * the bytes.
 */

/** `fields`: of all classes of the object, the base class's first. */
export interface JavaObject {
  readonly className: string;
  readonly fields: ReadonlyMap<string, JavaValue>;
}

/** A value of a field. Numbers of 64 bits and floating-point ones are read over. */
export type JavaValue = JavaObject | Buffer | string | number | undefined;

interface ClassDescription {
  readonly name: string;
  readonly flags: number;
  readonly fields: readonly { readonly name: string; readonly type: string }[];
  readonly parent: ClassDescription | undefined;
}

const magic = 0xaced0005;
const hasWriteMethod = 1;
const depthMax = 32;
const sizes: Readonly<Record<string, number>> = { B: 1, C: 2, D: 8, F: 4, I: 4, J: 8, S: 2, Z: 1 };

class NotReadable extends Error {}

/** The object in a stream, and where it ends; undefined where there is none that can be read. */
export function readJavaObject(bytes: Buffer): { readonly object: JavaObject; readonly end: number } | undefined {
  if (bytes.length < 4 || bytes.readUInt32BE(0) !== magic) return undefined;
  const reader = new Reader(bytes, 4);
  try {
    const object = reader.value(0);
    if (typeof object !== 'object' || !('className' in object)) return undefined;
    return { object, end: reader.at };
  } catch (error) {
    if (error instanceof NotReadable || error instanceof RangeError) return undefined;
    throw error;
  }
}

class Reader {
  at: number;
  readonly #bytes: Buffer;
  /** By the order in which they came: what a reference names. */
  readonly #handles: unknown[] = [];

  constructor(bytes: Buffer, at: number) {
    this.#bytes = bytes;
    this.at = at;
  }

  value(depth: number): JavaValue {
    if (depth > depthMax) throw new NotReadable();
    const tag = this.#byte();
    if (tag === 0x70) return undefined;
    if (tag === 0x71) return this.#reference() as JavaValue;
    if (tag === 0x74) return this.#remember(this.#text());
    if (tag === 0x75) return this.#array(depth);
    if (tag === 0x73) return this.#object(depth);
    throw new NotReadable();
  }

  #object(depth: number): JavaObject {
    const description = this.#description(depth);
    if (description === undefined) throw new NotReadable();
    const fields = new Map<string, JavaValue>();
    const object = this.#remember({ className: description.name, fields });
    const chain: ClassDescription[] = [];
    for (let one: ClassDescription | undefined = description; one !== undefined; one = one.parent) chain.unshift(one);
    for (const { fields: own, flags } of chain) {
      for (const { name, type } of own) fields.set(name, this.#field(type, depth));
      if ((flags & hasWriteMethod) !== 0) this.#skipAnnotation(depth);
    }
    return object;
  }

  #array(depth: number): JavaValue {
    const description = this.#description(depth);
    if (description?.name !== '[B') throw new NotReadable();
    const index = this.#handles.push(undefined) - 1;
    const length = this.#int();
    const array = this.#take(length);
    this.#handles[index] = array;
    return array;
  }

  #description(depth: number): ClassDescription | undefined {
    if (depth > depthMax) throw new NotReadable();
    const tag = this.#byte();
    if (tag === 0x70) return undefined;
    if (tag === 0x71) return this.#reference() as ClassDescription;
    if (tag !== 0x72) throw new NotReadable();
    const name = this.#text();
    this.#take(8);
    const index = this.#handles.push(undefined) - 1;
    const flags = this.#byte();
    const fields = Array.from({ length: this.#short() }, () => {
      const code = String.fromCharCode(this.#byte());
      const field = this.#text();
      if (code === 'L' || code === '[') this.value(depth + 1);
      return { name: field, type: code };
    });
    this.#skipAnnotation(depth);
    const description = { name, flags, fields, parent: this.#description(depth + 1) };
    this.#handles[index] = description;
    return description;
  }

  #field(type: string, depth: number): JavaValue {
    if (type === 'L' || type === '[') return this.value(depth + 1);
    const size = sizes[type];
    if (size === undefined) throw new NotReadable();
    const bytes = this.#take(size);
    return size <= 4 && type !== 'F' ? bytes.readIntBE(0, size) : undefined;
  }

  /** What a class wrote by itself, up to its end. */
  #skipAnnotation(depth: number): void {
    for (;;) {
      const tag = this.#bytes[this.at];
      if (tag === 0x78) {
        this.at += 1;
        return;
      }
      if (tag === 0x77) {
        this.at += 1;
        this.#take(this.#byte());
      } else this.value(depth + 1);
    }
  }

  #reference(): unknown {
    const found = this.#handles[this.#int() - 0x7e0000];
    if (found === undefined) throw new NotReadable();
    return found;
  }

  #remember<Value>(value: Value): Value {
    this.#handles.push(value);
    return value;
  }

  #text(): string {
    return this.#take(this.#short()).toString();
  }

  #byte(): number {
    return this.#take(1).readUInt8();
  }

  #short(): number {
    return this.#take(2).readUInt16BE();
  }

  #int(): number {
    return this.#take(4).readInt32BE();
  }

  #take(length: number): Buffer {
    if (length < 0 || this.at + length > this.#bytes.length) throw new NotReadable();
    this.at += length;
    return this.#bytes.subarray(this.at - length, this.at);
  }
}
