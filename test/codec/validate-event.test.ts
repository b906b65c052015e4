/** What is no event is refused with its code, which event, which header, and what to do. */
import assert from 'node:assert/strict';
import test from 'node:test';
import { runInNewContext } from 'node:vm';
import type { ErrorCode } from '../../src/base/errors.ts';
import { bodyBytesMax, headerBytesMax, validateEvent, validateEvents } from '../../src/codec/validate-event.ts';

const body = Buffer.from('x');

function refuses(event: unknown, code: ErrorCode, message: RegExp): void {
  const error = validateEvent(event, 'put: event');
  assert.equal(error?.code, code);
  assert.match(error.message, message);
  assert.match(error.message, /^put: event /);
}

test('valid events', () => {
  class Custom {
    host = 'a';
  }
  const frozen = Object.freeze({ headers: Object.freeze({ a: 'b' }), body });
  const bare = Object.assign(Object.create(null), { a: '' });
  const foreign: unknown = runInNewContext('({ headers: { a: "b" }, body: new Uint8Array(3) })');
  const fine = [{ headers: {}, body: new Uint8Array() }, frozen, { headers: bare, body }, foreign];
  for (const event of [...fine, { headers: new Custom(), body, extra: 1 }]) {
    assert.equal(validateEvent(event, 'put: event'), undefined);
  }
});

test('what is no event', () => {
  refuses(undefined, 'EVENT_INVALID', /is undefined, not an object/);
  refuses(null, 'EVENT_INVALID', /is null/);
  refuses('text', 'EVENT_INVALID', /is a string/);
  refuses({ headers: {} }, 'EVENT_INVALID', /body that is undefined/);
  refuses({ headers: {}, body: 'text' }, 'EVENT_INVALID', /body that is a string.*Buffer\.from/);
  refuses({ headers: {}, body: [1] }, 'EVENT_INVALID', /body that is a value of class Array/);
  refuses({ headers: {}, body: new Uint16Array(2) }, 'EVENT_INVALID', /Uint16Array/);
  refuses({ headers: {}, body: { length: 1 } }, 'EVENT_INVALID', /body that is an object/);
  refuses({ body }, 'EVENT_INVALID', /headers that are undefined/);
  refuses({ headers: null, body }, 'EVENT_INVALID', /headers that are null/);
  refuses({ headers: new Map([['a', 'b']]), body }, 'EVENT_INVALID', /class Map.*Object\.fromEntries/);
  refuses({ headers: ['a'], body }, 'EVENT_INVALID', /class Array/);
  refuses({ headers: { a: 'b', size: 7 }, body }, 'EVENT_INVALID', /header "size" that is a number.*String\(value\)/);
  refuses({ headers: { a: undefined }, body }, 'EVENT_INVALID', /header "a" that is undefined/);
  refuses({ headers: { ['k'.repeat(1000)]: 1 }, body }, 'EVENT_INVALID', /^.{0,200}$/);
});

test('headers of exactly the limit, in bytes of UTF-8, and one over', () => {
  const exact = { key: 'ü'.repeat((headerBytesMax - 4) / 2), '': 'x' };
  assert.equal(validateEvent({ headers: exact, body }, 'put: event'), undefined);
  refuses({ headers: { ...exact, b: '' }, body }, 'EVENT_TOO_LARGE', /headers of 1048577 bytes; at most 1048576/);
});

test('bodies of exactly the limit, and one over', () => {
  const large = Buffer.alloc(bodyBytesMax + 1);
  assert.equal(validateEvent({ headers: {}, body: large.subarray(1) }, 'put: event'), undefined);
  refuses({ headers: {}, body: large }, 'EVENT_TOO_LARGE', /body of 536870913 bytes; at most 536870912/);
});

test('a list names the event, also where headers are shared', () => {
  const headers = { a: 'b' };
  const good = { headers, body };
  assert.equal(validateEvents([], 'put: events'), undefined);
  assert.equal(validateEvents([good, good, { headers: {}, body }], 'put: events'), undefined);
  const badBody = validateEvents([good, good, { headers, body: 1 }, good], 'put: events');
  assert.match(badBody?.message ?? '', /^put: events\[2\] has a body/);
  const badHeaders = validateEvents([good, { headers: { a: 1 }, body }], 'put: events');
  assert.match(badHeaders?.message ?? '', /^put: events\[1\] has a header "a"/);
  const absent = { body };
  assert.match(validateEvents([absent, absent], 'put: events')?.message ?? '', /^put: events\[0\] has headers/);
});
