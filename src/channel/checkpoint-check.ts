/** Holds a checkpoint against the log that was recovered without it: the log is the truth, but may lack its end. */
import { countSequences, type Sequence, type SequenceRange } from '../base/units.ts';
import type { CheckpointRecord } from '../checkpoint/store.ts';
import type { QueueState } from '../queue/queue-state.ts';
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
  if (!isShort) return returned === undefined ? {} : { returned };
  const sequences = state.queue.pendingOf(rangesFrom(state.given, opened.foundNextSequence));
  const eventsLost = countSequences(sequences);
  const message =
    `the log ends at group ${opened.foundSerial}, but the checkpoint saw group ${record.serial}: ` +
    'what stood behind is lost, acknowledgements included';
  const path = segment?.path ?? segments.at(-1)?.path ?? '';
  const lostEnd: Damage = { path, offset: record.offset, bytes: 0, kind: 'lostEnd', eventsLost, sequences, message };
  return returned === undefined ? { lostEnd } : { lostEnd, returned };
}

/** What the checkpoint knows as taken and the log does not: only damage does that. */
function returnedEvents(state: CheckpointState, { segments, queue }: ComparedLog): Damage | undefined {
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
