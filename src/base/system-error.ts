/** Errors shaped as the system's own, for what a disk must refuse by itself (a short write, a closed file). */

/** An error with a system `code` as Node gives it; `systemCode` of errors.ts reads it back. */
export interface SystemError extends Error {
  readonly code: string;
  readonly path: string;
}

/** `code: message, 'path'`, with `code` and `path` set. */
export function systemError(code: string, message: string, path: string): SystemError {
  return Object.assign(new Error(`${code}: ${message}, '${path}'`), { code, path });
}
