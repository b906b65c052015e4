/** Every codec, and SequenceFiles of every format also from a split, read by Hadoop's own classes. */
import assert from 'node:assert/strict';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import test from 'node:test';
import { makeRecordWriter } from '../../src/adapters/sinks/hdfs/make-record-writer.ts';
import type { Serializer } from '../../src/agent/contracts/components.ts';
import { systemClock } from '../../src/base/clock.ts';
import type { DeliveredEvent, Sequence } from '../../src/engine.ts';
import { SeededRandom } from '../support/seeded-random.ts';
import { tempDir } from '../support/temp-dir.ts';
import { askHadoop, assertSame, buildReader, codecNames, codecOf, readSequenceAnswer, skip } from './hadoop-jobs.ts';

/** A few empty, most as lines are, one of two megabytes that repeats and one that does not. */
function makeBodies(): Buffer[] {
  const random = new SeededRandom(11);
  const noise = (length: number): Buffer => Buffer.from(Array.from({ length }, () => random.below(256)));
  const lines = Array.from({ length: 4000 }, (_, index) =>
    Buffer.from(index % 50 === 0 ? '' : `${index} GET /item/${random.below(1000)} ${'x'.repeat(random.below(900))}\n`),
  );
  return [...lines, Buffer.alloc(2_000_000, 'repeats '), noise(500_000), noise(1), noise(127), noise(128)];
}

const events: readonly DeliveredEvent[] = makeBodies().map((body, index) => ({
  headers: { timestamp: `${index === 7 ? -1 : 1_700_000_000_000 + index}` },
  body,
  sequence: index as Sequence,
}));
/** How a sink flushes: one event, some, none, the rest. */
const flushes = [events.slice(0, 1), events.slice(1, 101), [], events.slice(101, 2500), events.slice(2500)];

function noSerializer(): Serializer {
  throw new Error('a SequenceFile has no serializer');
}

/** What HadoopReader prints of a record, but for the sync. */
function printed({ headers, body }: DeliveredEvent): string {
  return `${headers['timestamp']}\t${body.toString('hex')}`;
}

test('SequenceFile.Reader reads every format and codec, from the start and from a split', { skip }, async (t) => {
  const classPath = await buildReader(t);
  if (classPath === undefined) return;
  const directory = await tempDir(t);
  const formats = [undefined, ...codecNames].flatMap((codec) => [
    { writeFormat: 'Writable' as const, codec },
    { writeFormat: 'Text' as const, codec },
  ]);
  const jobs: string[][] = [];
  for (const [index, { writeFormat, codec }] of formats.entries()) {
    const made = codec === undefined ? undefined : codecOf(codec);
    const format = { fileType: 'SequenceFile', writeFormat, codec: made, clock: systemClock } as const;
    const writer = makeRecordWriter(format, noSerializer);
    const batches: Buffer[] = [];
    for (const flush of flushes) {
      assert.deepEqual(writer.add(flush), []);
      batches.push(await writer.flush());
    }
    const path = join(directory, `${index}`);
    await writeFile(path, Buffer.concat([writer.header(), ...batches]));
    const split = writer.header().length + (batches[0]?.length ?? 0) + 1;
    jobs.push(['sequence', path, `${path}.all`], ['split', path, `${path}.split`, `${split}`]);
  }
  await askHadoop(classPath, jobs);
  const expected = events.map(printed);
  for (const [index, { writeFormat, codec }] of formats.entries()) {
    const what = `${writeFormat}, ${codec ?? 'no codec'}`;
    const { header, lines } = await readSequenceAnswer(join(directory, `${index}.all`));
    const value = writeFormat === 'Text' ? 'Text' : 'BytesWritable';
    const compression = codec === undefined ? 'NONE\tnone' : `BLOCK\torg.apache.hadoop.io.compress.${codec}`;
    const io = 'org.apache.hadoop.io';
    assert.equal(header, `${io}.LongWritable\t${io}.${value}\t${compression}`);
    assertSame(lines, expected, what);
    const split = await readSequenceAnswer(join(directory, `${index}.split`));
    assert.ok(split.lines.length > 0 && split.lines.length < expected.length, what);
    assertSame(split.lines, expected.slice(-split.lines.length), `${what}, split`);
  }
  t.diagnostic(`shows: SequenceFile: ${formats.length} formats × codecs, ${events.length} records, read by Hadoop`);
});

test('each codec reads what its flushes made, one after the other, also an empty one', { skip }, async (t) => {
  const classPath = await buildReader(t);
  if (classPath === undefined) return;
  const directory = await tempDir(t);
  const jobs: string[][] = [];
  const plain = flushes.map((flush) => Buffer.concat(flush.map(({ body }) => body)));
  for (const name of codecNames) {
    const codec = codecOf(name);
    const path = join(directory, `${name}${codec.suffix}`);
    await writeFile(path, Buffer.concat(await Promise.all(plain.map((bytes) => codec.compress(bytes)))));
    const empty = join(directory, `${name}.empty`);
    await writeFile(empty, await codec.compress(Buffer.alloc(0)));
    jobs.push(['codec', path, `${path}.plain`, codec.className], ['codec', empty, `${empty}.plain`, codec.className]);
  }
  await askHadoop(classPath, jobs);
  const expected = Buffer.concat(plain);
  for (const [, path, answer] of jobs) {
    const bytes = await readFile(answer ?? '');
    assert.ok(bytes.equals(path?.endsWith('.empty') === true ? Buffer.alloc(0) : expected), path);
  }
});
