/** Every event into every channel: what a source does where no selector is named. */
import type { Route, SelectorDefinition } from '../../agent/contracts/components.ts';
import { type Key, names, unset } from '../../agent/contracts/keys.ts';
import { foreignNames } from './channel-names.ts';

type ReplicatingKeys = {
  readonly optional: Key<readonly string[] | undefined>;
};

/** Flume's ReplicatingChannelSelector. */
export const replicatingSelector: SelectorDefinition<ReplicatingKeys> = {
  types: ['replicating', 'org.apache.flume.channel.ReplicatingChannelSelector'],
  keys: {
    optional: unset(names, {
      does: 'channels that may refuse events: that is logged, and the source goes on',
      standing: { differs: 'a name that is none of the source’s channels is an error; Flume fails on the first event' },
    }),
  },
  check: ({ optional = [] }, binding) => (binding === undefined ? [] : foreignNames('optional', optional, binding)),
  optionalChannels: ({ optional = [] }) => optional,
  create({ optional: listed }, { channels }) {
    const optional = [...new Set(listed)];
    const route: Route = { required: channels.filter((name) => !optional.includes(name)), optional };
    return { route: () => route };
  },
};
