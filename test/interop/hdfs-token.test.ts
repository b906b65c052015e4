/**
 * Delegation tokens, real ones, in the files that people and Hadoop's own classes make: fetched late, expired, renewed.
 * Of HttpFS, which asks for them: a NameNode without Kerberos does not.
 */
import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import test, { type TestContext } from 'node:test';
import { pathToFileURL } from 'node:url';
import { buildAgent } from '../e2e/agent-process.ts';
import { tempDir } from '../support/temp-dir.ts';
import { type HadoopCluster, hadoopFolder, startCluster } from './hadoop-cluster/cluster.ts';
import { FlowAgent } from './hdfs-flows.ts';
import { buildJava, javaMissing } from './java-program.ts';
import { clientOf, detailsOf, namesIn } from './webhdfs-support.ts';

const missing = javaMissing();
const skip = missing === undefined ? false : `HDFS cannot be started: ${missing}`;
const linesOf = (from: number): string[] => Array.from({ length: 100 }, (_, index) => `line ${from + index}`);

test('a delegation token says who writes; it may come late, expire and be renewed', {
  skip,
  timeout: 240_000,
}, async (t) => {
  const classPath = await buildJava(hadoopFolder, t);
  if (classPath === undefined) return;
  const cluster = await startCluster(t, classPath, { httpFs: true });
  await cluster.nameNodes[0]?.tell('own', '/tokens', 'carol', 'staff', '700');
  await throughRenewals(t, cluster, await buildAgent(t));
  // What the guide warns of.
  const [web = ''] = cluster.webAddresses;
  const token = await tokenOf(web);
  const { home } = await clientOf(t, [`http://${web}`], { delegationToken: () => token }).introduce('/');
  assert.equal(home, '/user/dr.who');
});

async function throughRenewals(t: TestContext, cluster: HadoopCluster, main: string): Promise<void> {
  const { httpFsAddress, webAddresses } = cluster;
  const [web = ''] = webAddresses;
  const [node] = cluster.nameNodes;
  const path = join(await tempDir(t), 'token');
  const keep = async (format: string, token: string): Promise<void> => {
    await node?.tell('keep', pathToFileURL(path).href, format, token);
  };
  const flow = { name: 'tokens', sink: { path: `webhdfs://${httpFsAddress}/tokens/in` }, lines: linesOf(0) };
  const agent = await FlowAgent.make(t, main, [flow], {
    HADOOP_TOKEN_FILE_LOCATION: path,
    HADOOP_USER_NAME: 'mallory',
  });
  const arrived = (count: number): Promise<void> =>
    agent.untilArrived(
      { ...flow, lines: linesOf(0).concat(...[100, 200].slice(0, count - 1).map(linesOf)) },
      web,
      '/tokens/in',
    );
  const without = await agent.check();
  assert.equal(without.status, 78);
  assert.match(
    without.problems[0]?.message ?? '',
    /no delegation token in .*token: ENOENT.*: put one there by `hdfs fet/,
  );
  agent.start();
  await agent.untilSaid(flow, /no delegation token in .*ENOENT/);

  const first = await tokenOf(httpFsAddress);
  await keep('WRITABLE', first);
  await arrived(1);
  const found = (await agent.check()).findings.get('tokens')?.join('\n') ?? '';
  assert.ok(
    found.includes(`takes us for user 'carol', at home in /user/carol; we came with the delegation token of ${path}`),
  );

  await cancel(httpFsAddress, first);
  await agent.feed(flow, 'second', linesOf(100));
  await agent.untilSaid(flow, /renew the delegation token: its file is read again without a restart/);
  const expired = (await agent.check()).problems.find(({ severity }) => severity === 'error');
  assert.match(expired?.message ?? '', /renew the delegation token/);
  console.log(`shows: an expired token: ${expired?.message}`);
  const second = await tokenOf(httpFsAddress);
  await keep('PROTOBUF', second);
  await arrived(2);

  await cancel(httpFsAddress, second);
  await agent.feed(flow, 'third', linesOf(200));
  await writeFile(path, JSON.stringify({ Token: { urlString: await tokenOf(httpFsAddress) } }));
  await arrived(3);
  await agent.stop();
  const [name = ''] = await namesIn(web, '/tokens/in');
  assert.equal((await detailsOf(web, `/tokens/in/${name}`))['owner'], 'carol');
  console.log('shows: 300 lines, each once, with three tokens: two that Hadoop wrote, one as WebHDFS gave it');
}

async function tokenOf(address: string): Promise<string> {
  const asked = await fetch(`http://${address}/webhdfs/v1/?op=GETDELEGATIONTOKEN&renewer=carol&user.name=carol`);
  return ((await asked.json()) as { Token: { urlString: string } }).Token.urlString;
}

async function cancel(address: string, token: string): Promise<void> {
  const url = `http://${address}/webhdfs/v1/?op=CANCELDELEGATIONTOKEN&token=${token}&user.name=carol`;
  assert.equal((await fetch(url, { method: 'PUT' })).status, 200);
}
