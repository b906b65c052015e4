/** Events come back from their payload as they went in, whatever their headers and bodies look like. */
import assert from 'node:assert/strict';
import test from 'node:test';
import fc from 'fast-check';
import { planEventBatch, writeEventBatch } from '../../src/codec/event-batch.ts';
import { payloadBytesMax } from '../../src/codec/validate-event.ts';
import type { Event } from '../../src/event/event.ts';
import { decode, encode, plainEvents, transactions } from './event-batch-support.ts';

const body = Buffer.from('body');

function bytesFor(headers: readonly Record<string, string>[]): number {
  return encode(headers.map((map) => ({ headers: map, body }))).length - headers.length * body.length;
}

test('any transaction comes back, in one piece and in parts', () => {
  const notes = fc.option(fc.uint8Array({ maxLength: 30 }), { nil: undefined });
  fc.assert(
    fc.property(transactions, notes, fc.nat(), fc.nat(), (events, noteBytes, a, b) => {
      const given = noteBytes === undefined ? undefined : Buffer.from(noteBytes);
      const batch = decode(encode(events, given), events.length);
      assert.deepEqual(batch.notes, given);
      const whole = batch.deliver(0, events.length, 1000);
      assert.deepEqual(plainEvents(whole), plainEvents(events));
      assert.deepEqual(
        whole.map(({ sequence }) => sequence),
        [...events.keys()].map((index) => index + 1000),
      );
      for (const [index, event] of events.entries()) assert.equal(batch.bodyBytes(index), event.body.length);
      const from = a % (events.length + 1);
      const to = from + (b % (events.length - from + 1));
      assert.deepEqual(batch.deliver(from, to, 1000 + from), whole.slice(from, to));
    }),
    { numRuns: 1500 },
  );
});

test('no event at all, with and without notes', () => {
  assert.equal(decode(encode([]), 0).notes, undefined);
  const batch = decode(encode([], Buffer.alloc(0)), 0);
  assert.deepEqual(batch.notes, Buffer.alloc(0));
  assert.deepEqual(batch.deliver(0, 0, 1), []);
});

test('bodies are slices of the payload, one behind the other at its end', () => {
  const payload = encode(['a', 'bb', '', 'dddd'].map((text) => ({ headers: {}, body: Buffer.from(text) })));
  const events = decode(payload, 4).deliver(0, 4, 1);
  let at = payload.byteOffset + payload.length - 7;
  for (const event of events) {
    assert.equal(event.body.buffer, payload.buffer);
    assert.equal(event.body.byteOffset, at);
    at += event.body.length;
  }
});

test('headers that events share are one frozen object', () => {
  const shared = { host: 'a' };
  const other = { host: 'b' };
  const events = [shared, other, { ...shared }, shared, { ...other }].map((headers) => ({ headers, body }));
  const [first, second, third] = decode(encode(events), 5).deliver(0, 5, 1);
  assert.ok(first && second && third);
  assert.equal(first.headers, third.headers);
  assert.notEqual(first.headers, second.headers);
  assert.ok(Object.isFrozen(first.headers));
});

test('equal headers are stored once, by reference and by content', () => {
  const one = bytesFor([{ host: 'a', file: 'b' }]);
  const map = { host: 'a', file: 'b' };
  assert.equal(bytesFor(new Array<Record<string, string>>(500).fill(map)), one);
  assert.equal(bytesFor(Array.from({ length: 500 }, () => ({ ...map }))), one);
  assert.equal(bytesFor([{}, {}, {}]), 16);
  const ten = Array.from({ length: 500 }, (_, index) => ({ host: `host-${index % 10}`, file: 'b' }));
  assert.ok(bytesFor(ten) < 500 + 200, `${bytesFor(ten)} bytes: one reference an event`);
});

test('a value that all events share is stored once', () => {
  const long = 'x'.repeat(100);
  const bytes = bytesFor(Array.from({ length: 500 }, (_, index) => ({ constant: long, number: String(index) })));
  assert.ok(bytes < 500 * 5 + 200, `${bytes} bytes`);
});

test('headers named __proto__ and the like come back and pollute nothing', () => {
  const hostile = (value: string): Record<string, string> => {
    const headers: Record<string, string> = { constructor: value, toString: 'x' };
    Object.defineProperty(headers, '__proto__', { value, enumerable: true });
    return headers;
  };
  const columns = [hostile('a'), hostile('b')];
  const rows = [hostile('a'), { other: 'b' }];
  const bare: Record<string, string> = Object.assign(Object.create(null), { a: 'b' });
  for (const maps of [columns, rows, [hostile('a')], [bare, bare], [bare, { c: 'd' }]]) {
    const events = maps.map((headers) => ({ headers, body }));
    const delivered = decode(encode(events), maps.length).deliver(0, maps.length, 1);
    assert.deepEqual(plainEvents(delivered), plainEvents(events));
    for (const { headers } of delivered) assert.equal(Object.getPrototypeOf(headers), Object.prototype);
  }
  assert.equal(Object.keys(Object.prototype).length, 0);
});

test('a header that the prototype has is not taken from there', () => {
  const inherits = Object.assign(Object.create({ inherited: 'x' }), { own: 'y' }) as Record<string, string>;
  const delivered = decode(
    encode([
      { headers: inherits, body },
      { headers: { own: 'z' }, body },
    ]),
    2,
  ).deliver(0, 2, 1);
  assert.deepEqual(
    delivered.map(({ headers }) => headers),
    [{ own: 'y' }, { own: 'z' }],
  );
});

test('a header that only the next prototype has makes no two events equal', () => {
  const inherits = Object.assign(Object.create({ a: '1' }), { b: '2' }) as Record<string, string>;
  for (const maps of [
    [{ a: '1' }, inherits],
    [inherits, { a: '1' }],
  ]) {
    const delivered = decode(encode(maps.map((headers) => ({ headers, body }))), 2).deliver(0, 2, 1);
    assert.deepEqual(
      delivered.map(({ headers }) => headers),
      maps.map((map) => ({ ...map })),
    );
  }
});

test('a lone surrogate comes back as U+FFFD, and two of them never meet', () => {
  const maps = [{ a: 'x\ud83d' }, { a: '\ude00y' }];
  const delivered = decode(encode(maps.map((headers) => ({ headers, body }))), 2).deliver(0, 2, 1);
  assert.deepEqual(
    delivered.map(({ headers }) => headers['a']),
    ['x\ufffd', '\ufffdy'],
  );
});

test('many distinct headers, and values of every width', () => {
  const events: Event[] = [1, 255, 256, 65_535, 65_536, 300_000].flatMap((length) => [
    { headers: { a: 'v'.repeat(length), b: `ü${'v'.repeat(length)}` }, body: Buffer.alloc(length % 100) },
    { headers: { a: 'w'.repeat(length), b: '' }, body: new Uint8Array(3) },
  ]);
  const rows = events.map((event, index) =>
    index % 2 === 0 ? event : { ...event, headers: { c: event.headers['a'] ?? '' } },
  );
  const many = Array.from({ length: 3000 }, (_, index) => ({ headers: { a: String(index % 700) }, body }));
  for (const list of [events, rows, many]) {
    assert.deepEqual(plainEvents(decode(encode(list), list.length).deliver(0, list.length, 1)), plainEvents(list));
  }
});

test('what was not validated is a broken invariant, not bytes', () => {
  const headers = [{ a: 1 }, { a: 2 }] as unknown as Record<string, string>[];
  const plan = (): unknown =>
    planEventBatch(
      headers.map((map) => ({ headers: map, body })),
      undefined,
    );
  assert.throws(plan, { name: 'InvariantError' });
  const event = { headers: {}, body: Buffer.from('four') };
  const stale = planEventBatch([event], undefined);
  event.body = Buffer.from('longer');
  assert.throws(() => writeEventBatch(stale, Buffer.alloc(100), 0), { name: 'InvariantError' });
});

test('offsets beyond 2^31 and payloads of 1 GiB', () => {
  const far = 2 ** 31 + 8;
  const target = Buffer.alloc(far + 4096);
  const events = [{ headers: { a: 'b' }, body: Buffer.from('far') }];
  const plan = planEventBatch(events, undefined);
  writeEventBatch(plan, target, far);
  const batch = decode(target.subarray(far, far + plan.bytes), 1);
  assert.deepEqual(plainEvents(batch.deliver(0, 1, 1)), plainEvents(events));

  const bodyBytes = (payloadBytesMax - 16) / 2;
  const large = target.subarray(1000, 1000 + payloadBytesMax);
  large.writeUInt32LE(bodyBytes, 12);
  const [first, second] = decode(large, 2).deliver(0, 2, 2 ** 40);
  assert.equal(first?.body.length, bodyBytes);
  assert.equal(second?.body.byteOffset, target.byteOffset + 1000 + 16 + bodyBytes);
  assert.equal(second.sequence, 2 ** 40 + 1);
});
