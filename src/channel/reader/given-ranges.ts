/** Which sequences of a view have an event: those of its segments, and of the tail that an open takes over. */
import type { SequenceRange } from '../../base/units.ts';
import { FrameType } from '../../wal/segment/frame-header.ts';
import { sequencesOf } from '../../wal/segment-info.ts';
import type { ChannelView } from './channel-view.ts';

/** Ascending; a segment has one range or two, each transaction of the tail one. */
export function givenRanges({ segments, tail }: Pick<ChannelView, 'segments' | 'tail'>): SequenceRange[] {
  const end = segments.at(-1)?.nextSequence ?? 1;
  const ofTail = tail.flatMap(({ header: { type, baseSequence: first, count } }) =>
    type === FrameType.put && count > 0 && first >= end ? [{ first, last: first + count - 1 }] : [],
  );
  return [...segments.flatMap(sequencesOf), ...ofTail];
}
