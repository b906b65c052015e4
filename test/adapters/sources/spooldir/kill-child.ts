/** Spools a directory into two file channels until it is killed: what the kill test runs. */
import { join } from 'node:path';
import { FileChannel } from '../../../../src/engine.ts';
import { makeSource } from './support.ts';

const root = process.env['SPOOL_ROOT'] ?? '';
const options = { segmentBytes: 1_048_576, minimumFreeBytes: 0 };
const channels = new Map([
  ['c1', await FileChannel.open(join(root, 'c1'), options)],
  ['c2', await FileChannel.open(join(root, 'c2'), options)],
]);
const { source } = makeSource(channels, { spoolDir: join(root, 'spool'), batchSize: '20', pollDelay: '10' });
await source.start();
process.stdout.write('started\n');
// Until the kill.
setInterval(() => undefined, 1000);
