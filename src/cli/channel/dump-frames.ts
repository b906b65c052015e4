/** `forebay channel dump --frames`: the log as it stands in its segments, group by group. */
import type { ChannelView } from '../../channel/reader/channel-view.ts';
import { SegmentWalk } from '../../channel/reader/segment-walk.ts';
import { FrameType } from '../../wal/segment/frame-header.ts';
import type { DumpRequest } from './dump.ts';
import { write } from './verb.ts';

const names: ReadonlyMap<number, string> = new Map(Object.entries(FrameType).map(([name, type]) => [type, name]));

/** True where damage was met. One line a group, one a frame. */
export async function dumpGroups(view: ChannelView, { range, limit, format }: DumpRequest): Promise<boolean> {
  let isDamaged = false;
  let count = 0;
  const print = async (line: Readonly<Record<string, unknown>>): Promise<void> => {
    const text = Object.entries(line).map(([name, value]) => `${name}=${String(value)}`);
    await write(format === 'ndjson' ? `${JSON.stringify(line)}\n` : `${text.join(' ')}\n`);
  };
  for (const segment of view.segments) {
    if (range.segmentId !== undefined && range.segmentId !== segment.id) continue;
    const walk = await SegmentWalk.open(view, segment, { checksPuts: true });
    if (walk === undefined) continue;
    try {
      await print({ segment: segment.id, path: segment.path, epoch: segment.epoch, generation: segment.generation });
      for (let step = await walk.next(); step !== undefined; step = await walk.next()) {
        if (count >= limit) return isDamaged;
        count += 1;
        if (step.kind === 'damage') {
          isDamaged = true;
          await print({ damage: 'group', offset: step.from, bytes: step.to - step.from });
          continue;
        }
        const { header, frames, bad } = step.group;
        const time = new Date(header.wallMs).toISOString();
        const { offset, bytes, serial, nextSequence, events } = header;
        await print({ group: serial, offset, bytes, time, nextSequence, events });
        for (const { header: frame, offset: at } of frames) {
          const { type, baseSequence, count: named, storedBytes, rawBytes } = frame;
          const name = names.get(type) ?? `${type}`;
          await print({ frame: name, offset: at, baseSequence, count: named, storedBytes, rawBytes });
        }
        for (const { offset: at, bytes: size } of bad) await print({ damage: 'frame', offset: at, bytes: size });
        isDamaged ||= bad.length > 0;
      }
    } finally {
      await walk.close();
    }
  }
  return isDamaged;
}
