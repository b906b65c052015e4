/** Files for HadoopReader to read, and what it made of them. */
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import type { TestContext } from 'node:test';
import { type Codec, codecType } from '../../src/adapters/sinks/hdfs/compression.ts';
import { buildJava, javaMissing, runJava } from './java-program.ts';

const missing = javaMissing();

/** For a test's options. */
export const skip: string | false = missing === undefined ? false : `Hadoop cannot be asked: ${missing}`;

/** As `hdfs.codeC`. Hadoop reads zstd by a native library only, which Maven has not. */
export const codecNames: readonly string[] = ['GzipCodec', 'DefaultCodec', 'DeflateCodec', 'SnappyCodec', 'Lz4Codec'];

/** The codec of a name that there is. */
export function codecOf(name: string): Codec {
  const parsed = codecType.parse(name);
  assert.ok('value' in parsed && parsed.value !== undefined, name);
  return parsed.value;
}

/** Resolves to the class path; undefined where it cannot be built, and then the test is skipped. */
export async function buildReader(test: TestContext): Promise<string | undefined> {
  return await buildJava(new URL('hadoop-reader/', import.meta.url), test);
}

/** Fails where one of the jobs did. */
export async function askHadoop(classPath: string, jobs: readonly (readonly string[])[]): Promise<void> {
  const lines = jobs.map((job) => job.join('\t'));
  const answers = await runJava(classPath, 'HadoopReader', lines);
  const failed = lines.map((line, index) => `${line}: ${answers[index]}`).filter((line) => !line.endsWith(': ok'));
  assert.deepEqual(failed, []);
}

/** The lines of an answer's file. */
export async function readAnswer(path: string): Promise<string[]> {
  return (await readFile(path, 'utf8')).split('\n').slice(0, -1);
}

/** A SequenceFile's answer: the header's line, and each record's, but for whether a sync was seen. */
export async function readSequenceAnswer(path: string): Promise<{ header: string; lines: string[] }> {
  const [header = '', ...lines] = await readAnswer(path);
  return { header, lines: lines.map((line) => line.slice(0, line.lastIndexOf('\t'))) };
}

/** Compared by hand: a message with megabytes of hex helps nobody. */
export function assertSame(actual: readonly string[], expected: readonly string[], what: string): void {
  assert.equal(actual.length, expected.length, what);
  const differs = expected.findIndex((line, index) => line !== actual[index]);
  assert.equal(differs, -1, `${what}: record ${differs}`);
}
