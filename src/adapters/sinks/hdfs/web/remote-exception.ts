/**
 * Which kind of error an answer of WebHDFS, HttpFS or Knox is: by the name of Java's exception class, which all of them
 * give as JSON; by the HTTP status where there is no such JSON.
 */
import { HdfsError, type HdfsErrorKind } from './hdfs-error.ts';

/** An answer of which the body was read, up to a limit. */
export interface SmallAnswer {
  readonly status: number;
  readonly location: string | undefined;
  readonly text: string;
}

const kinds: Readonly<Record<string, HdfsErrorKind>> = {
  StandbyException: 'standby',
  ObserverRetryOnActiveException: 'standby',
  RetriableException: 'retriable',
  SafeModeException: 'retriable',
  ServerTooBusyException: 'retriable',
  NotReplicatedYetException: 'retriable',
  RetryStartFileException: 'retriable',
  NSQuotaExceededException: 'quota',
  DSQuotaExceededException: 'quota',
  QuotaByStorageTypeExceededException: 'quota',
  QuotaExceededException: 'quota',
  MaxDirectoryItemsExceededException: 'quota',
  AccessControlException: 'access',
  AuthorizationException: 'access',
  AlreadyBeingCreatedException: 'lease',
  RecoveryInProgressException: 'lease',
  LeaseExpiredException: 'lease',
  FileAlreadyExistsException: 'exists',
  FileNotFoundException: 'missing',
  PathIsNotDirectoryException: 'notDirectory',
  ParentNotDirectoryException: 'notDirectory',
  NotDirectoryException: 'notDirectory',
  InvalidPathException: 'invalid',
  PathComponentTooLongException: 'invalid',
  IllegalArgumentException: 'invalid',
  HadoopIllegalArgumentException: 'invalid',
  UnsupportedOperationException: 'unsupported',
  AuthenticationException: 'unauthenticated',
  InvalidToken: 'unauthenticated',
  SecretManager$InvalidToken: 'unauthenticated',
  SecurityException: 'unauthenticated',
};

const wordings: readonly (readonly [RegExp, HdfsErrorKind])[] = [
  [/could only be (?:written|replicated) to \d|Failed to find datanode|[Ss]afe ?mode/, 'retriable'],
  [/current lease ?holder|lease is currently owned|lease recovery is in progress/, 'lease'],
  [/Cannot truncate to a larger file size/, 'invalid'],
  [/(?:append|truncate).*(?:striped|erasure|EC)\b/i, 'unsupported'],
];

const cures: Readonly<Record<HdfsErrorKind, string>> = {
  standby: 'wait for a NameNode to become active',
  retriable: 'wait, or look at the NameNode: safe mode, its start, the room on the DataNodes',
  quota: 'raise the quota, or remove files',
  access: 'give this user the right there (write and search on the directory), or correct hdfs.path or the user',
  lease: 'the file has another writer, or its last one is being given up',
  exists: 'something else has that name',
  missing: 'it or its directory is not there, or not any more',
  notDirectory: 'a part of the path is a file: move it away, or correct hdfs.path',
  invalid: 'correct what the path is made of',
  unsupported: 'the directory may be erasure-coded, or HDFS too old',
  unauthenticated:
    'correct the user or the password, or renew the delegation token: its file is read again without a restart',
  unresolvableDataNode: 'set hdfs.datanodeHostMap, or write through HttpFS',
  nonsense: 'correct the address: it must lead to WebHDFS, HttpFS or Knox',
  network: 'look whether it runs, and whether it can be reached from here',
  refused: 'look into the log of the NameNode',
};

/** As much of what a stranger said as a message may hold. */
const quotedCharactersMax = 300;

/** What to do about a kind of error. */
export function cureFor(kind: HdfsErrorKind): string {
  return cures[kind];
}

/** One line of foreign text, shortened. */
export function quoted(text: string): string {
  // Control characters would tear a log.
  const line = text.replaceAll(/\p{Cc}+/gu, ' ').trim();
  return line.length > quotedCharactersMax ? `${line.slice(0, quotedCharactersMax)}…` : line;
}

/** The error that an answer is, which is none of those that the call hopes for. `from`: who answered. */
export function errorOf(answer: SmallAnswer, from: string): HdfsError {
  const remote = remoteExceptionIn(answer.text);
  if (remote === undefined) return withoutException(answer, from);
  const { exception, message } = remote;
  const kind = kindOf(exception, message, answer.status);
  // What we do not know can come from half way through a call.
  const outcome = answer.status >= 500 && kind === 'refused' ? 'unknown' : 'notDone';
  // Behind the first line there may be Java's stack.
  const sentence = `${from} says ${exception}: ${quoted(message.split('\n', 1)[0] ?? '')}: ${cures[kind]}`;
  return new HdfsError(kind, sentence, { outcome, exception, status: answer.status });
}

/** What is said where an answer is not what WebHDFS would say. */
export function nonsenseError(what: string, from: string, status?: number): HdfsError {
  const details = { outcome: 'unknown' as const, ...(status !== undefined && { status }) };
  return new HdfsError('nonsense', `${from} ${what}: ${cures.nonsense}`, details);
}

function remoteExceptionIn(text: string): { readonly exception: string; readonly message: string } | undefined {
  let parsed: unknown;
  try {
    parsed = JSON.parse(text);
  } catch {
    return undefined;
  }
  const remote = (parsed as { RemoteException?: unknown } | null)?.RemoteException;
  const { exception, javaClassName, message } = (remote ?? {}) as Readonly<Record<string, unknown>>;
  const name = typeof javaClassName === 'string' && javaClassName !== '' ? javaClassName : exception;
  if (typeof name !== 'string') return undefined;
  return { exception: name.slice(name.lastIndexOf('.') + 1), message: typeof message === 'string' ? message : '' };
}

function kindOf(exception: string, message: string, status: number): HdfsErrorKind {
  const known = Object.hasOwn(kinds, exception) ? kinds[exception] : undefined;
  // Hadoop 2 says so of a path that leads through a file.
  if (known === 'access' && /is not a directory/.test(message)) return 'notDirectory';
  // As with a token whose owner is unknown.
  if (status === 401) return 'unauthenticated';
  if (known !== undefined && known !== 'invalid') return known;
  // HttpFS names some of them only in words.
  const worded = wordings.find(([pattern]) => pattern.test(message));
  if (worded !== undefined) return worded[1];
  // A gateway wraps what HDFS said: `RemoteException: org.apache.hadoop.….SafeModeException: …`.
  for (const [name] of message.matchAll(/\b[A-Z]\w*(?:Exception|InvalidToken)\b/g)) {
    if (Object.hasOwn(kinds, name)) return kinds[name] ?? 'refused';
  }
  return known ?? 'refused';
}

function withoutException({ status, text, location }: SmallAnswer, from: string): HdfsError {
  const said = `${from} answers ${status}${text === '' ? '' : `, '${quoted(text)}'`}`;
  if (status === 401 || status === 407) {
    return new HdfsError('unauthenticated', `${said}: ${cures.unauthenticated}`, { status });
  }
  if (status === 403) return new HdfsError('access', `${said}: ${cures.access}`, { status });
  if (status === 429 || status >= 500) {
    return new HdfsError('retriable', `${said}: ${cures.retriable}`, { status, outcome: 'unknown' });
  }
  const leads = location === undefined ? '' : ` to ${quoted(location)}`;
  return nonsenseError(`answers ${status}${leads}${text === '' ? '' : `, '${quoted(text)}'`}`, from, status);
}
