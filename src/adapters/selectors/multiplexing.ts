/** Chooses channels by the value of one header. */
import type { Route, SelectorDefinition } from '../../agent/contracts/components.ts';
import { type Key, names, optional, prefixed, text, unset } from '../../agent/contracts/keys.ts';
import { boundNames } from './channel-names.ts';

type ChannelLists = Key<ReadonlyMap<string, readonly string[]>>;

type MultiplexingKeys = {
  readonly header: Key<string>;
  readonly 'mapping.': ChannelLists;
  readonly default: Key<readonly string[] | undefined>;
  readonly 'optional.': ChannelLists;
};

const standing = { differs: 'a name that is none of the source’s channels is an error' } as const;

/** Flume's MultiplexingChannelSelector. */
export const multiplexingSelector: SelectorDefinition<MultiplexingKeys> = {
  types: ['multiplexing', 'org.apache.flume.channel.MultiplexingChannelSelector'],
  keys: {
    header: optional(text, 'flume.selector.header', { does: 'name of the header whose value chooses' }),
    'mapping.': prefixed(names, { does: 'required channels for the value that follows the dot', standing }),
    default: unset(names, {
      does: 'required channels where the header is absent or blank, or its value has no mapping; none: dropped',
      standing,
    }),
    'optional.': prefixed(names, {
      does: 'channels that may refuse, for the value that follows the dot; less its required ones',
      standing,
    }),
  },
  create({ header, 'mapping.': mapping, default: preset, 'optional.': optionals }, { channels, log }) {
    const fallback: Route = { required: boundNames('default', preset ?? [], channels), optional: [] };
    if (fallback.required.length === 0) {
      log.warn(`no selector.default: events whose header '${header}' has no mapping are dropped`);
    }
    const routes = new Map<string, Route>();
    for (const value of new Set([...mapping.keys(), ...optionals.keys()])) {
      const listed = mapping.get(value);
      const required = listed === undefined ? fallback.required : boundNames(`mapping.${value}`, listed, channels);
      const given = boundNames(`optional.${value}`, optionals.get(value) ?? [], channels);
      routes.set(value, { required, optional: given.filter((name) => !required.includes(name)) });
    }
    return {
      route({ headers }) {
        const value = Object.hasOwn(headers, header) ? headers[header] : undefined;
        return value === undefined || value.trim() === '' ? fallback : (routes.get(value) ?? fallback);
      },
    };
  },
};
