/**
 * What the hdfs sink needs of a place where files are: no more than WebHDFS can do, and what it answers is to be
 * believed no more than WebHDFS can be. Paths are absolute, without a scheme. One implementation a scheme.
 */

/** What stands at a path. */
export interface FileStatus {
  /** Of this very file: the same after a rename, another one's never. */
  readonly fileId: string;
  readonly kind: 'file' | 'directory';
  readonly lengthBytes: number;
}

/** A request that is writing a file. Calls one at a time; after a rejection only `abort`. */
export interface FileStream {
  /** Resolves when the next may come. `bytes` must not change until then. */
  write(bytes: Uint8Array): Promise<void>;
  /** Resolves when the far side has all that was written, durable as it promises. A rejection says nothing. */
  end(): Promise<void>;
  /** Gives up: the far side keeps what it has, which may look complete. Never rejects. */
  abort(): Promise<void>;
}

/** Errors are Errors with a sentence that names the path; what one means for the file only `status` can tell. */
export interface FileSystem {
  /** Before each path, to name it from anywhere: `file://`, `hdfs://cluster`. */
  readonly prefix: string;
  /**
   * How long the far side may still act on a call that was given up, or whose caller died. 0: never, as on this
   * machine. What is done against it costs calls, so it is done only where this is more than 0.
   */
  readonly lateMs: number;
  /** Begins a new file, with the directories to it. Never opens one that is there: resolves to undefined then. */
  create(path: string): Promise<FileStream | undefined>;
  /** Goes on at the end of a file. */
  append(path: string): Promise<FileStream>;
  /** Cuts a file. False: not yet, ask again. */
  truncate(path: string, lengthBytes: number): Promise<boolean>;
  /** Makes `to` of `from`, and replaces nothing. What it did only `status` can tell. */
  rename(from: string, to: string): Promise<void>;
  /** Undefined where there is nothing. */
  status(path: string): Promise<FileStatus | undefined>;
  /** True: a file was there and is gone. False: there was none. */
  delete(path: string): Promise<boolean>;
  /** Makes a directory, with those above it; one that is there is fine. */
  makeDirectories(path: string): Promise<void>;
  /** Resolves when what `status` says is proven to be of now. `directory` is to be there. */
  proveActive(directory: string): Promise<void>;
  /** How many copies there are of the part of a file that has fewest. Infinity where that means nothing. */
  leastReplicas(path: string): Promise<number>;
  /** Lets go of connections. Idempotent. */
  close(): Promise<void>;
}

/**
 * What a file system may say of an error beside its sentence, as `kind`: something has the name already; it is no
 * request that is known there, as APPEND to an erasure-coded file. Other kinds are for people.
 */
export type FailureKind = 'exists' | 'unsupported';

/** Whether an error is of this kind. */
export function isFailure(error: unknown, kind: FailureKind): boolean {
  return propertyOf(error, 'kind') === kind;
}

/** Whether the far side has answered, or was never reached: nothing will be done any more. */
export function isOver(error: unknown): boolean {
  return propertyOf(error, 'outcome') === 'notDone';
}

function propertyOf(error: unknown, name: string): unknown {
  return error instanceof Error ? (error as unknown as Readonly<Record<string, unknown>>)[name] : undefined;
}
