/** The bytes of a payload are pinned: what one version wrote, every later one must read. */
import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import test from 'node:test';
import type { Event } from '../../src/event/event.ts';
import { decode, encode, plainEvents } from './event-batch-support.ts';

const cases: readonly { name: string; events: Event[]; notes?: Buffer }[] = [
  {
    name: 'columns-and-notes',
    events: [1, 2, 3].map((number) => ({
      headers: { host: 'web-1', timestamp: `170000000${number}` },
      body: Buffer.from('x'.repeat(number)),
    })),
    notes: Buffer.from('note'),
  },
  {
    name: 'rows-by-reference',
    events: ['a', 'ü', 'a', ''].map((value) => ({
      headers: value === '' ? { other: '' } : { name: value, b: 'c' },
      body: Buffer.from('same'),
    })),
  },
  { name: 'no-headers', events: [{ headers: {}, body: Buffer.from('only') }] },
];

/** What the file holds behind its line of dashes: bytes in hex, 16 to a line. */
function readGolden(url: URL): Buffer {
  const [, hex = ''] = readFileSync(url, 'utf8').split('----\n');
  return Buffer.from(hex.replaceAll(/\s/g, ''), 'hex');
}

function render(name: string, payload: Buffer, count: number): string {
  const lines = payload.toString('hex').match(/.{1,32}/g) ?? [];
  const rows = lines.map((line) => (line.match(/../g) ?? []).join(' '));
  return [`event batch ${name}, ${count} events, codec 1`, '----', ...rows, ''].join('\n');
}

for (const { name, events, notes } of cases) {
  test(`${name} is written and read as ever`, () => {
    const url = new URL(`../golden/codec/event-batch-${name}.txt`, import.meta.url);
    const payload = encode(events, notes);
    if (process.env['FOREBAY_GOLDEN_UPDATE'] === '1') writeFileSync(url, render(name, payload, events.length));
    const golden = readGolden(url);
    assert.equal(payload.toString('hex'), golden.toString('hex'));
    const batch = decode(golden, events.length);
    assert.deepEqual(plainEvents(batch.deliver(0, events.length, 1)), plainEvents(events));
    assert.deepEqual(batch.notes, notes);
  });
}
