/**
 * Where a channel is built that is to take the place of Flume's: beside the directories that it replaces, so that each
 * of them changes places by one rename.
 */
import { sep } from 'node:path';
import { realPlace } from './real-place.ts';

const importingSuffix = '.forebay-importing';

/** Of Flume's file channel. */
export interface FlumeDirectories {
  readonly dataDirs: readonly string[];
  readonly checkpointDir: string;
  /** `backupCheckpointDir`, where there is one. */
  readonly backupDir: string | undefined;
}

/** See above. Paths are absolute and without links. */
export interface InPlaceLayout {
  /** Those that no other one holds. What has no `staging` is only moved away. */
  readonly directories: readonly { readonly path: string; readonly staging: string | undefined }[];
  /** Where the new data directories are built: in the order of Flume's. */
  readonly stagedDataDirs: readonly string[];
  readonly stagedCheckpointDir: string;
}

/** Looks at nothing but links. */
export async function layOut({ dataDirs, checkpointDir, backupDir }: FlumeDirectories): Promise<InPlaceLayout> {
  const data = await Promise.all(dataDirs.map((path) => realPlace(path)));
  const checkpoint = await realPlace(checkpointDir);
  const replaced = outermost([...data, checkpoint]);
  const backup = backupDir === undefined ? undefined : await realPlace(backupDir);
  const isApart = backup !== undefined && ![...replaced, backup].some((one) => one !== backup && holds(one, backup));
  const staged = (path: string): string => {
    const top = replaced.find((one) => one === path || holds(one, path)) ?? path;
    return `${stagingOf(top)}${path.slice(top.length)}`;
  };
  return {
    directories: [
      ...(isApart && !replaced.includes(backup) ? [{ path: backup, staging: undefined }] : []),
      ...replaced.map((path) => ({ path, staging: stagingOf(path) })),
    ],
    stagedDataDirs: data.map(staged),
    stagedCheckpointDir: staged(checkpoint),
  };
}

/** Where the new one is built that is to come to `path`, which is absolute and without links. */
export function stagingOf(path: string): string {
  return `${path}${importingSuffix}`;
}

function outermost(paths: readonly string[]): readonly string[] {
  return [...new Set(paths)].filter((path) => !paths.some((other) => holds(other, path)));
}

function holds(outer: string, inner: string): boolean {
  return inner.startsWith(outer.endsWith(sep) ? outer : `${outer}${sep}`);
}
