/** The errors a commit can end with in the log: what happened, where, what to do. */
import { ForebayError } from '../base/errors.ts';

/** The log was closed: nothing of this was stored. */
export function closedError(): ForebayError {
  return new ForebayError('CHANNEL_CLOSED', 'the channel is closed: open it again', { outcome: 'notStored' });
}

/** A write failed and a new segment says so: nothing of this will ever appear. */
export function writeFailed(cause: unknown, path: string): ForebayError {
  return new ForebayError(
    'WRITE_FAILED',
    `writing ${path} failed (${String(cause)}); the log goes on in another file and this transaction is not stored`,
    { path, outcome: 'notStored', cause },
  );
}

/** The log can say nothing more: whether this was stored shows the next open. */
export function logFailed(cause: unknown, path: string, outcome: 'notStored' | 'unknown'): ForebayError {
  return new ForebayError(
    'CHANNEL_FAILED',
    `the log cannot be written any more (${String(cause)}): close the channel and open it again`,
    { path, outcome, cause },
  );
}

/** The disk is full; the log waits for room. */
export function diskFull(cause: unknown, path: string): ForebayError {
  return new ForebayError(
    'DISK_FULL',
    `no room on the disk of ${path}: takes go on; puts resume by themselves when there is room`,
    { path, outcome: 'notStored', cause },
  );
}
