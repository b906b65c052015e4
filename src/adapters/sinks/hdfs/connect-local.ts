/** What `config check --connect` asks of local directories: whether files can be made there. */
import { access, constants, stat } from 'node:fs/promises';
import { userInfo } from 'node:os';
import { dirname } from 'node:path';
import { localFileError, systemCodeOf } from './local-file-error.ts';

/**
 * What is there, a sentence each. Makes nothing.
 *
 * @throws {Error} why no file can be made below `path`, and what to do.
 */
export async function findLocalPlace(path: string): Promise<readonly string[]> {
  const { username } = userInfo();
  const there = await nearest(path);
  const { uid, gid, mode } = await stat(there);
  const permission = (mode & 0o7777).toString(8);
  try {
    await access(there, constants.W_OK | constants.X_OK);
  } catch (error) {
    const why = `user '${username}' may not make files in ${there} (${systemCodeOf(error)})`;
    throw new Error(
      `${why}: it is of ${uid}:${gid}, mode ${permission}. Give this user the right, or correct hdfs.path`,
    );
  }
  return [
    `writes local files below ${path} as user '${username}', at home in ${userInfo().homedir}`,
    `${there} is there, of ${uid}:${gid}, mode ${permission}; '${username}' may make files below it`,
  ];
}

/** The path, or the first above it that is there. @throws {Error} where that is a file. */
async function nearest(path: string): Promise<string> {
  let at = path;
  for (;;) {
    try {
      const found = await stat(at);
      if (found.isDirectory()) return at;
    } catch (error) {
      const code = systemCodeOf(error);
      if ((code !== 'ENOENT' && code !== 'ENOTDIR') || at === '/') throw localFileError('look at', at, error);
      at = dirname(at);
      continue;
    }
    throw new Error(`${at} is a file: no directory can be made there. Move it away, or correct hdfs.path`);
  }
}
