/** What the real disk does with directories: making them durable, and finding out what they can do. */
import { randomBytes } from 'node:crypto';
import { constants } from 'node:fs';
import { type FileHandle, mkdir, open, stat, statfs, unlink } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { alignedBuffer } from './aligned-buffer.ts';
import { pageBytes } from './disk.ts';
import { fileMode } from './disk-node-file.ts';
import { systemCode } from './errors.ts';
import { systemError } from './system-error.ts';

const directoryMode = 0o750;

/** Makes creations, renames and unlinks in `path` durable. */
export async function syncDirectory(path: string): Promise<void> {
  const directory = await open(path, constants.O_RDONLY | constants.O_DIRECTORY);
  try {
    await directory.sync();
  } finally {
    await directory.close();
  }
}

/**
 * Creates `path` and its missing parents, and makes each durable in its parent. That holds for those found
 * too: an earlier run may have made one and died before its sync, and what is stored in it would go with it.
 */
export async function makeDirectory(path: string): Promise<void> {
  const created = new Set<string>();
  await createMissing(path, created);
  for (let child = path; dirname(child) !== child; child = dirname(child)) {
    try {
      await syncDirectory(dirname(child));
    } catch (error) {
      if (created.has(child) || !isForeignAncestor(error)) throw error;
    }
  }
}

async function createMissing(path: string, created: Set<string>): Promise<void> {
  try {
    await mkdir(path, directoryMode);
    created.add(path);
  } catch (error) {
    const code = systemCode(error);
    if (code === 'ENOENT' && dirname(path) !== path) {
      await createMissing(dirname(path), created);
      return createMissing(path, created);
    }
    // Some systems answer EROFS or EISDIR for a directory that is there.
    const found = await stat(path).catch(() => undefined);
    if (found?.isDirectory() === true) return;
    throw code === 'EEXIST' ? systemError('ENOTDIR', 'not a directory', path) : error;
  }
}

/** An ancestor this process may not read, or on a file system without syncs, was not made by this process. */
function isForeignAncestor(error: unknown): boolean {
  return ['EACCES', 'EPERM', 'EROFS', 'EINVAL', 'ENOTSUP'].includes(systemCode(error) ?? '');
}

/** The directory itself, or the one that holds the file. */
export async function directoryOf(path: string): Promise<string> {
  return (await stat(path)).isDirectory() ? path : dirname(path);
}

/**
 * Whether files of the directory take O_DIRECT | O_DSYNC writes: tried in a scratch file, unlinked at once.
 * `unproven`: they open, but there is no room for the write that would prove it.
 * @throws What the system answers to creating a file (EACCES, EROFS, …).
 */
export async function tryDirect(directory: string): Promise<'direct' | 'buffered' | 'unproven'> {
  const { O_CREAT, O_EXCL, O_WRONLY, O_DIRECT, O_DSYNC } = constants;
  if (O_DIRECT === undefined || O_DSYNC === undefined) return 'buffered';
  const path = join(directory, `.forebay-direct-${randomBytes(8).toString('hex')}.tmp`);
  // Created without O_DIRECT first: a refused open may have created the file all the same.
  const created = await open(path, O_CREAT | O_EXCL | O_WRONLY, fileMode);
  let direct: FileHandle | undefined;
  try {
    await created.close();
    direct = await open(path, O_WRONLY | O_DIRECT | O_DSYNC);
    const { bytesWritten } = await direct.write(alignedBuffer(pageBytes), 0, pageBytes, 0);
    return bytesWritten === pageBytes ? 'direct' : 'buffered';
  } catch (error) {
    const code = systemCode(error) ?? '';
    if (['EINVAL', 'ENOTSUP', 'EOPNOTSUPP'].includes(code)) return 'buffered';
    if (direct !== undefined && ['ENOSPC', 'EDQUOT'].includes(code)) return 'unproven';
    throw error;
  } finally {
    await direct?.close();
    await unlink(path);
  }
}

/** Bytes an unprivileged writer can still use in the file system that holds `path`. */
export async function freeBytes(path: string): Promise<number> {
  const { bavail, bsize } = await statfs(path);
  return bavail * bsize;
}

/** `f_type` of statfs(2), for file systems that live on another machine or are shared by several. */
const networkTypes: ReadonlySet<number> = new Set([
  0x6969, // NFS
  0x517b, // SMB
  0xff534d42, // CIFS
  0xfe534d42, // SMB 2 and 3
  0x564c, // NCP
  0x5346414f, // AFS
  0x6b414653, // kAFS
  0x73757245, // Coda
  0x01021997, // 9P
  0x00c36400, // Ceph
  0x0bd00bd0, // Lustre
  0x47504653, // GPFS
  0x19830326, // BeeGFS
  0xaad7aaea, // PanFS
  0x7461636f, // OCFS2
  0x01161970, // GFS2
]);

/** FUSE counts as local: its number does not say what lies behind it. */
export async function locality(path: string): Promise<'local' | 'network'> {
  const { type } = await statfs(path);
  // A 32-bit kernel field: sign-extended on some machines.
  return networkTypes.has((type % 2 ** 32) >>> 0) ? 'network' : 'local';
}
