/** The lines of files in HDFS, as a multiset: read through WebHDFS by the superuser, whoever wrote them. */
import assert from 'node:assert/strict';
import { userInfo } from 'node:os';
import { type LineSet, LineSums } from '../e2e/line-set.ts';

const user = userInfo().username;

interface Entry {
  readonly pathSuffix: string;
  readonly type: 'FILE' | 'DIRECTORY';
  readonly length: number;
}

/** What a directory holds, at any depth: paths below it, with lengths. None where it is not there. */
export async function hdfsFiles(address: string, directory: string): Promise<ReadonlyMap<string, number>> {
  const found = new Map<string, number>();
  const answer = await fetch(urlOf(address, directory, 'LISTSTATUS'));
  if (answer.status === 404) return found;
  assert.equal(answer.status, 200, directory);
  const { FileStatuses } = (await answer.json()) as { FileStatuses: { FileStatus: readonly Entry[] } };
  for (const { pathSuffix, type, length } of FileStatuses.FileStatus) {
    if (type === 'FILE') found.set(pathSuffix, length);
    else
      for (const [name, bytes] of await hdfsFiles(address, `${directory}/${pathSuffix}`)) {
        found.set(`${pathSuffix}/${name}`, bytes);
      }
  }
  return found;
}

/** All bytes of a file. */
export async function hdfsBytes(address: string, path: string): Promise<Buffer> {
  const asked = await fetch(urlOf(address, path, 'OPEN'), { redirect: 'manual' });
  const location = new URL(asked.headers.get('location') ?? '', asked.url);
  // Wherever it says it is, it is on this machine.
  location.hostname = '127.0.0.1';
  const answer = await fetch(location);
  assert.equal(answer.status, 200, path);
  return Buffer.from(await answer.arrayBuffer());
}

/** As `lineSetOf`, of the files whose name passes; and their names. A last line without a newline is torn. */
export async function hdfsLineSet(
  address: string,
  directories: string | readonly string[],
  isMeant: (name: string) => boolean = () => true,
): Promise<LineSet & { readonly names: readonly string[] }> {
  const sums = new LineSums();
  const all: string[] = [];
  for (const directory of [directories].flat()) {
    const names = [...(await hdfsFiles(address, directory)).keys()].filter(isMeant);
    for (const name of names) {
      const bytes = await hdfsBytes(address, `${directory}/${name}`);
      assert.equal(sums.addAll(bytes), bytes.length, `${directory}/${name} ends in the middle of a line`);
    }
    all.push(...names);
  }
  return { ...sums.set, names: all };
}

/** What an agent may make for itself and is to take away again, at any depth: temporary files, proofs. */
export async function hdfsLitter(address: string, directory: string): Promise<readonly string[]> {
  const answer = await fetch(urlOf(address, directory, 'LISTSTATUS'));
  if (answer.status === 404) return [];
  assert.equal(answer.status, 200, directory);
  const { FileStatuses } = (await answer.json()) as { FileStatuses: { FileStatus: readonly Entry[] } };
  const found: string[] = [];
  for (const { pathSuffix, type } of FileStatuses.FileStatus) {
    const path = `${directory}/${pathSuffix}`;
    if (/\.tmp$|^[._]/.test(pathSuffix)) found.push(path);
    if (type === 'DIRECTORY') found.push(...(await hdfsLitter(address, path)));
  }
  return found;
}

/** Of each block of a file, the DataNodes that have it or are about to: `127.0.0.1:9866`. */
export async function hdfsLocations(address: string, path: string): Promise<readonly (readonly string[])[]> {
  const answer = await fetch(urlOf(address, path, 'GETFILEBLOCKLOCATIONS'));
  if (answer.status === 404) return [];
  assert.equal(answer.status, 200, path);
  const { BlockLocations } = (await answer.json()) as {
    BlockLocations: { BlockLocation: readonly { names: readonly string[] }[] };
  };
  return BlockLocations.BlockLocation.map(({ names }) => names);
}

function urlOf(address: string, path: string, operation: string): string {
  const encoded = path.split('/').map(encodeURIComponent).join('/');
  return `http://${address}/webhdfs/v1${encoded}?op=${operation}&user.name=${user}`;
}
