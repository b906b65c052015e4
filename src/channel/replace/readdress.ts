/**
 * A closed channel whose directories are about to be moved: its identity names the paths that they will have, so that
 * whoever looks into it by any one of them finds the others. An open goes by the directories' ids, so it works before
 * the moves and after them.
 */
import type { Disk } from '../../base/disk.ts';
import { ForebayError } from '../../base/errors.ts';
import { type Identity, identityName, readIdentity, writeIdentity } from '../../wal/identity.ts';

/** `paths`: of each data directory where it is, and where it will be; absolute. Nobody has the channel open. */
export async function readdressChannel(
  disk: Disk,
  paths: ReadonlyMap<string, string>,
  checkpointPath: string,
): Promise<void> {
  const copies: { readonly at: string; readonly identity: Identity }[] = [];
  for (const at of [...paths.keys(), checkpointPath]) {
    const read = await readIdentity(disk, at);
    if (read.kind !== 'identity') {
      throw new ForebayError('NOT_A_CHANNEL', `${at} holds no ${identityName}: begin again`, { path: at });
    }
    copies.push({ at, identity: read.identity });
  }
  const pathOfId = new Map(copies.map(({ at, identity }) => [identity.directoryId, paths.get(at)]));
  const revision = Math.max(...copies.map(({ identity }) => identity.revision)) + 1;
  for (const { at, identity } of copies) {
    const directories = identity.directories.map(({ id, path }) => ({ id, path: pathOfId.get(id) ?? path }));
    await writeIdentity(disk, at, { ...identity, directories, revision });
  }
}
