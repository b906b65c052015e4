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
  /** Lets go of connections. Idempotent. */
  close(): Promise<void>;
}
