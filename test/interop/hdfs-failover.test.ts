/**
 * Two NameNodes that are switched again and again under load, once with the active one paused while the other takes
 * over, and agents that are killed in between: each line is there once.
 */
import assert from 'node:assert/strict';
import test, { type TestContext } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { buildAgent } from '../e2e/agent-process.ts';
import { type HadoopCluster, hadoopFolder, startCluster } from './hadoop-cluster/cluster.ts';
import type { HadoopNode } from './hadoop-cluster/hadoop-node.ts';
import { AgentCase, type CaseOptions, seconds } from './hdfs-case.ts';
import { buildJava, javaMissing } from './java-program.ts';
import { until } from './webhdfs-support.ts';

const missing = javaMissing();
const skip = missing === undefined ? false : `HDFS cannot be started: ${missing}`;
const switches = 20;
const betweenMs = 2500;
/** Of the switches, from 1: the one whose active NameNode is paused, and those after which the agents are killed. */
const pausedAt = 10;
const killsAt = [5, 15];
const pausedMs = 6000;
const feedEveryMs = 200;
const linesPerFeed = 200;
const hosts = 4;
/** HDFS waits a minute for a writer that has died with its DataNode or NameNode, and the agent with it. */
const standstillMsMax = 180_000;

test(`two NameNodes are switched ${switches} times under load`, { skip, timeout: 600_000 }, async (t) => {
  const classPath = await buildJava(hadoopFolder, t);
  if (classPath === undefined) return;
  const cluster = await startCluster(t, classPath, { nameNodes: 2 });
  const main = await buildAgent(t);
  // Where the configuration is comes from the one's own settings, and from the other's surroundings.
  const target = 'hdfs://cluster';
  const files = { directory: '/files', hosts, sink: { rollCount: 500, confDir: cluster.configuration } };
  // Not gone on with by APPEND: HDFS has been seen to keep such a file closed for minutes after its NameNodes switched.
  const long = { directory: '/long', hosts, sink: { rollCount: 8000 } };
  process.env['HADOOP_CONF_DIR'] = cluster.configuration;
  const loads = await Promise.all([files, long].map((options) => Load.start(t, main, { target, ...options })));
  const pair = new Pair(cluster, (address) => {
    for (const load of loads) load.address = address;
  });

  const beganMs = performance.now();
  for (let nth = 1; nth <= switches; nth += 1) {
    await sleep(betweenMs);
    if (nth === pausedAt) await pair.takeOverFromPaused();
    else await pair.switch();
    if (!killsAt.includes(nth)) continue;
    for (const { agent } of loads) {
      await agent.kill();
      agent.start();
    }
  }
  const tookMs = performance.now() - beganMs;
  await Promise.all(loads.map((load) => load.end()));
  for (const load of loads) {
    const { agent, standstillMs } = load;
    const count = await agent.finish(load.address);
    assert.deepEqual(agent.said('at neither of its names'), []);
    const [warns, errors] = ['warn', 'error'].map((level) => agent.said(`"level":"${level}"`).length);
    console.log(
      `shows: ${switches} switches of two NameNodes in ${seconds(tookMs)}, one of them paused, agent killed ` +
        `${killsAt.length} times: ${agent.fedLines} events once in ${count} files of ${agent.directory}, ` +
        `longest standstill ${seconds(standstillMs)}, ${warns} warnings, ${errors} errors`,
    );
    assert.ok(standstillMs < standstillMsMax, `${standstillMs} ms`);
  }
});

/** An agent that gets lines all the time, and how long nothing came of them. */
class Load {
  readonly agent: AgentCase;
  /** Of the NameNode to ask; empty where none answers. */
  address = '';
  standstillMs = 0;
  readonly #feeding: NodeJS.Timeout;
  #isOver = false;
  readonly #watching: Promise<void>;

  private constructor(test: TestContext, agent: AgentCase) {
    this.agent = agent;
    this.#feeding = setInterval(() => agent.feed(linesPerFeed), feedEveryMs);
    test.after(() => this.#stop());
    this.#watching = this.#watch();
  }

  static async start(test: TestContext, main: string, options: CaseOptions): Promise<Load> {
    const agent = await AgentCase.make(test, main, options);
    agent.start();
    return new Load(test, agent);
  }

  /** Feeds no more. Resolves when all is there. */
  async end(): Promise<void> {
    clearInterval(this.#feeding);
    await this.agent.delivered(this.address);
    this.#stop();
    await this.#watching;
  }

  #stop(): void {
    clearInterval(this.#feeding);
    this.#isOver = true;
  }

  async #watch(): Promise<void> {
    let bytes = 0;
    let movedAtMs = performance.now();
    while (!this.#isOver) {
      const now = await this.agent.deliveredBytes(this.address).catch(() => 0);
      if (now > bytes) {
        bytes = now;
        movedAtMs = performance.now();
      }
      this.standstillMs = Math.max(this.standstillMs, performance.now() - movedAtMs);
      await sleep(feedEveryMs);
    }
  }
}

/** Which of the two is active. */
class Pair {
  readonly #cluster: HadoopCluster;
  readonly #said: (address: string) => void;
  #active = 0;

  constructor(cluster: HadoopCluster, said: (address: string) => void) {
    this.#cluster = cluster;
    this.#said = said;
    this.#say();
  }

  async switch(): Promise<void> {
    const [active, standby] = this.#both();
    await active.tell('standby');
    await standby.tell('active');
    this.#turn();
  }

  /** Comes back when the other one has been active for a while, and takes itself for the active one until it writes. */
  async takeOverFromPaused(): Promise<void> {
    const [paused, standby] = this.#both();
    paused.pause();
    await standby.tell('active');
    this.#turn();
    await sleep(pausedMs);
    paused.resume();
    await until(async () => !paused.isRunning, 'the paused one ends over what it was to write');
    await paused.kill();
    await paused.start();
    await this.#cluster.waitReady(paused);
  }

  #both(): readonly [HadoopNode, HadoopNode] {
    const { nameNodes } = this.#cluster;
    const [active, standby] = [nameNodes[this.#active], nameNodes[1 - this.#active]];
    assert.ok(active !== undefined && standby !== undefined);
    return [active, standby];
  }

  #turn(): void {
    this.#active = 1 - this.#active;
    this.#say();
  }

  #say(): void {
    this.#said(this.#cluster.webAddresses[this.#active] ?? '');
  }
}
