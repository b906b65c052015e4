/** Each configuration of docs/hdfs.md and README.md, run in front of a real HDFS: its lines arrive, each once. */
import assert from 'node:assert/strict';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import test, { type TestContext } from 'node:test';
import { AgentProcess, buildAgent } from '../e2e/agent-process.ts';
import { root } from '../support/source.ts';
import { tempDir } from '../support/temp-dir.ts';
import { type HadoopCluster, hadoopFolder, startCluster } from './hadoop-cluster/cluster.ts';
import { siteXml } from './hadoop-cluster/cluster-sites.ts';
import { linesBelow } from './hdfs-flows.ts';
import { hdfsFiles } from './hdfs-lines.ts';
import { buildJava, javaMissing } from './java-program.ts';
import { superuser } from './webhdfs-support.ts';

const missing = javaMissing();
const skip = missing === undefined ? false : `HDFS cannot be started: ${missing}`;
const lineCount = 300;
const atOnce = 4;
const limitMs = 60_000;

interface Guide {
  readonly cluster: HadoopCluster;
  readonly main: string;
  readonly confDirectory: string;
  readonly tokenFile: string;
}

test('each configuration of the HDFS guide writes to a real HDFS', { skip, timeout: 240_000 }, async (t) => {
  const classPath = await buildJava(hadoopFolder, t);
  if (classPath === undefined) return;
  const cluster = await startCluster(t, classPath, { httpFs: true });
  const main = await buildAgent(t);
  const pages = ['docs/hdfs.md', 'README.md'].map((page) => readFile(join(root, page), 'utf8'));
  const text = (await Promise.all(pages)).join('\n');
  const blocks = [...text.matchAll(/^```properties\n(.*?)^```$/gms)].map(([, block = '']) => block);
  assert.equal(blocks.length, text.split('```properties').length - 1);
  const guide = { cluster, main, ...(await makeClient(t, cluster)) };
  const [base = ''] = blocks;
  let next = 0;
  const runNext = async (): Promise<void> => {
    for (let at = next++; at < blocks.length; at = next++) {
      await t.test(`block ${at + 1}`, (inner) => runBlock(inner, guide, base, { block: blocks[at] ?? '', number: at }));
    }
  };
  await Promise.all(Array.from({ length: atOnce }, runNext));
  console.log(
    `shows: ${blocks.length} configurations of docs/hdfs.md and README.md, ${lineCount} lines each, each line once`,
  );
});

/** Of a client: a name service with one NameNode, and a token that HttpFS gave. */
async function makeClient(t: TestContext, { webAddresses, httpFsAddress }: HadoopCluster) {
  const directory = await tempDir(t);
  const confDirectory = join(directory, 'conf');
  await mkdir(confDirectory);
  await writeFile(join(confDirectory, 'core-site.xml'), siteXml({ 'fs.defaultFS': 'hdfs://cluster' }));
  const service = { 'dfs.nameservices': 'cluster', 'dfs.ha.namenodes.cluster': 'nn1' };
  const address = { 'dfs.namenode.http-address.cluster.nn1': webAddresses[0] ?? '' };
  await writeFile(join(confDirectory, 'hdfs-site.xml'), siteXml({ ...service, ...address }));
  const url = `http://${httpFsAddress}/webhdfs/v1/?op=GETDELEGATIONTOKEN&renewer=${superuser}&user.name=${superuser}`;
  const tokenFile = join(directory, 'token');
  await writeFile(tokenFile, await (await fetch(url)).text());
  return { confDirectory, tokenFile };
}

/** The base with the block's own keys, on this cluster and in directories of its own. */
async function runBlock(
  t: TestContext,
  { cluster, main, confDirectory, tokenFile }: Guide,
  base: string,
  { block, number }: { readonly block: string; readonly number: number },
): Promise<void> {
  const [web = ''] = cluster.webAddresses;
  const directory = `/logs-${number}`;
  await cluster.nameNodes[0]?.tell('own', directory, superuser, 'staff', '777');
  const home = await tempDir(t);
  const spool = join(home, 'spool');
  await mkdir(spool);
  const lines = Array.from(
    { length: lineCount },
    (_, index) => `block ${number} line ${String(index).padStart(3, '0')}`,
  );
  await writeFile(join(spool, 'log'), lines.map((line) => `${line}\n`).join(''));
  const places: Readonly<Record<string, string>> = {
    '/var/spool/app': spool,
    '/var/lib/forebay': home,
    '/etc/hadoop/conf': confDirectory,
    '/run/forebay/hdfs.token': tokenFile,
    'nn1.example.com:9870': web,
    'httpfs.example.com:14000': cluster.httpFsAddress,
    '/logs/': `${directory}/`,
    // What would take an hour.
    'rollInterval = 600\n': 'rollInterval = 1\n',
    'rollInterval = 3600\n': 'rollInterval = 1\n',
    'idleTimeout = 60\n': 'idleTimeout = 1\n',
    'doneDelay = 300\n': 'doneDelay = 2\n',
  };
  const files = await Promise.all(
    [base, block].map(async (text, index) => {
      const file = join(home, `${index}.properties`);
      let placed = text;
      for (const [written, here] of Object.entries(places)) placed = placed.replaceAll(written, here);
      await writeFile(file, placed);
      return file;
    }),
  );
  const [first = '', second = ''] = files;
  const environment = { HADOOP_CONF_DIR: confDirectory };
  const agent = AgentProcess.start(main, first, join(home, 'log'), { args: ['-f', second], environment });
  t.after(async () => {
    await agent.end('SIGKILL');
  });
  const arrived = async (): Promise<boolean> => (await linesBelow(web, directory)).length >= lineCount;
  await agent.until(arrived, limitMs, 'the lines arrived');
  if (block.includes('doneFile')) await agent.until(() => isDone(web, directory), limitMs, 'the directory is done');
  assert.equal(await agent.end('SIGTERM'), 0, agent.said().slice(-3000));
  assert.deepEqual(await linesBelow(web, directory), lines, agent.said().slice(-3000));
}

async function isDone(web: string, directory: string): Promise<boolean> {
  const names = [...(await hdfsFiles(web, directory)).keys()];
  return names.some((name) => /\/_SUCCESS\.[^/]+$/.test(name));
}
