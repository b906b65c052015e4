/** The source that makes events as fast as they are taken, for load tests. Flume: StressSource. */
import type { SourceContext, SourceDefinition } from '../../../agent/contracts/components.ts';
import { integer, type Key, optional, type ValuesOf } from '../../../agent/contracts/keys.ts';
import { type Poll, type PollKeys, PollLoop, pollKeys } from './poll-loop.ts';

interface StressKeys extends PollKeys, Record<string, Key<unknown>> {
  readonly size: Key<number>;
  readonly maxTotalEvents: Key<number>;
  readonly maxSuccessfulEvents: Key<number>;
  readonly batchSize: Key<number>;
  readonly maxEventsPerSecond: Key<number>;
}

/** `type = org.apache.flume.source.StressSource`. */
export const stressSource: SourceDefinition<StressKeys> = {
  types: ['org.apache.flume.source.StressSource'],
  keys: {
    size: optional(integer(0, 2 ** 28), 500, { unit: 'bytes', does: 'how long each body is; all its bytes are 0x7F' }),
    maxTotalEvents: optional(integer(-1), -1, {
      unit: 'events',
      does: 'how many are offered to the channel in all, those it refused among them; −1: no limit',
    }),
    maxSuccessfulEvents: optional(integer(-1), -1, {
      unit: 'events',
      does: 'how many the channel takes in all; −1: no limit',
      standing: { differs: 'never exceeded; in Flume by up to a batch' },
    }),
    batchSize: optional(integer(1), 1, { unit: 'events', does: 'how many go in one transaction' }),
    maxEventsPerSecond: optional(integer(0), 0, { unit: 'events/s', does: 'the highest rate; 0: no limit' }),
    ...pollKeys,
  },
  create: (values, context) => new PollLoop(stressPoll(values, context), values, context),
};

const fill = 0x7f;
/** So much time in which less was sent than allowed is made up for. */
const catchUpMs = 1000;

function stressPoll(values: ValuesOf<StressKeys>, { clock }: SourceContext): () => Poll {
  const event = { headers: {}, body: Buffer.alloc(values.size, fill) };
  const batch = Array.from({ length: values.batchSize }, () => event);
  const msPerEvent = values.maxEventsPerSecond > 0 ? 1000 / values.maxEventsPerSecond : 0;
  let offered = 0;
  let successful = 0;
  let nextAtMs = clock.monotonicMs();
  const left = (max: number, done: number): number => (max < 0 ? Number.POSITIVE_INFINITY : max - done);
  return () => {
    const limit = Math.min(left(values.maxTotalEvents, offered), left(values.maxSuccessfulEvents, successful));
    if (limit <= 0) return { kind: 'nothing' };
    const nowMs = clock.monotonicMs();
    if (nowMs < nextAtMs) return { kind: 'wait', delayMs: Math.ceil(nextAtMs - nowMs) };
    const events = limit < batch.length ? batch.slice(0, limit) : batch;
    offered += events.length;
    nextAtMs = Math.max(nextAtMs, nowMs - catchUpMs) + events.length * msPerEvent;
    const accepted = (): void => {
      successful += events.length;
    };
    return { kind: 'events', events, accepted };
  };
}
