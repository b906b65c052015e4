/** What a test can ask of the simulated disk: to stop at an operation, and to fail at some. */
import { systemCode } from '../../src/base/errors.ts';
import { systemError } from '../../src/base/system-error.ts';
import type { SeededRandom } from './seeded-random.ts';
import { sectorBytes } from './simulated-image.ts';

/** A call that changes something, and so a point to crash at. A write-through write is a `write` and a `sync`. */
export type MutationKind =
  | 'create'
  | 'write'
  | 'sync'
  | 'truncate'
  | 'rename'
  | 'unlink'
  | 'makeDirectory'
  | 'syncDirectory';
/** A call that changes nothing: it can fail, and is counted apart. */
export type ReadKind = 'open' | 'read' | 'bytes' | 'list' | 'entry' | 'freeBytes';

/** One call as it came. */
export interface Operation {
  /** From 1; mutations and reads are each counted by themselves. */
  readonly index: number;
  readonly kind: MutationKind | ReadKind;
  /** For a rename the new name. */
  readonly path: string;
  /** For `read`, `write` and `truncate`; else 0. */
  readonly bytes: number;
  readonly position: number;
}

/** A call that failed, and its system code. */
export interface FailedOperation extends Operation {
  readonly code: string;
}

/** `during`: a write reaches the cache in part (some of its sectors); other operations happen or not. */
export type StopPhase = 'before' | 'during' | 'after';

/** A fault to come. */
export interface Fault {
  /** The mutation with this index, or each call (reads too) the predicate says yes to. */
  readonly at: number | ((operation: Operation) => boolean);
  /**
   * `EIO`: a write leaves any of its sectors in the cache, a sync marks what it should have written as clean.
   * Other codes change nothing, but a sync fails the same way. `short` is for writes: a prefix is written, and
   * the disk goes on with a second write, which is an operation of its own.
   */
  readonly error: 'EIO' | 'ENOSPC' | 'EDQUOT' | 'EACCES' | 'EROFS' | 'short';
  /** Default false: once. True: each time, until the function `inject` gave is called. */
  readonly sticky?: boolean;
  /** After `short`: whether going on succeeds (default) or fails. */
  readonly continuation?: 'success' | 'EIO' | 'ENOSPC';
}

/** Thrown by the call at which the disk stops, and by every later one: the process is dead. */
export class DiskStopped extends Error {
  override readonly name = 'DiskStopped';
}

/** What an operation does, and what is left of it when it is interrupted or fails. */
export interface Effects {
  run(): void;
  /** Stopped in the middle. Default: as a whole or not at all. */
  part?(): void;
  /** Before the error is thrown. Default: nothing happens. */
  fail?(error: Fault['error']): void;
  /** Writes a prefix. */
  shorten?(): void;
}

/** Counts the operations, and lets each happen, fail, or be the last. */
export class OperationGate {
  /** Every mutation so far. */
  readonly operations: Operation[] = [];
  /** Those of them that failed, whether by a fault or not. */
  readonly failed: FailedOperation[] = [];
  readCount = 0;
  isStopped = false;
  stopAt: { readonly operation: number; readonly phase: StopPhase } | undefined;
  watcher: ((operation: Operation) => void) | undefined;
  readonly #faults = new Set<Fault>();
  readonly #random: SeededRandom;

  constructor(random: SeededRandom) {
    this.#random = random;
  }

  inject(fault: Fault): () => void {
    this.#faults.add(fault);
    return () => this.#faults.delete(fault);
  }

  /** @throws {DiskStopped} */
  check(): void {
    if (this.isStopped) throw new DiskStopped('the simulated disk has stopped');
  }

  /** A call that changes nothing. @throws {DiskStopped}, and the error of a fault. */
  read(kind: ReadKind, path: string, position = 0, bytes = 0): void {
    this.check();
    this.readCount += 1;
    const operation = { index: this.readCount, kind, path, bytes, position };
    const fault = this.#strike(operation, false);
    if (fault !== undefined) throw injected(fault.error, operation);
  }

  /**
   * A call that changes something. `short`: only `shorten` was done, the rest is to follow.
   * @throws {DiskStopped}, and the error of a fault.
   */
  mutate(kind: MutationKind, path: string, effects: Effects, position = 0, bytes = 0): 'done' | 'short' {
    this.check();
    const operation: Operation = { index: this.operations.length + 1, kind, path, bytes, position };
    this.operations.push(operation);
    const phase = this.stopAt?.operation === operation.index ? this.stopAt.phase : undefined;
    if (phase === 'before') throw this.#stopped(operation);
    if (phase === 'during') {
      if (effects.part !== undefined) effects.part();
      else if (this.#random.chance(0.5)) effects.run();
      throw this.#stopped(operation);
    }
    const outcome = this.#perform(operation, effects);
    if (phase === 'after') throw this.#stopped(operation);
    if (outcome instanceof Error) {
      this.failed.push({ ...operation, code: systemCode(outcome) ?? '' });
      throw outcome;
    }
    this.watcher?.(operation);
    return outcome;
  }

  #perform(operation: Operation, effects: Effects): 'done' | 'short' | Error {
    const fault = this.#strike(operation, true);
    if (fault === undefined) {
      try {
        effects.run();
        return 'done';
      } catch (error) {
        if (systemCode(error) === undefined) throw error;
        return error as Error;
      }
    }
    if (fault.error === 'short' && effects.shorten !== undefined) {
      effects.shorten();
      const { continuation = 'success' } = fault;
      if (continuation !== 'success') this.#faults.add({ at: operation.index + 1, error: continuation });
      return 'short';
    }
    effects.fail?.(fault.error);
    return injected(fault.error, operation);
  }

  /** The fault that strikes here, if any; it is used up unless it is sticky. */
  #strike(operation: Operation, isMutation: boolean): Fault | undefined {
    for (const fault of this.#faults) {
      const canBeShort = operation.kind === 'write' && operation.bytes > sectorBytes;
      if (fault.error === 'short' && !canBeShort) continue;
      const isHit = typeof fault.at === 'number' ? isMutation && fault.at === operation.index : fault.at(operation);
      if (!isHit) continue;
      if (fault.sticky !== true) this.#faults.delete(fault);
      return fault;
    }
    return undefined;
  }

  #stopped({ index, kind, path }: Operation): DiskStopped {
    this.isStopped = true;
    return new DiskStopped(`the simulated disk stopped at operation ${index}, ${kind} ${path}`);
  }
}

function injected(code: string, { index, kind, path }: Operation): Error {
  return systemError(code, `injected at ${kind} ${index}`, path);
}
