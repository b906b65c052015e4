/** What the tests of the WebHDFS client share: a client of a small cluster, and what stands there. */
import assert from 'node:assert/strict';
import { userInfo } from 'node:os';
import type { TestContext } from 'node:test';
import type { FileStream } from '../../src/adapters/sinks/hdfs/file-system.ts';
import { HdfsError, type HdfsErrorKind } from '../../src/adapters/sinks/hdfs/web/hdfs-error.ts';
import { type WebFileSystem, webFileSystem } from '../../src/adapters/sinks/hdfs/web/web-file-system.ts';
import type { WebOptions } from '../../src/adapters/sinks/hdfs/web/web-target.ts';
import type { HadoopCluster } from './hadoop-cluster/cluster.ts';

/** One way into a cluster. */
export interface Door {
  readonly name: 'WebHDFS' | 'WebHDFS by HTTPS' | 'HttpFS';
  /** `http://127.0.0.1:9870`. */
  readonly base: string;
  /** The same for whoever only reads: `127.0.0.1:9870`. */
  readonly address: string;
  /** For the certificate. */
  readonly options: Partial<WebOptions>;
  readonly files: WebFileSystem;
  /** Own to each. */
  readonly top: string;
  readonly cluster: HadoopCluster;
}

/** A good deal of lines. */
export const megabyte: Buffer = Buffer.alloc(1_000_000, 'a line of text\n');

/** Whom HDFS runs as: it may do everything there. */
export const superuser: string = userInfo().username;

/** A client of these addresses, as Hadoop's superuser unless said. */
export function clientOf(
  test: TestContext,
  addresses: readonly [string, ...string[]],
  options: Partial<WebOptions> & { readonly password?: string } = {},
): WebFileSystem {
  const target = {
    prefix: 'hdfs://small',
    addresses,
    defaults: { umask: 0o027, replication: 1, blockSizeBytes: 1024 * 1024 },
  };
  const files = webFileSystem(target, { user: superuser, callTimeoutMs: 10_000, ...options });
  test.after(() => files.close());
  return files;
}

/** A stream of a file that was not there. */
export async function begin(files: WebFileSystem, path: string): Promise<FileStream> {
  const stream = await files.create(path);
  assert.ok(stream !== undefined, `${path} is there`);
  return stream;
}

/** A whole file. */
export async function write(files: WebFileSystem, path: string, bytes: Uint8Array): Promise<void> {
  const stream = await begin(files, path);
  await stream.write(bytes);
  await stream.end();
}

/** A begun file's rest, all at once: the first rejection of it. */
export async function finish(stream: FileStream, bytes: Uint8Array): Promise<void> {
  try {
    await stream.write(bytes);
    await stream.end();
  } finally {
    await stream.abort();
  }
}

/** For assert.rejects: an HdfsError of this kind, and what its message says. */
export function ofKind(kind: HdfsErrorKind, message: RegExp = /./, outcome?: 'notDone' | 'unknown') {
  return (error: unknown): true => {
    assert.ok(error instanceof HdfsError, String(error));
    assert.equal(error.kind, kind, error.message);
    assert.match(error.message, message);
    if (outcome !== undefined) assert.equal(error.outcome, outcome, error.message);
    return true;
  };
}

/** What can be read of a file. `address`: `127.0.0.1:9870`. */
export async function contentOf(address: string, path: string): Promise<Buffer> {
  const answer = await fetch(`http://${address}/webhdfs/v1${path}?op=OPEN&user.name=${superuser}`);
  assert.equal(answer.status, 200, path);
  return Buffer.from(await answer.arrayBuffer());
}

/** Of a path, more than a FileStatus says. */
export async function detailsOf(address: string, path: string): Promise<Readonly<Record<string, unknown>>> {
  const answer = await fetch(`http://${address}/webhdfs/v1${path}?op=GETFILESTATUS&user.name=${superuser}`);
  return ((await answer.json()) as { FileStatus: Readonly<Record<string, unknown>> }).FileStatus;
}

/** What is in a directory. */
export async function namesIn(address: string, path: string): Promise<readonly string[]> {
  const answer = await fetch(`http://${address}/webhdfs/v1${path}?op=LISTSTATUS&user.name=${superuser}`);
  const { FileStatuses } = (await answer.json()) as { FileStatuses: { FileStatus: { pathSuffix: string }[] } };
  return FileStatuses.FileStatus.map(({ pathSuffix }) => pathSuffix);
}

/** Asks again and again until it is so. */
export async function until(holds: () => Promise<boolean>, what: string): Promise<void> {
  const endMs = performance.now() + 20_000;
  while (!(await holds())) {
    assert.ok(performance.now() < endMs, `never: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}
