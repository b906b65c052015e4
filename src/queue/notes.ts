/**
 * Notes: small JSON values that the channel's owner keeps in it, changed in the same frame as the events or
 * acknowledgements they belong to. That is how a source keeps its position exactly in step with its events.
 *
 * Values live as JSON text, in memory and on disk: what a caller does to an object later changes nothing here.
 */
import { ForebayError } from '../base/errors.ts';
import { kib, mib } from '../base/units.ts';
import { ByteSink, ByteSource } from './varint.ts';

/** JSON: what JSON.stringify keeps as it is. */
export type NoteValue = null | boolean | number | string | readonly NoteValue[] | { readonly [key: string]: NoteValue };

/** Note changes that ride with a transaction: a value to set, or undefined to delete the key. */
export type NoteChanges = Readonly<Record<string, NoteValue | undefined>>;

/** Of UTF-8. */
const noteKeyBytesMax = 256;
/** Of JSON, in UTF-8. */
export const noteValueBytesMax: number = 64 * kib;
/** All keys and values of a channel together: they stand in every segment's STATE. */
export const notesBytesMax: number = mib;
/** Far more than data needs, far less than the stack holds. */
const noteDepthMax = 200;

/** The notes of a channel, and what they weigh. */
export class NoteStore {
  readonly #texts: Map<string, string> = new Map();
  #bytes = 0;

  /** Keys and JSON texts, in UTF-8. */
  get bytes(): number {
    return this.#bytes;
  }

  /** A fresh copy of the value. */
  get(key: string): NoteValue | undefined {
    const text = this.#texts.get(key);
    return text === undefined ? undefined : (JSON.parse(text) as NoteValue);
  }

  keys(): string[] {
    return [...this.#texts.keys()];
  }

  /** What `key` weighs, 0 where it is not set. */
  bytesOf(key: string): number {
    const text = this.#texts.get(key);
    return text === undefined ? 0 : noteBytes(key, text);
  }

  apply(changes: NoteChanges): void {
    for (const key of Object.keys(changes)) {
      const value = changes[key];
      this.#bytes -= this.bytesOf(key);
      if (value === undefined) {
        this.#texts.delete(key);
      } else {
        const text = JSON.stringify(value);
        this.#texts.set(key, text);
        this.#bytes += noteBytes(key, text);
      }
    }
  }

  encode(): Buffer {
    const sink = new ByteSink();
    for (const [key, text] of this.#texts) writeNote(sink, key, text);
    return sink.finish();
  }

  /** Total: undefined for what `encode` would not have written. */
  static decode(bytes: Buffer): NoteStore | undefined {
    const changes = decodeNotes(bytes);
    if (changes === undefined) return undefined;
    const store = new NoteStore();
    store.apply(changes);
    const deletes = Object.values(changes).includes(undefined);
    return deletes || store.#bytes > notesBytesMax ? undefined : store;
  }
}

/** The change as JSON text (undefined: delete), or what is wrong with it: NOTE_INVALID. */
export function checkNote(key: unknown, value: unknown): { readonly text: string | undefined } | ForebayError {
  if (typeof key !== 'string') return invalid('a note’s key must be a string', typeof key);
  const keyBytes = Buffer.byteLength(key);
  if (keyBytes > noteKeyBytesMax) {
    return invalid(`a note’s key is at most ${noteKeyBytesMax} bytes of UTF-8`, keyBytes, noteKeyBytesMax);
  }
  if (Buffer.from(key).toString() !== key) return invalid('a note’s key must be well-formed Unicode', key);
  if (value === undefined) return { text: undefined };
  const budget = { valuesLeft: noteValueBytesMax };
  if (!isJson(value, 0, budget)) {
    if (budget.valuesLeft < 0) return tooLarge(key, `more than ${noteValueBytesMax}`);
    return invalid(
      `note '${key}' must be JSON: null, boolean, finite number, string, array, plain object`,
      typeof value,
    );
  }
  const text = JSON.stringify(value);
  const bytes = Buffer.byteLength(text);
  return bytes > noteValueBytesMax ? tooLarge(key, bytes) : { text };
}

/** A copy of `changes` that nobody else holds, or what is wrong with them: NOTE_INVALID. */
export function checkNotes(changes: unknown): NoteChanges | ForebayError {
  if (typeof changes !== 'object' || changes === null || Array.isArray(changes)) {
    return invalid('notes must be an object: key to JSON value, or to undefined to delete', typeof changes);
  }
  const copies: [string, NoteValue | undefined][] = [];
  for (const [key, value] of Object.entries(changes)) {
    const checked = checkNote(key, value);
    if (checked instanceof ForebayError) return checked;
    copies.push([key, checked.text === undefined ? undefined : (JSON.parse(checked.text) as NoteValue)]);
  }
  return Object.fromEntries(copies);
}

/** What setting `key` to `value` weighs. */
export function noteChangeBytes(key: string, value: NoteValue | undefined): number {
  return value === undefined ? 0 : noteBytes(key, JSON.stringify(value));
}

/** Bytes of `changes`, which must be checked: key, then 0 to delete, or the JSON text’s length + 1 and the text. */
export function encodeNotes(changes: NoteChanges): Buffer {
  const sink = new ByteSink();
  for (const key of Object.keys(changes)) {
    const value = changes[key];
    writeNote(sink, key, value === undefined ? undefined : JSON.stringify(value));
  }
  return sink.finish();
}

/** What `encodeNotes` was given, or undefined. Total. */
export function decodeNotes(bytes: Buffer): NoteChanges | undefined {
  const source = new ByteSource(bytes);
  const changes = new Map<string, NoteValue | undefined>();
  while (!source.isAtEnd) {
    const key = source.text();
    const textBytes = source.varint();
    if (key === undefined || Buffer.byteLength(key) > noteKeyBytesMax || changes.has(key)) return undefined;
    if (textBytes === 0) {
      changes.set(key, undefined);
      continue;
    }
    const text = source.take(textBytes - 1);
    if (text === undefined || text.length > noteValueBytesMax) return undefined;
    const value = parseJson(text.toString());
    if (value === undefined) return undefined;
    changes.set(key, value);
  }
  return Object.fromEntries(changes);
}

/** The value of a JSON text, or undefined. */
export function parseJson(text: string): NoteValue | undefined {
  try {
    return JSON.parse(text) as NoteValue;
  } catch {
    return undefined;
  }
}

function writeNote(sink: ByteSink, key: string, text: string | undefined): void {
  sink.text(key);
  if (text === undefined) {
    sink.varint(0);
    return;
  }
  const bytes = Buffer.from(text);
  sink.varint(bytes.length + 1);
  sink.bytes(bytes);
}

function noteBytes(key: string, text: string): number {
  return Buffer.byteLength(key) + Buffer.byteLength(text);
}

/** Ends at cycles and at structures that share themselves: each value takes a byte of text at least. */
function isJson(value: unknown, depth: number, budget: { valuesLeft: number }): boolean {
  if (--budget.valuesLeft < 0 || depth > noteDepthMax) return false;
  if (value === null || typeof value === 'boolean' || typeof value === 'string') return true;
  if (typeof value === 'number') return Number.isFinite(value);
  if (typeof value !== 'object') return false;
  if (Array.isArray(value)) {
    for (let index = 0; index < value.length; index++) if (!isJson(value[index], depth + 1, budget)) return false;
    return true;
  }
  const prototype: unknown = Object.getPrototypeOf(value);
  if (prototype !== Object.prototype && prototype !== null) return false;
  return Object.values(value).every((inner) => isJson(inner, depth + 1, budget));
}

function tooLarge(key: string, actual: string | number): ForebayError {
  return invalid(`note '${key}' is over ${noteValueBytesMax} bytes of JSON`, actual, noteValueBytesMax);
}

function invalid(what: string, actual: string | number, expected?: number): ForebayError {
  return new ForebayError('NOTE_INVALID', what, expected === undefined ? { actual } : { actual, expected });
}
