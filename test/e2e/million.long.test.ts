/** A million lines of an access log, 500 MB: from a spool directory through a file channel into files, each once. */
import assert from 'node:assert/strict';
import { mkdir, readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import test from 'node:test';
import { tempDir } from '../support/temp-dir.ts';
import { writeAccessLogs } from './access-log.ts';
import { AgentProcess, buildAgent } from './agent-process.ts';
import { bytesUnder, filesUnder, lineSetOf } from './line-set.ts';

const files = 10;
const linesPerFile = 100_000;
/** A real Flume agent: 31–33 k. Far below what a quiet machine shows, which is printed: this one runs other tests. */
const eventsPerSecondMin = 60_000;
const peakRssMiBMax = 300;

for (const batchSize of [100, 1000]) {
  test(`a million lines, ${batchSize} a transaction`, { timeout: 300_000 }, async (t) => {
    const main = await buildAgent(t);
    const directory = await tempDir(t);
    const [spool, out] = ['spool', 'out'].map((name) => join(directory, name)) as [string, string];
    await Promise.all([spool, out].map((path) => mkdir(path)));
    writeAccessLogs(spool, { files, linesPerFile, seed: batchSize });
    const written = await lineSetOf([spool]);
    assert.equal(written.lines, files * linesPerFile);
    const configuration = join(directory, 'agent.properties');
    await writeFile(
      configuration,
      `a1.sources = r1
      a1.channels = c1
      a1.sinks = k1
      a1.sources.r1.type = spooldir
      a1.sources.r1.spoolDir = ${spool}
      a1.sources.r1.batchSize = ${batchSize}
      a1.sources.r1.channels = c1
      a1.channels.c1.type = file
      a1.channels.c1.checkpointDir = ${directory}/checkpoint
      a1.channels.c1.dataDirs = ${directory}/data
      a1.sinks.k1.type = hdfs
      a1.sinks.k1.channel = c1
      a1.sinks.k1.hdfs.path = file://${out}
      a1.sinks.k1.hdfs.fileType = DataStream
      a1.sinks.k1.hdfs.batchSize = ${batchSize}
      a1.sinks.k1.hdfs.rollInterval = 0
      a1.sinks.k1.hdfs.rollCount = 0
      a1.sinks.k1.hdfs.rollSize = 134217728
      `,
    );
    const began = performance.now();
    const agent = AgentProcess.start(main, configuration, join(directory, 'log'));
    const isSpooled = async () =>
      (await readdir(spool)).every((name) => name.endsWith('.COMPLETED') || name[0] === '.');
    await agent.until(isSpooled, 200_000, 'all files were spooled');
    await agent.until(
      async () => (await bytesUnder(out)) >= files * linesPerFile * 500,
      60_000,
      'all bytes were written',
    );
    const seconds = (performance.now() - began) / 1000;
    const { cpuSeconds, peakRssMiB } = agent.usage();
    assert.equal(await agent.end('SIGTERM'), 0, agent.said());
    const wholeSeconds = (performance.now() - began) / 1000;
    assert.deepEqual(await lineSetOf([out]), written, 'each line once');
    const left = await filesUnder([out], (name) => name.endsWith('.tmp'));
    assert.deepEqual(left, []);
    const rate = Math.round((files * linesPerFile) / seconds);
    console.log(
      `shows: a million lines, batches of ${batchSize}: ${rate} events/s (${seconds.toFixed(2)} s, ` +
        `${wholeSeconds.toFixed(2)} s until it had stopped), ${cpuSeconds.toFixed(1)} CPU s, ` +
        `peak ${peakRssMiB.toFixed(0)} MiB, each line once`,
    );
    assert.ok(rate >= eventsPerSecondMin, `${rate} events/s`);
    assert.ok(peakRssMiB < peakRssMiBMax, `${peakRssMiB} MiB`);
  });
}
