/** What the system answers for a local file, as a sentence: what was tried, where, its code, and what to do. */

const cures: Readonly<Record<string, string>> = {
  EACCES: 'give this user the right to read, write and search there, or correct the path',
  EPERM: 'give this user the right to change files there, or correct the path',
  EROFS: 'it is mounted read-only: mount it for writing, or correct the path',
  ENOSPC: 'the disk is full: free some of it',
  EDQUOT: 'the quota is used up: raise it, or remove files',
  EFBIG: 'no file may be that long there: set hdfs.rollSize lower, or raise the limit (ulimit -f)',
  EMFILE: 'too many files are open: raise the limit (ulimit -n), or set hdfs.maxOpenFiles lower',
  ENFILE: 'too many files are open on this machine: raise fs.file-max',
  ENAMETOOLONG: 'shorten what the path is made of: headers, hdfs.filePrefix, hdfs.fileSuffix',
  ENOTDIR: 'a part of the path is a file: move it away, or correct the path',
  EISDIR: 'a directory has that name: move it away, or correct the path',
  EEXIST: 'something else has that name: move it away, or correct the path',
  ENOENT: 'it or its directory is not there, or not any more',
  EXDEV: 'the two are not on one file system: let the whole target directory be on one',
  EIO: 'the disk fails: look at the system log',
  ESTALE: 'the server no longer knows it: mount it again',
};

/** `cannot <action> <path> (<code>): <cure>`, with the system's own error as its cause. */
export function localFileError(action: string, path: string, cause: unknown): Error {
  const code = systemCodeOf(cause);
  const cure = cures[code ?? ''] ?? (cause instanceof Error ? cause.message : String(cause));
  return new Error(`cannot ${action} ${path}${code === undefined ? '' : ` (${code})`}: ${cure}`, { cause });
}

/** `ENOENT`; undefined for what is no answer of the system. */
export function systemCodeOf(error: unknown): string | undefined {
  const { code } = (error ?? {}) as { readonly code?: unknown };
  return typeof code === 'string' ? code : undefined;
}

/** The same for a call: its rejection as such a sentence. */
export async function orSay<Answer>(action: string, path: string, call: () => Promise<Answer>): Promise<Answer> {
  try {
    return await call();
  } catch (cause) {
    throw localFileError(action, path, cause);
  }
}
