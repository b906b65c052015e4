/** Five million events into 200 directories, files of 5 MB, through a channel with room for a fiftieth of them. */
import assert from 'node:assert/strict';
import { mkdir, readdir, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import test from 'node:test';
import { tempDir } from '../support/temp-dir.ts';
import { writeAccessLogs } from './access-log.ts';
import { AgentProcess, buildAgent } from './agent-process.ts';
import { bytesUnder, filesUnder, lineSetOf } from './line-set.ts';

const files = 20;
const linesPerFile = 250_000;
const hosts = 200;
const rollBytes = 5_000_000;
const stallMsMax = 5000;
/** 128 MiB of events may be pinned in 200 writers; 264–286 MiB were seen. */
const peakRssMiBMax = 400;

test(`${files * linesPerFile} events, ${hosts} buckets, files of 5 MB`, { timeout: 900_000 }, async (t) => {
  const main = await buildAgent(t);
  const directory = await tempDir(t);
  const [spool, out] = ['spool', 'out'].map((name) => join(directory, name)) as [string, string];
  await Promise.all([spool, out].map((path) => mkdir(path)));
  writeAccessLogs(spool, { files, linesPerFile, seed: 5, hosts });
  const written = await lineSetOf([spool]);
  const configuration = join(directory, 'agent.properties');
  await writeFile(configuration, propertiesFor(directory, spool, out));
  const began = performance.now();
  const agent = AgentProcess.start(main, configuration, join(directory, 'log'));
  let bytes = 0;
  let movedAt = began;
  let stallMs = 0;
  const isDone = async () => {
    const now = await bytesUnder(out);
    if (now > bytes) movedAt = performance.now();
    bytes = Math.max(bytes, now);
    stallMs = Math.max(stallMs, performance.now() - movedAt);
    return bytes >= written.lines * 500 && (await readdir(spool)).every((name) => /COMPLETED$|^\./.test(name));
  };
  await agent.until(isDone, 600_000, 'all lines were written');
  const seconds = (performance.now() - began) / 1000;
  const { cpuSeconds, peakRssMiB } = agent.usage();
  assert.equal(await agent.end('SIGTERM'), 0, agent.said().slice(-3000));
  assert.deepEqual(await lineSetOf([out]), written, 'each line once');
  const sizes = await Promise.all((await filesUnder([out])).map(async (path) => (await stat(path)).size));
  const full = sizes.filter((size) => size >= rollBytes);
  const rate = Math.round(written.lines / seconds);
  console.log(
    `shows: ${hosts} buckets: ${written.lines} events, ${rate} events/s, ${cpuSeconds.toFixed(0)} CPU s, ` +
      `peak ${peakRssMiB.toFixed(0)} MiB, longest standstill ${Math.round(stallMs)} ms, ` +
      `${full.length} files of ${Math.min(...full)}–${Math.max(...sizes)} bytes, ` +
      `${sizes.length - full.length} last ones`,
  );
  assert.ok(sizes.length - full.length <= hosts, 'a smaller one at most at the end of each bucket');
  assert.ok(Math.max(...sizes) <= rollBytes * 1.02, 'none is much larger');
  assert.ok(stallMs < stallMsMax, `it stood still for ${stallMs} ms`);
  assert.ok(peakRssMiB < peakRssMiBMax, `${peakRssMiB} MiB`);
});

function propertiesFor(directory: string, spool: string, out: string): string {
  return `a1.sources = r1
    a1.channels = c1
    a1.sinks = k1
    a1.sources.r1.type = spooldir
    a1.sources.r1.spoolDir = ${spool}
    a1.sources.r1.batchSize = 1000
    a1.sources.r1.channels = c1
    a1.sources.r1.interceptors = i1
    a1.sources.r1.interceptors.i1.type = regex_extractor
    a1.sources.r1.interceptors.i1.regex = ^(\\\\S+)
    a1.sources.r1.interceptors.i1.serializers = s1
    a1.sources.r1.interceptors.i1.serializers.s1.name = host
    a1.channels.c1.type = file
    a1.channels.c1.capacity = 100000
    a1.channels.c1.checkpointDir = ${directory}/checkpoint
    a1.channels.c1.dataDirs = ${directory}/data
    a1.sinks.k1.type = hdfs
    a1.sinks.k1.channel = c1
    a1.sinks.k1.hdfs.path = file://${out}/%{host}
    a1.sinks.k1.hdfs.fileType = DataStream
    a1.sinks.k1.hdfs.batchSize = 1000
    a1.sinks.k1.hdfs.rollInterval = 0
    a1.sinks.k1.hdfs.rollCount = 0
    a1.sinks.k1.hdfs.rollSize = ${rollBytes}
    `;
}
