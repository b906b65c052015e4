/** The URLs of WebHDFS. */

import { HdfsError } from './hdfs-error.ts';

/** Values by name; undefined is left out. */
export type Parameters = Readonly<Record<string, string | number | boolean | undefined>>;

/**
 * `http://nn:9870` and `/logs/a b` → `http://nn:9870/webhdfs/v1/logs/a%20b?op=…`. `base` has no slash at its end.
 * Encoded is all that a path may hold and a URL may not, and `+`, `;`, `'`, `(`, `)` and `*`, which Java servers have
 * read in more ways than one.
 *
 * @throws {HdfsError} `invalid`: a path that is not absolute, or has a `.`, a `..` or half a character in it.
 */
export function operationUrl(base: string, path: string, parameters: Parameters): URL {
  if (!path.startsWith('/') || /(?:^|\/)\.{1,2}(?:\/|$)|[\uD800-\uDFFF]/u.test(path)) {
    throw new HdfsError('invalid', `'${path}' is no path of HDFS: absolute, without . and .. in it`);
  }
  const segments = path.split('/').map(encode).join('/');
  const pairs = Object.entries(parameters).flatMap(([name, value]) =>
    value === undefined ? [] : [`${encode(name)}=${encode(`${value}`)}`],
  );
  return new URL(`${base}/webhdfs/v1${segments}?${pairs.join('&')}`);
}

function encode(text: string): string {
  return encodeURIComponent(text).replaceAll(
    /[!'()*]/g,
    (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`,
  );
}

/** The mode that the umask leaves, in octal digits as WebHDFS wants it. */
export function modeFor(kind: 'file' | 'directory', umask: number): string {
  const full = kind === 'file' ? 0o666 : 0o777;
  return (full & ~umask).toString(8);
}
