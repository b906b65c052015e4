/** The sink processor of a group of one: it has nothing to choose. Flume: DefaultSinkProcessor. */
import type { SinkProcessorDefinition } from '../../agent/contracts/components.ts';

/** `processor.type = default`. `create` throws where the group has not exactly one sink. */
export const defaultProcessor: SinkProcessorDefinition<Record<never, never>> = {
  types: ['default', 'org.apache.flume.sink.DefaultSinkProcessor'],
  keys: {},
  create: (_values, { sinks }) => {
    const [sink] = sinks.values();
    if (sink === undefined || sinks.size > 1) {
      throw new Error(
        `processor.type 'default' is for one sink, and the group has ${sinks.size} ` +
          `(${[...sinks.keys()].join(', ')}): use 'failover' or 'load_balance'`,
      );
    }
    return { process: (signal) => sink.process(signal) };
  },
};
