/** What a configuration comes to: the components of one agent, checked and bound to each other, and not yet made. */
import type {
  ChannelDefinition,
  InterceptorDefinition,
  SelectorDefinition,
  SerializerDefinition,
  SinkDefinition,
  SinkProcessorDefinition,
  SourceDefinition,
} from './contracts/components.ts';
import type { Keys, ValuesOf } from './contracts/keys.ts';

/** One component, ready to be created. */
export interface Planned<Definition> {
  readonly name: string;
  readonly definition: Definition;
  readonly values: ValuesOf<Keys>;
  /** Its type and all its properties: a reload leaves alone what has the same. */
  readonly fingerprint: string;
}

/** A source with what stands between it and its channels. */
export interface PlannedSource extends Planned<SourceDefinition> {
  readonly channels: readonly string[];
  readonly interceptors: readonly Planned<InterceptorDefinition>[];
  readonly selector: Planned<SelectorDefinition>;
}

/** A sink and its channel. */
export interface PlannedSink extends Planned<SinkDefinition> {
  readonly channel: string;
  /** Where the sink's definition names one. */
  readonly serializer: Planned<SerializerDefinition> | undefined;
  /** Where events go that it can never deliver; undefined: they stay, and block. */
  readonly deadLetterChannel: string | undefined;
}

/** Sinks that one processor chooses between. */
export interface PlannedGroup {
  readonly name: string;
  readonly sinks: readonly string[];
  readonly processor: Planned<SinkProcessorDefinition>;
}

/** One agent. A sink is in at most one group; names are unique within their kind. */
export interface Plan {
  readonly agent: string;
  readonly channels: readonly Planned<ChannelDefinition>[];
  readonly sources: readonly PlannedSource[];
  readonly sinks: readonly PlannedSink[];
  readonly groups: readonly PlannedGroup[];
}
