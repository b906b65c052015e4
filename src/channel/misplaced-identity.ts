/**
 * Copies of the identity that lie in another directory than they speak of: one was copied over another, or two were
 * swapped. What they say of the channel holds; which directory this is, the list says by its path.
 */
import type { Identity } from '../wal/identity.ts';

/** Id of the checkpoint's directory, which is in no list. */
export const checkpointDirectoryId = 'checkpoint';

/**
 * Whether the copy in the data directory `path` is one. A directory that was moved, or mounted in another's place,
 * has a copy of its own: then no other copy stands where this one's directory was.
 */
export function isMisplaced(path: string, identity: Identity, copyIn: (path: string) => Identity | undefined): boolean {
  const { directories, directoryId, channelId } = identity;
  const listed = directories.find((one) => one.path === path);
  if (listed === undefined || listed.id === directoryId) return false;
  const own = directories.find(({ id }) => id === directoryId);
  return own === undefined || copyIn(own.path)?.channelId === channelId;
}
