/** The *-site.xml files of a small cluster. */
import { userInfo } from 'node:os';

/** What one such file says. */
export type Properties = Readonly<Record<string, string>>;

/** Of two NameNodes. */
const nameService = 'cluster';

/** What nodes are told beside what their clients know. */
export const serverSite: Properties = {
  'dfs.namenode.fs-limits.min-block-size': '1024',
  'dfs.namenode.safemode.extension': '0',
  // A process may be killed here, a machine may not: what the kernel has is enough, and is faster.
  'dfs.namenode.edits.noeditlogchannelflush': 'true',
  'dfs.namenode.delegation.token.always-use': 'true',
  'dfs.namenode.lease-recheck-interval-ms': '500',
  'dfs.heartbeat.interval': '1',
  'dfs.ha.standby.checkpoints': 'false',
  'dfs.ha.tail-edits.period': '1',
  // A NameNode that was restarted waits for blocks of files that were deleted since, until it has read that they were.
  'dfs.ha.log-roll.period': '3',
  'dfs.namenode.datanode.registration.ip-hostname-check': 'false',
};

/** With HTTPS. */
export const secureSite: Properties = { 'dfs.http.policy': 'HTTP_AND_HTTPS' };

/** core-site.xml and hdfs-site.xml as a client has them. */
export function clientSite(
  ids: readonly string[],
  rpcAddresses: readonly string[],
  webAddresses: readonly string[],
  secureAddresses: readonly string[],
): { readonly core: Properties; readonly hdfs: Properties } {
  const user = userInfo().username;
  const isOne = ids.length === 1;
  const core = {
    'fs.defaultFS': `hdfs://${isOne ? rpcAddresses[0] : nameService}`,
    'fs.permissions.umask-mode': '027',
    [`hadoop.proxyuser.${user}.hosts`]: '*',
    [`hadoop.proxyuser.${user}.groups`]: '*',
  };
  const ends = ids.map((id) => (isOne ? '' : `.${nameService}.${id}`));
  const addresses = ends.flatMap((end, index) => [
    [`dfs.namenode.rpc-address${end}`, rpcAddresses[index] ?? ''],
    [`dfs.namenode.http-address${end}`, webAddresses[index] ?? ''],
    [`dfs.namenode.https-address${end}`, secureAddresses[index] ?? ''],
  ]);
  const provider = 'org.apache.hadoop.hdfs.server.namenode.ha.ConfiguredFailoverProxyProvider';
  const several = {
    'dfs.nameservices': nameService,
    [`dfs.ha.namenodes.${nameService}`]: ids.join(','),
    [`dfs.client.failover.proxy.provider.${nameService}`]: provider,
  };
  const hdfs = { 'dfs.replication': '1', ...Object.fromEntries(addresses), ...(!isOne && several) };
  return { core, hdfs };
}

/** `journal`: where it writes its edits to, where it is one of two. */
export function nameNodeSite(directory: string, id: string, journal: string | undefined): Properties {
  const names = { 'dfs.namenode.name.dir': `file://${directory}/${id}` };
  if (journal === undefined) return names;
  const edits = `qjournal://${journal}/${nameService}`;
  return { ...names, 'dfs.ha.namenode.id': id, 'dfs.namenode.shared.edits.dir': edits };
}

/** Of the one JournalNode. */
export function journalSite(directory: string, address: string): Properties {
  return {
    'dfs.journalnode.edits.dir': `${directory}/journal`,
    'dfs.journalnode.rpc-address': address,
    'dfs.journalnode.http-address': '127.0.0.1:0',
  };
}

/** `addresses`: for data, for HTTP, for RPC, for HTTPS. */
export function dataNodeSite(directory: string, host: string, addresses: readonly string[]): Properties {
  const [data = '', web = '', rpc = '', secure = ''] = addresses;
  return {
    'dfs.datanode.data.dir': `file://${directory}`,
    'dfs.datanode.hostname': host,
    'dfs.datanode.address': data,
    'dfs.datanode.http.address': web,
    'dfs.datanode.ipc.address': rpc,
    'dfs.datanode.https.address': secure,
  };
}

/** HttpFS gives up a body that stands still for so long, unless said: a minute is longer than most tests may wait. */
export const httpFsIdleMs = 6000;

/** httpfs-site.xml. `idleMs`: Hadoop's own preset is a minute. */
export function httpFsSite(configuration: string, port: string, idleMs: number): Properties {
  const user = userInfo().username;
  return {
    'httpfs.http.hostname': '127.0.0.1',
    'httpfs.http.port': port,
    'hadoop.http.idle_timeout.ms': `${idleMs}`,
    'httpfs.hadoop.config.dir': configuration,
    [`httpfs.proxyuser.${user}.hosts`]: '*',
    [`httpfs.proxyuser.${user}.groups`]: '*',
  };
}

/** ssl-server.xml. */
export function serverKeySite(keyStore: string): Properties {
  return {
    'ssl.server.keystore.location': keyStore,
    'ssl.server.keystore.password': keyStorePassword,
    'ssl.server.keystore.keypassword': keyStorePassword,
    'ssl.server.truststore.location': keyStore,
    'ssl.server.truststore.password': keyStorePassword,
  };
}

/** Of keys that are made for one test. */
export const keyStorePassword = 'changeit';

/** As Hadoop reads it. */
export function siteXml(properties: Properties): string {
  const lines = Object.entries(properties).map(
    ([name, value]) => `  <property><name>${name}</name><value>${escapeXml(value)}</value></property>\n`,
  );
  return `<?xml version="1.0"?>\n<configuration>\n${lines.join('')}</configuration>\n`;
}

function escapeXml(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;');
}
