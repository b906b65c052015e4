/**
 * An agent killed again and again while files are spooled into two channels, one on two disks: each line is in the
 * files of both sinks once, whatever was under way.
 */
import assert from 'node:assert/strict';
import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import test from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { SeededRandom } from '../support/seeded-random.ts';
import { tempDir } from '../support/temp-dir.ts';
import { writeAccessLogs } from './access-log.ts';
import { AgentProcess, buildAgent } from './agent-process.ts';
import { bytesUnder, filesUnder, lineSetOf } from './line-set.ts';

const kills = 40;
const files = 24;
const linesPerFile = 25_000;
/** From the first sign of work after a start: beyond that a life does as the ones before. */
const lifeMsMax = 700;
const seed = Number(process.env['FOREBAY_SEED'] ?? Date.now() % 2 ** 31);

test(`killed ${kills} times, each line once in both sinks`, { timeout: 900_000 }, async (t) => {
  console.log(`kills: seed ${seed}`);
  const random = new SeededRandom(seed);
  const main = await buildAgent(t);
  const directory = await tempDir(t);
  const spool = join(directory, 'spool');
  const outs = ['one', 'two'].map((name) => join(directory, name));
  await Promise.all([spool, ...outs].map((path) => mkdir(path)));
  // Another agent's, with our prefix.
  const foreign = outs.map((out) => join(out, 'access.1.log.tmp'));
  for (const path of foreign) await writeFile(path, 'not ours\n');
  const configuration = join(directory, 'agent.properties');
  await writeFile(configuration, propertiesFor(directory, spool, outs));
  writeAccessLogs(spool, { files, linesPerFile, seed, hosts: 7 });
  const written = await lineSetOf([spool]);
  const log = join(directory, 'log');
  const isSpooled = async () => (await readdir(spool)).every((name) => name.endsWith('.COMPLETED') || name[0] === '.');
  let killed = 0;
  let afterSpooling = 0;
  for (; killed < kills; killed += 1) {
    const agent = AgentProcess.start(main, configuration, log);
    const said = agent.said().length;
    await agent.until(() => agent.said().slice(said).includes('the source runs'), 60_000, 'it ran');
    await sleep(random.below(lifeMsMax));
    assert.ok(agent.isRunning, agent.said().slice(-3000));
    if (await isSpooled()) afterSpooling += 1;
    assert.equal(await agent.end('SIGKILL'), 'SIGKILL');
  }
  const agent = AgentProcess.start(main, configuration, log);
  await agent.until(isSpooled, 120_000, 'all files were spooled');
  const isThere = async () => {
    const bytes = await Promise.all(outs.map((out) => bytesUnder(out)));
    return bytes.every((count) => count >= written.lines * 500);
  };
  await agent.until(isThere, 120_000, 'all lines were written');
  assert.equal(await agent.end('SIGTERM'), 0, agent.said().slice(-3000));
  for (const path of foreign) assert.equal(await readFile(path, 'utf8'), 'not ours\n', 'untouched');
  const isForeign = (name: string) => name === 'access.1.log.tmp';
  const left = await filesUnder(outs, (name) => name.endsWith('.tmp') && !isForeign(name));
  assert.deepEqual(left, [], 'no temporary file of its own is left');
  for (const out of outs) assert.deepEqual(await lineSetOf([out], (name) => !isForeign(name)), written);
  console.log(
    `shows: agent kill -9: ${killed} kills (${killed - afterSpooling} while spooling), ` +
      `${written.lines} lines once in each of two sinks`,
  );
  assert.ok(killed - afterSpooling >= kills / 4, 'most of the work was not done before');
});

/** c1 has two data directories; k1 keeps few files open, k2 rolls by time and size and compresses nothing. */
function propertiesFor(directory: string, spool: string, outs: readonly string[]): string {
  return `a1.sources = r1
    a1.channels = c1 c2
    a1.sinks = k1 k2
    a1.sources.r1.type = spooldir
    a1.sources.r1.spoolDir = ${spool}
    a1.sources.r1.batchSize = 500
    a1.sources.r1.channels = c1 c2
    a1.sources.r1.selector.type = replicating
    a1.sources.r1.interceptors = i1
    a1.sources.r1.interceptors.i1.type = regex_extractor
    a1.sources.r1.interceptors.i1.regex = ^(\\\\S+)
    a1.sources.r1.interceptors.i1.serializers = s1
    a1.sources.r1.interceptors.i1.serializers.s1.name = host
    a1.channels.c1.type = file
    a1.channels.c1.checkpointDir = ${directory}/c1/checkpoint
    a1.channels.c1.dataDirs = ${directory}/c1/disk1,${directory}/c1/disk2
    a1.channels.c1.maxFileSize = 4194304
    a1.channels.c2.type = file
    a1.channels.c2.checkpointDir = ${directory}/c2/checkpoint
    a1.channels.c2.dataDirs = ${directory}/c2/data
    a1.sinks.k1.type = hdfs
    a1.sinks.k1.channel = c1
    a1.sinks.k1.hdfs.path = file://${outs[0]}/%{host}
    a1.sinks.k1.hdfs.filePrefix = access
    a1.sinks.k1.hdfs.fileSuffix = .log
    a1.sinks.k1.hdfs.fileType = DataStream
    a1.sinks.k1.hdfs.batchSize = 500
    a1.sinks.k1.hdfs.rollInterval = 0
    a1.sinks.k1.hdfs.rollCount = 0
    a1.sinks.k1.hdfs.rollSize = 1000000
    a1.sinks.k1.hdfs.maxOpenStreams = 3
    a1.sinks.k2.type = hdfs
    a1.sinks.k2.channel = c2
    a1.sinks.k2.hdfs.path = file://${outs[1]}
    a1.sinks.k2.hdfs.filePrefix = access
    a1.sinks.k2.hdfs.fileSuffix = .log
    a1.sinks.k2.hdfs.fileType = DataStream
    a1.sinks.k2.hdfs.batchSize = 1000
    a1.sinks.k2.hdfs.rollInterval = 1
    a1.sinks.k2.hdfs.rollCount = 20000
    a1.sinks.k2.hdfs.rollSize = 0
    `;
}
