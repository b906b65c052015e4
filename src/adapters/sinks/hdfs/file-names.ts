/** Names of files, as Flume's BucketWriter makes them: `<prefix>.<counter><suffix>`, and another while in use. */
import { randomInt } from 'node:crypto';

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

const tokenCharacters = 'abcdefghijklmnopqrstuvwxyz0123456789';
const tokenLength = 8;

/** The names with this counter. `token` tells the one in use from all that others, or we before, have ever chosen. */
export function fileNames(
  { directory, prefix }: BucketPath,
  counter: number,
  parts: NameParts,
  token?: string,
): FileNames {
  const final = `${directory}/${prefix}.${counter}${parts.suffix}`;
  if (parts.inUsePrefix === '' && parts.inUseSuffix === '') return { temporary: final, final };
  const told = token === undefined ? '' : `.${token}`;
  const name = `${prefix}.${counter}${told}${parts.suffix}`;
  return { temporary: `${directory}/${parts.inUsePrefix}${name}${parts.inUseSuffix}`, final };
}

/** Eight letters and digits, never the same twice. */
export function newToken(): string {
  return Array.from({ length: tokenLength }, () => tokenCharacters[randomInt(tokenCharacters.length)]).join('');
}

/** The same name in use with another token: in place of the one behind `.<counter>`, or at that place. */
export function withToken(temporary: string, counter: string, suffix: string, token: string): string {
  const at = temporary.lastIndexOf(`.${counter}`);
  if (at < 0 || at < temporary.lastIndexOf('/')) return `${temporary}.${token}`;
  const head = temporary.slice(0, at + 1 + counter.length);
  const rest = temporary.slice(head.length);
  const hasToken = /^\.[a-z0-9]{8}/.test(rest) && rest.startsWith(suffix, 1 + tokenLength);
  return `${head}.${token}${hasToken ? rest.slice(1 + tokenLength) : rest}`;
}

/** The path of a URI that a note names. @throws {Error} where it is on no file system of this sink's. */
export function pathIn(prefix: string, uri: string): string {
  if (uri.startsWith(prefix)) return uri.slice(prefix.length);
  throw new Error(`${uri} is not on ${prefix}, which is all that this sink reaches: set hdfs.path to where it is`);
}
