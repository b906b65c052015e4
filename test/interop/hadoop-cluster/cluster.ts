/**
 * Hadoop's own HDFS, as small as it gets: one NameNode or two (then with a JournalNode, the first of them active), one
 * DataNode or two, HttpFS. Each is a process, on ports of this machine that it keeps when it is started again.
 */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { randomInt } from 'node:crypto';
import { cp, mkdir, stat, writeFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:net';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { promisify } from 'node:util';
import { filesUnder } from '../../e2e/line-set.ts';
import { tempDir } from '../../support/temp-dir.ts';
import {
  clientSite,
  dataNodeSite,
  httpFsIdleMs,
  httpFsSite,
  journalSite,
  keyStorePassword,
  nameNodeSite,
  type Properties,
  secureSite,
  serverKeySite,
  serverSite,
  siteXml,
} from './cluster-sites.ts';
import { HadoopNode, type NodeRole } from './hadoop-node.ts';

export { httpFsIdleMs } from './cluster-sites.ts';

/** The folder that `buildJava` makes the class path of. */
export const hadoopFolder: URL = new URL('node/', import.meta.url);

const run = promisify(execFile);
const keyStore = 'keys.p12';
const readyLimitMs = 60_000;
const pollMs = 50;
/** Below those that whoever connects gets one of: a node that is down for a while is to find its own free. */
const [portMin, portMax] = [10_000, 32_000];

/** Defaults: one of each, neither HttpFS nor HTTPS. */
export interface ClusterOptions {
  readonly nameNodes?: 1 | 2;
  /** For each its name, as redirects give it. */
  readonly dataNodes?: readonly string[];
  readonly httpFs?: boolean;
  /** `httpFsIdleMs` where it is not said. */
  readonly httpFsIdleMs?: number;
  /** NameNode and DataNodes listen for it also. */
  readonly https?: boolean;
  /** More for hdfs-site.xml. */
  readonly properties?: Properties;
}

/** A running cluster. */
export interface HadoopCluster {
  readonly nameNodes: readonly HadoopNode[];
  readonly dataNodes: readonly HadoopNode[];
  readonly httpFs: HadoopNode | undefined;
  /** Of each NameNode: `127.0.0.1:9870`. */
  readonly webAddresses: readonly string[];
  /** The same for HTTPS. */
  readonly secureAddresses: readonly string[];
  /** Of each NameNode, as `hdfs://` has it. */
  readonly rpcAddresses: readonly string[];
  readonly httpFsAddress: string;
  /** Of each DataNode, as the locations of blocks have it. */
  readonly dataAddresses: readonly string[];
  /** The certificate of all of them, PEM. Empty without HTTPS. */
  readonly certificate: string;
  /** A directory with the core-site.xml and hdfs-site.xml that a client gets. */
  readonly configuration: string;
  /** Resolves to the bytes of blocks that all DataNodes have by now, of files that are being written too. */
  blockBytes(): Promise<number>;
  /** Resolves when the NameNode is out of safe mode and knows all DataNodes. */
  waitReady(nameNode?: HadoopNode): Promise<void>;
}

/** Starts one; all that of it still runs is killed after `test`. */
export async function startCluster(
  test: TestContext,
  classPath: string,
  options: ClusterOptions = {},
): Promise<HadoopCluster> {
  const started: HadoopNode[] = [];
  test.after(() => Promise.all(started.map((node) => node.kill())));
  const directory = await tempDir(test);
  const hosts = options.dataNodes ?? ['127.0.0.1'];
  const ids = options.nameNodes === 2 ? ['nn1', 'nn2'] : ['nn1'];
  const addresses = (await freePorts(2 + ids.length * 3 + hosts.length * 4)).map((port) => `127.0.0.1:${port}`);
  const take = (count: number): string[] => addresses.splice(0, count);
  const [journal = '', httpFsAddress = ''] = take(2);
  const [rpcAddresses, webAddresses, secureAddresses] = [take(ids.length), take(ids.length), take(ids.length)];
  const site = clientSite(ids, rpcAddresses, webAddresses, secureAddresses);
  const hdfs = { ...serverSite, ...site.hdfs, ...(options.https === true && secureSite), ...options.properties };
  const builder = new Builder(directory, classPath, site.core, hdfs, started);
  const certificate = options.https === true ? await makeKeys(directory) : '';

  if (ids.length > 1) await (await builder.make('journalnode', 'journal', journalSite(directory, journal))).start();
  const ofNameNode = (id: string): Properties => nameNodeSite(directory, id, ids.length > 1 ? journal : undefined);
  await (await builder.make('format', 'format', ofNameNode('nn1'))).start();
  const nameNodes = await Promise.all(ids.map((id) => builder.make('namenode', id, ofNameNode(id))));
  await copyNames(directory, ids);
  const ofDataNodes = hosts.map(() => take(4));
  const dataNodes = await Promise.all(
    hosts.map((host, index) => {
      const site = dataNodeSite(join(directory, `dn${index}`), host, ofDataNodes[index] ?? []);
      return builder.make('datanode', `dn${index}`, site);
    }),
  );
  await Promise.all([...nameNodes, ...dataNodes].map((node) => node.start()));
  if (ids.length > 1) await nameNodes[0]?.tell('active');
  const waitReady = (node = nameNodes[0]): Promise<void> => untilReady(node, hosts.length);
  await waitReady();
  const idleMs = options.httpFsIdleMs ?? httpFsIdleMs;
  const httpFs = options.httpFs === true ? await startHttpFs(directory, httpFsAddress, builder, idleMs) : undefined;
  return {
    nameNodes,
    dataNodes,
    httpFs,
    webAddresses,
    secureAddresses,
    rpcAddresses,
    httpFsAddress,
    dataAddresses: ofDataNodes.map(([data = '']) => data),
    certificate,
    configuration: await builder.configure('client', {}),
    blockBytes: () => bytesOfBlocks(hosts.map((_, index) => join(directory, `dn${index}`))),
    waitReady,
  };
}

/** Makes nodes, each with a configuration of its own. */
class Builder {
  readonly #directory: string;
  readonly #classPath: string;
  readonly #core: Properties;
  readonly #hdfs: Properties;
  readonly #started: HadoopNode[];

  constructor(directory: string, classPath: string, core: Properties, hdfs: Properties, started: HadoopNode[]) {
    this.#directory = directory;
    this.#classPath = classPath;
    this.#core = core;
    this.#hdfs = hdfs;
    this.#started = started;
  }

  async make(role: NodeRole, name: string, more: Properties, java: Properties = {}): Promise<HadoopNode> {
    const configuration = await this.configure(name, more);
    const properties = { 'java.io.tmpdir': this.#directory, ...java };
    const node = new HadoopNode({ role, classPath: this.#classPath, configuration, properties });
    this.#started.push(node);
    return node;
  }

  /** @returns the directory that it is in. */
  async configure(name: string, more: Properties): Promise<string> {
    const path = join(this.#directory, 'conf', name);
    // Hadoop's web servers look for their pages on the class path; the jars have none, and none is needed.
    for (const app of ['hdfs', 'datanode', 'journal']) await mkdir(join(path, 'webapps', app), { recursive: true });
    await cp(new URL('log4j.properties', hadoopFolder), join(path, 'log4j.properties'));
    const core = { ...this.#core, 'hadoop.tmp.dir': join(this.#directory, 'tmp') };
    await writeFile(join(path, 'core-site.xml'), siteXml(core));
    await writeFile(join(path, 'hdfs-site.xml'), siteXml({ ...this.#hdfs, ...more }));
    await writeFile(join(path, 'ssl-server.xml'), siteXml(serverKeySite(join(this.#directory, keyStore))));
    return path;
  }
}

async function bytesOfBlocks(directories: readonly string[]): Promise<number> {
  let bytes = 0;
  for (const path of await filesUnder(directories, (name) => /^blk_\d+$/.test(name))) {
    // It may be finished in this very moment, and stand elsewhere.
    bytes += await stat(path).then(
      ({ size }) => size,
      () => 0,
    );
  }
  return bytes;
}

/** A key that signs itself, for this machine. @returns its certificate, PEM. */
async function makeKeys(directory: string): Promise<string> {
  const store = ['-keystore', join(directory, keyStore), '-storepass', keyStorePassword, '-alias', 'node'];
  const who = ['-dname', 'CN=localhost', '-ext', 'SAN=ip:127.0.0.1,dns:localhost'];
  await run('keytool', ['-genkeypair', '-keyalg', 'EC', '-validity', '3', ...who, ...store]);
  const { stdout } = await run('keytool', ['-exportcert', '-rfc', ...store]);
  return stdout;
}

/** A formatted NameNode is made a second one by a copy, as long as nothing was written. */
async function copyNames(directory: string, ids: readonly string[]): Promise<void> {
  const [first = '', ...others] = ids.map((id) => join(directory, id));
  for (const other of others) await cp(first, other, { recursive: true });
}

async function untilReady(node: HadoopNode | undefined, dataNodes: number): Promise<void> {
  assert.ok(node !== undefined);
  const endMs = performance.now() + readyLimitMs;
  while ((await node.tell('datanodes')) !== `${dataNodes}`) {
    assert.ok(performance.now() < endMs, `HDFS did not get ready:\n${node.log().slice(-3000)}`);
    await new Promise((resolve) => setTimeout(resolve, pollMs));
  }
}

async function startHttpFs(directory: string, address: string, builder: Builder, idleMs: number): Promise<HadoopNode> {
  const home = join(directory, 'httpfs');
  const configuration = join(directory, 'conf', 'httpfs');
  const own = { home, config: configuration, log: join(home, 'log'), temp: join(home, 'temp') };
  for (const path of Object.values(own)) await mkdir(path, { recursive: true });
  const java = Object.entries(own).map(([name, path]) => [`httpfs.${name}.dir`, path]);
  const port = address.slice(address.indexOf(':') + 1);
  await writeFile(join(configuration, 'httpfs-site.xml'), siteXml(httpFsSite(configuration, port, idleMs)));
  const node = await builder.make('httpfs', 'httpfs', {}, { ...Object.fromEntries(java), port });
  await node.start();
  return node;
}

/** So many that nobody listens on, each another one. */
async function freePorts(count: number): Promise<number[]> {
  const servers = new Map<number, Server>();
  while (servers.size < count) {
    const port = randomInt(portMin, portMax);
    const server = createServer();
    const isFree = await new Promise<boolean>((resolve) => {
      server.once('error', () => resolve(false));
      server.listen(port, '127.0.0.1', () => resolve(true));
    });
    if (isFree) servers.set(port, server);
  }
  await Promise.all([...servers.values()].map((server) => new Promise((resolve) => server.close(resolve))));
  return [...servers.keys()];
}
