/** Record writers: what each flush gives, what is refused, and how a file is gone on with. */
import assert from 'node:assert/strict';
import test from 'node:test';
import { gunzipSync } from 'node:zlib';
import fc from 'fast-check';
import { avroBodySerializer } from '../../../../src/adapters/serializers/avro-body.ts';
import { avroEventSerializer } from '../../../../src/adapters/serializers/avro-event.ts';
import { headerAndTextSerializer } from '../../../../src/adapters/serializers/header-and-text.ts';
import { textSerializer } from '../../../../src/adapters/serializers/text.ts';
import { codecType } from '../../../../src/adapters/sinks/hdfs/compression.ts';
import { makeRecordWriter, type RecordFormat } from '../../../../src/adapters/sinks/hdfs/make-record-writer.ts';
import type { RecordWriter } from '../../../../src/adapters/sinks/hdfs/record-writer.ts';
import type { Serializer } from '../../../../src/agent/contracts/components.ts';
import { type DeliveredEvent, type Headers, MemoryChannel, type Sequence } from '../../../../src/engine.ts';
import { ManualClock } from '../../../support/manual-clock.ts';
import { sinkOn, valuesOf } from '../../contexts.ts';
import { readSequenceFile } from './sequence-reader.ts';

const { context } = sinkOn(await MemoryChannel.open());
const clock = new ManualClock();
const text = (): Serializer => textSerializer.create(valuesOf(textSerializer), context);
const headerAndText = (): Serializer => headerAndTextSerializer.create(valuesOf(headerAndTextSerializer), context);
const avroEvent = (): Serializer => avroEventSerializer.create(valuesOf(avroEventSerializer), context);
const avroBody = (): Serializer => avroBodySerializer.create(valuesOf(avroBodySerializer), context);
const noSerializer = (): Serializer => {
  throw new Error('a SequenceFile has no serializer');
};

function formatOf(fileType: RecordFormat['fileType'], codecName = 'none'): RecordFormat {
  const codec = codecType.parse(codecName);
  assert.ok('value' in codec);
  return { fileType, writeFormat: 'Writable', codec: codec.value, clock };
}

let sequence = 0;

function event(body: string | Buffer, headers: Headers = {}): DeliveredEvent {
  sequence += 1;
  return { headers, body: Buffer.from(body), sequence: sequence as Sequence };
}

/** Adds nothing that is refused. */
function addAll(writer: RecordWriter, events: readonly DeliveredEvent[]): void {
  assert.deepEqual(writer.add(events), []);
}

test("DataStream: the serializer's bytes, at once or in parts", async () => {
  const events = [event('a', { h: '1' }), event(''), event('b'), event('c')];
  for (const make of [text, headerAndText]) {
    const expected = make().serialize(events).toString();
    const writer = makeRecordWriter(formatOf('DataStream', 'gzip'), make);
    const parts = [writer.header(), await writer.flush()];
    addAll(writer, events.slice(0, 3));
    assert.equal(writer.waitingBytes, make().serialize(events.slice(0, 3)).length);
    const flushing = writer.flush();
    assert.equal(writer.waitingBytes, 0);
    addAll(writer, events.slice(3));
    parts.push(await flushing, await writer.flush(), await writer.flush());
    assert.equal(Buffer.concat(parts).toString(), expected);
    assert.deepEqual(
      parts.map(({ length }) => length === 0),
      [true, true, false, false, true],
    );
  }
});

test("what was added is kept while the channel's bytes change", async () => {
  for (const fileType of ['DataStream', 'CompressedStream', 'SequenceFile'] as const) {
    const writer = makeRecordWriter(formatOf(fileType, fileType === 'CompressedStream' ? 'gzip' : 'none'), text);
    const body = Buffer.from('before');
    addAll(writer, [{ headers: {}, body, sequence: 1 as Sequence }]);
    body.fill('x');
    const bytes = await writer.flush();
    assert.match((fileType === 'CompressedStream' ? gunzipSync(bytes) : bytes).toString('latin1'), /before/);
  }
});

test('CompressedStream: each flush is compressed by itself, the header with the first', async () => {
  const events = [event('a'.repeat(1000)), event('b'), event('c')];
  const writer = makeRecordWriter(formatOf('CompressedStream', 'gzip'), avroEvent);
  assert.equal(writer.header().length, 0);
  addAll(writer, events.slice(0, 2));
  const first = await writer.flush();
  assert.equal(gunzipSync(first).subarray(0, 4).toString('latin1'), 'Obj\x01');
  assert.ok(first.length < 500);
  assert.equal((await writer.flush()).length, 0);
  addAll(writer, events.slice(2));
  // One record of three bytes: no headers, a body of one.
  assert.deepEqual([...gunzipSync(await writer.flush()).subarray(0, 5)], [2, 6, 0, 2, 0x63]);
  assert.throws(() => makeRecordWriter(formatOf('CompressedStream'), text), /CompressedStream has no codec/);
});

test('a file of lines is gone on with; an Avro file cannot be', async () => {
  for (const fileType of ['DataStream', 'CompressedStream'] as const) {
    const format = formatOf(fileType, 'gzip');
    const begun = makeRecordWriter(format, text);
    const { continuation } = begun;
    assert.equal(continuation, '');
    const more = makeRecordWriter(format, text, continuation);
    addAll(more, [event('more')]);
    const bytes = await more.flush();
    assert.equal((fileType === 'DataStream' ? bytes : gunzipSync(bytes)).toString(), 'more\n');
    assert.throws(() => makeRecordWriter(format, text, 'other'), RangeError);
    for (const make of [avroEvent, avroBody]) {
      assert.equal(makeRecordWriter(format, make).continuation, undefined);
      assert.throws(() => makeRecordWriter(format, make, ''), /cannot be gone on with/);
    }
  }
});

test('a header stands at the start of a new file only', async () => {
  const titled: Serializer = {
    header: () => Buffer.from('title\n'),
    serialize: (events) => text().serialize(events),
    canReopen: true,
  };
  for (const [continuation, expected] of [
    [undefined, 'title\na\n'],
    ['', 'a\n'],
  ] as const) {
    const writer = makeRecordWriter(formatOf('CompressedStream', 'gzip'), () => titled, continuation);
    addAll(writer, [event('a')]);
    assert.equal(gunzipSync(await writer.flush()).toString(), expected);
  }
});

test('a SequenceFile is gone on with under its own sync', async () => {
  const format = formatOf('SequenceFile', 'deflate');
  const begun = makeRecordWriter(format, noSerializer);
  const { continuation } = begun;
  assert.match(continuation ?? '', /^[0-9a-f]{32}$/);
  assert.notEqual(makeRecordWriter(format, noSerializer).continuation, continuation);
  addAll(begun, [event('first')]);
  const more = makeRecordWriter(format, noSerializer, continuation);
  assert.equal(more.continuation, continuation);
  addAll(more, [event('second')]);
  const { records } = readSequenceFile(Buffer.concat([begun.header(), await begun.flush(), await more.flush()]));
  assert.deepEqual(
    records.map(({ body }) => body.toString()),
    ['first', 'second'],
  );
  for (const wrong of ['', 'abc', continuation?.toUpperCase().replace(/./, 'G')]) {
    assert.throws(() => makeRecordWriter(format, noSerializer, wrong), /SequenceFile cannot be gone on with/);
  }
});

test("a SequenceFile's keys are the times of the events, or now", async () => {
  const writer = makeRecordWriter(formatOf('SequenceFile'), noSerializer);
  const times = ['0', '-1', '+1700000000000', '8000000000000000'];
  const malformed = ['', 'abc', '1.5', '99999999999999999999', '1e3'];
  const bad = malformed.map((timestamp) => event('bad', { timestamp }));
  const good = [...times.map((timestamp) => event('good', { timestamp })), event('', { Timestamp: '5' })];
  const refused = writer.add([...bad, ...good]);
  assert.deepEqual(
    refused.map((each) => each.event),
    bad,
  );
  assert.match(refused[1]?.reason ?? '', /^its header timestamp is "abc", no time in ms, .* remove it/);
  const { records } = readSequenceFile(Buffer.concat([writer.header(), await writer.flush()]));
  assert.deepEqual(
    records.map(({ timestampMs }) => timestampMs),
    [0, -1, 1.7e12, 8e15, clock.wallMs()],
  );
});

test('bodies that no length in a SequenceFile holds are refused, before anything is copied', () => {
  const huge = { headers: {}, body: Buffer.alloc(2 ** 31 - 1 - 8 - 4), sequence: 1 as Sequence };
  for (const [codec, limit] of [
    ['none', 2 ** 31 - 14],
    ['snappy', 1.5 * 2 ** 30],
  ] as const) {
    const writer = makeRecordWriter(formatOf('SequenceFile', codec), noSerializer);
    const [refused, ...others] = writer.add([huge, event('')]);
    assert.deepEqual(others, []);
    assert.equal(refused?.event, huge);
    assert.match(refused?.reason ?? '', new RegExp(`has ${2 ** 31 - 13} bytes, .* holds ${limit}: .* DataStream$`));
    // Also an empty body is something that waits.
    assert.ok(writer.waitingBytes > 0);
  }
});

test('an event that the serializer refuses comes back with the reason; the others are taken, in order', async () => {
  const refusing: Serializer = {
    header: () => Buffer.from('header\n'),
    serialize: (events) => {
      if (events.some(({ body }) => body.includes('bad'))) throw new Error('it is bad: mend it');
      return text().serialize(events);
    },
    canReopen: true,
  };
  const writer = makeRecordWriter(formatOf('DataStream'), () => refusing);
  const events = ['bad 1', 'a', 'b', 'bad 2', 'c', 'bad 3'].map((body) => event(body));
  assert.deepEqual(
    writer.add(events),
    [events[0], events[3], events[5]].map((bad) => ({
      event: bad,
      reason: 'its serializer refuses it: it is bad: mend it',
    })),
  );
  assert.equal(Buffer.concat([writer.header(), await writer.flush()]).toString(), 'header\na\nb\nc\n');
});

test('an Avro body without a schema is refused, and the file begins with the first that has one', async () => {
  const writer = makeRecordWriter(formatOf('DataStream'), avroBody);
  const good = event('\x02', { 'flume.avro.schema.literal': '"int"' });
  const [refused, ...others] = writer.add([event('\x02'), good]);
  assert.deepEqual(others, []);
  assert.match(refused?.reason ?? '', /refuses it: an event has no schema: set schemaURL/);
  addAll(writer, [good]);
  const bytes = (await writer.flush()).toString('latin1');
  assert.equal(bytes.split('Obj\x01').length, 2);
  assert.ok(bytes.startsWith('Obj\x01'));
});

test('however events are split into adds and flushes, a SequenceFile holds each once, in order', async () => {
  const splits = fc.array(fc.array(fc.uint8Array({ maxLength: 50 }), { maxLength: 5 }), { maxLength: 10 });
  const property = fc.asyncProperty(splits, fc.constantFrom('none', 'deflate'), async (adds, codec) => {
    const writer = makeRecordWriter(formatOf('SequenceFile', codec), noSerializer);
    const parts = [writer.header()];
    for (const bodies of adds) {
      addAll(
        writer,
        bodies.map((body) => event(Buffer.from(body))),
      );
      if (bodies.length % 2 === 0) parts.push(await writer.flush());
    }
    parts.push(await writer.flush());
    const { records } = readSequenceFile(Buffer.concat(parts));
    assert.deepEqual(
      records.map(({ body }) => body.toString('hex')),
      adds.flat().map((body) => Buffer.from(body).toString('hex')),
    );
  });
  await fc.assert(property);
});
