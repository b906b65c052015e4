/**
 * The real disk. With its parts (disk-node-*.ts) the only importer of node:fs.
 *
 * Write-through files are direct (O_DIRECT | O_DSYNC) where a scratch file of their directory took a direct
 * write, else buffered with an fdatasync after each write; that is decided once a directory, and never changed
 * under an open file: a direct write the system refuses later is an error.
 */
import { type FileHandle, open, readdir, rename, stat, unlink } from 'node:fs/promises';
import { dirname } from 'node:path';
import { alignedBuffer } from './aligned-buffer.ts';
import type { Disk, DiskEntry, DiskLock, OpenOptions, OwnerState } from './disk.ts';
import { directoryOf, freeBytes, locality, makeDirectory, syncDirectory, tryDirect } from './disk-node-directory.ts';
import { fileMode, openNodeFile, openPastCache, type WriteKind } from './disk-node-file.ts';
import { systemCode } from './errors.ts';
import { probeNativeLock, type TryLock, tryNativeLock } from './lock-native.ts';

/** How the real disk writes and locks. */
export interface NodeDiskOptions {
  /** False: write-through files are buffered with an fdatasync everywhere. Default true: direct where possible. */
  readonly direct?: boolean;
  /** Takes the owner's lock. Default: the kernel's, through fs-native-extensions, loaded at the first lock. */
  readonly tryLock?: TryLock;
}

/** Of all disks: there is one thread. */
const writersOfThread = new Set<object>();

/** A disk on the files of this machine. Holds nothing open by itself. */
export function nodeDisk(options: NodeDiskOptions = {}): Disk {
  const isDirect = options.direct === false ? async (): Promise<boolean> => false : directTrials();
  return {
    writers: writersOfThread,
    allocate: alignedBuffer,
    makeDirectory,
    list,
    entry,
    open: async (path, { mode, writeThrough, pastCache }) =>
      mode === 'read' && pastCache === true
        ? openPastCache(path)
        : openNodeFile(path, mode, writeThrough === true ? await writeKind(isDirect, path, mode) : 'cached'),
    rename,
    unlink: async (path) => unlessAbsent(unlink(path)),
    syncDirectory,
    freeBytes,
    locality,
    isDirect: async (path) => isDirect(await directoryOf(path)),
    lock: (path) => lock(path, options.tryLock ?? tryNativeLock),
    owner,
  };
}

type DirectAnswer = (directory: string) => Promise<boolean>;

/** Tries each directory once and keeps the answer, unless it was an error or not proven for lack of room. */
function directTrials(): DirectAnswer {
  const trials = new Map<string, Promise<boolean>>();
  const run = async (directory: string): Promise<boolean> => {
    let isProven = false;
    try {
      const answer = await tryDirect(directory);
      isProven = answer !== 'unproven';
      return answer !== 'buffered';
    } finally {
      if (!isProven) trials.delete(directory);
    }
  };
  return (directory) => {
    const known = trials.get(directory);
    if (known !== undefined) return known;
    const trial = run(directory);
    trials.set(directory, trial);
    return trial;
  };
}

async function writeKind(isDirect: DirectAnswer, path: string, mode: OpenOptions['mode']): Promise<WriteKind> {
  if (mode === 'read') return 'cached';
  return (await isDirect(dirname(path))) ? 'direct' : 'synced';
}

async function list(path: string): Promise<string[] | undefined> {
  const names = await unlessAbsent(readdir(path));
  return names?.sort();
}

/** The unit of `blocks`, whatever the file system's own is (stat(2)). */
const statBlockBytes = 512;

async function entry(path: string): Promise<DiskEntry | undefined> {
  const found = await unlessAbsent(stat(path));
  if (found === undefined) return undefined;
  const kind = found.isFile() ? 'file' : found.isDirectory() ? 'directory' : 'other';
  return { kind, bytes: found.size, storedBytes: found.blocks * statBlockBytes };
}

async function unlessAbsent<Result>(result: Promise<Result>): Promise<Result | undefined> {
  try {
    return await result;
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return undefined;
    throw error;
  }
}

/** The lock hangs on the open file: closing it, or the end of the process, gives it back. */
async function lock(path: string, tryLock: TryLock): Promise<DiskLock | undefined> {
  // An exclusive lock needs a writable descriptor.
  const file: FileHandle = await open(path, 'a+', fileMode);
  let isHeld = false;
  try {
    isHeld = await tryLock(file.fd, path);
    return isHeld ? { release: () => file.close() } : undefined;
  } finally {
    if (!isHeld) await file.close();
  }
}

async function owner(path: string): Promise<OwnerState> {
  const file = await unlessAbsent(open(path, 'r'));
  if (file === undefined) return 'none';
  try {
    return await probeNativeLock(file.fd);
  } finally {
    await file.close();
  }
}
