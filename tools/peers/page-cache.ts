/** What the kernel keeps of files in memory: emptied, any queue is drained from the disk, however it was written. */
import { writeFileSync } from 'node:fs';

const dropCaches = '/proc/sys/vm/drop_caches';
const pagesOfFiles = '1';

/** Lets go of all that is written already. False where this user may not, or the system has no such thing. */
export function emptyPageCache(): boolean {
  try {
    writeFileSync(dropCaches, pagesOfFiles);
    return true;
  } catch {
    return false;
  }
}
