/**
 * Invariants: what must hold if this code is right. A violation is a bug of ours, never a bad disk or a bad
 * caller, so it is not a ForebayError and is never caught inside src/.
 */

/** A broken invariant: a bug of ours. */
export class InvariantError extends Error {
  override readonly name = 'InvariantError';
}

/** @throws {InvariantError} If `condition` is false: a bug in this code. */
export function invariant(condition: boolean, claim: string): asserts condition {
  if (!condition) throw new InvariantError(`broken invariant: ${claim}`);
}
