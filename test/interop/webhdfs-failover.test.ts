/** The WebHDFS client with two NameNodes: the active one found, followed, paused and killed. Real ones. */
import assert from 'node:assert/strict';
import test, { type TestContext } from 'node:test';
import { readHadoopConfiguration } from '../../src/adapters/sinks/hdfs/web/hadoop-configuration.ts';
import { resolveTarget } from '../../src/adapters/sinks/hdfs/web/resolve-target.ts';
import { webFileSystem } from '../../src/adapters/sinks/hdfs/web/web-file-system.ts';
import { type HadoopCluster, hadoopFolder, startCluster } from './hadoop-cluster/cluster.ts';
import { buildJava, javaMissing } from './java-program.ts';
import { begin, clientOf, detailsOf, finish, ofKind, superuser, until, write } from './webhdfs-support.ts';

const missing = javaMissing();
const skip = missing === undefined ? false : `HDFS cannot be started: ${missing}`;
/** A DataNode looks for the active NameNode by itself, and takes its time. */
const callTimeoutMs = 15_000;
const shortTimeoutMs = 1500;
/** As a cluster inside of another network names its own. */
const dataNode = 'datanode.invalid';
const options = { user: superuser, callTimeoutMs, datanodeHostMap: new Map([[dataNode, '127.0.0.1']]) };

/** Of a name that only Hadoop's configuration leads from. */
async function targetOf(cluster: HadoopCluster, text: string) {
  const resolved = resolveTarget(text, await readHadoopConfiguration(cluster.configuration, {}));
  assert.ok('target' in resolved, JSON.stringify(resolved));
  return resolved;
}

test('the active NameNode of two is found and followed', { skip }, async (t) => {
  const classPath = await buildJava(hadoopFolder, t);
  if (classPath === undefined) return;
  await failoverSuite(t, await startCluster(t, classPath, { nameNodes: 2, dataNodes: [dataNode] }));
});

async function failoverSuite(t: TestContext, cluster: HadoopCluster): Promise<void> {
  const [first, second] = cluster.nameNodes;
  const [firstWeb = '', secondWeb = ''] = cluster.webAddresses;
  assert.ok(first !== undefined && second !== undefined);
  const actives: string[] = [];
  const { target } = await targetOf(cluster, '/logs');
  const files = webFileSystem(target, { ...options, onActive: (address) => actives.push(address) });
  const quick = webFileSystem(target, { ...options, callTimeoutMs: shortTimeoutMs });
  t.after(() => Promise.all([files, quick].map((one) => one.close())));

  await t.test("Hadoop's own configuration leads there, whichever way it is named", async () => {
    assert.equal(files.prefix, 'hdfs://cluster');
    const addresses = [`http://${firstWeb}`, `http://${secondWeb}`];
    const texts = ['/logs', 'hdfs://cluster/logs', 'webhdfs://cluster/logs'];
    for (const text of texts) assert.deepEqual((await targetOf(cluster, text)).target.addresses, addresses, text);
    const byRpc = await targetOf(cluster, `hdfs://${cluster.rpcAddresses[1]}/logs/%Y`);
    assert.deepEqual([byRpc.target.addresses, byRpc.path], [[addresses[1]], '/logs/%Y']);
    await write(files, '/logs/a', Buffer.from('x'));
    // dfs.replication and fs.permissions.umask-mode of the same files.
    const { permission, replication } = await detailsOf(firstWeb, '/logs/a');
    assert.deepEqual({ permission, replication }, { permission: '640', replication: 1 });
  });

  await t.test('a DataNode whose name is not known here', async () => {
    const lost = webFileSystem(target, { user: superuser, callTimeoutMs });
    t.after(() => lost.close());
    const says = /sends the data to 'datanode\.invalid'.*set hdfs\.datanodeHostMap, .* or write through HttpFS/;
    await assert.rejects(lost.create('/logs/lost'), ofKind('unresolvableDataNode', says));
    await assert.rejects(lost.append('/logs/a'), ofKind('unresolvableDataNode', says));
    assert.equal(await files.status('/logs/lost'), undefined);
  });

  await t.test('only the standby one', async () => {
    const wrong = clientOf(t, [`http://${secondWeb}`], options);
    await assert.rejects(
      wrong.status('/'),
      ofKind('standby', /StandbyException.*wait for a NameNode to become/, 'notDone'),
    );
    await assert.rejects(wrong.rename('/logs/a', '/logs/b'), ofKind('standby', /./, 'notDone'));
  });

  await t.test('switched in the middle of a file, and back', async () => {
    const stream = await begin(files, '/logs/switched');
    await stream.write(Buffer.alloc(100_000, 'x'));
    await first.tell('standby');
    const switching = second.tell('active');
    // While there is none, and when it is the other one.
    const [found] = await Promise.all([files.status('/logs/a'), switching]);
    assert.equal(found?.lengthBytes, 1);
    await finish(stream, Buffer.from('end'));
    await files.rename('/logs/switched', '/logs/there');
    assert.equal((await files.status('/logs/there'))?.lengthBytes, 100_003);
    await second.tell('standby');
    await first.tell('active');
    assert.equal(await files.delete('/logs/there'), true);
    assert.deepEqual(
      actives,
      [firstWeb, secondWeb, firstWeb].map((address) => `http://${address}`),
    );
  });

  await t.test('paused: a rename without an answer, the other one asked, the paused one back', async () => {
    await write(files, '/logs/p.tmp', Buffer.from('paused'));
    const before = await quick.status('/logs/p.tmp');
    first.pause();
    await assert.rejects(quick.rename('/logs/p.tmp', '/logs/p'), ofKind('network', /silent for 1500 ms/, 'unknown'));
    await second.tell('active');
    assert.deepEqual(await quick.status('/logs/p.tmp'), before);
    await quick.rename('/logs/p.tmp', '/logs/p');
    assert.deepEqual(await quick.status('/logs/p'), before);
    first.resume();
    // It takes itself for the active one until it tries to write: the late rename ends it.
    await until(async () => !first.isRunning, 'the paused one ends');
    assert.deepEqual(await quick.status('/logs/p'), before);
    await first.kill();
    await first.start();
    await cluster.waitReady(first);
  });

  await t.test('paused and back: it answers from what it knew, until it has to prove itself', async () => {
    second.pause();
    await first.tell('active');
    // No file: the DataNodes would wait for the paused one. And nothing that waits there for it to come back.
    await clientOf(t, [`http://${firstWeb}`], options).makeDirectories('/logs/late');
    second.resume();
    const stale = clientOf(t, [`http://${secondWeb}`], options);
    assert.equal(await stale.status('/logs/late'), undefined);
    await assert.rejects(
      stale.proveActive('/logs'),
      ofKind('network', /cannot look who is active in \/logs.*_forebay-/),
    );
    await assert.rejects(stale.status('/logs/late'), ofKind('network'));
    assert.equal((await quick.status('/logs/late'))?.kind, 'directory');
    await quick.proveActive('/logs');
    await second.kill();
    await second.start();
    await cluster.waitReady(second);
  });

  await t.test('killed: its calls go to the other one when that is active', async () => {
    await first.kill();
    const late = new Promise<string>((resolve) => setTimeout(() => resolve(second.tell('active')), 500));
    const [found] = await Promise.all([files.status('/logs/p'), late]);
    assert.equal(found?.lengthBytes, 6);
    await write(files, '/logs/q', Buffer.from('x'));
    assert.equal(await files.delete('/logs/q'), true);
  });
}
