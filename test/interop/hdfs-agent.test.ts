/** The agent, as users run it, in front of a real HDFS: each line once, through the NameNode and through HttpFS. */
import assert from 'node:assert/strict';
import { mkdir, readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import test from 'node:test';
import { writeAccessLogs } from '../e2e/access-log.ts';
import { AgentProcess, buildAgent } from '../e2e/agent-process.ts';
import { lineSetOf } from '../e2e/line-set.ts';
import { tempDir } from '../support/temp-dir.ts';
import { hadoopFolder, startCluster } from './hadoop-cluster/cluster.ts';
import { hdfsLineSet } from './hdfs-lines.ts';
import { buildJava, javaMissing } from './java-program.ts';

const missing = javaMissing();
const skip = missing === undefined ? false : `HDFS cannot be started: ${missing}`;

test('lines go from a spool directory into HDFS', { skip, timeout: 120_000 }, async (t) => {
  const classPath = await buildJava(hadoopFolder, t);
  if (classPath === undefined) return;
  const cluster = await startCluster(t, classPath, { httpFs: true });
  const main = await buildAgent(t);
  const [address = ''] = cluster.webAddresses;
  for (const target of [`webhdfs://${address}`, `webhdfs://${cluster.httpFsAddress}`]) {
    const directory = await tempDir(t);
    const spool = join(directory, 'spool');
    const path = `/logs/${encodeURIComponent(target)}`.replaceAll('%', '_');
    await mkdir(spool);
    writeAccessLogs(spool, { files: 2, linesPerFile: 10_000, seed: 7 });
    const written = await lineSetOf([spool]);
    const configuration = join(directory, 'agent.properties');
    await writeFile(
      configuration,
      `a1.sources = r1
      a1.channels = c1
      a1.sinks = k1
      a1.sources.r1.type = spooldir
      a1.sources.r1.spoolDir = ${spool}
      a1.sources.r1.channels = c1
      a1.channels.c1.type = file
      a1.channels.c1.checkpointDir = ${directory}/checkpoint
      a1.channels.c1.dataDirs = ${directory}/data
      a1.sinks.k1.type = hdfs
      a1.sinks.k1.channel = c1
      a1.sinks.k1.hdfs.path = ${target}${path}
      a1.sinks.k1.hdfs.fileType = DataStream
      a1.sinks.k1.hdfs.rollInterval = 0
      a1.sinks.k1.hdfs.rollCount = 0
      a1.sinks.k1.hdfs.rollSize = 2000000
      `,
    );
    const agent = AgentProcess.start(main, configuration, join(directory, 'log'));
    const isSpooled = async () =>
      (await readdir(spool)).every((name) => name.endsWith('.COMPLETED') || name[0] === '.');
    await agent.until(isSpooled, 60_000, 'all files were spooled');
    assert.equal(await agent.end('SIGTERM'), 0, agent.said());
    const { lines, digest, names } = await hdfsLineSet(address, path);
    assert.deepEqual({ lines, digest }, written, agent.said());
    assert.equal(names.length, 5);
    assert.deepEqual(
      names.filter((name) => name.endsWith('.tmp')),
      [],
    );
  }
});
