/** Every file that the hdfs sink's writers make, read by Hadoop's own classes. */
import assert from 'node:assert/strict';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import test from 'node:test';
import { type Codec, codecType } from '../../src/adapters/sinks/hdfs/compression.ts';
import { SequenceFileWriter, type SequenceRecord } from '../../src/adapters/sinks/hdfs/sequence-file.ts';
import { SeededRandom } from '../support/seeded-random.ts';
import { tempDir } from '../support/temp-dir.ts';
import { buildJava, javaMissing, runJava } from './java-program.ts';

const folder = new URL('hadoop-reader/', import.meta.url);
const missing = javaMissing();
const skip = missing === undefined ? false : `Hadoop cannot be asked: ${missing}`;
/** As `hdfs.codeC`. Hadoop reads zstd by a native library only, which Maven has not. */
const codecNames = ['GzipCodec', 'DefaultCodec', 'DeflateCodec', 'SnappyCodec', 'Lz4Codec'];
const sync = Buffer.from('0123456789abcdef');

function codecOf(name: string): Codec {
  const parsed = codecType.parse(name);
  assert.ok('value' in parsed && parsed.value !== undefined, name);
  return parsed.value;
}

/** A few empty, most as lines are, one of two megabytes that repeats and one that does not. */
function makeBodies(): Buffer[] {
  const random = new SeededRandom(11);
  const noise = (length: number): Buffer => Buffer.from(Array.from({ length }, () => random.below(256)));
  const lines = Array.from({ length: 4000 }, (_, index) =>
    Buffer.from(index % 50 === 0 ? '' : `${index} GET /item/${random.below(1000)} ${'x'.repeat(random.below(900))}\n`),
  );
  return [...lines, Buffer.alloc(2_000_000, 'repeats '), noise(500_000), noise(1), noise(127), noise(128)];
}

const records: readonly SequenceRecord[] = makeBodies().map((body, index) => ({
  timestampMs: index === 7 ? -1 : 1_700_000_000_000 + index,
  body,
}));
/** How a sink flushes: one event, some, none, the rest. */
const flushes = [records.slice(0, 1), records.slice(1, 101), [], records.slice(101, 2500), records.slice(2500)];

async function askHadoop(classPath: string, jobs: readonly (readonly string[])[]): Promise<void> {
  const lines = jobs.map((job) => job.join('\t'));
  const answers = await runJava(classPath, 'HadoopReader', lines);
  const failed = lines.map((line, index) => `${line}: ${answers[index]}`).filter((line) => !line.endsWith(': ok'));
  assert.deepEqual(failed, []);
}

/** What HadoopReader prints of a record, but for the sync. */
function printed({ timestampMs, body }: SequenceRecord): string {
  return `${timestampMs}\t${Buffer.from(body).toString('hex')}`;
}

/** The header's line, and each record's. */
async function readAnswer(path: string): Promise<{ header: string; lines: string[] }> {
  const [header = '', ...lines] = (await readFile(path, 'utf8')).trimEnd().split('\n');
  return { header, lines: lines.map((line) => line.slice(0, line.lastIndexOf('\t'))) };
}

/** Compared by hand: a message with megabytes of hex helps nobody. */
function assertSame(actual: readonly string[], expected: readonly string[], what: string): void {
  assert.equal(actual.length, expected.length, what);
  const differs = expected.findIndex((line, index) => line !== actual[index]);
  assert.equal(differs, -1, `${what}: record ${differs}`);
}

test('SequenceFile.Reader reads every format and codec, from the start and from a split', { skip }, async (t) => {
  const classPath = await buildJava(folder, t);
  if (classPath === undefined) return;
  const directory = await tempDir(t);
  const formats = [undefined, ...codecNames].flatMap((codec) => [
    { writeFormat: 'Writable' as const, codec },
    { writeFormat: 'Text' as const, codec },
  ]);
  const jobs: string[][] = [];
  for (const [index, { writeFormat, codec }] of formats.entries()) {
    const writer = new SequenceFileWriter({
      writeFormat,
      codec: codec === undefined ? undefined : codecOf(codec),
      sync,
    });
    const batches = await Promise.all(flushes.map((flush) => writer.batch(flush)));
    const path = join(directory, `${index}`);
    await writeFile(path, Buffer.concat([writer.header(), ...batches]));
    const split = writer.header().length + (batches[0]?.length ?? 0) + 1;
    jobs.push(['sequence', path, `${path}.all`], ['split', path, `${path}.split`, `${split}`]);
  }
  await askHadoop(classPath, jobs);
  const expected = records.map(printed);
  for (const [index, { writeFormat, codec }] of formats.entries()) {
    const what = `${writeFormat}, ${codec ?? 'no codec'}`;
    const { header, lines } = await readAnswer(join(directory, `${index}.all`));
    const value = writeFormat === 'Text' ? 'Text' : 'BytesWritable';
    const compression = codec === undefined ? 'NONE\tnone' : `BLOCK\torg.apache.hadoop.io.compress.${codec}`;
    const io = 'org.apache.hadoop.io';
    assert.equal(header, `${io}.LongWritable\t${io}.${value}\t${compression}`);
    assertSame(lines, expected, what);
    const split = await readAnswer(join(directory, `${index}.split`));
    assert.ok(split.lines.length > 0 && split.lines.length < expected.length, what);
    assertSame(split.lines, expected.slice(-split.lines.length), `${what}, split`);
  }
  t.diagnostic(`shows: SequenceFile: ${formats.length} formats × codecs, ${records.length} records, read by Hadoop`);
});

test('each codec reads what its flushes made, one after the other, also an empty one', { skip }, async (t) => {
  const classPath = await buildJava(folder, t);
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
