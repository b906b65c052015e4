/** Which file a position belongs to: names are used again, and so are inodes. */
import { createHash } from 'node:crypto';
import type { FileHandle } from 'node:fs/promises';

/** As a note holds it. */
export type FileIdentity = {
  readonly path: string;
  readonly inode: number;
  readonly sizeBytes: number;
  readonly mtimeMs: number;
  /** Of its first bytes, as many as `headBytes`: their SHA-256, shortened. */
  readonly head: string;
  readonly headBytes: number;
};

const headBytesMax = 1024;
const headDigits = 16;

/** The file at `path`, as it is now. */
export async function identify(path: string, handle: FileHandle): Promise<FileIdentity> {
  const { ino, size, mtimeMs } = await handle.stat();
  const headBytes = Math.min(size, headBytesMax);
  const head = await headOf(handle, headBytes);
  return { path, inode: ino, sizeBytes: size, mtimeMs, head, headBytes };
}

/** Whether `now`, open as `handle`, is the file that `known` was, though it may have grown or moved since. */
export async function isSameFile(known: FileIdentity, now: FileIdentity, handle: FileHandle): Promise<boolean> {
  if (now.sizeBytes < known.headBytes) return false;
  const samePath = known.path === now.path;
  const sameInode = known.inode === now.inode;
  const sameTimes = isUnchanged(known, now);
  if (Number(samePath) + Number(sameInode) + Number(sameTimes) < 2) return false;
  return (await headOf(handle, known.headBytes)) === known.head;
}

/** Size and time of change. */
export function isUnchanged(
  known: Pick<FileIdentity, 'sizeBytes' | 'mtimeMs'>,
  now: Pick<FileIdentity, 'sizeBytes' | 'mtimeMs'>,
): boolean {
  return known.sizeBytes === now.sizeBytes && known.mtimeMs === now.mtimeMs;
}

async function headOf(handle: FileHandle, bytes: number): Promise<string> {
  const buffer = Buffer.alloc(bytes);
  const { bytesRead } = await handle.read(buffer, 0, bytes, 0);
  return createHash('sha256').update(buffer.subarray(0, bytesRead)).digest('hex').slice(0, headDigits);
}
