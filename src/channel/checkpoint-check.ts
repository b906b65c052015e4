/** Holds a checkpoint against the log that was recovered without it: the log is the truth, but may lack its end. */
import { countSequences, type Sequence, type SequenceRange, type SequenceRanges } from '../base/units.ts';
import type { CheckpointRecord } from '../checkpoint/store.ts';
import type { QueueState } from '../queue/queue-state.ts';
import { SequenceSet } from '../queue/sequence-set.ts';
import type { Damage } from '../wal/damage.ts';
import type { OpenedLog } from '../wal/log-open.ts';
import { type SegmentInfo, sequencesOf } from '../wal/segment-info.ts';
import { type CheckpointState, decodeCheckpointState, rangesFrom } from './checkpoint-state.ts';

/** What the comparison shows; none of it where they agree. */
export interface CheckpointFinding {
  /** The log has lost its end. */
  readonly lostEnd?: Damage;
  /** Events that were taken, and come back because the record of it is damaged. */
  readonly returned?: Damage;
  readonly notice?: string;
}

/** What a checkpoint is held against, as it is after the open. */
export interface ComparedLog {
  readonly opened: Pick<OpenedLog, 'foundSerial' | 'foundNextSequence' | 'generation' | 'damages'>;
  readonly segments: readonly SegmentInfo[];
  readonly queue: QueueState;
  readonly channelId: string;
}

/** Compares by serial: a checkpoint is never ahead of a log whose end is there. */
export function compareCheckpoint(record: CheckpointRecord, log: ComparedLog): CheckpointFinding {
  const { opened, segments, channelId } = log;
  const segment = segments.find(({ id }) => id === record.segmentId);
  const state = decodeCheckpointState(record.state);
  // One that this open has started: its number may have been that of a segment which is gone.
  const isOurs = segment === undefined || segment.epoch === record.epoch || segment.generation === opened.generation;
  if (record.channelId !== channelId || !isOurs || state === undefined) {
    return { notice: 'the checkpoint names a group that is not in this log, and was ignored' };
  }
  const isShort = record.serial > opened.foundSerial;
  const returned = isShort || opened.damages.length > 0 ? returnedEvents(state, log) : undefined;
  const isLevel = record.serial === opened.foundSerial && opened.damages.length > 0;
  const sequences = isShort
    ? state.queue.pendingOf(rangesFrom(state.given, opened.foundNextSequence))
    : isLevel
      ? unheldEvents(state, log)
      : [];
  if (!isShort && sequences.length === 0) return returned === undefined ? {} : { returned };
  const eventsLost = countSequences(sequences);
  const message = isShort
    ? `the log ends at group ${opened.foundSerial}, but the checkpoint saw group ${record.serial}: ` +
      'what stood behind is lost, acknowledgements included'
    : 'the checkpoint knows of events that no segment says any more to have held: they are lost';
  const path = segment?.path ?? segments.at(-1)?.path ?? '';
  const lostEnd: Damage = { path, offset: record.offset, bytes: 0, kind: 'lostEnd', eventsLost, sequences, message };
  return returned === undefined ? { lostEnd } : { lostEnd, returned };
}

/**
 * What waited when the checkpoint was saved, and is in no segment and not known as lost: the head of a segment is gone,
 * and with it what said where its sequences begin. Exact only where the checkpoint is as new as the log.
 */
function unheldEvents(state: CheckpointState, { segments, queue }: ComparedLog): SequenceRanges {
  const left = SequenceSet.of(queue.pendingOf(state.queue.pendingOf(state.given)));
  for (const { first, last } of segments.flatMap(sequencesOf)) left.removeRange(first, last);
  return left.toRanges();
}

/** What the checkpoint knows as taken and the log does not: damage does that, or a rewind since. */
function returnedEvents(state: CheckpointState, { segments, queue }: ComparedLog): Damage | undefined {
  // Nothing tells the one from the other.
  if (queue.counters.requeued > state.queue.counters.requeued) return undefined;
  const sequences = segments
    .flatMap(sequencesOf)
    .flatMap(({ first, last }) => queue.pendingOf(rangesBefore(state.queue.acked.ranges(first), last + 1)));
  if (sequences.length === 0) return undefined;
  const message = 'these events were taken, and come back: the record of it does not hold any more';
  const path = segments.at(-1)?.path ?? '';
  return { path, offset: 0, bytes: 0, kind: 'record', eventsLost: 0, sequences, message };
}

/** The parts of ascending `ranges` that lie before `end`. */
function rangesBefore(ranges: Iterable<SequenceRange>, end: Sequence): SequenceRange[] {
  const before: SequenceRange[] = [];
  for (const { first, last } of ranges) {
    if (first >= end) break;
    before.push({ first, last: Math.min(last, end - 1) });
  }
  return before;
}
