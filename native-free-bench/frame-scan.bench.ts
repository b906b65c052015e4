/** Reading a segment's groups and frames in order, as recovery and delivery do, out of a disk in memory. */
import { systemClock } from '../src/base/clock.ts';
import type { Disk } from '../src/base/disk.ts';
import { memoryDisk } from '../src/base/disk-memory.ts';
import { mib } from '../src/base/units.ts';
import { fillChannel } from '../src/bench/channel-work.ts';
import { randomEvents } from '../src/bench/events.ts';
import { FileChannel } from '../src/channel/file-channel.ts';
import { readEventBatch } from '../src/codec/event-batch.ts';
import { FrameType } from '../src/wal/segment/frame-header.ts';
import { firstGroupOffset, type SegmentHeader } from '../src/wal/segment/segment-header.ts';
import { readFileHeader } from '../src/wal/segment-files.ts';
import { SegmentScanner } from '../src/wal/segment-scanner.ts';
import type { Benchmark, Place, Sizes } from './context.ts';
import { measureCpu } from './cpu.ts';

const directory = '/frame-scan';
const windowBytes: number = mib;

/** What of a PUT frame is looked at. */
type Depth = 'headers' | 'checksums' | 'events';

/** See above. */
export const frameScanBench: Benchmark = async ({ sizes, memory }) => {
  const { bodyBytes, scannedBytes } = sizes;
  const rows = [];
  for (const batch of [1, 100, 1000]) {
    const disk = memoryDisk();
    const count = Math.floor(scannedBytes / bodyBytes / batch / (batch === 1 ? 10 : 1)) * batch;
    const path = await writeSegment(disk, memory, sizes, { batch, count });
    const depths: readonly Depth[] = ['headers', 'checksums', 'events'];
    const tasks = depths.map((depth) => ({
      name: `frames of ${batch}: ${depth}`,
      run: async (): Promise<void> => {
        const seen = await scan(disk, path, depth);
        if (seen !== count) throw new Error(`${seen} of ${count} events were met`);
      },
      events: count,
      bytes: count * bodyBytes,
    }));
    rows.push(...(await measureCpu(tasks, sizes)));
  }
  return [{ title: `frame scan: a segment of ${bodyBytes} B events, memory disk`, rows }];
};

/** A channel's first segment with `count` events; its path. */
async function writeSegment(
  disk: Disk,
  place: Place,
  { bodyBytes, seed }: Sizes,
  { batch, count }: { batch: number; count: number },
): Promise<string> {
  const options = { ...place.options, checkpoint: 'memory' as const, segmentBytes: 128 * mib };
  const channel = await FileChannel.open(directory, options, { disk });
  if (batch === 1) {
    const [event] = randomEvents(1, bodyBytes, seed);
    const puts = Array.from({ length: count }, () => channel.put(event === undefined ? [] : [event]));
    await Promise.all(puts);
  } else {
    for (let left = count; left > 0; left -= batch) await fillChannel(channel, Math.min(batch, left), bodyBytes, seed);
  }
  await channel.close();
  const name = (await disk.list(directory))?.find((one) => /^[0-9a-f]{16}\.seg$/.test(one));
  if (name === undefined) throw new Error('the channel has no segment');
  return `${directory}/${name}`;
}

/** Walks the whole segment; gives the events it met. */
async function scan(disk: Disk, path: string, depth: Depth): Promise<number> {
  const file = await disk.open(path, { mode: 'read' });
  const { header } = await readFileHeader(file, systemClock);
  if (header === undefined) throw new Error('the segment has no header');
  const fileBytes = await file.bytes();
  const scanner = scannerOf(file, fileBytes, header, depth);
  let events = 0;
  for (let step = await scanner.next(); step.kind !== 'end'; step = await scanner.next()) {
    if (step.kind !== 'group') throw new Error('the segment is damaged');
    for (const frame of step.group.frames) {
      if (frame.header.type !== FrameType.put) continue;
      events += frame.header.count;
      if (depth !== 'events' || frame.payload === undefined) continue;
      const read = readEventBatch(frame.payload, frame.header.count);
      if (read.kind !== 'batch') throw new Error(read.reason);
      read.deliver(0, read.count, frame.header.baseSequence);
    }
  }
  await file.close();
  return events;
}

function scannerOf(
  file: ConstructorParameters<typeof SegmentScanner>[0]['file'],
  fileBytes: number,
  header: SegmentHeader,
  depth: Depth,
): SegmentScanner {
  const { epoch, recycled, tailEndSequence, resumeSequence } = header;
  return new SegmentScanner(
    {
      file,
      fileBytes,
      epoch,
      recycled,
      clock: systemClock,
      end: undefined,
      tailEndSequence,
      resumeSequence,
      checkPuts: depth !== 'headers',
      reading: { windowBytes, chunksAhead: 1 },
    },
    {
      offset: firstGroupOffset,
      serial: header.firstSerial,
      previousCrc: undefined,
      generation: 0,
      nextSequence: header.firstSequence,
    },
  );
}
