/** The serializers: exact bytes, Avro files read back with another Avro library, any events, and speed. */
import assert from 'node:assert/strict';
import test from 'node:test';
import fc from 'fast-check';
import { avroEventSerializer } from '../../../src/adapters/serializers/avro-event.ts';
import { headerAndTextSerializer } from '../../../src/adapters/serializers/header-and-text.ts';
import { textSerializer } from '../../../src/adapters/serializers/text.ts';
import type { Serializer } from '../../../src/agent/contracts/components.ts';
import type { DeliveredEvent, Headers, Sequence } from '../../../src/engine.ts';
import { MemoryChannel } from '../../../src/engine.ts';
import { readAvroFile } from '../../support/avro-files.ts';
import { problemsOf, sinkOn, valuesOf } from '../contexts.ts';

const { context } = sinkOn(await MemoryChannel.open());
const text = (texts = {}): Serializer => textSerializer.create(valuesOf(textSerializer, texts), context);
const headerAndText = (texts = {}): Serializer =>
  headerAndTextSerializer.create(valuesOf(headerAndTextSerializer, texts), context);
const avroEvent = (texts = {}): Serializer => avroEventSerializer.create(valuesOf(avroEventSerializer, texts), context);

function event(body: string | Uint8Array, headers: Headers = {}): DeliveredEvent {
  return { headers, body: Buffer.from(body), sequence: 1 as Sequence };
}

const anyEvents = fc.array(
  fc.record({
    headers: fc.dictionary(fc.string({ unit: 'grapheme' }), fc.string({ unit: 'grapheme' }), { noNullPrototype: true }),
    body: fc.uint8Array({ maxLength: 300 }).map((bytes) => Buffer.from(bytes)),
    sequence: fc.constant(1 as Sequence),
  }),
);

test('text: bodies as they are, each with a line feed or none', () => {
  const events = [event('a b\r'), event(''), event(Buffer.from([0xff, 0]))];
  assert.deepEqual(text().serialize(events), Buffer.from('a b\r\n\n\xff\0\n', 'latin1'));
  assert.deepEqual(text({ appendNewline: 'false' }).serialize(events), Buffer.from('a b\r\xff\0', 'latin1'));
  assert.equal(text().header().length, 0);
});

test('text and header_and_text: any events, in one call or several', () => {
  fc.assert(
    fc.property(anyEvents, fc.nat(), (events, at) => {
      const plain = events.flatMap(({ body }) => [body, Buffer.from('\n')]);
      assert.deepEqual(text().serialize(events), Buffer.concat(plain));
      const serializer = headerAndText();
      const cut = events.length === 0 ? 0 : at % events.length;
      const parts = [serializer.serialize(events.slice(0, cut)), serializer.serialize(events.slice(cut))];
      const expected = events.flatMap(({ headers, body }) => {
        const pairs = Object.entries(headers).map(([name, value]) => `${name}=${value}`);
        return [Buffer.from(`{${pairs.join(', ')}} `), body, Buffer.from('\n')];
      });
      assert.deepEqual(Buffer.concat(parts), Buffer.concat(expected));
    }),
  );
});

test('header_and_text: headers as Java writes a map', () => {
  const shared = { host: 'a', n: '1' };
  const events = [event('x', shared), event('y', shared), event('z'), event('ü', { n: '2' })];
  assert.equal(headerAndText().serialize(events).toString(), '{host=a, n=1} x\n{host=a, n=1} y\n{} z\n{n=2} ü\n');
  assert.equal(headerAndText({ appendNewline: 'false' }).serialize(events.slice(2)).toString(), '{} z{n=2} ü');
});

test('avro_event: Flume’s schema and any events, read back with avsc', async () => {
  for (const compressionCodec of ['null', 'deflate', 'snappy']) {
    await fc.assert(
      fc.asyncProperty(fc.array(anyEvents, { maxLength: 3 }), async (batches) => {
        // The reader, avsc, puts maps into plain objects, where this one name is no property.
        fc.pre(batches.flat().every(({ headers }) => !Object.hasOwn(headers, '__proto__')));
        const serializer = avroEvent({ compressionCodec, syncIntervalBytes: '64' });
        const file = Buffer.concat([serializer.header(), ...batches.map((events) => serializer.serialize(events))]);
        const { records, schema, codec } = await readAvroFile<{ headers: Headers; body: Buffer }>(file);
        assert.equal(codec, compressionCodec);
        assert.deepEqual(
          records.map(({ headers, body }) => ({ headers: { ...headers }, body: Buffer.from(body) })),
          batches.flat().map(({ headers, body }) => ({ headers: { ...headers }, body })),
        );
        assert.deepEqual(schema, {
          type: 'record',
          name: 'Event',
          fields: [
            { name: 'headers', type: { type: 'map', values: 'string' } },
            { name: 'body', type: 'bytes' },
          ],
        });
      }),
      { numRuns: 50 },
    );
  }
});

test('avro_event: the header has Flume’s order of metadata', () => {
  const header = avroEvent().header().toString('latin1');
  const [schemaAt, codecAt] = [header.indexOf('avro.schema'), header.indexOf('avro.codec')];
  assert.ok(schemaAt > 0 && codecAt > schemaAt, header);
});

test('avro_event: blocks end at syncIntervalBytes and with each call; deflate and snappy are smaller', () => {
  const events = Array.from({ length: 100 }, () => event('x'.repeat(99)));
  const blocksOf = (texts: object): number => {
    const serializer = avroEvent(texts);
    const sync = serializer.header().subarray(-16);
    return serializer.serialize(events).toString('latin1').split(sync.toString('latin1')).length - 1;
  };
  assert.equal(blocksOf({}), 1);
  // Each takes 1 + 2 + 99 bytes.
  assert.equal(blocksOf({ syncIntervalBytes: '1020' }), 10);
  assert.equal(blocksOf({ syncIntervalBytes: '1021' }), 10);
  assert.equal(blocksOf({ syncIntervalBytes: '1019' }), 10);
  assert.equal(blocksOf({ syncIntervalBytes: '102' }), 100);
  const plain = avroEvent().serialize(events).length;
  for (const compressionCodec of ['deflate', 'snappy']) {
    assert.ok(avroEvent({ compressionCodec }).serialize(events).length < plain / 10, compressionCodec);
  }
  assert.equal(avroEvent().serialize([]).length, 0);
});

test('avro_event: a codec that cannot be written is refused, one that does not exist is none', () => {
  assert.match(problemsOf(avroEventSerializer, { compressionCodec: 'bzip2' }).join(), /'bzip2' cannot be written: use/);
  assert.throws(() => avroEvent({ compressionCodec: 'Deflate' }), /counts as null/);
});

test('a million events a second and more', () => {
  const events = Array.from({ length: 10_000 }, (_, index) => event(`${index}`.padEnd(200, 'x')));
  const serializer = text();
  const rates = Array.from({ length: 20 }, () => {
    const startMs = performance.now();
    serializer.serialize(events);
    return events.length / (performance.now() - startMs);
  });
  const best = Math.max(...rates) * 1000;
  assert.ok(best > 1_000_000, `${Math.round(best)} events/s`);
});
