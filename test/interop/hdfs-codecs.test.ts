/**
 * Every file type × codec × serializer of the hdfs sink, by an agent in front of a real HDFS, read by Hadoop's own
 * classes: written in one PUT, continued by an APPEND, and cut where the agent died with an APPEND that it had made and
 * not noted, then continued. Each event is there once, in its order.
 */
import assert from 'node:assert/strict';
import { mkdir, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import test, { type TestContext } from 'node:test';
import avro from 'avsc';
import type { DeliveredEvent, Sequence } from '../../src/engine.ts';
import { AgentProcess, buildAgent } from '../e2e/agent-process.ts';
import { SeededRandom } from '../support/seeded-random.ts';
import { tempDir } from '../support/temp-dir.ts';
import { hadoopFolder, startCluster } from './hadoop-cluster/cluster.ts';
import { type FaultProxy, startFaultProxy } from './hadoop-cluster/fault-proxy.ts';
import { askHadoop, assertSame, buildReader, readAnswer, readSequenceAnswer, skip } from './hadoop-jobs.ts';
import { hdfsBytes, hdfsFiles, hdfsLitter } from './hdfs-lines.ts';
import { buildJava } from './java-program.ts';
import { encoded, type Kind, lineType, sequenceKinds, serializedKinds } from './record-kinds.ts';

const kinds = [...sequenceKinds(), ...serializedKinds()];
/** Others are ended early, each time in one PUT. */
const continued = kinds.filter(({ make }) => make().continuation !== undefined);
/** One file is spooled for each part. */
const partEvents = 60;
const parts = 5;
const limitMs = 90_000;
/** So long nothing unfinished is to be seen. */
const cleanMs = 3000;

function makeEvents(): readonly DeliveredEvent[] {
  const random = new SeededRandom(43);
  return Array.from({ length: parts * partEvents }, (_, index) => {
    const timestamp = `${1_700_000_000_000 + index}`;
    const text = `${timestamp} GET /item/${index}?${'x'.repeat(random.below(900))}${random.below(1e9)}`;
    return { headers: { timestamp }, body: Buffer.from(text), sequence: index as Sequence };
  });
}

const events = makeEvents();

/** AvroEventSerializer is fed by a source of its own. */
function isOfRecords({ keys }: Kind): boolean {
  return keys['serializer']?.includes('AvroEventSerializer') === true;
}

/** `limits`: of a sink, without `hdfs.`. */
function configurationOf(home: string, address: string, limits: Readonly<Record<string, number>>): string {
  const names = (ofRecords: boolean, letter: string): string =>
    kinds.flatMap((kind, index) => (isOfRecords(kind) === ofRecords ? [`${letter}${index}`] : [])).join(' ');
  const sources = ['lines', 'records'].flatMap((source, index) => [
    `a1.sources.${source}.type = spooldir`,
    `a1.sources.${source}.spoolDir = ${join(home, source)}`,
    `a1.sources.${source}.pollDelay = 100`,
    `a1.sources.${source}.channels = ${names(index === 1, 'c')}`,
    `a1.sources.${source}.interceptors = i1`,
    `a1.sources.${source}.interceptors.i1.type = regex_extractor`,
    `a1.sources.${source}.interceptors.i1.regex = (\\\\d{13})`,
    `a1.sources.${source}.interceptors.i1.serializers = s1`,
    `a1.sources.${source}.interceptors.i1.serializers.s1.name = timestamp`,
  ]);
  const sinks = kinds.flatMap(({ keys }, index) => [
    `a1.channels.c${index}.type = file`,
    `a1.channels.c${index}.dataDirs = ${join(home, `c${index}`, 'data')}`,
    `a1.channels.c${index}.checkpointDir = ${join(home, `c${index}`, 'checkpoint')}`,
    `a1.sinks.k${index}.type = hdfs`,
    `a1.sinks.k${index}.channel = c${index}`,
    `a1.sinks.k${index}.hdfs.path = webhdfs://${address}/codecs/k${index}`,
    `a1.sinks.k${index}.hdfs.rollInterval = 0`,
    `a1.sinks.k${index}.hdfs.rollSize = 0`,
    `a1.sinks.k${index}.hdfs.inUsePrefix = .`,
    ...Object.entries(limits).map(([key, value]) => `a1.sinks.k${index}.hdfs.${key} = ${value}`),
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
async function spool(home: string, part: number): Promise<void> {
  const some = events.slice(part * partEvents, (part + 1) * partEvents);
  const [lines, records] = [join(home, `${part}.log`), join(home, `${part}.avro`)];
  await writeFile(lines, some.map(({ body }) => `${body}\n`).join(''));
  const encoder = avro.createFileEncoder(records, lineType);
  for (const { body } of some) encoder.write({ line: body });
  await new Promise((resolve) => encoder.end().on('finish', resolve));
  await rename(lines, join(home, `lines/${part}.log`));
  await rename(records, join(home, `records/${part}.avro`));
}

/** What an agent's lives have in common. */
interface Scene {
  readonly home: string;
  readonly address: string;
  readonly proxy: FaultProxy;
  readonly main: string;
}

function directoryOf(kind: Kind): string {
  return `/codecs/k${kinds.indexOf(kind)}`;
}

/** Of all its files, finished or not: the bytes that can be read. */
async function bytesOf({ address }: Scene, kind: Kind): Promise<number> {
  return [...(await hdfsFiles(address, directoryOf(kind))).values()].reduce((sum, length) => sum + length, 0);
}

async function start(t: TestContext, scene: Scene, limits: Readonly<Record<string, number>>): Promise<AgentProcess> {
  const { home, proxy, main } = scene;
  const configuration = join(home, 'agent.properties');
  await writeFile(configuration, configurationOf(home, new URL(proxy.address).host, limits));
  const agent = AgentProcess.start(main, configuration, join(home, 'log'));
  t.after(async () => {
    await agent.end('SIGKILL');
  });
  return agent;
}

/** Spools a part, and resolves when of each of these kinds more can be read than before. */
async function grow(agent: AgentProcess, scene: Scene, part: number, some: readonly Kind[]): Promise<void> {
  const before = new Map<Kind, number>();
  for (const kind of some) before.set(kind, await bytesOf(scene, kind));
  await spool(scene.home, part);
  const hasGrown = async (): Promise<boolean> => {
    for (const [kind, bytes] of before) if ((await bytesOf(scene, kind)) > bytes) before.delete(kind);
    return before.size === 0;
  };
  await agent.until(hasGrown, limitMs, `part ${part} is there: ${some.length} kinds`);
}

/** Its files are made by PUT, continued by APPEND, and continued by an APPEND whose answer never comes. */
async function firstLife(t: TestContext, scene: Scene): Promise<void> {
  const { proxy } = scene;
  const agent = await start(t, scene, { maxPinnedAge: 1, rollCount: 0 });
  await grow(agent, scene, 0, kinds);
  await grow(agent, scene, 1, continued);
  // The next is acknowledged a second after it comes: this one is noted by then.
  let held = 0;
  const hold = (): Promise<void> => {
    held += 1;
    return new Promise(() => undefined);
  };
  for (let nth = 1; nth <= continued.length; nth += 1) proxy.spoil('APPEND body', nth, { after: hold });
  await grow(agent, scene, 2, continued);
  await agent.until(() => held === continued.length, limitMs, 'an APPEND of each was done');
  assert.equal(await agent.end('SIGKILL'), 'SIGKILL', agent.said().slice(-3000));
}

/** They are cut, continued and full by that; then another one of each is made by one PUT. */
async function secondLife(t: TestContext, scene: Scene): Promise<void> {
  const { home, proxy } = scene;
  const before = proxy.seen.length;
  const asked = (what: string): number => proxy.seen.slice(before).filter((one) => one === what).length;
  const agent = await start(t, scene, { maxPinnedAge: 600, rollCount: 4 * partEvents });
  await spool(home, 3);
  const others = kinds.length - continued.length;
  const areWritten = (): boolean => asked('APPEND body') >= continued.length && asked('CREATE body') >= others;
  await agent.until(areWritten, limitMs, 'all are continued');
  assert.ok(asked('TRUNCATE') >= continued.length, `${asked('TRUNCATE')} TRUNCATEs`);
  await spool(home, 4);
  await agent.until(() => asked('CREATE body') >= kinds.length, limitMs, 'the last ones are begun');
  assert.equal(await agent.end('SIGTERM'), 0, agent.said().slice(-3000));
  assert.equal(asked('APPEND body'), continued.length);
}

/** What a stop left in a channel, or without its name, is finished. */
async function lastLife(t: TestContext, scene: Scene): Promise<void> {
  const { address } = scene;
  const agent = await start(t, scene, { idleTimeout: 1, rollCount: 0 });
  let cleanSinceMs = Number.POSITIVE_INFINITY;
  const isClean = async (): Promise<boolean> => {
    const nowMs = performance.now();
    const isSo = (await hdfsLitter(address, '/codecs')).length === 0;
    cleanSinceMs = isSo ? Math.min(cleanSinceMs, nowMs) : Number.POSITIVE_INFINITY;
    return nowMs - cleanSinceMs >= cleanMs;
  };
  await agent.until(isClean, limitMs, 'all files have their names');
  assert.equal(await agent.end('SIGTERM'), 0, agent.said().slice(-3000));
}

/** The files of one kind in the order they were begun in, copied from HDFS, as jobs. */
async function jobsOf({ home, address }: Scene, kind: Kind): Promise<string[][]> {
  const names = [...(await hdfsFiles(address, directoryOf(kind))).keys()];
  const counters = names.map((name) => {
    const [, counter, suffix] = /^FlumeData\.(\d+)(.*)$/.exec(name) ?? [];
    assert.equal(suffix, kind.suffix, `${kind.name}: ${name}`);
    return { name, counter: Number(counter) };
  });
  counters.sort((one, other) => one.counter - other.counter);
  const jobs: string[][] = [];
  for (const { name } of counters) {
    const copy = join(home, 'read', `${kinds.indexOf(kind)}-${name}`);
    await writeFile(copy, await hdfsBytes(address, `${directoryOf(kind)}/${name}`));
    jobs.push([kind.job, copy, `${copy}.read`]);
  }
  return jobs;
}

test('Hadoop reads each event once, in order, from every kind of file in HDFS', {
  skip,
  timeout: 420_000,
}, async (t) => {
  const classPath = await buildJava(hadoopFolder, t);
  const reader = await buildReader(t);
  if (classPath === undefined || reader === undefined) return;
  const cluster = await startCluster(t, classPath, { properties: { 'dfs.blocksize': '8388608' } });
  const [address = ''] = cluster.webAddresses;
  const home = await tempDir(t);
  for (const name of ['lines', 'records', 'read']) await mkdir(join(home, name));
  const scene = { home, address, proxy: await startFaultProxy(t, address), main: await buildAgent(t) };
  await firstLife(t, scene);
  await secondLife(t, scene);
  await lastLife(t, scene);
  const jobs = await Promise.all(kinds.map((kind) => jobsOf(scene, kind)));
  await askHadoop(reader, jobs.flat());
  for (const [index, kind] of kinds.entries()) {
    const read: string[] = [];
    for (const [job, , answer = ''] of jobs[index] ?? []) {
      read.push(...(job === 'sequence' ? (await readSequenceAnswer(answer)).lines : await readAnswer(answer)));
    }
    const expected = events.map((event) => kind.shown(isOfRecords(kind) ? encoded(event) : event));
    assertSame(read, expected, kind.name);
    if (continued.includes(kind)) assert.equal(jobs[index]?.length, 2, kind.name);
  }
  t.diagnostic(
    `shows: ${kinds.length} kinds of files in HDFS, ${events.length} events of each in ${jobs.flat().length} files: ` +
      `all made by PUT, ${continued.length} continued by APPEND, and cut and continued after a kill; read by Hadoop`,
  );
});
