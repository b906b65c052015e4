/** Flume's memory channel. Fast, and gone with the process. */
import { getHeapStatistics } from 'node:v8';
import type { ChannelDefinition } from '../../agent/contracts/components.ts';
import { integer, type Key, type KeyType, optional, unset } from '../../agent/contracts/keys.ts';
import { MemoryChannel } from '../../engine.ts';
import { checkTransaction, count, keepAliveSecondsMax, transactionCount } from './limits.ts';

const keepAliveSeconds = 3;
/** As Flume's 80 % of the JVM's heap. */
const heapPart = 0.8;

interface MemoryChannelKeys extends Record<string, Key<unknown>> {
  readonly capacity: Key<number>;
  readonly transactionCapacity: Key<number>;
  readonly 'keep-alive': Key<number>;
  readonly byteCapacity: Key<number | undefined>;
  readonly byteCapacityBufferPercentage: Key<unknown>;
}

/** `type = memory`. */
export const memoryChannel: ChannelDefinition<MemoryChannelKeys> = {
  types: ['memory', 'org.apache.flume.channel.MemoryChannel'],
  keys: {
    capacity: optional(count(100, { isLenient: true }), 100, {
      unit: 'events',
      does: 'events that no sink holds; a put waits where there are so many',
    }),
    transactionCapacity: optional(transactionCount(100, true), 100, {
      unit: 'events',
      does: 'events of one transaction at most',
    }),
    'keep-alive': optional(keepAlive(), keepAliveSeconds, { unit: 's', does: 'how long a put waits for room' }),
    byteCapacity: unset(byteCount(), {
      unit: 'bytes',
      does: "bytes of the waiting events; 0: no limit; by default 80 % of Node's heap limit",
      standing: { differs: 'bodies and headers are counted to the byte; Flume counts bodies in steps of 100 bytes' },
    }),
    byteCapacityBufferPercentage: unset(integer(0, 100), {
      unit: '%',
      does: 'the part of byteCapacity that is kept for headers',
      standing: { needless: 'headers are counted with the bodies, so nothing is kept for them' },
    }),
  },
  check: ({ transactionCapacity, capacity }) => checkTransaction(transactionCapacity, capacity),
  create: (values, { clock }) => {
    const bytes = values.byteCapacity ?? Math.floor(getHeapStatistics().heap_size_limit * heapPart);
    const options = {
      capacityEvents: values.capacity,
      transactionCapacity: values.transactionCapacity,
      keepAliveMs: values['keep-alive'] * 1000,
      ...(bytes > 0 ? { capacityBytes: bytes } : {}),
    };
    return { open: () => MemoryChannel.open(options, clock) };
  },
};

/** What is no number has Flume's default, with a warning. */
function keepAlive(): KeyType<number> {
  const strict = integer(0, keepAliveSecondsMax);
  return {
    name: strict.name,
    parse: (text) => {
      const parsed = strict.parse(text);
      if (!('problem' in parsed)) return parsed;
      return { value: keepAliveSeconds, warning: `${parsed.problem}: ${keepAliveSeconds} is used` };
    },
  };
}

/** What Flume cannot read, or is not above 0, is no limit of its own. */
function byteCount(): KeyType<number | undefined> {
  return {
    name: 'integer from 0',
    parse: (text) => {
      const value = Number(text);
      if (!/^[+-]?\d+$/.test(text) || !Number.isSafeInteger(value)) {
        return { value: undefined, warning: `'${text}' is not allowed: an integer from 0: the default is used` };
      }
      return { value: Math.max(0, value) };
    },
  };
}
