/** `forebay channel dump --frames`: the log as it stands in its segments, group by group. */
import type { ChannelView } from '../../channel/reader/channel-view.ts';
import { SegmentWalk } from '../../channel/reader/segment-walk.ts';
import type { ReadGroup } from '../../wal/group-reader.ts';
import { FrameType } from '../../wal/segment/frame-header.ts';
import type { DumpRequest } from './dump.ts';
import { inert, write } from './verb.ts';

const names: ReadonlyMap<number, string> = new Map(Object.entries(FrameType).map(([name, type]) => [type, name]));

type Line = Readonly<Record<string, string | number>>;

/** True where damage was met. One line a segment, a group, a frame. */
export async function dumpGroups(view: ChannelView, { range, limit, format }: DumpRequest): Promise<boolean> {
  let isDamaged = false;
  let count = 0;
  const print = (depth: number, line: Line): Promise<void> =>
    write(format === 'ndjson' ? `${JSON.stringify(line)}\n` : `${'  '.repeat(depth)}${textOf(line)}\n`);
  for (const segment of view.segments) {
    if (range.segmentId !== undefined && range.segmentId !== segment.id) continue;
    const walk = await SegmentWalk.open(view, segment, { checksPuts: true });
    if (walk === undefined) continue;
    try {
      const { id, path, epoch, generation } = segment;
      await print(0, { segment: id, path, epoch, generation });
      for (let step = await walk.next(); step !== undefined; step = await walk.next()) {
        if (count >= limit) return isDamaged;
        count += 1;
        if (step.kind === 'damage') {
          isDamaged = true;
          await print(1, { damage: 'group', offset: step.from, bytes: step.to - step.from });
          continue;
        }
        isDamaged ||= step.group.bad.length > 0;
        for (const [depth, line] of linesOf(step.group)) await print(depth, line);
      }
    } finally {
      await walk.close();
    }
  }
  return isDamaged;
}

/** With how far each is set in. */
function linesOf({ header, frames, bad }: ReadGroup): (readonly [number, Line])[] {
  const { offset, bytes, serial, nextSequence, events, wallMs } = header;
  const time = new Date(wallMs).toISOString();
  const below = [
    ...frames.map(({ header: frame, offset: at }) => {
      const { type, baseSequence, count, storedBytes, rawBytes } = frame;
      return { frame: names.get(type) ?? `${type}`, offset: at, baseSequence, count, storedBytes, rawBytes };
    }),
    ...bad.map(({ offset: at, bytes: size }) => ({ damage: 'frame', offset: at, bytes: size })),
  ].sort((a, b) => a.offset - b.offset);
  return [
    [1, { group: serial, offset, bytes, time, nextSequence, events }],
    ...below.map((line) => [2, line] as const),
  ];
}

function textOf(line: Line): string {
  return Object.entries(line)
    .map(([name, value]) => `${name}=${inert(String(value))}`)
    .join(' ');
}
