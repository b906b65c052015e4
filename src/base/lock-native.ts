/**
 * The owner's lock: two one-byte locks of the kernel (open file description locks, F_OFD_SETLK) on one file.
 * A second process and a second open in this process are refused; the end of the process frees it, however it
 * ends. Byte 0 says who owns; byte 1, taken next, says the owner is alive: readers probe that one, shared, so
 * that a probe never makes an owner that is starting fail. flock(2) locks do not exclude these.
 *
 * The native add-on is loaded by the first lock, not by importing the engine.
 */
import { setTimeout as delay } from 'node:timers/promises';
import type { OwnerState } from './disk.ts';
import { ForebayError, systemCode } from './errors.ts';

/**
 * Takes the owner's lock on an open file, at once; false if another holds it. Closing the file releases it.
 * `path` is for errors.
 */
export type TryLock = (descriptor: number, path: string) => Promise<boolean>;

const ownerByte = 0;
const aliveByte = 1;
/** A reader holds byte 1 for microseconds; one that was stopped in that moment must not hold us up for long. */
const probeWaitMsMax = 1000;
const probeWaitStepMs = 5;

/** @throws {ForebayError} DIR_UNUSABLE: no add-on for this platform, or no locks in this file system. */
export const tryNativeLock: TryLock = async (descriptor, path) => {
  const { default: locks } = await load(path);
  const tryByte = (byte: number): boolean => {
    try {
      return locks.tryLock(descriptor, byte, 1);
    } catch (cause) {
      throw unsupported(cause, path);
    }
  };
  if (!tryByte(ownerByte)) return false;
  for (let waitedMs = 0; waitedMs <= probeWaitMsMax; waitedMs += probeWaitStepMs) {
    if (tryByte(aliveByte)) return true;
    await delay(probeWaitStepMs);
  }
  return false;
};

/** Looks at the second byte only, for microseconds; the file may be open for reading only. */
export async function probeNativeLock(descriptor: number): Promise<OwnerState> {
  try {
    const { default: locks } = await import('fs-native-extensions');
    // Closing the file, which follows, gives it back.
    return locks.tryLock(descriptor, aliveByte, 1, { shared: true }) ? 'none' : 'running';
  } catch {
    return 'unknown';
  }
}

async function load(path: string): Promise<typeof import('fs-native-extensions')> {
  try {
    return await import('fs-native-extensions');
  } catch (cause) {
    const platform = `${process.platform}-${process.arch}`;
    const message =
      `cannot lock ${path}: the package fs-native-extensions is missing or has no add-on for ${platform} ` +
      `(Node ${process.versions.node}); install it, or run on a platform it is built for`;
    throw new ForebayError('DIR_UNUSABLE', message, { path, cause });
  }
}

function unsupported(cause: unknown, path: string): unknown {
  const code = systemCode(cause) ?? '';
  if (!['ENOLCK', 'ENOSYS', 'ENOTSUP', 'EOPNOTSUPP', 'EINVAL'].includes(code)) return cause;
  const message = `cannot lock ${path}: its file system has no locks (${code}); keep the channel on a local disk`;
  return new ForebayError('DIR_UNUSABLE', message, { path, cause });
}
