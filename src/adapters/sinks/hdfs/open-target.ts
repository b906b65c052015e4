/** Where a sink's files go: the file system that `hdfs.path` leads to, and the path in it. */
import { existsSync } from 'node:fs';
import { userInfo } from 'node:os';
import { join } from 'node:path';
import type { ClientSurroundings } from '../../../agent/contracts/components.ts';
import type { FileSystem } from './file-system.ts';
import type { HdfsValues } from './hdfs-keys.ts';
import { localFileSystem } from './local-file-system.ts';
import { localPathOf } from './target-path.ts';
import { hadoopFiles, readHadoopConfiguration } from './web/hadoop-configuration.ts';
import { resolveTarget } from './web/resolve-target.ts';
import { type WebFileSystem, webFileSystem } from './web/web-file-system.ts';

/** Absolute, escapes and all, without a slash at its end. */
export interface OpenedTarget {
  readonly fileSystem: FileSystem;
  /** The same where it is an HDFS. */
  readonly web: WebFileSystem | undefined;
  readonly directory: string;
  /** Of streams that are held open, where nobody says how many. */
  readonly openStreamsPreset: number;
}

/** The system has room for so many; a program has 1024 at least. */
const openStreamsLocal = 512;
/** Each is a connection, and threads of a DataNode. */
const openStreamsWeb = 64;

/**
 * Reads Hadoop's configuration where that may matter, and connects to nothing yet. `onActive` as WebOptions.
 *
 * @throws {Error} a sentence with what to do.
 */
export async function openTarget(
  values: HdfsValues,
  { environment, confDirectories }: ClientSurroundings,
  onActive: (address: string) => void,
): Promise<OpenedTarget> {
  const text = values['hdfs.path'];
  const from = /^file:/i.test(text) ? undefined : confDirectoryOf(values, environment, confDirectories);
  const configuration = from === undefined ? undefined : await readHadoopConfiguration(from, environment);
  const resolved = resolveTarget(text, configuration);
  if ('problem' in resolved) throw new Error(`hdfs.path: ${resolved.problem}`);
  if (resolved.kind === 'local') {
    const fileSystem = localFileSystem();
    return { fileSystem, web: undefined, directory: localPathOf(text), openStreamsPreset: openStreamsLocal };
  }
  const proxyUser = values['hdfs.proxyUser'];
  const web = webFileSystem(resolved.target, {
    user: environment['HADOOP_USER_NAME'] ?? userInfo().username,
    ...(proxyUser !== undefined && { proxyUser }),
    callTimeoutMs: values['hdfs.callTimeout'],
    datanodeHostMap: values['hdfs.datanodeHostMap'],
    onActive,
  });
  const directory = resolved.path.replace(/\/+$/, '');
  return { fileSystem: web, web, directory, openStreamsPreset: openStreamsWeb };
}

/** Flume has them all on its class path, in this order. */
function confDirectoryOf(
  values: HdfsValues,
  environment: ClientSurroundings['environment'],
  confDirectories: readonly string[],
): string | undefined {
  const holdsIt = (directory: string): boolean => hadoopFiles.some((file) => existsSync(join(directory, file)));
  return values['hdfs.confDir'] ?? confDirectories.find(holdsIt) ?? environment['HADOOP_CONF_DIR'];
}
