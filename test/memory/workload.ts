/** A process of its own, so that its peak memory can be read: runs one workload and prints it as one JSON line. */
import { readFileSync } from 'node:fs';
import { FileChannel } from '../../src/channel/file-channel.ts';

const [directory = '', mode = ''] = process.argv.slice(2);

/** The largest resident set since the last reset, bytes. */
function peakBytes(): number {
  const line = /VmHWM:\s+(\d+) kB/.exec(readFileSync('/proc/self/status', 'utf8'));
  return Number(line?.[1]) * 1024;
}

async function largeTransaction(): Promise<Record<string, number>> {
  const channel = await FileChannel.open(directory, { minimumFreeBytes: 0 });
  const events = Array.from({ length: 10 }, (_, index) => ({
    headers: {},
    body: Buffer.alloc(100_000_000, index + 1),
  }));
  const bytes = events.reduce((sum, event) => sum + event.body.length, 0);
  await channel.put(events);
  const peak = peakBytes();
  events.length = 0;
  let taken = 0;
  for (;;) {
    const batch = await channel.take(1);
    const [event] = batch.events;
    if (event === undefined) break;
    taken += event.body[0] === taken + 1 && event.body.at(-1) === taken + 1 ? 1 : 0;
    await batch.commit();
  }
  await channel.close();
  return { bytes, peak, taken, peakAll: peakBytes() };
}

async function manyLargeEvents(): Promise<Record<string, number>> {
  const channel = await FileChannel.open(directory, { minimumFreeBytes: 0 });
  const body = Buffer.alloc(8192, 1);
  await channel.put(Array.from({ length: 10_000 }, () => ({ headers: {}, body })));
  let taken = 0;
  for (let batch = await channel.take(10_000); batch.events.length > 0; batch = await channel.take(10_000)) {
    taken += batch.events.length;
    await batch.commit();
  }
  await channel.close();
  return { taken, peak: peakBytes() };
}

async function fill(count: number): Promise<Record<string, number>> {
  const channel = await FileChannel.open(directory, { minimumFreeBytes: 0, capacityEvents: 2 * count });
  const body = Buffer.alloc(100, 1);
  const events = Array.from({ length: 1000 }, () => ({ headers: {}, body }));
  for (let put = 0; put < count; put += events.length) await channel.put(events);
  const { depthEvents } = channel.stats();
  const peak = peakBytes();
  await channel.close();
  return { depthEvents, peak };
}

/** Acknowledges every second of the events that wait, then closes, opens again and drains a few. */
async function everySecond(): Promise<Record<string, number>> {
  const options = { minimumFreeBytes: 0, capacityEvents: 20_000_000 };
  let channel = await FileChannel.open(directory, options);
  const consumer = channel.consumer('odd');
  for (;;) {
    const { events } = await consumer.take(1000);
    if (events.length === 0) break;
    const odd = events.filter(({ sequence }) => sequence % 2 === 1);
    await consumer.commit(odd.map(({ sequence }) => ({ first: sequence, last: sequence })));
  }
  const { depthEvents: held } = channel.stats();
  await channel.close();
  channel = await FileChannel.open(directory, options);
  const { events } = await channel.take(1000);
  const even = events.filter(({ sequence }) => sequence % 2 === 0).length;
  const { depthEvents } = channel.stats();
  await channel.close();
  return { held, depthEvents, even, peak: peakBytes() };
}

async function idle(): Promise<Record<string, number>> {
  const startMs = performance.now();
  const channel = await FileChannel.open(directory, { minimumFreeBytes: 0, capacityEvents: 20_000_000 });
  const openMs = performance.now() - startMs;
  await channel.put([{ headers: {}, body: Buffer.from('x') }]);
  const firstPutMs = performance.now() - startMs;
  await channel.checkpoint();
  const { depthEvents } = channel.stats();
  await channel.close();
  return { depthEvents, openMs, firstPutMs, peak: peakBytes() };
}

const modes: Record<string, () => Promise<Record<string, number>>> = {
  'large-transaction': largeTransaction,
  'many-large-events': manyLargeEvents,
  'fill-5m': () => fill(5_000_000),
  'fill-10m': () => fill(10_000_000),
  'every-second': everySecond,
  idle,
};
const run = modes[mode];
if (run === undefined) throw new Error(`no mode '${mode}'`);
const result = await run();
process.stdout.write(`${JSON.stringify({ ...result })}\n`);
