/** Where a sink's files go: the file system that `hdfs.path` leads to, and the path in it. */
import { existsSync } from 'node:fs';
import { userInfo } from 'node:os';
import { join } from 'node:path';
import type { ClientSurroundings, KeyProblem } from '../../../agent/contracts/components.ts';
import { kerberosProblems } from './far-side-keys.ts';
import type { FileSystem } from './file-system.ts';
import type { HdfsValues } from './hdfs-keys.ts';
import { localFileSystem } from './local-file-system.ts';
import { localPathOf } from './target-path.ts';
import { hadoopFiles, readHadoopConfiguration } from './web/hadoop-configuration.ts';
import { resolveTarget } from './web/resolve-target.ts';
import { TokenFile } from './web/token-file.ts';
import { type WebFileSystem, webFileSystem } from './web/web-file-system.ts';
import type { WebTarget } from './web/web-target.ts';

/** Absolute, escapes and all, without a slash at its end. */
export interface OpenedTarget {
  readonly fileSystem: FileSystem;
  /** The same where it is an HDFS. */
  readonly web: WebFileSystem | undefined;
  readonly directory: string;
  /** Of streams that are held open, where nobody says how many. */
  readonly openStreamsPreset: number;
}

/** A key leads nowhere. */
export class TargetError extends Error {
  override readonly name = 'TargetError';
  readonly problem: KeyProblem;

  constructor(problem: KeyProblem) {
    super(`${problem.key}: ${problem.message}`);
    this.problem = problem;
  }
}

/** Where the files go, and as whom; nothing is opened yet. */
export type FoundTarget =
  | { readonly kind: 'local'; readonly directory: string }
  | {
      readonly kind: 'web';
      readonly target: WebTarget;
      /** As OpenedTarget. */
      readonly directory: string;
      /** Of Hadoop's configuration; undefined where none was read. */
      readonly confDirectory: string | undefined;
      readonly user: string;
      /** A file with a delegation token, which then says who we are. */
      readonly tokenFile: string | undefined;
    };

/** The system has room for so many; a program has 1024 at least. */
const openStreamsLocal = 512;
/**
 * Each is a connection, and threads of a DataNode; HttpFS has a thousand for all. Fewer than there are buckets, and
 * files are ended and gone on with for each other.
 */
const openStreamsWeb = 256;

/**
 * Reads Hadoop's configuration where that may matter, and connects to nothing yet. `onActive` as WebOptions.
 *
 * @throws {TargetError}
 */
export async function openTarget(
  values: HdfsValues,
  surroundings: ClientSurroundings,
  onActive: (address: string) => void,
): Promise<OpenedTarget> {
  return openFound(await findTarget(values, surroundings), values, onActive);
}

/** As `openTarget`, of what `findTarget` has found. */
export function openFound(found: FoundTarget, values: HdfsValues, onActive: (address: string) => void): OpenedTarget {
  const { directory } = found;
  if (found.kind === 'local') {
    return { fileSystem: localFileSystem(), web: undefined, directory, openStreamsPreset: openStreamsLocal };
  }
  const { target, user, tokenFile } = found;
  const proxyUser = values['hdfs.proxyUser'];
  const token = tokenFile === undefined ? undefined : new TokenFile(tokenFile, servicesOf(target));
  const web = webFileSystem(target, {
    user,
    ...(proxyUser !== undefined && { proxyUser }),
    ...(token !== undefined && { delegationToken: () => token.current() }),
    callTimeoutMs: values['hdfs.callTimeout'],
    datanodeHostMap: values['hdfs.datanodeHostMap'],
    onActive,
  });
  return { fileSystem: web, web, directory, openStreamsPreset: openStreamsWeb };
}

/** @throws {TargetError} */
export async function findTarget(
  values: HdfsValues,
  { environment, confDirectories }: ClientSurroundings,
): Promise<FoundTarget> {
  const text = values['hdfs.path'];
  const conf = /^file:/i.test(text) ? undefined : confDirectoryOf(values, environment, confDirectories);
  const configuration = conf && (await readConfiguration(conf, environment));
  const resolved = resolveTarget(text, configuration);
  if ('problem' in resolved) throw new TargetError({ key: 'hdfs.path', message: resolved.problem });
  if (resolved.kind === 'local') return { kind: 'local', directory: localPathOf(text) };
  const [refused] = kerberosProblems(values);
  if (refused !== undefined) throw new TargetError(refused);
  const { target } = resolved;
  // Who logs in by a password is known by that, unless the configuration itself says otherwise.
  const ofAll = target.credentials === undefined ? environment['HADOOP_TOKEN_FILE_LOCATION'] : undefined;
  return {
    kind: 'web',
    target,
    directory: resolved.path.replace(/\/+$/, ''),
    confDirectory: conf?.directory,
    user: environment['HADOOP_USER_NAME'] ?? userInfo().username,
    tokenFile: values['hdfs.delegationTokenFile'] ?? ofAll,
  };
}

interface ConfDirectory {
  readonly directory: string;
  /** Who says so. */
  readonly key: 'hdfs.confDir' | 'hdfs.path';
  readonly source: string;
}

/** Flume has them all on its class path, in this order. */
function confDirectoryOf(
  values: HdfsValues,
  environment: ClientSurroundings['environment'],
  confDirectories: readonly string[],
): ConfDirectory | undefined {
  const own = values['hdfs.confDir'];
  if (own !== undefined) return { directory: own, key: 'hdfs.confDir', source: '' };
  const holdsIt = (directory: string): boolean => hadoopFiles.some((file) => existsSync(join(directory, file)));
  const ofOption = confDirectories.find(holdsIt);
  if (ofOption !== undefined) return { directory: ofOption, key: 'hdfs.path', source: ', of --conf' };
  const ofEnvironment = environment['HADOOP_CONF_DIR'];
  if (ofEnvironment === undefined || ofEnvironment === '') return undefined;
  return { directory: ofEnvironment, key: 'hdfs.path', source: ', of HADOOP_CONF_DIR' };
}

async function readConfiguration(
  { directory, key, source }: ConfDirectory,
  environment: ClientSurroundings['environment'],
): ReturnType<typeof readHadoopConfiguration> {
  try {
    return await readHadoopConfiguration(directory, environment);
  } catch (error) {
    throw new TargetError({ key, message: `${error instanceof Error ? error.message : String(error)}${source}` });
  }
}

/** What a token for it may call it. */
function servicesOf({ prefix, addresses }: WebTarget): readonly string[] {
  const authority = prefix.replace(/^\w+:\/\//, '');
  return [authority, `ha-hdfs:${authority}`, ...addresses.map((address) => new URL(address).host)];
}
