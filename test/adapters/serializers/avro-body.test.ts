/** The serializer for bodies that are Avro records: files read back with avsc, and where schemas come from. */
import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import test from 'node:test';
import { pathToFileURL } from 'node:url';
import avro from 'avsc';
import { avroBodySerializer } from '../../../src/adapters/serializers/avro-body.ts';
import type { Serializer } from '../../../src/agent/contracts/components.ts';
import { type DeliveredEvent, type Headers, MemoryChannel, type Sequence } from '../../../src/engine.ts';
import { readAvroFile } from '../../support/avro-files.ts';
import { tempDir } from '../../support/temp-dir.ts';
import { sinkOn, valuesOf } from '../contexts.ts';

const { context } = sinkOn(await MemoryChannel.open());
const make = (texts = {}): Serializer => avroBodySerializer.create(valuesOf(avroBodySerializer, texts), context);

const schema = JSON.stringify({ type: 'record', name: 'Point', fields: [{ name: 'x', type: 'int' }] });
const other = JSON.stringify({ type: 'record', name: 'Point', fields: [{ name: 'y', type: 'string' }] });
const point = avro.Type.forSchema(JSON.parse(schema));
const literal = { 'flume.avro.schema.literal': schema };

function event(x: number, headers: Headers): DeliveredEvent {
  return { headers, body: Buffer.from(point.toBuffer({ x })), sequence: x as Sequence };
}

async function pointsIn(bytes: Buffer): Promise<number[]> {
  return (await readAvroFile<{ x: number }>(bytes)).records.map(({ x }) => x);
}

test('bodies are the records of the file, under the schema in their header', async () => {
  for (const texts of [
    {},
    { syncIntervalBytes: '32' },
    { compressionCodec: 'deflate' },
    { compressionCodec: 'snappy' },
  ]) {
    const serializer = make(texts);
    const batches = [[], [1, 2, 3], Array.from({ length: 100 }, (_, index) => index)];
    const parts = batches.map((xs) => serializer.serialize(xs.map((x) => event(x, literal))));
    assert.deepEqual(await pointsIn(Buffer.concat([serializer.header(), ...parts])), batches.flat());
  }
});

test('blocks end at syncIntervalBytes', () => {
  const events = Array.from({ length: 128 }, () => event(1, literal));
  const blocksOf = (texts: object): number => {
    const bytes = make(texts).serialize(events).toString('latin1');
    // The mark stands behind the header of the file and behind each block.
    return bytes.split(bytes.slice(-16)).length - 2;
  };
  assert.equal(blocksOf({}), 1);
  // Each body is one byte.
  assert.equal(blocksOf({ syncIntervalBytes: '32' }), 4);
});

test('the schema may be a file: of the key, or of a header, which wins', async (t) => {
  const directory = await tempDir(t);
  const good = join(directory, 'good.avsc');
  const bad = join(directory, 'bad.avsc');
  await writeFile(good, schema);
  await writeFile(bad, 'no JSON');
  assert.deepEqual(await pointsIn(make({ schemaURL: good }).serialize([event(7, {})])), [7]);
  const byHeader = { 'flume.avro.schema.url': pathToFileURL(good).href, 'flume.avro.schema.literal': 'not used' };
  assert.deepEqual(await pointsIn(make({ schemaURL: bad }).serialize([event(8, byHeader)])), [8]);
  assert.throws(() => make({ schemaURL: bad }).serialize([event(1, {})]), /bad\.avsc is no JSON/);
  assert.throws(() => make({ schemaURL: `${bad}x` }).serialize([event(1, {})]), /cannot be read \(ENOENT\)/);
  assert.throws(() => make({ schemaURL: 'http://a/b' }).serialize([event(1, {})]), /only files can/);
  assert.throws(() => make().serialize([event(1, {})]), /an event has no schema: set schemaURL/);
});

test('an event of another schema is refused, and the file is as if it had not been asked', async () => {
  const serializer = make();
  const foreign = event(5, { 'flume.avro.schema.literal': other });
  assert.throws(() => serializer.serialize([event(1, literal), foreign]), /event 5 has another schema/);
  const first = serializer.serialize([event(1, literal)]);
  assert.throws(() => serializer.serialize([foreign]), /event 5 has another schema/);
  assert.deepEqual(await pointsIn(Buffer.concat([first, serializer.serialize([event(2, literal)])])), [1, 2]);
});
