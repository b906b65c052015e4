/** Names of files, as Flume's BucketWriter makes them: `<prefix>.<counter><suffix>`, and another while in use. */

/** What all names of a sink have in common. */
export interface NameParts {
  readonly suffix: string;
  readonly inUsePrefix: string;
  readonly inUseSuffix: string;
}

/** Where the files of some events go: `directory/prefix`. Both are expanded. */
export interface BucketPath {
  readonly directory: string;
  /** May hold slashes; what is behind the last one is the name's, as in Flume. */
  readonly prefix: string;
}

/** A file's two names. The same where the configuration has neither prefix nor suffix for files in use. */
export interface FileNames {
  readonly temporary: string;
  readonly final: string;
}

/** The names with this counter. */
export function fileNames({ directory, prefix }: BucketPath, counter: number, parts: NameParts): FileNames {
  const name = `${prefix}.${counter}${parts.suffix}`;
  return {
    temporary: `${directory}/${parts.inUsePrefix}${name}${parts.inUseSuffix}`,
    final: `${directory}/${name}`,
  };
}
