/** A registry of a few parts for the tests of config/, and configurations as real files. */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { multiplexingSelector } from '../../src/adapters/selectors/multiplexing.ts';
import { replicatingSelector } from '../../src/adapters/selectors/replicating.ts';
import type { Definition } from '../../src/agent/contracts/components.ts';
import {
  integer,
  type Key,
  type Keys,
  oneOf,
  optional,
  prefixed,
  required,
  text,
  unset,
} from '../../src/agent/contracts/keys.ts';
import { ofAnyKeys, type Registry } from '../../src/agent/contracts/registry.ts';
import { type Loaded, type LoadOptions, loadConfiguration } from '../../src/config/load.ts';
import { problemText } from '../../src/config/problems.ts';
import { tempDir } from '../support/temp-dir.ts';

function part<Made, Context>(
  types: readonly [string, ...string[]],
  keys: Keys,
  more: Partial<Definition<Keys, Made, Context>> = {},
): Definition<Keys, Made, Context> {
  const create = (): Made => {
    throw new Error('nothing is made of a plan here');
  };
  return ofAnyKeys({ types, keys, create, ...more });
}

const batchSize: Key<number> = optional(integer(1), 100, { does: 'events a transaction' });
const path: Key<string> = required(text, { does: 'the directory' });

/** Sources spooldir, seq; sinks logger, hdfs; channels memory, file; real selectors; and what goes between them. */
export const smallRegistry: Registry = {
  sources: [
    part(['spooldir', 'org.apache.flume.source.SpoolDirectorySource'], {
      spoolDir: path,
      batchSize,
      consumeOrder: optional(oneOf('oldest', 'youngest'), 'oldest', { does: 'the order' }),
    }),
    part(['seq', 'org.apache.flume.source.SequenceGeneratorSource'], { batchSize }),
  ],
  sinks: [
    part(['logger', 'org.apache.flume.sink.LoggerSink'], {}),
    part(
      ['hdfs', 'org.apache.flume.sink.hdfs.HDFSEventSink'],
      {
        'hdfs.path': path,
        'hdfs.filePrefix': optional(text, 'FlumeData', { does: 'the beginning' }),
        'hdfs.batchSize': batchSize,
        'hdfs.rollCount': optional(integer(0), 10, { does: 'events a file' }),
        'hdfs.rollSize': optional(integer(0), 1024, { does: 'bytes a file' }),
        'hdfs.inUsePrefix': optional(text, '', { does: 'the beginning' }),
        'hdfs.useLocalTimeStamp': optional(oneOf('true', 'false'), 'false', { does: 'the time' }),
      },
      { serializer: { key: 'serializer', preset: 'TEXT' } },
    ),
  ],
  channels: [
    part(
      ['memory', 'org.apache.flume.channel.MemoryChannel'],
      {
        capacity: optional(integer(1), 100, { does: 'events' }),
        transactionCapacity: optional(integer(1), 100, { does: 'events a transaction' }),
      },
      {
        check: (values) =>
          Number(values['transactionCapacity']) > Number(values['capacity'])
            ? [{ key: 'transactionCapacity', message: 'is more than capacity' }]
            : [],
      },
    ),
    part(['file'], { checkpointDir: unset(text, { does: 'the directory' }) }),
  ],
  interceptors: [
    part(['timestamp'], { headerName: optional(text, 'timestamp', { does: 'the header' }) }),
    part(['host', 'org.apache.flume.interceptor.HostInterceptor$Builder'], {}),
  ],
  selectors: [ofAnyKeys(replicatingSelector), ofAnyKeys(multiplexingSelector)],
  processors: [part(['default'], {}), part(['failover'], { 'priority.': prefixed(integer(), { does: 'its place' }) })],
  serializers: [part(['TEXT'], { appendNewline: optional(text, 'true', { does: 'the end' }) })],
};

/** What came of a configuration; `lines` are its problems as they are printed, without the directory. */
export interface Tried extends Loaded {
  readonly directory: string;
  readonly lines: readonly string[];
}

/** Where a test's files and its further options come from. */
export interface Trial extends Partial<Omit<LoadOptions, 'files'>> {
  readonly environment?: Readonly<Record<string, string>>;
  readonly system?: ReadonlyMap<string, string>;
}

/** Loads files that hold `texts`; the first one is called `a.properties`, the second one `b.properties`. */
export async function tryFiles(
  test: { after(call: () => Promise<void>): void },
  texts: readonly (string | Buffer)[],
  { environment = {}, system = new Map(), ...options }: Trial = {},
): Promise<Tried> {
  const directory = await tempDir(test);
  const files = texts.map((_, index) => join(directory, `${'abc'[index]}.properties`));
  for (const [index, file] of files.entries()) await writeFile(file, texts[index] ?? '');
  const surroundings = { environment, system, now: new Date(2024, 1, 9) };
  const loaded = await loadConfiguration({ registry: smallRegistry, surroundings, ...options, files });
  return { ...loaded, directory, lines: loaded.problems.map((one) => problemText(one).replace(`${directory}/`, '')) };
}

/** A configuration without any problem: lines, by key where a test wants to change one. */
export function goodLines(changes: Readonly<Record<string, string | undefined>> = {}): string {
  const good: Record<string, string | undefined> = {
    'a1.sources': 'r1',
    'a1.channels': 'c1',
    'a1.sinks': 'k1',
    'a1.channels.c1.type': 'memory',
    'a1.sources.r1.type': 'seq',
    'a1.sources.r1.channels': 'c1',
    'a1.sinks.k1.type': 'logger',
    'a1.sinks.k1.channel': 'c1',
    ...changes,
  };
  const lines = Object.entries(good).flatMap(([key, value]) => (value === undefined ? [] : [`${key} = ${value}`]));
  return `${lines.join('\n')}\n`;
}
