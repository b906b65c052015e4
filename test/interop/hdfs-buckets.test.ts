/**
 * 200 directories at a time in a real HDFS, `rollInterval = 0`, lines for them evenly mixed: nothing stands still. A
 * DataNode of this machine ends fewer than 20 bodies a second, so that each of them has to be worth it.
 */
import assert from 'node:assert/strict';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import test from 'node:test';
import { writeAccessLogs } from '../e2e/access-log.ts';
import { AgentProcess, buildAgent } from '../e2e/agent-process.ts';
import { lineSetOf } from '../e2e/line-set.ts';
import { tempDir } from '../support/temp-dir.ts';
import { hadoopFolder, startCluster } from './hadoop-cluster/cluster.ts';
import { hdfsFiles, hdfsLineSet } from './hdfs-lines.ts';
import { isSpooled, Progress, writeSpooled } from './hdfs-spooled.ts';
import { buildJava, javaMissing } from './java-program.ts';

const missing = javaMissing();
const skip = missing === undefined ? false : `HDFS cannot be started: ${missing}`;
const hosts = 200;
const lineBytes = 500;
const files = 4;
const linesPerFile = 60_000;
const rollBytes = 250_000;
/** A file is full when its bodies are: without the ends of lines. */
const fullLines = Math.ceil(rollBytes / (lineBytes - 1));
/** One to three seconds are seen, the latter on a busy machine. */
const stallMsMax = 10_000;
const peakRssMiBMax = 300;
const limitMs = 300_000;

test(`${hosts} buckets in HDFS, three files each: no standstill`, { skip, timeout: 420_000 }, async (t) => {
  const classPath = await buildJava(hadoopFolder, t);
  if (classPath === undefined) return;
  // The NameNode keeps room of a whole block for each file that is open: of 128 MB there may be too little here.
  const cluster = await startCluster(t, classPath, { properties: { 'dfs.blocksize': '8388608' } });
  const [address = ''] = cluster.webAddresses;
  const main = await buildAgent(t);
  const home = await tempDir(t);
  const spool = join(home, 'spool');
  await mkdir(spool);
  writeAccessLogs(spool, { files, linesPerFile, seed: 71, hosts });
  const written = await lineSetOf([spool]);
  const path = `hdfs://${cluster.rpcAddresses[0]}/buckets/%{host}`;
  const sink = { path, confDir: cluster.configuration, rollSize: rollBytes };
  const configuration = await writeSpooled({ home, batchSize: 1000, hosts: true, sink });
  const progress = new Progress();
  const agent = AgentProcess.start(main, configuration, join(home, 'log'));
  t.after(async () => {
    await agent.end('SIGKILL');
  });
  // Of each open file the DataNode holds a packet back.
  const almostAll = written.lines * lineBytes - hosts * 64 * 1024;
  const isAlmostDone = async (): Promise<boolean> => {
    const bytes = await cluster.blockBytes();
    progress.add(bytes);
    return bytes >= almostAll && (await isSpooled(home));
  };
  await agent.until(isAlmostDone, limitMs, 'nearly all bytes are there');
  const { cpuSeconds, peakRssMiB } = agent.usage();
  const beganEndMs = performance.now();
  assert.equal(await agent.end('SIGTERM'), 0, agent.said().slice(-3000));
  const endSeconds = (performance.now() - beganEndMs) / 1000;
  const { lines, digest } = await hdfsLineSet(address, '/buckets');
  assert.deepEqual({ lines, digest }, written, 'each line once');
  const bucketLines = written.lines / hosts;
  const lengths = [...(await hdfsFiles(address, '/buckets')).values()].map((bytes) => bytes / lineBytes);
  const full = lengths.filter((length) => length === fullLines);
  const last = lengths.filter((length) => length === bucketLines % fullLines);
  const { seconds, stallMs } = progress;
  t.diagnostic(
    `shows: ${hosts} buckets in HDFS: ${lines} events, ${full.length} files of ${fullLines * lineBytes} bytes and ` +
      `${last.length} last ones in ${seconds.toFixed(1)} + ${endSeconds.toFixed(1)} s, ` +
      `${Math.round(lines / (seconds + endSeconds))} events/s, longest standstill ${Math.round(stallMs)} ms, ` +
      `${cpuSeconds.toFixed(1)} CPU s, peak ${peakRssMiB.toFixed(0)} MiB`,
  );
  assert.equal(full.length, hosts * Math.floor(bucketLines / fullLines));
  assert.deepEqual([full.length + last.length, last.length], [lengths.length, hosts]);
  assert.ok(stallMs < stallMsMax, `it stood still for ${stallMs} ms`);
  assert.ok(peakRssMiB < peakRssMiBMax, `${peakRssMiB} MiB`);
});
