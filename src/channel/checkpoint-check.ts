/** Holds a checkpoint against the log that was recovered without it: the log is the truth, but may lack its end. */
import type { CheckpointRecord } from '../checkpoint/store.ts';
import type { Damage } from '../wal/damage.ts';
import type { OpenedLog } from '../wal/log-open.ts';
import type { SegmentInfo } from '../wal/segment-info.ts';
import { decodeCheckpointState, rangesFrom } from './checkpoint-state.ts';

/** What the comparison shows; neither where they agree. */
export interface CheckpointFinding {
  readonly damage: Damage | undefined;
  readonly notice: string | undefined;
}

/** Compares by serial: a checkpoint is never ahead of a log whose end is there. */
export function compareCheckpoint(
  record: CheckpointRecord,
  opened: Pick<OpenedLog, 'foundSerial' | 'foundNextSequence' | 'generation'>,
  segments: readonly SegmentInfo[],
  channelId: string,
): CheckpointFinding {
  const segment = segments.find(({ id }) => id === record.segmentId);
  const state = decodeCheckpointState(record.state);
  // One that this open has started: its number may have been that of a segment which is gone.
  const isOurs = segment === undefined || segment.epoch === record.epoch || segment.generation === opened.generation;
  const isForeign = record.channelId !== channelId || !isOurs;
  if (isForeign || state === undefined) {
    const notice = 'the checkpoint names a group that is not in this log, and was ignored';
    return { damage: undefined, notice };
  }
  if (record.serial <= opened.foundSerial) return { damage: undefined, notice: undefined };
  const sequences = state.queue.pendingOf(rangesFrom(state.given, opened.foundNextSequence));
  const eventsLost = sequences.reduce((sum, { first, last }) => sum + last - first + 1, 0);
  const message =
    `the log ends at group ${opened.foundSerial}, but the checkpoint saw group ${record.serial}: ` +
    'what stood behind is lost, acknowledgements included';
  const path = segment?.path ?? segments.at(-1)?.path ?? '';
  const damage: Damage = { path, offset: record.offset, bytes: 0, kind: 'lostEnd', eventsLost, sequences, message };
  return { damage, notice: undefined };
}
