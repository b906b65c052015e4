/** What events weigh: exactly their UTF-8, however headers are shared. */
import assert from 'node:assert/strict';
import { it } from 'node:test';
import { bytesOver, eventsBytes } from '../../src/channel/event-bytes.ts';
import type { Event } from '../../src/event/event.ts';

const shared = { host: 'ü' };
const events: Event[] = [
  { headers: shared, body: Buffer.alloc(10) },
  { headers: shared, body: Buffer.alloc(0) },
  { headers: { a: 'x'.repeat(100), b: '' }, body: Buffer.alloc(1) },
  { headers: {}, body: Buffer.alloc(5) },
];
const exact = 10 + 6 + 6 + 102 + 1 + 5;

it('events weigh their bodies and their headers in UTF-8', () => {
  assert.equal(eventsBytes(events), exact);
  assert.equal(eventsBytes([]), 0);
});

it('events are over a limit or not, to the byte', () => {
  assert.equal(bytesOver(events, exact), undefined);
  assert.equal(bytesOver(events, exact - 1), exact);
  assert.equal(bytesOver(events, 2 ** 30), undefined);
});
