/** A program for tests: locks the file it is given, says `held` or `refused`, and stays until it is killed. */
import { nodeDisk } from '../../src/base/disk-node.ts';

const lock = await nodeDisk().lock(process.argv[2] ?? '');
process.stdout.write(lock === undefined ? 'refused\n' : 'held\n');
if (lock !== undefined) setInterval(() => undefined, 1000);
