/** Bytes that are no payload: the answer is `malformed` or a batch within the payload, never an exception. */
import assert from 'node:assert/strict';
import test from 'node:test';
import fc from 'fast-check';
import { readEventBatch } from '../../src/codec/event-batch.ts';
import { eventsPerFrameMax, payloadBytesMax } from '../../src/codec/validate-event.ts';
import type { Event } from '../../src/event/event.ts';
import { encode, transactions } from './event-batch-support.ts';

/** Reads, and uses all of what is answered. Returns whether it was a batch. */
function survives(payload: Buffer, count: number): boolean {
  const batch = readEventBatch(payload, count);
  if (batch.kind === 'malformed') {
    assert.ok(batch.reason.length > 0);
    return false;
  }
  const events = batch.deliver(0, batch.count, 1);
  assert.equal(events.length, count);
  let bodyBytes = 0;
  for (const [index, event] of events.entries()) {
    assert.equal(event.body.length, batch.bodyBytes(index));
    bodyBytes += event.body.length;
    for (const value of Object.values(event.headers)) assert.equal(typeof value, 'string');
  }
  assert.ok(bodyBytes + (batch.notes?.length ?? 0) + 16 <= payload.length, 'within the payload');
  return true;
}

const body = Buffer.from('body');
const small: readonly (readonly [string, Event[], Buffer | undefined])[] = [
  [
    'no headers',
    [
      { headers: {}, body },
      { headers: {}, body },
    ],
    undefined,
  ],
  [
    'columns',
    [1, 2, 3].map((n) => ({ headers: { host: 'a', n: `${n}` }, body: Buffer.alloc(n, n) })),
    Buffer.from('note'),
  ],
  [
    'rows',
    [
      { headers: { a: 'b' }, body },
      { headers: {}, body: Buffer.alloc(0) },
      { headers: { c: 'ü', d: '' }, body },
    ],
    undefined,
  ],
  ['references', ['x', 'y', 'x', 'y'].map((a) => ({ headers: { a, b: '1' }, body })), Buffer.alloc(0)],
];

for (const [name, events, notes] of small) {
  test(`${name}: every truncation is malformed`, () => {
    const payload = encode(events, notes);
    assert.ok(survives(payload, events.length));
    for (let length = 0; length < payload.length; length++) {
      assert.equal(survives(payload.subarray(0, length), events.length), false, `${length} bytes`);
    }
    assert.equal(survives(Buffer.concat([payload, Buffer.alloc(1)]), events.length), false);
  });

  test(`${name}: every flipped bit and every byte value stays within bounds`, () => {
    const payload = encode(events, notes);
    for (let at = 0; at < payload.length; at++) {
      for (let value = 0; value < 256; value++) {
        const changed = Buffer.from(payload);
        changed[at] = value;
        survives(changed, events.length);
      }
    }
  });

  test(`${name}: another number of events`, () => {
    const payload = encode(events, notes);
    const counts = [-1, 0, 1, 2, 5, 2 ** 20, 2 ** 20 + 1, 2 ** 32, 2 ** 53, 0.5, Number.NaN];
    for (const count of counts.filter((n) => n !== events.length))
      assert.equal(survives(payload, count), false, `${count}`);
  });
}

test('changed and spliced payloads of any transaction stay within bounds', () => {
  const edits = fc.array(fc.tuple(fc.nat(), fc.integer({ min: 0, max: 255 })), { minLength: 1, maxLength: 6 });
  fc.assert(
    fc.property(transactions, edits, fc.nat(), (events, changes, cut) => {
      const payload = Buffer.from(encode(events, Buffer.from('note')));
      for (const [at, value] of changes) payload[at % payload.length] = value;
      survives(payload, events.length);
      const length = cut % payload.length;
      survives(Buffer.concat([payload.subarray(length), payload.subarray(0, length)]), events.length);
    }),
    { numRuns: 1500 },
  );
});

test('any bytes at all', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 200 }), fc.nat(40), (bytes, count) => {
      survives(Buffer.from(bytes), count);
    }),
    { numRuns: 3000 },
  );
});

/** A payload whose header section is these bytes, for `count` empty bodies. */
function withSection(section: Buffer): Buffer {
  const prefix = Buffer.alloc(16);
  prefix.writeUInt32LE(section.length, 4);
  return Buffer.concat([prefix, section]);
}

/** Runs with a bound on what may be allocated outside the heap and on the time. */
function cheaply(act: () => void): void {
  const before = process.memoryUsage().arrayBuffers;
  const start = performance.now();
  act();
  assert.ok(process.memoryUsage().arrayBuffers - before < 8 * 2 ** 20, 'allocates no more than is there');
  assert.ok(performance.now() - start < 5000, 'answers at once');
}

test('lengths and counts that claim gigabytes cost nothing', () => {
  cheaply(() => {
    const claims = [0xffffffff, 0x7fffffff, 0x80000000, 0x3fffffff];
    for (const claim of claims) {
      for (const at of [4, 8, 12]) {
        const payload = Buffer.alloc(64);
        payload.writeUInt32LE(claim, at);
        for (const flags of [0, 1, 2, 3]) {
          payload[1] = flags;
          assert.equal(survives(payload, 2), false);
          assert.equal(survives(payload, eventsPerFrameMax), false);
        }
      }
      for (let at = 0; at <= 20; at++) {
        for (const form of [1, 2]) {
          const section = Buffer.alloc(24);
          section[4] = form;
          section[0] = 1;
          section.writeUInt32LE(claim, at);
          assert.equal(survives(withSection(section), 1), false, `${claim} at ${at}`);
        }
      }
    }
  });
});

test('columns that would build far more than they hold are malformed', () => {
  // 2^20 maps of 65 keys without a byte of text: what a reader would have to build is 2^26 values
  const maps = eventsPerFrameMax;
  const keys = 65;
  const list = (count: number): Buffer => {
    const bytes = Buffer.alloc(5 + count);
    bytes[4] = 1;
    return bytes;
  };
  const head = Buffer.alloc(12);
  head.writeUInt32LE(maps, 0);
  head[4] = 1;
  const section = (keyCount: number): Buffer => {
    head.writeUInt32LE(keyCount, 8);
    return Buffer.concat([
      head,
      Buffer.from([1]),
      Buffer.alloc(keyCount - 1),
      list(keyCount),
      list(keyCount - 1),
      list(maps),
    ]);
  };
  assert.equal(readEventBatch(withSection(section(keys)), maps).kind, 'malformed');
  const allowed = readEventBatch(withSection(section(keys - 1)), maps);
  assert.equal(allowed.kind, 'batch');
});

/** Why the payload is none, after `edit` changed it. */
function reasonAfter(events: Event[], edit: (payload: Buffer) => void): string {
  const payload = encode(events);
  edit(payload);
  const batch = readEventBatch(payload, events.length);
  return batch.kind === 'malformed' ? batch.reason : 'accepted';
}

test('a reference to no map is malformed', () => {
  const events = ['x', 'y', 'x'].map((a) => ({ headers: { a }, body }));
  const edit = (payload: Buffer): void => {
    assert.deepEqual([...payload.subarray(24, 27)], [0, 1, 0]);
    payload[26] = 2;
  };
  assert.match(reasonAfter(events, edit), /reference to no map/);
});

test('strings whose lengths do not add up to their text are malformed', () => {
  const events = [{ headers: { key: 'value' }, body }];
  const edit = (payload: Buffer): void => {
    const keyLengthAt = payload.indexOf('key') - 1;
    payload[keyLengthAt] = 4;
  };
  assert.match(reasonAfter(events, edit), /columns: keys/);
});

test('body lengths whose sum wraps around at 2^32 are malformed', () => {
  const events = Array.from({ length: 9 }, (_, index) => ({ headers: {}, body: Buffer.alloc(index === 8 ? 7 : 0) }));
  const edit = (payload: Buffer): void => {
    for (let index = 0; index < 8; index++) payload.writeUInt32LE(2 ** 29, 16 + 4 * index);
  };
  assert.match(reasonAfter(events, edit), /lengths of the bodies/);
});

test('more than 1 GiB is malformed', () => {
  const payload = Buffer.alloc(payloadBytesMax + 16);
  payload.writeUInt32LE(payloadBytesMax / 2, 12);
  assert.equal(readEventBatch(payload, 2).kind, 'malformed');
});
