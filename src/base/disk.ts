/**
 * The disk as the engine sees it: the one seam below everything. disk-node.ts is the real one, disk-memory.ts
 * one that lives in memory, test/support/simulated-disk.ts one that loses power.
 *
 * Errors: what the system answers is thrown as it is, with its `code` (ENOSPC, EIO, EACCES, …); the engine
 * decides what it means. Paths are absolute.
 */

/** Groups and direct writes start on these boundaries; also the size of a segment's header page. */
export const pageBytes = 4096;

/** How a file is opened. */
export interface OpenOptions {
  /** `read`: must exist. `write`: must exist, read and write. `create`: must not exist, read and write. */
  readonly mode: 'read' | 'write' | 'create';
  /**
   * Each write is durable (data and the size it needs) when it returns: O_DIRECT | O_DSYNC where the
   * directory allows it, else write + fdatasync. Then buffer, length and position of every write must be
   * multiples of `pageBytes`, the buffer from `Disk.allocate`. Reads are never restricted. Default false.
   */
  readonly writeThrough?: boolean;
  /**
   * With `read`: page-aligned reads into buffers from `Disk.allocate` go past the system's cache, where the file system
   * can do that; others go through it. For much that is read once. Default false.
   */
  readonly pastCache?: boolean;
}

/** An open file. Offsets and lengths in bytes; calls on one file may overlap in time. */
export interface DiskFile {
  readonly path: string;
  /** Reads until `target` is full or the file ends; resolves to the bytes read. */
  read(target: Buffer, position: number): Promise<number>;
  /** Writes all of `source`, continuing after a short write; rejects if any of it may be missing. */
  write(source: Buffer, position: number): Promise<void>;
  /** The same, holding up the thread: for a small commit on a fast disk. */
  writeSync(source: Buffer, position: number): void;
  /** Makes all earlier writes of this file durable (fdatasync). After a failure never call it again. */
  sync(): Promise<void>;
  bytes(): Promise<number>;
  truncate(bytes: number): Promise<void>;
  close(): Promise<void>;
}

/** Held by the kernel: gone when the process dies, however it dies. */
export interface DiskLock {
  release(): Promise<void>;
}

/** `unknown`: this platform or file system cannot tell. */
export type OwnerState = 'running' | 'none' | 'unknown';

/** What a path leads to. */
export interface DiskEntry {
  readonly kind: 'file' | 'directory' | 'other';
  readonly bytes: number;
  /** What it takes of the disk: far less than `bytes` where a file has holes. */
  readonly storedBytes: number;
}

/** Files, directories and the lock of one machine. */
export interface Disk {
  /** Whoever has writes to make on this thread, each while it has: `writeSync` holds up all of them. */
  readonly writers: Set<object>;
  /** A buffer that `writeThrough` files accept: page-aligned, not zeroed. `bytes` is a multiple of `pageBytes`. */
  allocate(bytes: number): Buffer;
  /** Creates the directory and its missing parents, each made durable in its parent. Fine if it exists. */
  makeDirectory(path: string): Promise<void>;
  /** Names in the directory, sorted; undefined where there is no such directory. */
  list(path: string): Promise<string[] | undefined>;
  entry(path: string): Promise<DiskEntry | undefined>;
  open(path: string, options: OpenOptions): Promise<DiskFile>;
  /** Atomic in the directory; durable only after `syncDirectory` of the target's parent. Replaces `to`. */
  rename(from: string, to: string): Promise<void>;
  /** Durable only after `syncDirectory`. Fine if absent. */
  unlink(path: string): Promise<void>;
  syncDirectory(path: string): Promise<void>;
  /** Bytes an unprivileged writer can still use in the file system that holds `path`. */
  freeBytes(path: string): Promise<number>;
  /** `network` where the file system is known to live on another machine (NFS, SMB, …). */
  locality(path: string): Promise<'local' | 'network'>;
  /** Whether `path`'s directory takes direct writes; tried in a scratch file of it, once. For reports. */
  isDirect(path: string): Promise<boolean>;
  /** Takes the owner's lock on `path` (created where missing, never unlinked); undefined if it is held. */
  lock(path: string): Promise<DiskLock | undefined>;
  /** Whether a process holds that lock, without disturbing it or one that is starting. Writes nothing. */
  owner(path: string): Promise<OwnerState>;
}
