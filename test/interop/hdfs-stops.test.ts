/**
 * HDFS killed and started again under agents that are at chosen points of their files' lives, and a DataNode in the
 * middle of bodies: each agent goes on by itself, and has each line there once. All agents are held at their points,
 * and then HDFS is stopped once.
 */
import assert from 'node:assert/strict';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import test, { type TestContext } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { buildAgent } from '../e2e/agent-process.ts';
import { tempDir } from '../support/temp-dir.ts';
import { type HadoopCluster, hadoopFolder, startCluster } from './hadoop-cluster/cluster.ts';
import { siteXml } from './hadoop-cluster/cluster-sites.ts';
import { type AgentCase, seconds } from './hdfs-case.ts';
import { areHeld, blockBytes, Holder } from './hdfs-held.ts';
import { hdfsFiles, hdfsLitter, hdfsLocations } from './hdfs-lines.ts';
import { buildJava, javaMissing } from './java-program.ts';
import { until } from './webhdfs-support.ts';

const missing = javaMissing();
const skip = missing === undefined ? false : `HDFS cannot be started: ${missing}`;
const stopLimitMs = 60_000;
const standsMs = 3000;
const laterLines = 1500;
const hosts = 6;

test('HDFS stops and starts again under agents', { skip, timeout: 600_000 }, async (t) => {
  const classPath = await buildJava(hadoopFolder, t);
  if (classPath === undefined) return;
  const properties = { 'dfs.blocksize': `${blockBytes}` };
  const dataNodes = ['127.0.0.1', '127.0.0.1'];
  const cluster = await startCluster(t, classPath, { httpFs: true, dataNodes, properties });
  const main = await buildAgent(t);
  const nodes = [...cluster.nameNodes, ...cluster.dataNodes];
  const holder = new Holder(t, main, cluster);
  const gateway = `webhdfs://${cluster.httpFsAddress}`;
  const [body, throughHttpFs, append, answered, unnamed, named, stopped, killed] = await Promise.all([
    holder.inBody('/stops/body'),
    holder.inBody('/stops/gateway', { callTimeout: 15_000 }, gateway),
    holder.inAppend('/stops/append'),
    holder.at('/stops/answered', 'CREATE body', 'answered'),
    holder.at('/stops/unnamed', 'RENAME', 'before'),
    holder.at('/stops/named', 'RENAME', 'unanswered'),
    holder.inBody('/stops/stopped'),
    holder.inBody('/stops/killed'),
  ]);
  const all = { body, throughHttpFs, append, answered, unnamed, named, stopped, killed };
  await areHeld(all);
  await Promise.all(nodes.map((node) => node.kill()));
  const downAtMs = performance.now();
  for (const { letGo } of Object.values(all)) letGo();

  await t.test('one that is told to stop meanwhile ends in time, and says what is left', async () => {
    const { agent } = stopped.agent;
    const beganMs = performance.now();
    assert.equal(await agent.end('SIGTERM'), 0, agent.said().slice(-3000));
    const tookMs = performance.now() - beganMs;
    assert.ok(tookMs < stopLimitMs, `${tookMs} ms`);
    console.log(`shows: told to stop while HDFS is down: ends with 0 after ${seconds(tookMs)}`);
    assert.ok(stopped.agent.said('the next start goes on with it').length > 0, agent.said());
  });

  await killed.agent.kill();
  killed.agent.start();
  await sleep(standsMs);
  await Promise.all(nodes.map((node) => node.start()));
  await cluster.waitReady();
  const upAtMs = performance.now();
  stopped.agent.start();
  const recovered = Object.entries(all).map(async ([name, { agent }]) => {
    agent.feed(laterLines);
    await agent.delivered(holder.address);
    return `${name} ${seconds(performance.now() - upAtMs)}`;
  });
  // The writer of what was being appended has died with its DataNode: HDFS lets nobody else at it for a minute.
  const lives = Promise.all(recovered);
  lives.catch(() => undefined);
  for (const replicas of [1, 2]) {
    await t.test(`a DataNode is killed in mid-body, ${replicas} of each block`, async (inner) => {
      await dataNodeCase(inner, cluster, holder, replicas);
    });
  }
  const took = await lives;
  console.log(`shows: HDFS killed, down for ${seconds(upAtMs - downAtMs)}; all lines there after: ${took.join(', ')}`);
  for (const [name, { agent }] of Object.entries(all)) {
    await t.test(`HDFS was stopped, ${name}: each line is there once`, async () => {
      await agent.finish(holder.address);
      assert.deepEqual(agent.said('at neither of its names'), []);
    });
  }
});

/** A file each host is written; one of two DataNodes dies, and stays so until all lines are there. */
async function dataNodeCase(t: TestContext, cluster: HadoopCluster, holder: Holder, replicas: number): Promise<void> {
  const { address } = holder;
  const directory = `/datanode/${replicas}`;
  const confDir = await configurationOf(t, replicas);
  const sink = { confDir, rollCount: 0, idleTimeout: 8 };
  const agent = await holder.start({ directory, hosts, sink });
  agent.feed(500 * hosts);
  const open = await openFiles(address, agent);
  const places = await Promise.all(open.map((path) => hdfsLocations(address, path)));
  const heads = cluster.dataAddresses.map((data) => places.filter((names) => names[0]?.includes(data) === true).length);
  const busiest = (heads[0] ?? 0) >= (heads[1] ?? 0) ? 0 : 1;
  await cluster.dataNodes[busiest]?.kill();
  const killedAtMs = performance.now();
  agent.feed(500 * hosts);
  await agent.delivered(address);
  const tookMs = performance.now() - killedAtMs;
  await until(async () => (await hdfsLitter(address, directory)).length === 0, 'what was begun before is deleted');
  const again = agent.said('a file cannot be written').length;
  await cluster.dataNodes[busiest]?.start();
  await cluster.waitReady();
  const files = await agent.finish(address);
  if (replicas === 1) assert.ok(again > 0 && again >= (heads[busiest] ?? 0), `${again} of ${heads}`);
  console.log(
    `shows: a DataNode killed in ${hosts} bodies, ${replicas} of each block: ${again} files written again, ` +
      `all lines there after ${seconds(tookMs)}, ${files} files`,
  );
}

/** Of each host one, with a block that has been begun. */
async function openFiles(address: string, agent: AgentCase): Promise<readonly string[]> {
  let paths: readonly string[] = [];
  const areOpen = async (): Promise<boolean> => {
    paths = [...(await hdfsFiles(address, agent.directory)).keys()].map((name) => `${agent.directory}/${name}`);
    const places = await Promise.all(paths.map((path) => hdfsLocations(address, path)));
    return paths.length === hosts && places.every((names) => names.length > 0);
  };
  await agent.agent.until(areOpen, 60_000, `${hosts} files are open`);
  return paths;
}

/** Hadoop's own configuration of a client. */
async function configurationOf(t: TestContext, replicas: number): Promise<string> {
  const directory = join(await tempDir(t), 'conf');
  await mkdir(directory);
  await writeFile(join(directory, 'hdfs-site.xml'), siteXml({ 'dfs.replication': `${replicas}` }));
  return directory;
}
