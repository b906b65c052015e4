/**
 * An agent of one configuration file with an hdfs sink for every file type × codec × serializer: from spooled files
 * through a channel to files that get their names, which Hadoop and Avro read. Each event is there once. Only one
 * stream of a sink may be open, so that with three buckets files are closed and gone on with again and again.
 */
import assert from 'node:assert/strict';
import { mkdir, readdir, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import test, { type TestContext } from 'node:test';
import avro from 'avsc';
import { registry } from '../../src/adapters/registry.ts';
import { hdfsSink } from '../../src/adapters/sinks/hdfs/hdfs-sink.ts';
import type { Log } from '../../src/agent/contracts/components.ts';
import { ofAnyKeys } from '../../src/agent/contracts/registry.ts';
import { AgentRunner } from '../../src/agent/runner.ts';
import { systemClock } from '../../src/base/clock.ts';
import { loadConfiguration } from '../../src/config/load.ts';
import { problemText } from '../../src/config/problems.ts';
import type { DeliveredEvent, Sequence } from '../../src/engine.ts';
import { until } from '../adapters/contexts.ts';
import { SeededRandom } from '../support/seeded-random.ts';
import { tempDir } from '../support/temp-dir.ts';
import { askHadoop, assertSame, buildReader, readAnswer, readSequenceAnswer, skip } from './hadoop-jobs.ts';
import { encoded, type Kind, lineType, sequenceKinds, serializedKinds } from './record-kinds.ts';

const kinds = [...sequenceKinds(), ...serializedKinds()];
const hosts = ['web-0', 'web-1', 'web-2'];
/** Two hundred to a bucket: three files, the last one ended by the agent's stop. The first spans two parts. */
const eventCount = 600;
const rollCount = 80;
const partEvents = 150;

/** What the sources make of the lines: time and host are in them. */
function makeEvents(): readonly DeliveredEvent[] {
  const random = new SeededRandom(41);
  return Array.from({ length: eventCount }, (_, index) => {
    const headers = { timestamp: `${1_700_000_000_000 + index}`, host: hosts[index % hosts.length] ?? '' };
    const text = `${headers.timestamp} ${headers.host} GET /item/${index}?${'x'.repeat(random.below(900))}`;
    return { headers, body: Buffer.from(text), sequence: index as Sequence };
  });
}

const events = makeEvents();

/** AvroEventSerializer is fed by a source of its own. */
function isOfRecords({ keys }: Kind): boolean {
  return keys['serializer']?.includes('AvroEventSerializer') === true;
}

/** Others are ended early, where their stream has to be. */
function canGoOn(kind: Kind | undefined): boolean {
  return kind?.make().continuation !== undefined;
}

function configurationOf(directory: string, delivery: string): string {
  const names = (ofRecords: boolean, letter: string): string =>
    kinds.flatMap((kind, index) => (isOfRecords(kind) === ofRecords ? [`${letter}${index}`] : [])).join(' ');
  const sources = ['lines', 'records'].flatMap((source, index) => [
    `a1.sources.${source}.type = spooldir`,
    `a1.sources.${source}.spoolDir = ${join(directory, source)}`,
    `a1.sources.${source}.pollDelay = 50`,
    `a1.sources.${source}.channels = ${names(index === 1, 'c')}`,
    `a1.sources.${source}.interceptors = i1`,
    `a1.sources.${source}.interceptors.i1.type = regex_extractor`,
    `a1.sources.${source}.interceptors.i1.regex = (\\\\d{13}) (web-\\\\d)`,
    `a1.sources.${source}.interceptors.i1.serializers = s1 s2`,
    `a1.sources.${source}.interceptors.i1.serializers.s1.name = timestamp`,
    `a1.sources.${source}.interceptors.i1.serializers.s2.name = host`,
  ]);
  const sinks = kinds.flatMap(({ keys }, index) => [
    `a1.channels.c${index}.type = memory`,
    `a1.channels.c${index}.capacity = 10000`,
    `a1.channels.c${index}.transactionCapacity = 1000`,
    `a1.sinks.k${index}.type = hdfs`,
    `a1.sinks.k${index}.channel = c${index}`,
    `a1.sinks.k${index}.hdfs.path = file://${directory}/k${index}/%{host}`,
    `a1.sinks.k${index}.hdfs.rollInterval = 0`,
    `a1.sinks.k${index}.hdfs.rollSize = 0`,
    `a1.sinks.k${index}.hdfs.rollCount = ${rollCount}`,
    `a1.sinks.k${index}.hdfs.batchSize = 50`,
    `a1.sinks.k${index}.hdfs.inUsePrefix = .`,
    `a1.sinks.k${index}.hdfs.maxOpenStreams = 1`,
    `a1.sinks.k${index}.hdfs.delivery = ${delivery}`,
    ...Object.entries(keys).map(([key, value]) => `a1.sinks.k${index}.${key} = ${value}`),
  ]);
  const head = [
    'a1.sources = lines records',
    `a1.channels = ${names(false, 'c')} ${names(true, 'c')}`,
    `a1.sinks = ${names(false, 'k')} ${names(true, 'k')}`,
    'a1.sources.records.deserializer = AVRO',
    'a1.sources.records.deserializer.schemaType = LITERAL',
  ];
  return `${[...head, ...sources, ...sinks].join('\n')}\n`;
}

/** Moved in when they are whole. */
async function spool(directory: string, name: string, part: readonly DeliveredEvent[]): Promise<void> {
  const [lines, records] = [join(directory, `${name}.log`), join(directory, `${name}.avro`)];
  await writeFile(lines, part.map(({ body }) => `${body}\n`).join(''));
  const encoder = avro.createFileEncoder(records, lineType);
  for (const { body } of part) encoder.write({ line: body });
  await new Promise((resolve) => encoder.end().on('finish', resolve));
  await rename(lines, join(directory, `lines/${name}.log`));
  await rename(records, join(directory, `records/${name}.avro`));
}

async function startAgent(file: string): Promise<AgentRunner> {
  const surroundings = { environment: {}, system: new Map<string, string>(), now: new Date() };
  const { plans, problems, hasErrors } = await loadConfiguration({
    files: [file],
    registry: { ...registry, sinks: [ofAnyKeys(hdfsSink)] },
    surroundings,
  });
  const [plan] = plans;
  if (hasErrors || plan === undefined) assert.fail(problems.map(problemText).join('\n'));
  const silent: Log = { info: () => undefined, warn: () => undefined, error: () => undefined };
  const runner = new AgentRunner({ log: () => silent, clock: systemClock });
  await runner.start(plan);
  return runner;
}

/** Of each sink, in the order of `kinds`. */
function countsOf(runner: AgentRunner, counter: string): number[] {
  const sinks = new Map(
    runner.stats().counters.flatMap(({ kind, name, counts }) => (kind === 'SINK' ? [[name, counts]] : [])),
  );
  return kinds.map((_, index) => sinks.get(`k${index}`)?.[counter] ?? 0);
}

/** In parts, so that there is something to go on with; what can be, is acknowledged before its file is full. */
async function runAgent(directory: string, file: string, delivery: string): Promise<void> {
  for (const name of ['lines', 'records']) await mkdir(join(directory, name));
  const runner = await startAgent(file);
  try {
    for (let sent = partEvents; sent <= eventCount; sent += partEvents) {
      await spool(directory, `${sent}`, events.slice(sent - partEvents, sent));
      const least = delivery === 'at-least-once' ? sent : sent < eventCount ? 0 : 1;
      const isWritten = (): boolean =>
        countsOf(runner, 'EventDrainAttemptCount').every((count) => count === sent) &&
        countsOf(runner, 'EventDrainSuccessCount').every((count, index) => count >= least || !canGoOn(kinds[index]));
      await until(isWritten, `all of ${sent} are written`);
    }
  } finally {
    assert.deepEqual(await runner.stop(), []);
  }
  for (const count of countsOf(runner, 'EventDrainSuccessCount')) assert.equal(count, eventCount);
}

/** A job for each file of one sink. */
async function jobsOf(directory: string, kind: Kind, index: number): Promise<string[][]> {
  const folder = join(directory, `k${index}`);
  const buckets = await readdir(folder);
  assert.deepEqual(buckets.sort(), hosts);
  const names = await Promise.all(buckets.map(async (host) => ({ host, files: await readdir(join(folder, host)) })));
  return names.flatMap(({ host, files }) => {
    const count = Math.ceil(eventCount / hosts.length / rollCount);
    assert.ok(canGoOn(kind) ? files.length === count : files.length >= count, `${kind.name}: ${files.length} files`);
    return files.map((file) => {
      assert.equal(file.replace(/^FlumeData\.\d+/, ''), kind.suffix, `${kind.name}: ${file}`);
      return [kind.job, join(folder, host, file), join(directory, 'read', `${index}-${host}-${file}`)];
    });
  });
}

async function checkFiles(classPath: string, directory: string): Promise<number> {
  const jobs = await Promise.all(kinds.map((kind, index) => jobsOf(directory, kind, index)));
  await mkdir(join(directory, 'read'));
  await askHadoop(classPath, jobs.flat());
  for (const [index, kind] of kinds.entries()) {
    const expected = events.map((event) => kind.shown(isOfRecords(kind) ? encoded(event) : event));
    const read: string[] = [];
    for (const [job, , answer = ''] of jobs[index] ?? []) {
      read.push(...(job === 'sequence' ? (await readSequenceAnswer(answer)).lines : await readAnswer(answer)));
    }
    assertSame(read.sort(), expected.sort(), kind.name);
  }
  return jobs.flat().length;
}

async function writeAndRead(t: TestContext, delivery: string): Promise<void> {
  const classPath = await buildReader(t);
  if (classPath === undefined) return;
  const directory = await tempDir(t);
  const file = join(directory, 'agent.properties');
  await writeFile(file, configurationOf(directory, delivery));
  await runAgent(directory, file, delivery);
  const files = await checkFiles(classPath, directory);
  const counts = `${kinds.length} sinks, ${files} files, ${eventCount} events each`;
  t.diagnostic(`shows: hdfs sink, ${delivery}: ${counts}, each event read by Hadoop once`);
}

for (const delivery of ['exactly-once', 'at-least-once']) {
  test(`${delivery}: Hadoop reads each event once from every kind of file`, { skip }, (t) => writeAndRead(t, delivery));
}
