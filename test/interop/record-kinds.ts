/** Every kind of file that the hdfs sink's record writers make, and how HadoopReader shows what is in it. */
import assert from 'node:assert/strict';
import avro from 'avsc';
import { avroBodySerializer } from '../../src/adapters/serializers/avro-body.ts';
import { avroEventSerializer } from '../../src/adapters/serializers/avro-event.ts';
import { headerAndTextSerializer } from '../../src/adapters/serializers/header-and-text.ts';
import { textSerializer } from '../../src/adapters/serializers/text.ts';
import { makeRecordWriter, type RecordFormat } from '../../src/adapters/sinks/hdfs/make-record-writer.ts';
import type { RecordWriter } from '../../src/adapters/sinks/hdfs/record-writer.ts';
import type { Serializer } from '../../src/agent/contracts/components.ts';
import { systemClock } from '../../src/base/clock.ts';
import { type DeliveredEvent, MemoryChannel, type Sequence } from '../../src/engine.ts';
import { sinkOn, valuesOf } from '../adapters/contexts.ts';
import { SeededRandom } from '../support/seeded-random.ts';
import { codecNames, codecOf } from './hadoop-jobs.ts';

/** As a sink adds and flushes them. */
export type Batches = readonly (readonly DeliveredEvent[])[];

/** One kind of file, and how Hadoop shows an event of it. */
export interface Kind {
  readonly name: string;
  /** Of a sink that writes such files. */
  readonly keys: Readonly<Record<string, string>>;
  readonly suffix: string;
  readonly job: 'sequence' | 'lines' | 'avro';
  readonly make: (continuation?: string) => RecordWriter;
  /** What goes into a file. */
  readonly batches: Batches;
  readonly shown: (event: DeliveredEvent) => string;
}

const { context } = sinkOn(await MemoryChannel.open());
/** Of `lineType`. */
const schema = { type: 'record' as const, name: 'Line', fields: [{ name: 'line', type: 'bytes' as const }] };
/** Several to a file. */
const blocks = { syncIntervalBytes: '4000' };
/** As the example of Flume's user guide has it. */
const snappyBlocks = { compressionCodec: 'snappy', ...blocks };
/** Of what AvroEventSerializer writes. */
export const lineType: avro.Type = avro.Type.forSchema(schema);

/** No line ends in them, which LineReader would end a line at. The long ones are longer than a codec's buffer. */
function makeEvents(): readonly DeliveredEvent[] {
  const random = new SeededRandom(23);
  const noise = (length: number): Buffer => Buffer.from(random.bytes(length).map((byte) => byte | 0x20));
  const lines = Array.from({ length: 400 }, (_, index) =>
    Buffer.from(index % 40 === 0 ? '' : `${index} GET /item/${random.below(1000)} ${'x'.repeat(random.below(500))} ü`),
  );
  const bodies = [...lines.slice(0, 200), Buffer.alloc(600_000, 'repeats '), noise(300_000), ...lines.slice(200)];
  return bodies.map((body, index) => ({
    headers: { timestamp: `${1_700_000_000_000 + index}`, host: `web-${index % 3}`, ü: 'ß=, ' },
    body,
    sequence: index as Sequence,
  }));
}

const events = makeEvents();
const several: Batches = [events.slice(0, 1), events.slice(1, 150), [], events.slice(150, 250), events.slice(250)];

const hex = (text: string | Buffer): string => Buffer.from(text).toString('hex');

interface SerializerKind extends Pick<Kind, 'keys' | 'job' | 'batches' | 'shown'> {
  readonly make: () => Serializer;
}

const serializers: Readonly<Record<string, SerializerKind>> = {
  text: {
    keys: { serializer: 'text' },
    job: 'lines',
    batches: several,
    make: () => textSerializer.create(valuesOf(textSerializer), context),
    shown: ({ body }) => hex(body),
  },
  header_and_text: {
    keys: { serializer: 'header_and_text' },
    job: 'lines',
    batches: several,
    make: () => headerAndTextSerializer.create(valuesOf(headerAndTextSerializer), context),
    shown: ({ headers, body }) => {
      const pairs = Object.entries(headers).map(([name, value]) => `${name}=${value}`);
      return hex(`{${pairs.join(', ')}} `) + hex(body);
    },
  },
  avro_event: avroEvents('null'),
  'avro_event, deflate': avroEvents('deflate'),
  'avro_event, snappy': avroEvents('snappy'),
  'AvroEventSerializer, snappy': {
    keys: {
      serializer: 'org.apache.flume.sink.hdfs.AvroEventSerializer$Builder',
      'serializer.compressionCodec': snappyBlocks.compressionCodec,
    },
    job: 'avro',
    batches: several.map((batch) => batch.map(encoded)),
    make: () => avroBodySerializer.create(valuesOf(avroBodySerializer, snappyBlocks), context),
    shown: ({ body }) => hex(lineType.fromBuffer(body).line),
  },
};

function avroEvents(compressionCodec: string): SerializerKind {
  const texts = { compressionCodec, ...blocks };
  return {
    keys: { serializer: 'avro_event', 'serializer.compressionCodec': compressionCodec },
    job: 'avro',
    batches: several,
    make: () => avroEventSerializer.create(valuesOf(avroEventSerializer, texts), context),
    shown: ({ headers, body }) => {
      const pairs = Object.entries(headers).map(([name, value]) => `${hex(name)}=${hex(value)}`);
      return `${pairs.sort().join(',')}\t${hex(body)}`;
    },
  };
}

/** AvroEventSerializer takes bodies that are records already. */
export function encoded(event: DeliveredEvent): DeliveredEvent {
  const headers = { ...event.headers, 'flume.avro.schema.literal': JSON.stringify(schema) };
  return { ...event, headers, body: Buffer.from(lineType.toBuffer({ line: event.body })) };
}

/** Each serializer, as it is and with each codec. */
export function serializedKinds(): Kind[] {
  return Object.entries(serializers).flatMap(([serializer, { make, keys, ...shared }]) =>
    ['none', ...codecNames].map((codecName) => {
      const codec = codecName === 'none' ? undefined : codecOf(codecName);
      const fileType = codec === undefined ? 'DataStream' : 'CompressedStream';
      const format: RecordFormat = { fileType, writeFormat: 'Writable', codec, clock: systemClock };
      return {
        ...shared,
        keys: { ...keys, 'hdfs.fileType': fileType, ...(codec === undefined ? {} : { 'hdfs.codeC': codecName }) },
        name: `${fileType}, ${codecName}, ${serializer}`,
        suffix: codec?.suffix ?? '',
        make: (continuation) => makeRecordWriter(format, make, continuation),
      } satisfies Kind;
    }),
  );
}

/** Each format of values, as it is and with each codec. */
export function sequenceKinds(): Kind[] {
  const noSerializer = (): Serializer => assert.fail('a SequenceFile has no serializer');
  return ['none', ...codecNames].flatMap((codecName) =>
    (['Writable', 'Text'] as const).map((writeFormat) => {
      const codec = codecName === 'none' ? undefined : codecOf(codecName);
      const format: RecordFormat = { fileType: 'SequenceFile', writeFormat, codec, clock: systemClock };
      return {
        name: `SequenceFile, ${codecName}, ${writeFormat}`,
        keys: { 'hdfs.fileType': 'SequenceFile', 'hdfs.writeFormat': writeFormat, 'hdfs.codeC': codecName },
        suffix: codec?.suffix ?? '',
        job: 'sequence',
        batches: several,
        make: (continuation) => makeRecordWriter(format, noSerializer, continuation),
        shown: ({ headers, body }) => `${headers['timestamp']}\t${hex(body)}`,
      } satisfies Kind;
    }),
  );
}
