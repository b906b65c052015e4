/**
 * What an event's header must not do to a path: a sender could otherwise write anywhere. Flume takes every value as it
 * is.
 */

/** Why an event has no path. The event cannot ever be written as it is. */
export interface PathProblem {
  readonly kind: 'timestamp' | 'header';
  /** The header that it is about. */
  readonly header: string;
  readonly reason: 'missing' | 'malformed' | 'empty' | 'dots' | 'parent' | 'absolute' | 'slash' | 'colon' | 'nul';
  /** A sentence: what is wrong, in which text, and the cure. */
  readonly message: string;
}

type HeaderReason = Exclude<PathProblem['reason'], 'missing' | 'malformed'>;

const unsafe = /[/:\0]/;
const valueCharsShown = 60;

const says: Readonly<Record<HeaderReason, string>> = {
  empty: 'leaves a name of the path empty',
  dots: "makes a name of the path '.' or '..'",
  parent: "leads to another directory by '..'",
  absolute: "begins with '/' and would leave the directory",
  slash: "has a '/' and would make directories",
  colon: "has a ':', which HDFS allows in no name",
  nul: 'has a NUL, which no file system allows in a name',
};

/** What is wrong with a header's value wherever it stands. */
export function valueReason(value: string): HeaderReason | undefined {
  if (!unsafe.test(value)) return undefined;
  if (value.includes('\0')) return 'nul';
  if (value.split('/').includes('..')) return 'parent';
  if (value.startsWith('/')) return 'absolute';
  return value.includes('/') ? 'slash' : 'colon';
}

/** What is wrong with a whole name between two slashes. */
export function nameReason(name: string): HeaderReason | undefined {
  if (name === '') return 'empty';
  return name === '.' || name === '..' ? 'dots' : undefined;
}

/** The problem with the header `header`, whose `value` was to stand in `text`. */
export function headerProblem(
  header: string,
  value: string | undefined,
  reason: HeaderReason,
  text: string,
): PathProblem {
  const shown = value !== undefined && value.length > valueCharsShown ? `${value.slice(0, valueCharsShown)}…` : value;
  const subject =
    shown === undefined
      ? `the event has no header '${header}', which`
      : `the event's header '${header}' is ${JSON.stringify(shown)}, which`;
  const cure = `Set or clean the header with an interceptor (static, search_and_replace), or take %{${header}} out`;
  return { kind: 'header', header, reason, message: `${subject} ${says[reason]}, in '${text}'. ${cure}` };
}
