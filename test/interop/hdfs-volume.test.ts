/**
 * A million lines, 500 MB, through one configuration file into a real HDFS: by our agent, and a part of them by
 * Flume's own, whose hdfs sink speaks to HDFS by itself. Each line is there once; rate, processor and memory beside
 * each other.
 */
import assert from 'node:assert/strict';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import test, { type TestContext } from 'node:test';
import { fileURLToPath } from 'node:url';
import { writeAccessLogs } from '../e2e/access-log.ts';
import { AgentProcess, buildAgent, type ProcessUsage } from '../e2e/agent-process.ts';
import { lineSetOf } from '../e2e/line-set.ts';
import { tempDir } from '../support/temp-dir.ts';
import { flumeFolder } from './agents.ts';
import { type HadoopCluster, hadoopFolder, startCluster } from './hadoop-cluster/cluster.ts';
import { hdfsFiles, hdfsLineSet } from './hdfs-lines.ts';
import { Progress, writeSpooled } from './hdfs-spooled.ts';
import { buildJava, javaMissing } from './java-program.ts';

const missing = javaMissing();
const skip = missing === undefined ? false : `HDFS cannot be started: ${missing}`;
const lineBytes = 500;
const linesPerFile = 100_000;
/** Flume's rate is steady, so that fewer lines show it. */
const files = { forebay: 10, flume: 3 };
/** Of Flume's rate where it runs steadily; ours is taken from the start of the process to the last line. */
const ratioMin = 3;
const peakRssMiBMax = 300;
const limitMs = 300_000;

interface Run {
  readonly usage: ProcessUsage;
  /** Events a second from the start of the process until all lines were in files with their names. */
  readonly rate: number;
  /** Between a quarter and nine tenths of the bytes. */
  readonly steadyRate: number;
  readonly seconds: number;
}

/** Runs one agent until all of its lines are in files with their names, and stops it. */
async function runAgent(
  t: TestContext,
  cluster: HadoopCluster,
  name: keyof typeof files,
  start: (configuration: string, log: string) => AgentProcess,
): Promise<Run> {
  const home = await tempDir(t);
  const spool = join(home, 'spool');
  await mkdir(spool);
  writeAccessLogs(spool, { files: files[name], linesPerFile, seed: 61 });
  const written = await lineSetOf([spool]);
  const [address = ''] = cluster.webAddresses;
  const sink = {
    path: `hdfs://${cluster.rpcAddresses[0]}/${name}`,
    // Flume has it on its class path.
    confDir: cluster.configuration,
    rollSize: 128 * 1024 * 1024,
    // So that the last file gets its name by itself.
    idleTimeout: 1,
  };
  const configuration = await writeSpooled({ home, batchSize: 1000, sink });
  const blocksBefore = await cluster.blockBytes();
  const progress = new Progress();
  const agent = start(configuration, join(home, 'log'));
  t.after(async () => {
    await agent.end('SIGKILL');
  });
  const isDone = async (): Promise<boolean> => {
    progress.add((await cluster.blockBytes()) - blocksBefore);
    let bytes = 0;
    for (const [file, length] of await hdfsFiles(address, `/${name}`)) if (!file.endsWith('.tmp')) bytes += length;
    return bytes >= written.lines * lineBytes;
  };
  await agent.until(isDone, limitMs, `${name} has written all lines`);
  const usage = agent.usage();
  const status = await agent.end('SIGTERM');
  assert.equal(status, name === 'flume' ? 143 : 0, agent.said().slice(-3000));
  const { lines, digest, names } = await hdfsLineSet(address, `/${name}`);
  assert.deepEqual({ lines, digest }, written, `${name}: each line once`);
  assert.deepEqual(
    names.filter((file) => file.endsWith('.tmp')),
    [],
  );
  const { seconds } = progress;
  return { usage, rate: lines / seconds, steadyRate: progress.rate(0.25, 0.9) / lineBytes, seconds };
}

function show(name: keyof typeof files, { usage, rate, steadyRate, seconds }: Run): string {
  const { cpuSeconds, peakRssMiB } = usage;
  const lines = files[name] * linesPerFile;
  return (
    `${name} ${lines} lines in ${seconds.toFixed(1)} s: ${Math.round(rate)} events/s (${Math.round(steadyRate)} ` +
    `where steady), ${cpuSeconds.toFixed(1)} CPU s, peak ${peakRssMiB.toFixed(0)} MiB`
  );
}

test('a million lines go into HDFS, each once, and faster than Flume', { skip, timeout: 700_000 }, async (t) => {
  const classPath = await buildJava(hadoopFolder, t);
  const flumePath = await buildJava(flumeFolder, t);
  if (classPath === undefined || flumePath === undefined) return;
  const cluster = await startCluster(t, classPath);
  const main = await buildAgent(t);
  const forebay = await runAgent(t, cluster, 'forebay', (configuration, log) =>
    AgentProcess.start(main, configuration, log),
  );
  // As its own script starts it, but for the memory, of which the script gives it 20 MB.
  const log4j = `-Dlog4j2.configurationFile=${join(fileURLToPath(flumeFolder), 'log4j2.xml')}`;
  const java = ['-Xmx1g', log4j, '-cp', `${cluster.configuration}:${flumePath}`];
  const application = ['org.apache.flume.node.Application', '-n', 'a1', '--no-reload-conf', '-f'];
  const flume = await runAgent(t, cluster, 'flume', (configuration, log) =>
    AgentProcess.startProgram('java', [...java, ...application, configuration], log),
  );
  const ratio = forebay.rate / flume.steadyRate;
  t.diagnostic(`shows: into HDFS: ${show('forebay', forebay)}`);
  t.diagnostic(`shows: into HDFS: ${show('flume', flume)}; forebay is ${ratio.toFixed(1)} times as fast`);
  assert.ok(ratio >= ratioMin, `${ratio}`);
  assert.ok(forebay.usage.peakRssMiB < peakRssMiBMax, `${forebay.usage.peakRssMiB} MiB`);
});
