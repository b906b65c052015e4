/** What a checkpoint adds to what the log itself shows: losses that only it knows of, and what is no loss after all. */
import { countSequences } from '../../base/units.ts';
import type { CopiedCheckpoint } from '../../checkpoint/lmdb-copy.ts';
import { SequenceSet } from '../../queue/sequence-set.ts';
import type { Damage } from '../../wal/damage.ts';
import { compareCheckpoint } from '../checkpoint-check.ts';
import type { ChannelView } from './channel-view.ts';

/**
 * What `checkpoint`, read from a copy, shows of the log: that it lacks its end, or a record. A running owner's log has
 * moved on since; nothing is said of that.
 */
export function checkpointDamages(view: ChannelView, checkpoint: CopiedCheckpoint): readonly Damage[] {
  const path = view.found.checkpointPath ?? '';
  if (checkpoint.kind === 'unreadable') {
    const message = `the checkpoint cannot be read (${checkpoint.why}): nothing is lost, the next open makes another`;
    return [{ path, offset: 0, bytes: 0, kind: 'checkpoint', eventsLost: 0, sequences: [], message }];
  }
  if (checkpoint.kind !== 'record' || view.owner !== 'none') return [];
  const { end, segments, queue, damages, storage } = view;
  const opened = { ...end, damages: [...damages] };
  const finding = compareCheckpoint(checkpoint.record, { opened, segments, queue, channelId: storage.channelId });
  if (finding.notice !== undefined) {
    const message = 'the checkpoint is not of this log: nothing is lost, the next open ignores it and makes another';
    return [{ path, offset: 0, bytes: 0, kind: 'checkpoint', eventsLost: 0, sequences: [], message }];
  }
  return [finding.lostEnd, finding.returned].filter((one): one is Damage => one !== undefined);
}

/**
 * `found` of the log itself, and those. An event that the checkpoint knows as taken, and whose bytes and record are
 * both gone, is neither lost nor does it come back.
 */
export function withCheckpoint(
  found: readonly Damage[],
  view: ChannelView,
  checkpoint: CopiedCheckpoint,
): readonly Damage[] {
  const more = checkpointDamages(view, checkpoint);
  const lost = new SequenceSet();
  for (const { eventsLost, sequences } of found) if (eventsLost > 0) lost.addAll(sequences);
  const taken = new SequenceSet();
  for (const { eventsLost, sequences } of more) if (eventsLost === 0) taken.addAll(sequences);
  return [
    ...found.map((damage) => (damage.eventsLost > 0 ? without(damage, taken) : damage)),
    ...more.map((damage) => (damage.eventsLost === 0 ? without(damage, lost) : damage)),
  ];
}

function without(damage: Damage, others: SequenceSet): Damage {
  const left = SequenceSet.of(damage.sequences);
  left.removeAll(others.toRanges());
  const sequences = left.toRanges();
  return { ...damage, sequences, eventsLost: damage.eventsLost > 0 ? countSequences(sequences) : 0 };
}
