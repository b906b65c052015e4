/** The memory disk is a disk. */
import { memoryDisk } from '../../src/base/disk-memory.ts';
import { diskSuite } from '../conformance/disk.ts';

diskSuite('memory disk', async () => {
  const disk = memoryDisk();
  await disk.makeDirectory('/data');
  return { disk, directory: '/data' };
});
