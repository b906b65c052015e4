/**
 * What HDFS, its configuration, its operators and the events' senders can do wrong: a clear error, the events stay in
 * the channel, and all of them arrive by themselves once it was put right. `config check --connect` says it before.
 */
import assert from 'node:assert/strict';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import test, { type TestContext } from 'node:test';
import { buildAgent } from '../e2e/agent-process.ts';
import { tempDir } from '../support/temp-dir.ts';
import { type HadoopCluster, hadoopFolder, startCluster } from './hadoop-cluster/cluster.ts';
import { siteXml } from './hadoop-cluster/cluster-sites.ts';
import { type Door, startDoor } from './hdfs-door.ts';
import { type Flow, FlowAgent, linesBelow } from './hdfs-flows.ts';
import { buildJava, javaMissing } from './java-program.ts';
import { clientOf, detailsOf, namesIn, superuser, write } from './webhdfs-support.ts';

const missing = javaMissing();
const skip = missing === undefined ? false : `HDFS cannot be started: ${missing}`;
/** As a cluster inside of another network names its own. */
const dataNode = 'datanode.invalid';
const known = { datanodeHostMap: `${dataNode}=127.0.0.1` };

test('what is wrong is said, and nothing is lost by it', { skip, timeout: 280_000 }, async (t) => {
  const classPath = await buildJava(hadoopFolder, t);
  if (classPath === undefined) return;
  const cluster = await startCluster(t, classPath, { dataNodes: [dataNode] });
  const main = await buildAgent(t);
  await t.test('the check finds each, the agent says each, and goes on by itself', (inner) =>
    wrongPlaces(inner, cluster, main),
  );
  await t.test('a user without rights, and one who may not act for others', (inner) => users(inner, cluster, main));
  await t.test('who may act for another; headers that would leave the directory are dead letters', (inner) =>
    headers(inner, cluster, main),
  );
});

/** Something wrong with where a flow's sink writes. */
interface BadFlow extends Flow {
  readonly says: RegExp;
  /** Where the check points to. */
  readonly key: 'hdfs.path' | 'hdfs.confDir' | 'hdfs.proxyUser';
  /** Where its lines are in the end. */
  readonly directory: string;
  /** Puts it right. */
  readonly cure: () => Promise<unknown>;
}

function numbered(name: string): readonly string[] {
  return Array.from({ length: 200 }, (_, index) => `${name} ${index}`);
}

function badFlow(
  name: string,
  { key = 'hdfs.path', ...given }: Pick<BadFlow, 'sink' | 'says' | 'cure'> & Partial<BadFlow>,
): BadFlow {
  return { name, lines: numbered(name), directory: `/${name}`, key, ...given, sink: { ...known, ...given.sink } };
}

/** Each is found by the check and said by the agent; each is put right; each line is there once. */
async function tryAndCure(agent: FlowAgent, flows: readonly BadFlow[], web: string): Promise<void> {
  const before = await agent.check();
  assert.equal(before.status, 78);
  for (const { name, key, says } of flows) {
    const problem = before.problems.find((one) => one.severity === 'error' && one.key === `a1.sinks.${name}.${key}`);
    assert.match(problem?.message ?? `nothing: ${JSON.stringify(before)}`, says, name);
    console.log(`shows: ${name}: ${problem?.message}`);
  }
  agent.start();
  for (const flow of flows) await agent.untilSaid(flow, flow.says);
  for (const { cure } of flows) await cure();
  await agent.configure();
  for (const flow of flows) await agent.untilArrived(flow, web, flow.directory);
}

async function wrongPlaces(t: TestContext, cluster: HadoopCluster, main: string): Promise<void> {
  const [web = ''] = cluster.webAddresses;
  const directory = await tempDir(t);
  const doors = await Promise.all((['garbage', 'html', 'shut'] as const).map((kind) => startDoor(t, kind, web)));
  const flows = [...(await placesOf(t, cluster, directory)), ...doorsOf(doors)];
  const files = clientOf(t, [`http://${web}`], { datanodeHostMap: new Map([[dataNode, '127.0.0.1']]) });
  await write(files, '/file', Buffer.from('a file\n'));
  const agent = await FlowAgent.make(t, main, flows);
  await tryAndCure(agent, flows, web);
  const after = await agent.check();
  assert.equal(after.status, 0, JSON.stringify(after.problems));
  await agent.stop();
  const found = after.findings.get('confDir')?.join('\n') ?? '';
  assert.match(found, /files get mode 604, directories 705 \(umask 072\), 3 replicas, blocks of 2097152 bytes\n/);
  assert.match(
    found,
    new RegExp(`us for user '${superuser}', at home in /user/${superuser}; we came as '${superuser}'`),
  );
  assert.match(found, /may make files below \/confDir\nDataNode 127\.0\.0\.1:\d+, .* can be reached$/);
  const [name = ''] = await namesIn(web, '/confDir');
  const { replication, blockSize, permission } = await detailsOf(web, `/confDir/${name}`);
  assert.deepEqual({ replication, blockSize, permission }, { replication: 3, blockSize: 2097152, permission: '604' });
  console.log(
    `shows: ${flows.length} wrong places, each said by the check and by the agent; each line once after that`,
  );
}

async function placesOf(
  t: TestContext,
  { webAddresses, rpcAddresses, configuration }: HadoopCluster,
  directory: string,
): Promise<readonly BadFlow[]> {
  const [web = ''] = webAddresses;
  const files = clientOf(t, [`http://${web}`]);
  const sitesIn = async (path: string, core: string): Promise<void> => {
    await mkdir(path, { recursive: true });
    await writeFile(join(path, 'core-site.xml'), core);
    await writeFile(join(path, 'hdfs-site.xml'), siteXml({ 'dfs.replication': '3', 'dfs.blocksize': '2m' }));
  };
  const core = siteXml({ 'fs.defaultFS': `webhdfs://${web}`, 'fs.permissions.umask-mode': '072' });
  const [none, malformed] = [join(directory, 'none'), join(directory, 'malformed')];
  const unknownHost = badFlow('unknownHost', {
    sink: { path: `webhdfs://${web}/unknownHost`, datanodeHostMap: 'other=127.0.0.1' },
    says: /sends the data to 'datanode\.invalid', a name that is not known here .*set hdfs\.datanodeHostMap/,
    cure: async () => {
      unknownHost.sink = { ...unknownHost.sink, ...known };
    },
  });
  const rpc = badFlow('rpc', {
    sink: { path: `hdfs://${rpcAddresses[0]}/rpc` },
    says: /ECONNREFUSED: .*tried: http:\/\/127\.0\.0\.1:9870, http:\/\/127\.0\.0\.1:50070/,
    cure: async () => {
      rpc.sink = { ...rpc.sink, confDir: configuration };
    },
  });
  const file = badFlow('file', {
    sink: { path: `webhdfs://${web}/file/in` },
    says: /a part of the path is a file|\/file is a file: no directory can be made there\. Move it away/,
    cure: () => files.delete('/file'),
  });
  const confDir = badFlow('confDir', {
    sink: { path: '/confDir', confDir: none },
    says: /none holds neither core-site\.xml nor hdfs-site\.xml: it is no directory of Hadoop's configuration/,
    key: 'hdfs.confDir',
    cure: () => sitesIn(none, core),
  });
  const broken = badFlow('malformed', {
    sink: { path: '/malformed', confDir: malformed },
    says: /malformed\/core-site\.xml, line 1, column 1: <configuration> is never ended/,
    key: 'hdfs.confDir',
    cure: () => sitesIn(malformed, core),
  });
  await sitesIn(malformed, '<configuration>');
  return [unknownHost, rpc, file, confDir, broken];
}

function doorsOf([garbage, html, shut]: readonly Door[]): readonly BadFlow[] {
  const at = (door: Door | undefined, says: RegExp) => ({
    sink: { path: `webhdfs://127.0.0.1:${door?.port}/${door?.kind}` },
    says,
    cure: async () => door?.lead(),
  });
  return [
    badFlow('garbage', at(garbage, /answers what is no HTTP .*: correct the address: it must lead to WebHDFS/)),
    badFlow('html', at(html, /answers '<html>.*' where .* is due: correct the address: it must lead to WebHDFS/)),
    badFlow('shut', at(shut, /127\.0\.0\.1:\d+: ECONNREFUSED: look whether it runs/)),
  ];
}

async function users(t: TestContext, cluster: HadoopCluster, main: string): Promise<void> {
  const [web = ''] = cluster.webAddresses;
  const [nameNode] = cluster.nameNodes;
  await nameNode?.tell('own', '/closed', superuser, 'staff', '755');
  await nameNode?.tell('own', '/open', superuser, 'staff', '777');
  const closed = badFlow('closed', {
    sink: { path: `webhdfs://${web}/closed/in` },
    says: /Permission denied: user=mallory, access=.*: give this user the right there .*, or correct hdfs\.path/,
    cure: async () => nameNode?.tell('own', '/closed', 'mallory', 'staff', '755'),
  });
  const forOthers = badFlow('forOthers', {
    sink: { path: `webhdfs://${web}/open/forOthers`, proxyUser: 'carol' },
    directory: '/open/forOthers',
    says: /User: mallory is not allowed to impersonate carol/,
    cure: async () => {
      const { proxyUser: _, ...others } = forOthers.sink;
      forOthers.sink = others;
    },
  });
  const agent = await FlowAgent.make(t, main, [closed, forOthers], { HADOOP_USER_NAME: 'mallory' });
  await tryAndCure(agent, [closed, forOthers], web);
  await agent.stop();
  assert.equal((await detailsOf(web, '/closed/in'))['owner'], 'mallory');
}

async function headers(t: TestContext, cluster: HadoopCluster, main: string): Promise<void> {
  const [web = ''] = cluster.webAddresses;
  const bad = ['../up 1', '/absolute 2', 'a:b 3', ' 4', 'nothing', '.. 5', 'down/../.. 6'];
  const good = ['fine 7', 'fine 8'];
  const flows = [
    {
      name: 'hosts',
      sink: { ...known, path: `webhdfs://${web}/hosts/%{host}` },
      more: [
        'sources.hosts.interceptors = i1',
        'sources.hosts.interceptors.i1.type = regex_extractor',
        'sources.hosts.interceptors.i1.regex = ^([^ ]*)[ ]',
        'sources.hosts.interceptors.i1.serializers = s1',
        'sources.hosts.interceptors.i1.serializers.s1.name = host',
        'sinks.hosts.onUndeliverable = deadletter',
        'sinks.hosts.deadLetterChannel = dead',
      ],
      lines: [...bad, ...good],
    },
    { name: 'dead', sink: { ...known, path: `webhdfs://${web}/dead` }, lines: bad },
    {
      name: 'proxy',
      sink: { ...known, path: `webhdfs://${web}/open/proxy`, proxyUser: 'carol' },
      lines: numbered('proxy'),
    },
  ];
  const [hosts, dead, proxy] = flows;
  assert.ok(hosts !== undefined && dead !== undefined && proxy !== undefined);
  const spooled = flows.map((flow) => (flow === dead ? { ...flow, lines: [] } : flow));
  const agent = await FlowAgent.make(t, main, spooled);
  const { status, findings, problems } = await agent.check();
  assert.equal(status, 0, JSON.stringify(problems));
  const who = `HDFS takes us for user 'carol', at home in /user/carol; we came as '${superuser}' on behalf of 'carol'`;
  assert.match(findings.get('proxy')?.join('\n') ?? '', new RegExp(who));
  agent.start();
  await agent.untilArrived(dead, web, '/dead');
  await agent.untilArrived({ ...hosts, lines: good }, web, '/hosts');
  await agent.untilArrived(proxy, web, '/open/proxy');
  await agent.stop();
  assert.deepEqual(await namesIn(web, '/hosts'), ['fine']);
  assert.equal((await detailsOf(web, '/open/proxy'))['owner'], 'carol');
  assert.deepEqual(await linesBelow(web, '/dead'), [...bad].sort());
  assert.ok(!(await namesIn(web, '/')).includes('up'));
  console.log(`shows: ${bad.length} headers that would leave the directory, each a dead letter`);
}
