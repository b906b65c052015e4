/** `hdfs.path`: what may stand there, and where it leads on this machine. */
import type { KeyType, ParsedValue } from '../../../agent/contracts/keys.ts';
import { type HostNames, parsePath } from './path-text.ts';
import { resolveTarget } from './web/resolve-target.ts';

/** Of a host that a check can do with. */
const anyHost = { localhost: 'localhost', ip: '127.0.0.1', fqdn: 'localhost' };

/** A path, or a URI, with Flume's escapes in its path, as it is written. */
export const targetPath: KeyType<string> = {
  name: 'path, or file:, hdfs:, webhdfs:, swebhdfs: URI, with escapes',
  parse: parseTarget,
};

/** `hdfs.filePrefix`: a name with Flume's escapes in it. */
export const namePrefix: KeyType<string> = {
  name: 'text with escapes',
  parse: (text) => withEscapes(text, text),
};

/** `hdfs.doneFile`: a name with the escapes of the host in it, as it is written. */
export const doneName: KeyType<string> = {
  name: 'name with %[localhost], %[IP] or %[FQDN]',
  parse: (text) => {
    const named = hostText(text, anyHost);
    return 'problem' in named ? named : { value: text };
  },
};

/** A name in which only the host's escapes stand, expanded. */
export function hostText(text: string, host: HostNames): ParsedValue<string> {
  const parsed = parsePath(text, host);
  if ('problem' in parsed) return parsed;
  const value = parsed.value.map((part) => (part.kind === 'literal' ? part.text : undefined));
  if (value.includes(undefined) || parsed.warning !== undefined) {
    return { problem: `'${text}' has other escapes in it than %[localhost], %[IP] and %[FQDN]` };
  }
  const name = value.join('');
  if (!/[/:\0]/.test(name) && name !== '.' && name !== '..') return { value: name };
  return { problem: `'${text}' is no name of a file: it holds no / and no :` };
}

/** The absolute local path of a path or `file:` URI, escapes and all, without a slash at its end. */
export function localPathOf(text: string): string {
  const path = withoutScheme(text);
  if (typeof path === 'object') throw new Error(path.problem);
  const trimmed = path.replace(/\/+$/, '');
  return path.startsWith('/') ? trimmed : `${process.cwd().replaceAll('%', '%%')}/${trimmed}`;
}

function parseTarget(text: string): ParsedValue<string> {
  if (text.includes('\0')) return { problem: 'a path holds no zero byte' };
  // Which HDFS it is, a configuration of Hadoop's may say; what is wrong with the text, it cannot make right.
  const resolved = resolveTarget(text, undefined);
  if ('problem' in resolved) return resolved;
  if (resolved.kind === 'web') return withEscapes(resolved.path, text);
  const local = withoutScheme(text);
  return typeof local === 'object' ? local : withEscapes(local, text);
}

function withoutScheme(text: string): string | { readonly problem: string } {
  if (!/^file:/i.test(text)) return text;
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
