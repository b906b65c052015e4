/**
 * The one list of errors a user of the engine can meet. Each has a stable `code`, a sentence that says what
 * is wrong, where, and what to do, and the numbers. Bugs of ours are InvariantError instead (assert.ts).
 */

/** Every code, with what it means; docs/errors.md prints this table. Grouped by when it is met. */
export const errorCodes = {
  // when opening
  CHANNEL_LOCKED: 'another process or another open in this process owns the channel',
  CHANNEL_DIR_MISSING: 'a data directory that belongs to the channel is absent or holds no identity',
  NOT_A_CHANNEL: 'the directory holds something else',
  FORMAT_UNSUPPORTED: 'the channel was written by a newer format, or needs what this Node cannot do',
  KEY_WRONG: 'the encryption key is absent or is not the one the channel was written with',
  DIR_UNUSABLE: 'a directory cannot be read or written: permission, read-only or network file system',
  CONFIG_INVALID: 'an option has a value that is not allowed',
  // when putting
  EVENT_INVALID: 'an event is not { headers: string to string, body: bytes }',
  EVENT_TOO_LARGE: "one event's body or headers are over the limit",
  TRANSACTION_TOO_LARGE: 'a transaction has more events or bytes than allowed',
  CHANNEL_FULL: 'no room within keepAliveMs: capacityEvents or capacityBytes is reached',
  DISK_FULL: 'no room within keepAliveMs: the disk or maxDiskBytes is full',
  // when settling a transaction
  TRANSACTION_STATE: 'the transaction is settled already, or the ranges are not leased to this consumer',
  NOTE_INVALID: 'a note is no JSON, or over its limit',
  // at any time
  WRITE_FAILED: 'a write or sync failed; `outcome` says whether the transaction may still appear',
  CHANNEL_CLOSED: 'the channel or the consumer was closed',
  CHANNEL_FAILED: 'the channel stopped after an error it cannot repair while open; open it again',
  // when reading what is stored
  DATA_DAMAGED: 'stored bytes fail their checks; the damage is named in the report',
} as const;

/** A stable name to branch on. */
export type ErrorCode = keyof typeof errorCodes;

/** The numbers of an error. `outcome` is there where a commit failed. */
export interface ErrorDetails {
  readonly path?: string;
  readonly offset?: number;
  readonly expected?: string | number;
  readonly actual?: string | number;
  /** `notStored`: it will never appear. `unknown`: it may appear after the next open, whole or not at all. */
  readonly outcome?: 'notStored' | 'unknown';
  readonly cause?: unknown;
}

const brand: symbol = Symbol.for('forebay.error');

/** An operating error. `isForebayError` also recognises one from another copy of the package. */
export class ForebayError extends Error {
  override readonly name = 'ForebayError';
  readonly code: ErrorCode;
  readonly path: string | undefined;
  readonly offset: number | undefined;
  readonly expected: string | number | undefined;
  readonly actual: string | number | undefined;
  readonly outcome: 'notStored' | 'unknown' | undefined;

  constructor(code: ErrorCode, message: string, details: ErrorDetails = {}) {
    super(message, details.cause === undefined ? undefined : { cause: details.cause });
    Object.defineProperty(this, brand, { value: true });
    this.code = code;
    this.path = details.path;
    this.offset = details.offset;
    this.expected = details.expected;
    this.actual = details.actual;
    this.outcome = details.outcome;
  }
}

/** True for any ForebayError, also one from another copy of the package. */
export function isForebayError(error: unknown): error is ForebayError {
  return typeof error === 'object' && error !== null && brand in error;
}

/** The system's code (`ENOSPC`, `EIO`, …) of an error a Disk threw, or undefined. */
export function systemCode(error: unknown): string | undefined {
  if (typeof error !== 'object' || error === null || isForebayError(error)) return undefined;
  const code = (error as { code?: unknown }).code;
  return typeof code === 'string' ? code : undefined;
}

/** Whether a Disk had no room for a write: the disk, or the user's quota on it, is full. */
export function isNoRoom(error: unknown): boolean {
  const code = systemCode(error);
  return code === 'ENOSPC' || code === 'EDQUOT';
}
