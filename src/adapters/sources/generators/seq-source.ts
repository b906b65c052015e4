/** The source that counts: each event's body is the next number, from 0. Flume: SequenceGeneratorSource. */
import type { SourceDefinition } from '../../../agent/contracts/components.ts';
import { integer, type Key, type KeyType, optional } from '../../../agent/contracts/keys.ts';
import { type Poll, type PollKeys, PollLoop, pollKeys } from './poll-loop.ts';

interface SeqKeys extends PollKeys, Record<string, Key<unknown>> {
  readonly batchSize: Key<number>;
  readonly totalEvents: Key<number>;
}

/** `type = seq`. */
export const seqSource: SourceDefinition<SeqKeys> = {
  types: ['seq', 'org.apache.flume.source.SequenceGeneratorSource'],
  keys: {
    batchSize: optional(integer(1), 1, {
      unit: 'events',
      does: 'how many go in one transaction; one that fails is offered again with the same numbers',
    }),
    totalEvents: optional(eventCount(), Number.MAX_SAFE_INTEGER, {
      unit: 'events',
      does: 'how many there are in all; it begins at 0 again at each start of the agent',
    }),
    ...pollKeys,
  },
  create: (values, context) => {
    let next = 0;
    const poll = (): Poll => {
      const count = Math.min(values.batchSize, values.totalEvents - next);
      if (count <= 0) return { kind: 'nothing' };
      const events = Array.from({ length: count }, (_, index) => ({
        headers: {},
        body: Buffer.from(String(next + index)),
      }));
      const accepted = (): void => {
        next += count;
      };
      return { kind: 'events', events, accepted };
    };
    return new PollLoop(poll, values, context);
  },
};

/** Java's long: what is beyond our numbers is never reached. */
function eventCount(): KeyType<number> {
  const plain = integer(0);
  return {
    name: plain.name,
    parse: (text) => (/^\+?\d{16,19}$/.test(text) ? { value: Math.min(Number(text), 2 ** 53 - 1) } : plain.parse(text)),
  };
}
