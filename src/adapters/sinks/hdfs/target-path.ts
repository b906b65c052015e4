/** `hdfs.path`: where it leads. Without a scheme it is a local path, as Hadoop's own default `fs.defaultFS` has it. */
import type { KeyType, ParsedValue } from '../../../agent/contracts/keys.ts';
import { parsePath } from './path-text.ts';

/** Of a host that a check can do with. */
const anyHost = { localhost: 'localhost', ip: '127.0.0.1', fqdn: 'localhost' };

/** An absolute local path with Flume's escapes in it, without a scheme and without a slash at its end. */
export const targetPath: KeyType<string> = {
  name: 'directory, or file: URI, with escapes',
  parse: parseTarget,
};

/** `hdfs.filePrefix`: a name with Flume's escapes in it. */
export const namePrefix: KeyType<string> = {
  name: 'text with escapes',
  parse: (text) => withEscapes(text, text),
};

function parseTarget(text: string): ParsedValue<string> {
  const local = localPath(text);
  if (typeof local === 'object') return local;
  if (local.includes('\0')) return { problem: 'a path holds no zero byte' };
  const trimmed = local.replace(/\/+$/, '');
  if (local.startsWith('/')) return withEscapes(local, trimmed);
  return withEscapes(local, `${process.cwd().replaceAll('%', '%%')}/${trimmed}`);
}

function localPath(text: string): string | { readonly problem: string } {
  const scheme = /^([A-Za-z][A-Za-z0-9+.-]*):/.exec(text)?.[1];
  if (scheme === undefined) return text;
  if (scheme.toLowerCase() !== 'file') {
    return { problem: `'${scheme}:' is not written to by this version: a directory, or file:///directory` };
  }
  const rest = text.slice('file:'.length);
  if (!rest.startsWith('//'))
    return rest.startsWith('/') ? rest : { problem: `'${text}' is relative: file:///directory` };
  if (rest.startsWith('///')) return rest.slice(2);
  const host = rest.slice(2).split('/')[0] ?? '';
  return { problem: `'${text}' names a host, '${host}': three slashes lead to this machine, file:///${rest.slice(2)}` };
}

/** `value` for `text`, where its escapes can work. */
function withEscapes(text: string, value: string): ParsedValue<string> {
  const parsed = parsePath(text, anyHost);
  if ('problem' in parsed) return parsed;
  return parsed.warning === undefined ? { value } : { value, warning: parsed.warning };
}
