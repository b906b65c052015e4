/** AVRO and BLOB: files of another writer, read from any position on. */
import assert from 'node:assert/strict';
import { open, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import test, { type TestContext } from 'node:test';
import avsc from 'avsc';
import { avroKind } from '../../../../src/adapters/sources/spooldir/avro-deserializer.ts';
import { schemaFingerprint } from '../../../../src/adapters/sources/spooldir/avro-fingerprint.ts';
import { blobKind } from '../../../../src/adapters/sources/spooldir/blob-deserializer.ts';
import type { DeserializerKind } from '../../../../src/adapters/sources/spooldir/deserializer.ts';
import { compressAvroSnappy } from '../../../../src/agent/contracts/formats/avro-snappy.ts';
import type { Event } from '../../../../src/engine.ts';
import { tempDir } from '../../../support/temp-dir.ts';

const type = avsc.Type.forSchema({
  type: 'record',
  name: 'Line',
  namespace: 'logs',
  doc: 'is not in the canonical form',
  fields: [
    { name: 'number', type: 'long' },
    { name: 'text', type: ['null', 'string'], default: null },
    { name: 'tags', type: { type: 'array', items: 'string' } },
  ],
});
const records = Array.from({ length: 1000 }, (_, number) => ({
  number,
  text: number % 3 === 0 ? null : `line ${number}`,
  tags: ['a', 'b'].slice(number % 3),
}));

async function container(codec: string, blockSize = 2000): Promise<Buffer> {
  const snappy = (plain: Buffer, done: (error?: Error, stored?: Buffer) => void): void =>
    done(undefined, compressAvroSnappy(plain));
  const codecs = { ...avsc.streams.BlockEncoder.defaultCodecs(), snappy };
  const encoder = new avsc.streams.BlockEncoder(type, { codec, codecs, blockSize, writeHeader: true });
  const chunks: Buffer[] = [];
  encoder.on('data', (chunk: Buffer) => chunks.push(chunk));
  const ended = new Promise((resolve) => encoder.on('end', resolve));
  for (const record of records) encoder.write(record);
  encoder.end();
  await ended;
  return Buffer.concat(chunks);
}

async function readAll(t: TestContext, kind: DeserializerKind, content: Buffer, position = 0, events = 64) {
  const path = join(await tempDir(t), 'file');
  await writeFile(path, content);
  const handle = await open(path, 'r');
  t.after(() => handle.close());
  const file = { handle, path, sizeBytes: content.length, headers: { h: '1' } };
  const found: Event[] = [];
  let error: unknown;
  let offset = 0;
  let isLast = false;
  try {
    const reader = await kind.open(file, position);
    const limits = { events, until: Number.POSITIVE_INFINITY };
    for (let batch = await reader.read(limits); batch !== undefined; batch = await reader.read(limits)) {
      found.push(...batch.events);
      offset = reader.flumeOffsetOf(batch.to - 1);
      isLast = batch.isLast;
    }
  } catch (caught) {
    error = caught;
  }
  return { events: found, error, file, offset, isLast };
}

for (const codec of ['null', 'deflate', 'snappy']) {
  test(`AVRO: each record's own bytes, from any record on; codec ${codec}`, async (t) => {
    const content = await container(codec);
    for (const position of [0, 1, 499, 999, 1000]) {
      const { events, error, isLast } = await readAll(t, avroKind('HASH'), content, position);
      assert.equal(error, undefined);
      assert.deepEqual(
        events.map(({ body }) => type.fromBuffer(Buffer.from(body))).map(({ number }) => number),
        records.slice(position).map(({ number }) => number),
      );
      assert.equal(isLast, position < 1000);
      for (const { body, headers } of events) {
        assert.deepEqual(Buffer.from(body), type.toBuffer(type.fromBuffer(Buffer.from(body))));
        assert.deepEqual(headers, { h: '1', 'flume.avro.schema.hash': schemaFingerprint(type) });
      }
    }
  });
}

test('AVRO: the literal schema, and Flume’s offset of a position and back', async (t) => {
  const content = await container('null');
  const { events, file, offset } = await readAll(t, avroKind('LITERAL'), content);
  assert.deepEqual(
    JSON.parse(events[0]?.headers['flume.avro.schema.literal'] ?? ''),
    type.schema({ exportAttrs: true }),
  );
  // Flume goes on at a block: of the last record it is that of the last block.
  const position = await avroKind('HASH').positionOf(file, offset);
  assert.ok(position > 900 && position < 1000, `${position}`);
  assert.equal(await avroKind('HASH').positionOf(file, 0), 0);
});

test('AVRO: the fingerprints of the specification', () => {
  // Of Avro's own test suite (share/test/data/schema-tests.txt), the lowest byte first.
  const known = { '"int"': '8f5c393f1ad57572', '"long"': 'b71df49344e154d0', '"string"': 'c70345637248018f' };
  for (const [schema, hash] of Object.entries(known)) {
    assert.equal(schemaFingerprint(avsc.Type.forSchema(JSON.parse(schema))), hash);
  }
});

test('AVRO: the fingerprint that Flume 1.11 puts into the header', () => {
  const fixed = { type: 'fixed', name: 'F', size: 2 } as const;
  const fields = [
    { name: 'n', type: 'long', default: 0 },
    { name: 't', type: ['null', 'string'], doc: 'é' },
    { name: 'm', type: { type: 'map', values: fixed } },
    { name: 'g', type: 'F' },
  ];
  const schema = { type: 'record', name: 'Line', namespace: 'logs', doc: 'd', aliases: ['Old'], fields };
  assert.equal(schemaFingerprint(avsc.Type.forSchema(JSON.parse(JSON.stringify(schema)))), '6782c8cc6898c597');
});

test('AVRO: damage costs nothing before it, and is named', async (t) => {
  const content = await container('null');
  const damaged = Buffer.from(content);
  damaged.fill(0xff, content.length - 30);
  const { events, error, isLast } = await readAll(t, avroKind('HASH'), damaged);
  assert.ok(events.length > 900 && events.length < 1000, `${events.length}`);
  assert.match(String(error), /damaged/);
  assert.equal(isLast, false);
  const cut = await readAll(t, avroKind('HASH'), content.subarray(0, content.length - 10));
  assert.match(String(cut.error), /damaged or unfinished Avro block at byte/);
  assert.ok(cut.events.length > 900);
  assert.match(
    String((await readAll(t, avroKind('HASH'), Buffer.from('text\n'))).error),
    /is no Avro object container/,
  );
  assert.match(String((await readAll(t, avroKind('HASH'), Buffer.alloc(0))).error), /is no Avro object container/);
  assert.match(
    String((await readAll(t, avroKind('HASH'), content.subarray(0, 40))).error),
    /ends within its Avro header/,
  );
});

for (const codec of ['null', 'snappy']) {
  test(`AVRO: no claimed size is believed; codec ${codec}`, async (t) => {
    const content = await container(codec);
    for (let at = 0; at < content.length; at += 29) {
      const flipped = Buffer.from(content);
      flipped[at] = (flipped[at] ?? 0) ^ 0x91;
      const { error } = await readAll(t, avroKind('HASH'), flipped, 0, 500);
      assert.ok(error === undefined || (error as Error).name === 'FileProblem', `byte ${at}: ${String(error)}`);
    }
  });
}

test('AVRO: a snappy block with a wrong checksum is damaged, and a codec that is not read is named', async (t) => {
  const content = await container('snappy');
  // In front of the sync mark: the last block's checksum.
  const checksumAt = content.length - 17;
  content[checksumAt] = (content[checksumAt] ?? 0) ^ 1;
  const { events, error } = await readAll(t, avroKind('HASH'), content);
  assert.ok(events.length > 900 && events.length < 1000, `${events.length}`);
  assert.match(String(error), /damaged Avro block at byte \d+: its checksum does not hold/);
  const other = Buffer.from((await container('snappy')).toString('latin1').replace('snappy', 'bzipp2'), 'latin1');
  const refused = await readAll(t, avroKind('HASH'), other);
  assert.match(String(refused.error), /with the codec 'bzipp2': rewrite it with null, deflate, snappy/);
});

test('BLOB: a file is an event, or several', async (t) => {
  const content = Buffer.from('0123456789');
  const one = await readAll(t, blobKind(100), content);
  assert.deepEqual(
    one.events.map(({ body }) => String(body)),
    ['0123456789'],
  );
  const several = await readAll(t, blobKind(4), content, 4, 1);
  assert.deepEqual(
    several.events.map(({ body }) => String(body)),
    ['4567', '89'],
  );
  assert.equal(several.isLast, true);
});
