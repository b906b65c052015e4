/** What `config check --connect` asks: which HDFS it is, who we are there, and whether we may write where files go. */
import type { ClientSurroundings, Connection } from '../../../agent/contracts/components.ts';
import { findLocalPlace } from './connect-local.ts';
import type { HdfsValues } from './hdfs-keys.ts';
import { type FoundTarget, findTarget, openFound, TargetError } from './open-target.ts';
import { whileTrying } from './web/hdfs-error.ts';
import { modeFor } from './web/operation-url.ts';
import type { WebFileSystem } from './web/web-file-system.ts';

/** What takes longer than this, a check does not wait for. */
const callTimeoutMsMax = 10_000;

/** As SinkDefinition has it. */
export async function connect(
  values: HdfsValues,
  surroundings: ClientSurroundings,
  signal: AbortSignal,
): Promise<Connection> {
  const findings: string[] = [];
  try {
    const found = await findTarget(values, surroundings);
    const path = fixedPath(found.directory);
    if (found.kind === 'local') findings.push(...(await findLocalPlace(path)));
    else await connectToWeb(found, { path, values, signal, findings });
    return { findings, problems: [] };
  } catch (error) {
    if (error instanceof TargetError) return { findings, problems: [error.problem] };
    const message = error instanceof Error ? error.message : String(error);
    return { findings, problems: [{ key: 'hdfs.path', message }] };
  }
}

/** Up to the first escape it is the same for all events. */
function fixedPath(directory: string): string {
  const [fixed = ''] = directory.split('%', 1);
  if (fixed === directory) return directory === '' ? '/' : directory;
  return fixed.slice(0, fixed.lastIndexOf('/')) || '/';
}

interface WebTry {
  readonly path: string;
  readonly values: HdfsValues;
  readonly signal: AbortSignal;
  /** Grows, also where it fails later. */
  readonly findings: string[];
}

/** @throws {Error} what is wrong and what to do. */
async function connectToWeb(
  found: Extract<FoundTarget, { kind: 'web' }>,
  { path, values, signal, findings }: WebTry,
): Promise<void> {
  findings.push(
    found.confDirectory === undefined
      ? "no configuration of Hadoop's was read: neither hdfs.confDir nor HADOOP_CONF_DIR is set, nor has --conf one"
      : `Hadoop's configuration is that of ${found.confDirectory}`,
  );
  const callTimeoutMs = Math.min(values['hdfs.callTimeout'], callTimeoutMsMax);
  const { fileSystem, web } = openFound(found, { ...values, 'hdfs.callTimeout': callTimeoutMs }, () => undefined);
  // Breaks off what is under way.
  signal.addEventListener('abort', () => void fileSystem.close(), { once: true });
  try {
    if (web !== undefined) await look(web, found, { path, values, signal, findings });
  } finally {
    await fileSystem.close();
  }
}

async function look(
  web: WebFileSystem,
  { target, user, tokenFile }: Extract<FoundTarget, { kind: 'web' }>,
  { path, values, findings }: WebTry,
): Promise<void> {
  const { address, home, found, refusal } = await web.introduce(path);
  const { umask, replication, blockSizeBytes } = target.defaults;
  const as = describeUser(values, tokenFile ?? target.credentials?.user ?? user, tokenFile !== undefined);
  const name = home.slice(home.lastIndexOf('/') + 1);
  findings.push(`${address} answers for ${target.prefix}`);
  findings.push(`HDFS takes us for user '${name}', at home in ${home}; we came ${as}`);
  const modes = `files get mode ${modeFor('file', umask)}, directories ${modeFor('directory', umask)}`;
  const replicas = replication === undefined ? '' : `, ${replication} replicas`;
  const blocks = blockSizeBytes === undefined ? '' : `, blocks of ${blockSizeBytes} bytes`;
  findings.push(`${modes} (umask ${umask.toString(8).padStart(3, '0')})${replicas}${blocks}`);
  findings.push(`${found.path} is there, a ${found.kind} of ${found.owner}:${found.group}, mode ${found.permission}`);
  if (found.kind === 'file') {
    throw new Error(`${found.path} is a file: no directory can be made there. Move it away, or correct hdfs.path`);
  }
  if (refusal instanceof Error) throw whileTrying(`make files below ${found.path}`, refusal);
  findings.push(
    refusal === 'unknown'
      ? `whether '${name}' may make files below ${found.path}, HDFS cannot be asked`
      : `'${name}' may make files below ${found.path}`,
  );
  const dataNode = await web.reachDataNode(`${found.path === '/' ? '' : found.path}/forebay-check`);
  if (dataNode !== undefined) findings.push(`DataNode ${dataNode}, which data would go to now, can be reached`);
}

function describeUser(values: HdfsValues, who: string, isToken: boolean): string {
  if (isToken) return `with the delegation token of ${who}`;
  const proxyUser = values['hdfs.proxyUser'];
  return proxyUser === undefined ? `as '${who}'` : `as '${who}' on behalf of '${proxyUser}' (hdfs.proxyUser)`;
}
