/**
 * Every file type × codec × serializer of the hdfs sink's record writers, as files of this machine, read by Hadoop's
 * and Avro's own classes: written at once, in many flushes, closed and gone on with, and cut where a flush ended.
 */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import test from 'node:test';
import { localFileSystem } from '../../src/adapters/sinks/hdfs/local-file-system.ts';
import type { RecordWriter } from '../../src/adapters/sinks/hdfs/record-writer.ts';
import type { DeliveredEvent } from '../../src/engine.ts';
import { tempDir } from '../support/temp-dir.ts';
import { askHadoop, assertSame, buildReader, readAnswer, skip } from './hadoop-jobs.ts';
import { type Batches, type Kind, sequenceKinds, serializedKinds } from './record-kinds.ts';

/** Makes a file. @returns what must be in it; undefined where such files cannot be made so. */
type Way = (kind: Kind, path: string) => Promise<readonly DeliveredEvent[] | undefined>;

const files = localFileSystem();

async function flushInto(
  writer: RecordWriter,
  batches: Batches,
  write: (bytes: Buffer) => Promise<void>,
): Promise<void> {
  for (const batch of batches) {
    assert.deepEqual(writer.add(batch), []);
    await write(await writer.flush());
  }
}

async function begin({ make }: Kind, path: string, batches: Batches): Promise<RecordWriter> {
  const writer = make();
  const stream = await files.create(path);
  assert.ok(stream !== undefined);
  await stream.write(writer.header());
  await flushInto(writer, batches, (bytes) => stream.write(bytes));
  await stream.end();
  return writer;
}

async function goOn(writer: RecordWriter, path: string, batches: Batches): Promise<void> {
  const stream = await files.append(path);
  await flushInto(writer, batches, (bytes) => stream.write(bytes));
  await stream.end();
}

const ways: Readonly<Record<string, Way>> = {
  'at once': async (kind, path) => {
    await begin(kind, path, [kind.batches.flat()]);
    return kind.batches.flat();
  },
  'in flushes': async (kind, path) => {
    await begin(kind, path, kind.batches);
    return kind.batches.flat();
  },
  'gone on with': async (kind, path) => {
    const { continuation } = await begin(kind, path, kind.batches.slice(0, 1));
    if (continuation === undefined) return undefined;
    for (const batch of kind.batches.slice(1)) await goOn(kind.make(continuation), path, [batch]);
    return kind.batches.flat();
  },
  cut: async (kind, path) => {
    const [kept, lost] = [kind.batches.slice(0, 2), kind.batches.slice(2)];
    const writer = await begin(kind, path, kept);
    const lengthBytes = (await files.status(path))?.lengthBytes ?? 0;
    const stream = await files.append(path);
    await flushInto(writer, lost, (bytes) => stream.write(bytes.subarray(0, bytes.length / 2)));
    await stream.abort();
    assert.equal(await files.truncate(path, lengthBytes), true);
    if (writer.continuation === undefined) return kept.flat();
    await goOn(kind.make(writer.continuation), path, lost);
    return kind.batches.flat();
  },
};

test('Hadoop reads each event once from every kind of file, however it came about', { skip }, async (t) => {
  const classPath = await buildReader(t);
  if (classPath === undefined) return;
  const directory = await tempDir(t);
  const made: { readonly what: string; readonly job: string[]; readonly expected: string[] }[] = [];
  const kinds = [...sequenceKinds(), ...serializedKinds()];
  for (const kind of kinds) {
    for (const [way, make] of Object.entries(ways)) {
      const path = join(directory, `${made.length}-${way}`, `events${kind.suffix}`);
      const written = await make(kind, path);
      if (written === undefined) continue;
      const what = `${kind.name}, ${way}`;
      made.push({ what, job: [kind.job, path, `${path}.read`], expected: written.map(kind.shown) });
    }
  }
  await askHadoop(
    classPath,
    made.map(({ job }) => job),
  );
  for (const { what, job, expected } of made) {
    const lines = await readAnswer(job[2] ?? '');
    const records = job[0] === 'sequence' ? lines.slice(1).map((line) => line.slice(0, line.lastIndexOf('\t'))) : lines;
    assertSame(records, expected, what);
  }
  const events = made[0]?.expected.length;
  const counts = `${made.length} files of ${kinds.length} kinds, ${events} events each`;
  t.diagnostic(`shows: record writers: ${counts}, read by Hadoop`);
});

test('a job that reads one split of an Avro file begins at a block', { skip }, async (t) => {
  const classPath = await buildReader(t);
  if (classPath === undefined) return;
  const directory = await tempDir(t);
  const kinds = serializedKinds().filter(({ name, job }) => name.startsWith('DataStream') && job === 'avro');
  const paths = kinds.map(({ suffix }, index) => join(directory, `${index}${suffix}`));
  for (const [index, kind] of kinds.entries()) await begin(kind, paths[index] ?? '', kind.batches);
  await askHadoop(
    classPath,
    paths.map((path) => ['avro', path, `${path}.read`, '20000']),
  );
  for (const [index, { name, batches, shown }] of kinds.entries()) {
    const lines = await readAnswer(`${paths[index]}.read`);
    const all = batches.flat().map(shown);
    assert.ok(lines.length > 0 && lines.length < all.length, `${name}: ${lines.length}`);
    assertSame(lines, all.slice(-lines.length), name);
  }
  assert.equal(kinds.length, 4);
});
