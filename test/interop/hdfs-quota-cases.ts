/**
 * HDFS that refuses: quotas, rights, safe mode. The sink waits and says why, takes its own partial files away, and goes
 * on by itself when it may.
 */
import assert from 'node:assert/strict';
import { userInfo } from 'node:os';
import type { TestContext } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import type { HadoopNode } from './hadoop-cluster/hadoop-node.ts';
import { AgentCase, type CaseOptions, lineBytes, seconds } from './hdfs-case.ts';
import { hdfsLitter } from './hdfs-lines.ts';
import { until } from './webhdfs-support.ts';

const user = userInfo().username;
const refusedMs = 8000;
/** In that time, of one that tries a few times: far from a line for each look. */
const saidMax = 40;
const bytesQuota = 3 * 1024 * 1024;
/** The directory itself is one. */
const namesQuota = 6;
/** A channel that is full keeps the rest in the spool directory. */
const channel = { capacity: 5000, transactionCapacity: 1000 };
const fileLines = 2000;
/** The source has had a file for so long, and has not put all of it. */
const waitsMsMin = 2000;
const lookMs = 200;
const stranger = 'alice';
const hosts = 3;

/** What these are given. */
export interface Refusal {
  readonly test: TestContext;
  readonly main: string;
  readonly nameNode: HadoopNode;
  /** `127.0.0.1:9870`. */
  readonly address: string;
}

/** More lines than there is room for. */
export async function bytesCase(refusal: Refusal): Promise<string> {
  return await quotaCase(refusal, 'bytes', bytesQuota, /DSQuotaExceededException.*raise the quota/);
}

/** More files than there may be. */
export async function namesCase(refusal: Refusal): Promise<string> {
  return await quotaCase(refusal, 'names', namesQuota, /NSQuotaExceededException.*raise the quota/);
}

async function quotaCase(refusal: Refusal, kind: 'bytes' | 'names', quota: number, says: RegExp): Promise<string> {
  const { nameNode, address } = refusal;
  const directory = `/quota/${kind}`;
  await nameNode.tell('own', directory, user, user, '755');
  await nameNode.tell(kind, directory, `${quota}`);
  const agent = await started(refusal, { directory, channel });
  for (let file = 0; file < 12; file += 1) agent.feed(fileLines);
  await agent.agent.until(() => agent.said(says).length > 0, 60_000, `the quota was met: ${kind}`);
  await feedUntilItWaits(agent);
  const before = agent.said('"level"').length;
  await sleep(refusedMs);
  const said = agent.said('"level"').length - before;
  assert.ok(said <= saidMax, `${said} lines in ${refusedMs} ms:\n${agent.agent.said().slice(-4000)}`);
  assert.ok(!agent.isSpooled(), 'the channel is full, and the source waits');
  // In between two tries: nothing of its own is in the way of others.
  await until(async () => (await hdfsLitter(address, directory)).length === 0, 'its partial files are deleted');
  const bytes = await agent.deliveredBytes(address);
  await nameNode.tell(kind, directory, '-1');
  const liftedAtMs = performance.now();
  await agent.delivered(address);
  const tookMs = performance.now() - liftedAtMs;
  await agent.finish(address);
  return (
    `quota of ${kind}: ${bytes / lineBytes} lines fit, ${said} log lines in ${seconds(refusedMs)}; ` +
    `all ${agent.fedLines} there ${seconds(tookMs)} after it was lifted`
  );
}

/**
 * A slow HDFS refuses late: until then the sink holds what it has sent, the channel has room, and the source goes on.
 * Then as much again, so that a try in between does not take all of it.
 */
async function feedUntilItWaits(agent: AgentCase): Promise<void> {
  for (let waitsMs = 0; waitsMs < waitsMsMin; waitsMs += lookMs) {
    if (agent.isSpooled()) {
      agent.feed(fileLines);
      waitsMs = 0;
    }
    await sleep(lookMs);
  }
  for (let file = 0; file < 12; file += 1) agent.feed(fileLines);
}

/** One of three directories is not the user's. */
export async function rightsCase(refusal: Refusal): Promise<string> {
  const { nameNode, address } = refusal;
  const directory = '/rights';
  const closed = `${directory}/host-1`;
  await nameNode.tell('own', directory, stranger, stranger, '755');
  await nameNode.tell('own', closed, user, user, '700');
  const agent = await started(refusal, { directory, hosts, sink: { proxyUser: stranger } });
  agent.feed(3000);
  const others = [`${directory}/host-0`, `${directory}/host-2`];
  const areThere = async (): Promise<boolean> => {
    return (await agent.deliveredBytes(address, others)) === (agent.fedLines / hosts) * 2 * lineBytes;
  };
  await agent.agent.until(areThere, 60_000, 'the others have theirs');
  agent.feed(3000);
  await agent.agent.until(areThere, 60_000, 'the others go on');
  assert.ok(agent.said(/AccessControlException.*give this user the right/).length > 0, agent.agent.said());
  assert.equal(await agent.deliveredBytes(address, [closed]), 0);
  await nameNode.tell('own', closed, stranger, stranger, '755');
  const givenAtMs = performance.now();
  await agent.delivered(address);
  const tookMs = performance.now() - givenAtMs;
  await agent.finish(address);
  return `no right to one directory of ${hosts}: the others go on; all there ${seconds(tookMs)} after it was given`;
}

/** All of HDFS can only be read for a while. */
export async function safeModeCase(refusal: Refusal): Promise<string> {
  const { nameNode, address } = refusal;
  const agent = await started(refusal, { directory: '/safe', hosts });
  agent.feed(2000);
  await agent.agent.until(async () => (await agent.deliveredBytes(address)) > 0, 60_000, 'the first lines are there');
  const feeding = setInterval(() => agent.feed(300), 300);
  refusal.test.after(() => clearInterval(feeding));
  await sleep(1000);
  await nameNode.tell('safemode', 'on');
  await sleep(refusedMs);
  await nameNode.tell('safemode', 'off');
  const leftAtMs = performance.now();
  await sleep(1000);
  clearInterval(feeding);
  await agent.delivered(address);
  const tookMs = performance.now() - leftAtMs;
  assert.ok(agent.said(/SafeModeException.*look at the NameNode: safe mode/).length > 0, agent.agent.said());
  await agent.finish(address);
  return `safe mode for ${seconds(refusedMs)} under load: ${agent.fedLines} lines, all there ${seconds(tookMs)} later`;
}

async function started({ test, main, address }: Refusal, options: Omit<CaseOptions, 'target'>): Promise<AgentCase> {
  const agent = await AgentCase.make(test, main, { target: `webhdfs://${address}`, ...options });
  agent.start();
  return agent;
}
