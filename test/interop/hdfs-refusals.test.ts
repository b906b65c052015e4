/**
 * HDFS that refuses for a while, jobs that take files away from under the writer's hands, and a bucket that gets an
 * event now and then through HttpFS: agents side by side on one HDFS.
 */
import assert from 'node:assert/strict';
import test from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { buildAgent } from '../e2e/agent-process.ts';
import { hadoopFolder, startCluster } from './hadoop-cluster/cluster.ts';
import { AgentCase } from './hdfs-case.ts';
import { movedCase, removedCase, removedOpenCase } from './hdfs-doubt-cases.ts';
import { bytesCase, namesCase, rightsCase, safeModeCase } from './hdfs-quota-cases.ts';
import { buildJava, javaMissing } from './java-program.ts';

const missing = javaMissing();
const skip = missing === undefined ? false : `HDFS cannot be started: ${missing}`;
/** As Hadoop has it. */
const httpFsIdleMs = 60_000;
const eventsEveryMs = 90_000;
const spooledLimitMs = 30_000;

test('HDFS refuses, jobs interfere, little arrives', { skip, timeout: 600_000, concurrency: 6 }, async (t) => {
  const classPath = await buildJava(hadoopFolder, t);
  if (classPath === undefined) return;
  const properties = { 'dfs.blocksize': `${1024 * 1024}` };
  const cluster = await startCluster(t, classPath, { httpFs: true, httpFsIdleMs, properties });
  const [nameNode] = cluster.nameNodes;
  const [address = ''] = cluster.webAddresses;
  assert.ok(nameNode !== undefined);
  const given = { test: t, main: await buildAgent(t), nameNode, address };
  // Alone: it is felt by all.
  await t.test('safe mode', async () => say(await safeModeCase(given)));

  const rare = t.test('an event in 90 s through HttpFS', async () => {
    const directory = '/rare';
    const sink = { rollCount: 0, idleTimeout: 0, callTimeout: 30_000 };
    const target = `webhdfs://${cluster.httpFsAddress}`;
    const agent = await AgentCase.make(t, given.main, { target, directory, sink });
    agent.start();
    agent.feed(1);
    await sleep(eventsEveryMs);
    agent.feed(1);
    // A source that has found nothing for long looks every five seconds.
    await agent.agent.until(() => agent.isSpooled(), spooledLimitMs, 'the second event is in the channel');
    // And so does a sink.
    await sleep(8000);
    assert.equal(await agent.agent.end('SIGTERM'), 0, agent.agent.said());
    const files = await agent.check(address);
    const again = agent.said('cannot be written').length;
    say(`one event in 90 s through HttpFS, which bears 60 s: each line once, ${files} files, ${again} written again`);
  });
  const others = [
    t.test('a quota of bytes is reached and lifted', async () => say(await bytesCase(given))),
    t.test('a quota of names is reached and lifted', async () => say(await namesCase(given))),
    t.test('no right to one of several directories', async () => say(await rightsCase(given))),
    ...(['commit', 'redeliver', 'hold'] as const).map((onInDoubt) =>
      t.test(`finished files are moved away at once: ${onInDoubt}`, async () => say(await movedCase(given, onInDoubt))),
    ),
    ...(['commit', 'redeliver'] as const).map((onInDoubt) =>
      t.test(`finished files are removed before they have their names: ${onInDoubt}`, async () =>
        say(await removedCase(given, onInDoubt)),
      ),
    ),
    t.test('an open file is removed', async () => say(await removedOpenCase(given))),
  ];
  await Promise.all([rare, ...others]);
});

function say(line: string): void {
  console.log(`shows: ${line}`);
}
