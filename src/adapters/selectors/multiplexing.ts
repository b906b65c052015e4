/** Chooses channels by the value of one header. */
import type { Binding, KeyProblem, Route, SelectorDefinition } from '../../agent/contracts/components.ts';
import { type Key, names, optional, prefixed, text, unset, type ValuesOf } from '../../agent/contracts/keys.ts';
import { foreignNames } from './channel-names.ts';

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
  check: (values, binding) => (binding === undefined ? [] : foreignChannels(values, binding)),
  optionalChannels: ({ 'mapping.': mapping, default: preset = [] }, { channels }) => {
    const required = new Set([...preset, ...[...mapping.values()].flat()]);
    return channels.filter((name) => !required.has(name));
  },
  create({ header, 'mapping.': mapping, default: preset, 'optional.': optionals }, { log }) {
    const fallback: Route = { required: [...new Set(preset)], optional: [] };
    if (fallback.required.length === 0) {
      log.warn(`no selector.default: events whose header '${header}' has no mapping are dropped`);
    }
    const routes = new Map<string, Route>();
    for (const value of new Set([...mapping.keys(), ...optionals.keys()])) {
      const listed = mapping.get(value);
      const required = listed === undefined ? fallback.required : [...new Set(listed)];
      const given = [...new Set(optionals.get(value))];
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

function foreignChannels(values: ValuesOf<MultiplexingKeys>, binding: Binding): readonly KeyProblem[] {
  const lists = [
    ['default', values.default ?? []] as const,
    ...[...values['mapping.']].map(([value, listed]) => [`mapping.${value}`, listed] as const),
    ...[...values['optional.']].map(([value, listed]) => [`optional.${value}`, listed] as const),
  ];
  return lists.flatMap(([key, listed]) => foreignNames(key, listed, binding));
}
