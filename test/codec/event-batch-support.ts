/** What the tests of event batches share: encoding to a buffer of its own, decoding to plain events. */
import assert from 'node:assert/strict';
import fc from 'fast-check';
import { type EventBatch, planEventBatch, readEventBatch, writeEventBatch } from '../../src/codec/event-batch.ts';
import type { Event } from '../../src/event/event.ts';

/** The payload of `events`; fails if a byte outside of what was planned is written, or the plan is wrong. */
export function encode(events: readonly Event[], notes?: Buffer): Buffer {
  const plan = planEventBatch(events, notes);
  const margin = 9;
  const target = Buffer.alloc(plan.bytes + 2 * margin, 0xa5);
  writeEventBatch(plan, target, margin);
  const outside = Buffer.concat([target.subarray(0, margin), target.subarray(margin + plan.bytes)]);
  assert.ok(
    outside.every((byte) => byte === 0xa5),
    'writes only what was planned',
  );
  return target.subarray(margin, margin + plan.bytes);
}

/** The batch in `payload`, which must be good. */
export function decode(payload: Buffer, count: number): EventBatch {
  const batch = readEventBatch(payload, count);
  if (batch.kind === 'malformed') assert.fail(batch.reason);
  return batch;
}

/** As they compare: headers as a plain object, body as hex. */
export function plainEvents(events: readonly Event[]): { headers: Record<string, string>; body: string }[] {
  return events.map(({ headers, body }) => ({
    headers: Object.fromEntries(Object.entries(headers).map(([key, value]) => [wellFormed(key), wellFormed(value)])),
    body: Buffer.from(body).toString('hex'),
  }));
}

function wellFormed(text: string): string {
  return Buffer.from(text).toString();
}

const names = fc.oneof(
  fc.constantFrom('host', 'timestamp', '', '__proto__', 'constructor', 'hasOwnProperty', '0', '17', 'größe', '😀'),
  fc.string({ maxLength: 12 }),
);
const values = fc.oneof(
  { weight: 4, arbitrary: fc.string({ maxLength: 20 }) },
  { weight: 2, arbitrary: fc.string({ unit: 'grapheme', maxLength: 20 }) },
  { weight: 1, arbitrary: fc.string({ unit: 'binary', maxLength: 8 }) },
  { weight: 1, arbitrary: fc.nat(400).map((length) => 'x'.repeat(length)) },
);
const anyHeaders = fc.dictionary(names, values, { maxKeys: 6 });
const bodies = fc.oneof(
  fc.uint8Array({ maxLength: 40 }),
  fc.uint8Array({ maxLength: 40 }).map((bytes) => Buffer.from(bytes)),
);

function withBodies(headers: fc.Arbitrary<Record<string, string>[]>): fc.Arbitrary<Event[]> {
  const bodiesFor = (count: number): fc.Arbitrary<Uint8Array[]> =>
    fc.oneof(
      fc.array(bodies, { minLength: count, maxLength: count }),
      fc.nat(9).map((length) => Array.from({ length: count }, (_, index) => Buffer.alloc(length, index))),
    );
  return headers.chain((all) =>
    bodiesFor(all.length).map((list) =>
      all.map((map, index) => ({ headers: map, body: list[index] ?? new Uint8Array() })),
    ),
  );
}

/** The same names for every event, some values shared. */
const byColumn = fc
  .tuple(fc.uniqueArray(names, { maxLength: 5 }), fc.integer({ min: 1, max: 40 }))
  .chain(([keys, count]) =>
    fc
      .array(fc.array(values, { minLength: keys.length, maxLength: keys.length }), {
        minLength: count,
        maxLength: count,
      })
      .map((rows) =>
        rows.map((row) =>
          Object.fromEntries(keys.map((key, at) => [key, at % 2 === 0 ? (rows[0]?.[at] ?? '') : (row[at] ?? '')])),
        ),
      ),
  );
/** Few maps, many events: some the same object, some a copy of it. */
const byReference = fc
  .tuple(fc.array(anyHeaders, { minLength: 1, maxLength: 6 }), fc.array(fc.nat(100), { minLength: 1, maxLength: 80 }))
  .map(([maps, picks]) =>
    picks.map((pick) => {
      const map = maps[pick % maps.length] ?? {};
      return pick % 3 === 0 ? Object.fromEntries(Object.entries(map).reverse()) : map;
    }),
  );

/** Transactions of every header layout. */
export const transactions: fc.Arbitrary<Event[]> = fc.oneof(
  withBodies(byColumn),
  withBodies(byReference),
  withBodies(fc.array(anyHeaders, { minLength: 1, maxLength: 30 })),
);
