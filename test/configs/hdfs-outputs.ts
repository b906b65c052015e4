/** What the hdfs sink writes, in each of its formats; read once the agent has stopped, when all files are whole. */
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { readSequenceFile } from '../adapters/sinks/hdfs/sequence-reader.ts';
import { readAvroFile } from '../support/avro-files.ts';
import type { Output } from './outputs.ts';

/** That each file below `path` has such a name, and that there are so many. */
export function filesNamed(path: string, expected: RegExp, count: number): Output {
  return {
    events: 0,
    expected: Array.from({ length: count }, () => `${expected}`),
    read: async ({ dir }) => {
      const names = (await filesBelow(join(dir, path))).map((name) => name.slice(dir.length));
      return names.map((name) => (expected.test(name) ? `${expected}` : name));
    },
  };
}

/** The lines of files that gzip made, and how often each. */
export function unzipped(path: string, expected: readonly string[]): Output {
  return readWhole(path, expected, async (bytes) => gunzipSync(bytes).toString().split('\n').slice(0, -1));
}

/** The bodies in SequenceFiles. */
export function sequenced(path: string, expected: readonly string[]): Output {
  return readWhole(path, expected, async (bytes) => readSequenceFile(bytes).records.map(({ body }) => `${body}`));
}

/** The records in Avro container files, as `show` shows each. */
export function avroRecords(path: string, expected: readonly string[], show: (record: never) => string): Output {
  return readWhole(path, expected, async (bytes) => (await readAvroFile<never>(bytes)).records.map(show));
}

function readWhole(path: string, expected: readonly string[], read: (bytes: Buffer) => Promise<string[]>): Output {
  return {
    events: expected.length,
    expected: { [path]: [...expected].sort() },
    read: async ({ dir }) => {
      const found: string[] = [];
      for (const name of await filesBelow(join(dir, path))) found.push(...(await read(await readFile(name))));
      return { [path]: found.sort() };
    },
  };
}

async function filesBelow(path: string): Promise<string[]> {
  const entries = await readdir(path, { recursive: true, withFileTypes: true });
  return entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
}
