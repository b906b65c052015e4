/** Which definitions there are, by kind: a configuration's types are looked up here. */
import type {
  ChannelDefinition,
  Definition,
  InterceptorDefinition,
  SelectorDefinition,
  SerializerDefinition,
  SinkDefinition,
  SinkProcessorDefinition,
  SourceDefinition,
} from './components.ts';
import type { Keys } from './keys.ts';

/** The definitions of each kind. */
export interface Registry {
  readonly sources: readonly SourceDefinition[];
  readonly sinks: readonly SinkDefinition[];
  readonly channels: readonly ChannelDefinition[];
  readonly interceptors: readonly InterceptorDefinition[];
  readonly selectors: readonly SelectorDefinition[];
  readonly processors: readonly SinkProcessorDefinition[];
  readonly serializers: readonly SerializerDefinition[];
}

/**
 * A definition as a list of many holds it. Sound as long as `create` and `check` get only what was read with the keys
 * of this very definition.
 */
export function ofAnyKeys<Declared extends Keys, Made, Context>(
  definition: Definition<Declared, Made, Context>,
): Definition<Keys, Made, Context> {
  return definition as unknown as Definition<Keys, Made, Context>;
}
