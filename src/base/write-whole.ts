/** Small files that must never be half there: written beside, and renamed once they are durable. */
import { dirname } from 'node:path';
import type { Disk, DiskFile } from './disk.ts';

/**
 * Makes the file at `path`, or replaces it: whole or not at all, and durable when it resolves. `fill` writes its bytes.
 * One that was cut off leaves `PATH.new`, which the next replaces.
 */
export async function writeWhole(disk: Disk, path: string, fill: (file: DiskFile) => Promise<void>): Promise<void> {
  const temporary = `${path}.new`;
  await disk.unlink(temporary);
  const file = await disk.open(temporary, { mode: 'create' });
  try {
    await fill(file);
    await file.sync();
  } finally {
    await file.close();
  }
  await disk.rename(temporary, path);
  await disk.syncDirectory(dirname(path));
}
