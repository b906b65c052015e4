/** What a walk over a segment met, as damage: where, of what kind, what it costs, and that in a sentence. */
import type { SequenceRange, SequenceRanges } from '../../base/units.ts';
import { countSequences } from '../../base/units.ts';
import { eventBatchCodec, readEventBatch } from '../../codec/event-batch.ts';
import type { QueueState } from '../../queue/queue-state.ts';
import type { Damage } from '../../wal/damage.ts';
import { groupEnd, type ReadFrame, type ReadGroup } from '../../wal/group-reader.ts';
import { givenBetween } from '../../wal/recovery-replay.ts';
import { FrameType, frameSize } from '../../wal/segment/frame-header.ts';
import { firstGroupOffset } from '../../wal/segment/segment-header.ts';
import { decodeState } from '../../wal/system-frames.ts';
import type { DamageStep, SegmentWalk } from './segment-walk.ts';

const none: Pick<Damage, 'eventsLost' | 'sequences'> = { eventsLost: 0, sequences: [] };

/** Of a segment with damaged header pages. */
export function headerDamage({ segment, damagedPages }: SegmentWalk): Damage {
  const which = damagedPages === 1 ? 'one of the two header pages does not hold; the other does' : 'no header holds';
  const message = `${which}: nothing is lost by it`;
  return { path: segment.path, offset: 0, bytes: firstGroupOffset, kind: 'segmentHeader', ...none, message };
}

/** Of bytes between two groups. `queue` says what of the events nobody has taken. */
export function gapDamage({ segment }: SegmentWalk, step: DamageStep, queue: QueueState): Damage {
  const { from, to, lostFrom, lostTo, unreadable } = step;
  const message = unreadable ? 'these bytes cannot be read' : 'no group that fits stands here';
  const loss = lossOf(givenBetween(segment, lostFrom, lostTo), queue);
  return {
    path: segment.path,
    offset: from,
    bytes: to - from,
    kind: unreadable ? 'unreadable' : 'group',
    ...loss,
    message,
  };
}

/** All within a group; `onSound` is told of each frame that holds. */
export function groupDamages(
  walk: SegmentWalk,
  group: ReadGroup,
  queue: QueueState,
  onSound: (frame: ReadFrame) => void,
): Damage[] {
  const { header, frames, bad } = group;
  const { path } = walk.segment;
  const found: Damage[] = [];
  for (const { offset, bytes, header: frame, lostFrom, lostTo } of bad) {
    const ranges = lostTo > lostFrom ? [{ first: lostFrom, last: lostTo - 1 }] : [];
    found.push(frameDamage({ path, offset, bytes }, ranges, frame?.type, queue));
  }
  for (const frame of frames) {
    if (holds(walk, frame)) onSound(frame);
    else found.push(payloadDamage(path, frame, queue));
  }
  if (group.paddingDamaged) {
    const { offset } = header;
    const message = 'padding or a sum in this group is not as written; no event is affected';
    found.push({ path, offset, bytes: groupEnd(header) - offset, kind: 'padding', ...none, message });
  }
  return found;
}

function payloadDamage(path: string, { header, offset }: ReadFrame, queue: QueueState): Damage {
  const { type, baseSequence, count, storedBytes } = header;
  const ranges = type === FrameType.put && count > 0 ? [{ first: baseSequence, last: baseSequence + count - 1 }] : [];
  return frameDamage({ path, offset, bytes: frameSize(storedBytes) }, ranges, type, queue);
}

function frameDamage(
  place: Pick<Damage, 'path' | 'offset' | 'bytes'>,
  ranges: SequenceRanges,
  type: number | undefined,
  queue: QueueState,
): Damage {
  if (ranges.length > 0) {
    const message = 'this transaction does not hold: its events that nobody has taken are lost';
    return { ...place, kind: 'frame', ...lossOf(ranges, queue), message };
  }
  if (type === FrameType.state) {
    const message = 'the state at the head of this segment does not hold; the one before and the log say the same';
    return { ...place, kind: 'state', ...none, message };
  }
  const message = 'a record does not hold: what it acknowledged or noted may come back as it was before';
  return { ...place, kind: 'record', ...none, message };
}

/** What of `ranges` nobody has taken. */
function lossOf(ranges: SequenceRanges, queue: QueueState): Pick<Damage, 'eventsLost' | 'sequences'> {
  const lost: SequenceRange[] = [];
  for (const { first, last } of ranges) {
    for (const run of notIn(queue.acked.ranges(first), first, last)) lost.push(run);
  }
  return { eventsLost: countSequences(lost), sequences: lost };
}

/** What of `first` … `last` ascending `runs` do not cover. */
function notIn(runs: Iterable<SequenceRange>, first: number, last: number): SequenceRange[] {
  const left: SequenceRange[] = [];
  let from = first;
  for (const run of runs) {
    if (run.first > last) break;
    if (run.first > from) left.push({ first: from, last: run.first - 1 });
    from = Math.max(from, run.last + 1);
  }
  if (from <= last) left.push({ first: from, last });
  return left;
}

/** Whether a payload whose sum holds also makes sense. Without the key nobody can say. */
function holds({ payloads, segment }: SegmentWalk, { header, payload }: ReadFrame): boolean {
  if (payload === undefined) return true;
  if (payloads.isBeyondReach(header)) return true;
  const raw = payloads.restore(header, payload);
  if (raw === undefined) return false;
  if (header.type === FrameType.put) {
    return header.codec === eventBatchCodec && readEventBatch(raw, header.count).kind === 'batch';
  }
  return header.type !== FrameType.state || decodeState(raw) !== undefined || segment.absent;
}
