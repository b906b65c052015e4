/** What a channel that is a backup may deliver a second time: docs/decisions/0016. */
import type { SequenceRange, SequenceRanges } from '../base/units.ts';
import type { QueueState } from '../queue/queue-state.ts';
import type { IdentityParent } from '../wal/identity.ts';

/**
 * Events that wait, and that the channel this is a copy of may have delivered too. None where it is no copy, or where
 * all of them are done. `given`: the sequences that have an event.
 */
export function mayRepeat(
  parent: IdentityParent | undefined,
  given: SequenceRanges,
  queue: Pick<QueueState, 'pendingOf'>,
): SequenceRanges {
  if (parent === undefined) return [];
  const { mayRepeatFrom, nextSequence } = parent;
  const shared: SequenceRange[] = [];
  for (const { first, last } of given) {
    const range = { first: Math.max(first, mayRepeatFrom), last: Math.min(last, nextSequence - 1) };
    if (range.first <= range.last) shared.push(range);
  }
  return queue.pendingOf(shared);
}
