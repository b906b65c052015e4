/** Avro container files that Avro's own classes wrote, with each codec, read by the spooldir source's deserializer. */
import assert from 'node:assert/strict';
import { open, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import test from 'node:test';
import { readableCodecs } from '../../src/adapters/sources/spooldir/avro-container.ts';
import { avroKind } from '../../src/adapters/sources/spooldir/avro-deserializer.ts';
import { tempDir } from '../support/temp-dir.ts';
import { askHadoop, assertSame, buildReader, skip } from './hadoop-jobs.ts';
import { serializedKinds } from './record-kinds.ts';

test('what Avro wrote with each codec is read from the beginning and from within a block', { skip }, async (t) => {
  const classPath = await buildReader(t);
  if (classPath === undefined) return;
  const directory = await tempDir(t);
  const given = join(directory, 'given');
  // Its bodies are the records themselves, as the deserializer gives them back.
  const kind = serializedKinds().find(({ name }) => name === 'DataStream, none, AvroEventSerializer, snappy');
  assert.ok(kind !== undefined);
  const writer = kind.make();
  assert.deepEqual(writer.add(kind.batches.flat()), []);
  await writeFile(given, Buffer.concat([writer.header(), await writer.flush()]));
  const pathOf = (codec: string): string => join(directory, `${codec}.avro`);
  await askHadoop(
    classPath,
    readableCodecs.map((codec) => ['rewrite', given, pathOf(codec), codec]),
  );
  const expected = kind.batches.flat().map(({ body }) => body.toString('hex'));
  for (const codec of readableCodecs) {
    const path = pathOf(codec);
    const handle = await open(path, 'r');
    t.after(() => handle.close());
    const { size } = await stat(path);
    for (const position of [0, 217]) {
      const reader = await avroKind('HASH').open({ handle, path, sizeBytes: size, headers: {} }, position);
      const found: string[] = [];
      const limits = { events: 100, until: Number.POSITIVE_INFINITY };
      for (let batch = await reader.read(limits); batch !== undefined; batch = await reader.read(limits)) {
        found.push(...batch.events.map(({ body }) => Buffer.from(body).toString('hex')));
      }
      assertSame(found, expected.slice(position), `${codec}, from ${position}`);
    }
  }
  t.diagnostic(`shows: spooldir: Avro files of codecs ${readableCodecs.join(', ')}, written by Avro's classes`);
});
