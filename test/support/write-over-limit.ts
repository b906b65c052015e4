/** A program for tests: writes 12 KiB, one way or the other, where a limit on file sizes cuts the write short. */

import { nodeDisk } from '../../src/base/disk-node.ts';
import { systemCode } from '../../src/base/errors.ts';

const [path = '', way = '', direct = ''] = process.argv.slice(2);
const disk = nodeDisk({ direct: direct === 'direct' });
const file = await disk.open(path, { mode: 'create', writeThrough: true });
const source = disk.allocate(12 * 1024).fill(1);
let outcome = 'written';
try {
  if (way === 'sync') file.writeSync(source, 0);
  else await file.write(source, 0);
} catch (error) {
  outcome = systemCode(error) ?? String(error);
}
process.stdout.write(`${outcome} ${await file.bytes()}\n`);
await file.close();
