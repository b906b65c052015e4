/** Spreads events over the channels: each event into one of them. */
import type { Route, Selector, SelectorDefinition } from '../../agent/contracts/components.ts';
import { type Key, oneOf, optional } from '../../agent/contracts/keys.ts';

type LoadBalancingKeys = {
  readonly policy: Key<'round_robin' | 'random'>;
};

/** Chosen anew for each event, and again for one that is offered again: whoever routes has to know. */
type UnsteadySelector = Selector & { readonly isSteady: false };

/** Flume's LoadBalancingChannelSelector. */
export const loadBalancingSelector: SelectorDefinition<LoadBalancingKeys> = {
  types: ['load_balancing', 'org.apache.flume.channel.LoadBalancingChannelSelector'],
  keys: {
    policy: optional(oneOf('round_robin', 'random'), 'round_robin', { does: 'how the next channel is chosen' }),
  },
  create({ policy }, { channels }): UnsteadySelector {
    const routes = channels.map((name): Route => ({ required: [name], optional: [] }));
    const nowhere: Route = { required: [], optional: [] };
    let next = 0;
    const choose =
      policy === 'random'
        ? () => Math.floor(Math.random() * routes.length)
        : () => {
            const chosen = next;
            next = (next + 1) % routes.length;
            return chosen;
          };
    return { isSteady: false, route: () => routes[choose()] ?? nowhere };
  },
};
