/** `hdfs.path` and `hdfs.filePrefix` taken apart: what is as it stands, what is the time's, a header's, the host's. */
import type { ParsedValue } from '../../../agent/contracts/keys.ts';
import { isTimeLetter } from './path-time.ts';

/** The host's names, for `%[localhost]`, `%[IP]` and `%[FQDN]`. */
export interface HostNames {
  readonly localhost: string;
  readonly ip: string;
  readonly fqdn: string;
}

/** One piece of a text. */
export type PathPart =
  | { readonly kind: 'literal'; readonly text: string }
  | { readonly kind: 'time'; readonly letter: string }
  | { readonly kind: 'header'; readonly name: string };

/** BucketPath's own. */
const escapes = /%(\w|%)|%\{([\w.-]+)\}|%\[(\w+)\]/g;

/** Takes `text` apart. A problem where Flume would fail at each event; a warning for what surely is not meant. */
export function parsePath(text: string, host: HostNames): ParsedValue<readonly PathPart[]> {
  const parts: PathPart[] = [];
  const warnings: string[] = [];
  const hostNames = new Map(Object.entries(host));
  let at = 0;
  const literal = (piece: string): void => {
    if (piece !== '') parts.push({ kind: 'literal', text: piece });
  };
  for (const match of text.matchAll(escapes)) {
    const [all, letter, header, name] = match;
    const before = text.slice(at, match.index);
    if (before.includes('%')) warnings.push(`'${before}' has a % that begins no escape, and stays as it is`);
    literal(before);
    at = match.index + all.length;
    if (header !== undefined) parts.push({ kind: 'header', name: header });
    else if (name !== undefined) {
      const value = hostNames.get(name.toLowerCase());
      if (value === undefined) return { problem: `${all} is not known: %[localhost], %[IP] or %[FQDN]` };
      literal(value);
    } else if (letter === '%') literal('%');
    else if (letter !== undefined && isTimeLetter(letter)) parts.push({ kind: 'time', letter });
    else warnings.push(`${all} is no escape, and becomes nothing`);
  }
  const rest = text.slice(at);
  if (rest.includes('%')) warnings.push(`'${rest}' has a % that begins no escape, and stays as it is`);
  literal(rest);
  return warnings.length === 0 ? { value: parts } : { value: parts, warning: warnings.join('; ') };
}
