/** What replay and export send: the events of a range in the order of their sequences, some at a time. */
import type { Sequence } from '../../base/units.ts';
import type { ChannelView } from '../../channel/reader/channel-view.ts';
import {
  type DumpedEvent,
  type DumpRange,
  dumpEvents,
  type EventState,
  type PassedOver,
} from '../../channel/reader/dump.ts';
import { sequencesOf } from '../../wal/segment-info.ts';
import { matches, rangeOf, statesOf, type Where, whereOf } from './event-options.ts';
import { counted, inert } from './verb.ts';

/** Options of a verb that sends events. */
export interface SelectionOptions {
  readonly from?: string;
  readonly to?: string;
  readonly state?: string;
  readonly where?: readonly string[];
}

/** Which events. */
export interface Selection {
  readonly range: DumpRange;
  readonly states: ReadonlySet<EventState>;
  readonly where: Where;
}

/** Some of them. */
export interface SelectedBatch {
  /** Good until the next batch is asked for. */
  readonly events: readonly DumpedEvent[];
  /** Behind the last event that was looked at: where to go on. */
  readonly next: Sequence;
}

/** All that is retained, but what is lost. */
const presetStates = 'pending,prepared,acked';
const batchBytesMax = 1024 * 1024;
/** Of those that were passed over, so many are named. */
const namedMax = 20;

/** @throws {UsageError} */
export function selectionOf(options: SelectionOptions): Selection {
  const { state = presetStates, where } = options;
  return { range: rangeOf(options), states: statesOf(state), where: whereOf(where) };
}

/** What could not be had of a selection. */
export class PassedOverEvents {
  readonly named: PassedOver[] = [];
  events = 0;

  add(passed: PassedOver): void {
    this.events += passed.last - passed.first + 1;
    if (this.named.length < namedMax) this.named.push(passed);
  }

  /** A sentence each. `done`: what they should have been. */
  lines(done: 'sent' | 'exported' = 'sent'): readonly string[] {
    const lines = this.named.map(({ path, first, last, why }) => {
      const reason = why === 'gone' ? 'were taken and let go meanwhile' : 'are damaged';
      return `${inert(path)}: the events ${first}…${last} ${reason}, and were not ${done}`;
    });
    return this.events === 0 ? [] : [...lines, `${counted(this.events)} events in all could not be ${done}`];
  }
}

/** Ends after the batch under way once `signal` is aborted. */
export async function* selectEvents(
  view: ChannelView,
  { range, states, where }: Selection,
  { eventsMax, passedOver, signal }: { eventsMax: number; passedOver: PassedOverEvents; signal: AbortSignal },
): AsyncGenerator<SelectedBatch> {
  let events: DumpedEvent[] = [];
  let bytes = 0;
  let next: Sequence | undefined;
  for await (const dumped of dumpEvents(view, range, (passed) => passedOver.add(passed))) {
    if (signal.aborted) return;
    next = dumped.event.sequence + 1;
    if (!states.has(dumped.state) || !matches(dumped, where)) continue;
    events.push(dumped);
    bytes += dumped.event.body.length;
    if (events.length < eventsMax && bytes < batchBytesMax) continue;
    yield { events, next };
    events = [];
    bytes = 0;
  }
  if (next !== undefined && !signal.aborted) yield { events, next };
}

/** About how many there are, by what the segments say: for a progress line. */
export function estimateEvents({ segments }: ChannelView, { range }: Selection): number {
  const { fromSequence = 0, toSequence = Number.MAX_SAFE_INTEGER, fromMs = 0, toMs = Number.MAX_SAFE_INTEGER } = range;
  let events = 0;
  for (const segment of segments) {
    if (segment.absent || segment.maxTimeMs < fromMs || segment.minTimeMs > toMs) continue;
    for (const { first, last } of sequencesOf(segment)) {
      events += Math.max(0, Math.min(last, toSequence) - Math.max(first, fromSequence) + 1);
    }
  }
  return events;
}
