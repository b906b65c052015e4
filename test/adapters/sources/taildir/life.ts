/**
 * One life of a tailing process, for the test that kills it: two file channels, one source. Ends by itself when both
 * channels hold as many events as asked for.
 */
import { join } from 'node:path';
import { FileChannel } from '../../../../src/engine.ts';
import { makeSource } from './harness.ts';

const [dir = '', expectedText = '0'] = process.argv.slice(2);
const expected = Number(expectedText);
const open = (name: string, segmentBytes: number) => FileChannel.open(join(dir, name), { segmentBytes });
const channels = { c1: await open('c1', 1_048_576), c2: await open('c2', 4_194_304) };
const { source } = makeSource(channels, {
  filegroups: 'g',
  'filegroups.g': join(dir, 'logs', 'app\\.log.*'),
  positionFile: join(dir, 'positions.json'),
  batchSize: '50',
  writePosInterval: '20',
  maxBatchCount: '5',
});
await source.start();
process.stdout.write('started\n');
for (let turn = 0; turn < 1000 && expected > 0; turn += 1) {
  if (Object.values(channels).every((channel) => channel.stats().depthEvents >= expected)) break;
  await new Promise((resolve) => setTimeout(resolve, 20));
}
if (expected === 0) await new Promise((resolve) => setTimeout(resolve, 60_000));
await source.stop();
await channels.c1.close();
await channels.c2.close();
