/**
 * Whether what a caller puts is an event, and the format's limits for one: log-format rule 12. Runs for every
 * event before anything is stored, so it is cheap: a headers object seen just before is not looked at again.
 */
import { types } from 'node:util';
import { ForebayError } from '../base/errors.ts';
import { gib, mib } from '../base/units.ts';
import type { Headers } from '../event/event.ts';

/** Of one event. */
export const bodyBytesMax: number = 512 * mib;
/** Of one event: names and values, in UTF-8. */
export const headerBytesMax: number = mib;
/** Of one frame, before compression. */
export const payloadBytesMax: number = gib;
export const eventsPerFrameMax: number = 2 ** 20;
/** No UTF-16 unit takes more bytes in UTF-8. */
const utf8BytesPerCharMax = 3;

/**
 * Undefined for a valid event; else the error to throw: EVENT_INVALID or EVENT_TOO_LARGE. `where` starts its
 * sentence (`put: event`). `validHeaders` is a headers object found valid in this same turn, skipped here.
 */
export function validateEvent(event: unknown, where: string, validHeaders?: Headers): ForebayError | undefined {
  if (typeof event !== 'object' || event === null) {
    return invalid(where, `is ${nameOf(event)}, not an object { headers, body }`);
  }
  const { headers, body } = event as { headers?: unknown; body?: unknown };
  if (!(body instanceof Uint8Array) && !types.isUint8Array(body)) {
    const advice = typeof body === 'string' ? ': use Buffer.from(body)' : '';
    return invalid(where, `has a body that is ${nameOf(body)}, not a Buffer or Uint8Array${advice}`);
  }
  if (body.length > bodyBytesMax) return tooLarge(where, 'body', body.length, bodyBytesMax);
  return headers === validHeaders && headers !== undefined ? undefined : validateHeaders(headers, where);
}

/** As `validateEvent` for each of `events`; the error says which one, counted from 0. */
export function validateEvents(events: readonly unknown[], where: string): ForebayError | undefined {
  let validHeaders: Headers | undefined;
  for (let index = 0; index < events.length; index++) {
    const event = events[index];
    const error = validateEvent(event, where, validHeaders);
    if (error !== undefined) return validateEvent(event, `${where}[${index}]`);
    validHeaders = (event as { headers: Headers }).headers;
  }
  return undefined;
}

function validateHeaders(headers: unknown, where: string): ForebayError | undefined {
  if (!isStringMap(headers)) {
    const advice = headers instanceof Map ? ': use Object.fromEntries(headers)' : '';
    return invalid(where, `has headers that are ${nameOf(headers)}, not an object of strings${advice}`);
  }
  let chars = 0;
  for (const key of Object.keys(headers)) {
    const value = headers[key];
    if (typeof value !== 'string') {
      return invalid(where, `has a header ${quote(key)} that is ${nameOf(value)}, not a string: use String(value)`);
    }
    chars += key.length + value.length;
  }
  if (chars * utf8BytesPerCharMax <= headerBytesMax) return undefined;
  const bytes = headerBytesOf(headers);
  return bytes > headerBytesMax ? tooLarge(where, 'headers', bytes, headerBytesMax) : undefined;
}

function isStringMap(headers: unknown): headers is Record<string, unknown> {
  if (typeof headers !== 'object' || headers === null) return false;
  const prototype: unknown = Object.getPrototypeOf(headers);
  if (prototype === Object.prototype || prototype === null) return true;
  return !Array.isArray(headers) && !types.isMap(headers) && !types.isSet(headers) && !ArrayBuffer.isView(headers);
}

function headerBytesOf(headers: Record<string, unknown>): number {
  let bytes = 0;
  for (const [key, value] of Object.entries(headers)) {
    bytes += Buffer.byteLength(key) + (typeof value === 'string' ? Buffer.byteLength(value) : 0);
  }
  return bytes;
}

function invalid(where: string, what: string): ForebayError {
  return new ForebayError('EVENT_INVALID', `${where} ${what}`);
}

function tooLarge(where: string, part: 'body' | 'headers', actual: number, expected: number): ForebayError {
  const message = `${where} has ${part} of ${actual} bytes; at most ${expected} are allowed: split the event`;
  return new ForebayError('EVENT_TOO_LARGE', message, { expected, actual });
}

/** What a value is, for a message: never its contents, which may be large or secret. */
function nameOf(value: unknown): string {
  if (value === null || value === undefined) return String(value);
  if (typeof value !== 'object') return `a ${typeof value}`;
  const name: unknown = Object.getPrototypeOf(value)?.constructor?.name;
  return typeof name === 'string' && name !== '' && name !== 'Object' ? `a value of class ${name}` : 'an object';
}

function quote(key: string): string {
  return JSON.stringify(key.length > 64 ? `${key.slice(0, 64)}…` : key);
}
