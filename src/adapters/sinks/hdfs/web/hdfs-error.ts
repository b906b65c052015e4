/** What HDFS refused, or nobody answered, told apart by what can be done about it. */

/**
 * - `standby`: no NameNode is the active one now: wait.
 * - `retriable`: HDFS is there and cannot now: safe mode, starting, busy, no DataNode with room: wait.
 * - `quota`: of names or bytes: remove own partial files, then wait.
 * - `access`: this user may not, there: others may go on elsewhere.
 * - `lease`: the file has another writer, or its last one is being given up: another name.
 * - `exists`: something has that name, and it is not of this call.
 * - `missing`: the file or its directory is not there.
 * - `notDirectory`: a part of the path is a file.
 * - `invalid`: HDFS takes no such path or value.
 * - `unsupported`: no such call there, as APPEND of an erasure-coded file.
 * - `unauthenticated`: who we are was not believed: another token or password.
 * - `unresolvableDataNode`: the redirect names a host that is unknown here.
 * - `nonsense`: what answered is no WebHDFS, or is broken.
 * - `network`: no connection, or it was lost, or nothing moved for the call timeout.
 * - `refused`: whatever else HDFS says no to.
 */
export type HdfsErrorKind =
  | 'standby'
  | 'retriable'
  | 'quota'
  | 'access'
  | 'lease'
  | 'exists'
  | 'missing'
  | 'notDirectory'
  | 'invalid'
  | 'unsupported'
  | 'unauthenticated'
  | 'unresolvableDataNode'
  | 'nonsense'
  | 'network'
  | 'refused';

/** What is known beside the sentence. */
export interface HdfsErrorDetails {
  /** `unknown`: it may have been done, or may still be. Default `notDone`. */
  readonly outcome?: 'notDone' | 'unknown';
  /** Java's, without its package: `StandbyException`. */
  readonly exception?: string;
  /** Of the HTTP answer. */
  readonly status?: number;
  readonly cause?: unknown;
}

/** A call of HDFS that failed. `message` says what was tried, where, who says no and why, and what to do. */
export class HdfsError extends Error {
  override readonly name = 'HdfsError';
  readonly kind: HdfsErrorKind;
  readonly outcome: 'notDone' | 'unknown';
  readonly exception: string | undefined;
  readonly status: number | undefined;

  constructor(kind: HdfsErrorKind, message: string, details: HdfsErrorDetails = {}) {
    super(message, details.cause === undefined ? undefined : { cause: details.cause });
    this.kind = kind;
    this.outcome = details.outcome ?? 'notDone';
    this.exception = details.exception;
    this.status = details.status;
  }
}

/** The same with what was tried, as `cannot create /logs/a: …`. Looking at something changes nothing. */
export function whileTrying(action: string, error: HdfsError): HdfsError {
  const { kind, message, outcome, exception, status } = error;
  const isLook = action.startsWith('look ');
  const lost = outcome === 'unknown' && !isLook ? ' (it may have been done all the same)' : '';
  return new HdfsError(kind, `cannot ${action}${lost}: ${message}`, {
    outcome,
    cause: error.cause,
    ...(exception !== undefined && { exception }),
    ...(status !== undefined && { status }),
  });
}
