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
  const answer = await fetch(urlOf(address, path, 'OPEN'));
  assert.equal(answer.status, 200, path);
  return Buffer.from(await answer.arrayBuffer());
}

/** As `lineSetOf`, of the files whose name passes; and their names. A last line without a newline is torn. */
export async function hdfsLineSet(
  address: string,
  directory: string,
  isMeant: (name: string) => boolean = () => true,
): Promise<LineSet & { readonly names: readonly string[] }> {
  const sums = new LineSums();
  const names = [...(await hdfsFiles(address, directory)).keys()].filter(isMeant);
  for (const name of names) {
    const bytes = await hdfsBytes(address, `${directory}/${name}`);
    assert.equal(sums.addAll(bytes), bytes.length, `${directory}/${name} ends in the middle of a line`);
  }
  return { ...sums.set, names };
}

function urlOf(address: string, path: string, operation: string): string {
  const encoded = path.split('/').map(encodeURIComponent).join('/');
  return `http://${address}/webhdfs/v1${encoded}?op=${operation}&user.name=${user}`;
}
