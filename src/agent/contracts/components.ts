/**
 * What an agent is made of. Everything in adapters/ is one of these; a configuration names it by its `type`. These are
 * also the types that a custom part is written against.
 */
import type { Channel, Clock, Consumer, DeliveredEvent, Event, NoteValue, Timer } from '../../engine.ts';
import type { Keys, ValuesOf } from './keys.ts';

export type { Clock, Timer };

/** Where a component says what the operator should know. A sentence, and the numbers apart. */
export interface Log {
  info(text: string, fields?: LogFields): void;
  warn(text: string, fields?: LogFields): void;
  error(text: string, fields?: LogFields): void;
}

/** What a line of the log carries beside its sentence. `error` is printed with its cause. */
export type LogFields = Readonly<Record<string, unknown>>;

/** What every component is made with. */
export interface ComponentContext {
  /** `r1` of `a1.sources.r1`. */
  readonly name: string;
  readonly log: Log;
  readonly clock: Clock;
  /** Counts `by` more (1) of something that Flume counts, by Flume's own name: `EventReceivedCount`. */
  readonly count: (counter: string, by?: number) => void;
}

/** What a component is bound to. */
export interface Binding {
  /** Names of the source's channels, or of the sink's one. */
  readonly channels: readonly string[];
}

/** How a configuration's text becomes a component. `Declared`: its keys, said once. */
export interface Definition<Declared extends Keys, Made, Context = ComponentContext> {
  /** As `type` names it, in any case of letters: Flume's alias first, then its class. */
  readonly types: readonly [string, ...string[]];
  readonly keys: Declared;
  /**
   * What no single key can say: two that exclude each other, a channel that is none of the source's. Empty where all is
   * well. `binding`: of a source, a selector, a sink; the others have none.
   */
  readonly check?: (values: ValuesOf<Declared>, binding?: Binding) => readonly KeyProblem[];
  /** A serializer that the component writes with: its type is at `key`, its own keys are behind `key.`. */
  readonly serializer?: { readonly key: string; readonly preset: string };
  readonly create: (values: ValuesOf<Declared>, context: Context) => Made;
}

/** Something about one key that is not allowed. */
export interface KeyProblem {
  readonly key: string;
  readonly message: string;
}

// — sources —

/** One transaction for each channel, as a source asks for it. */
export interface ProcessOptions {
  /**
   * Set in the same frame as the events, in every channel that this goes to, also where none of the events does: how a
   * source keeps its position. By key.
   */
  readonly notes?: Readonly<Record<string, NoteValue | undefined>>;
  /** Channels that have these events already: their own note says so, or the refusal did. Default none. */
  readonly except?: ReadonlySet<string>;
}

/** A source's way to its channels: interceptors, the selector, and one transaction for each channel chosen. */
export interface ChannelProcessor {
  /**
   * Puts the events, with the notes, into the channels that the selector chooses: one transaction for each channel.
   *
   * - Resolves when they are durable in every required channel. A refusal of an optional one is only logged.
   * - Rejects where a required channel refused, with its error, and stores nothing there. Where other channels have the
   *   events by then it is a PartlyStored: offered again, they go to those twice, but for `except: storedIn(error)`.
   * - Several calls may be under way. Each channel keeps the order of the calls. No call with notes passes one that was
   *   refused: where a required channel refuses one, it refuses those behind it until the source can have seen that, so
   *   that a note never says more than what is before it. A call without notes is on its own.
   * - Without events it sets the notes alone, in every channel that is not excepted.
   */
  process(events: readonly Event[], options?: ProcessOptions): Promise<void>;
  /**
   * Channels that the source is bound to, required and optional ones. One that no event requires and that was not open
   * when the source started is not among them. Once it is open it joins: at once, or, where the source has asked for a
   * note in its `start`, by a stop and a start of the source, so that it goes by that channel's notes too.
   */
  readonly channels: readonly string[];
  /** A note as it is durable in one channel; undefined where there is none. @throws where the channel is not open. */
  note(channel: string, key: string): NoteValue | undefined;
}

/** What a source is made with. */
export interface SourceContext extends ComponentContext {
  readonly processor: ChannelProcessor;
}

/** Brings events in. */
export interface Source {
  /** Resolves once it runs. Rejecting means: try again later. */
  start(): Promise<void>;
  /** Takes in nothing more, and resolves when all it took in has been settled. Idempotent. */
  stop(): Promise<void>;
}

// — sinks —

/** An event that no try will ever deliver. */
export interface Undeliverable {
  readonly event: DeliveredEvent;
  /** A sentence: why, and what to do. */
  readonly reason: string;
}

/** What a process runs among, as far as a far side may be described there. */
export interface ClientSurroundings {
  /** `HADOOP_CONF_DIR` and the like, by name. */
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** Of `--conf`: where the configuration of a client may be. */
  readonly confDirectories: readonly string[];
}

/** What a sink is made with. */
export interface SinkContext extends ComponentContext {
  readonly channel: Channel;
  readonly surroundings: ClientSurroundings;
  /** For a definition that names a serializer: a new one for each file. */
  readonly makeSerializer: () => Serializer;
  /**
   * Settles events leased to `consumer` that can never be delivered, as `onUndeliverable` says. Resolves when they are
   * durable in the dead letter channel and dropped from this one. Rejects, naming the first of them, where they are to
   * stay (`block`, the default) or could not be moved: they are still leased then.
   */
  readonly undeliverable: (consumer: Consumer, events: readonly Undeliverable[]) => Promise<void>;
}

/** `ready`: ask again at once. `backoff`: there was nothing to do, or it has to wait. */
export type SinkStatus = 'ready' | 'backoff';

/** Takes events out. Whoever runs it calls `process` again and again, one call at a time. */
export interface Sink {
  /** Resolves once it can process. Rejecting means: try again later. */
  start(): Promise<void>;
  /**
   * Takes some events, delivers them and commits; on any failure rolls back and rejects. `signal` ends waiting for
   * events, not the delivery of those taken.
   */
  process(signal: AbortSignal): Promise<SinkStatus>;
  /** Finishes and closes what is open. No `process` is under way. Idempotent. */
  stop(): Promise<void>;
}

/** Chooses between the sinks of a group. */
export interface SinkProcessor {
  process(signal: AbortSignal): Promise<SinkStatus>;
}

/** What a sink processor is made with; it starts and stops none of them. */
export interface SinkProcessorContext extends ComponentContext {
  /** In the order of the group. */
  readonly sinks: ReadonlyMap<string, Sink>;
  readonly random: () => number;
}

// — between —

/** Changes or drops events on their way from a source. Pure but for the time. */
export interface Interceptor {
  /** In order; undefined drops the event. Must not throw for any event. */
  intercept(event: Event): Event | undefined;
}

/** Where one event goes, by channel names. */
export interface Route {
  readonly required: readonly string[];
  /** Disjoint from `required`. */
  readonly optional: readonly string[];
}

/** Chooses channels for each event. */
export interface Selector {
  route(event: Event): Route;
}

/** What a selector is made with: also the source's channels. */
export interface SelectorContext extends ComponentContext, Binding {}

// — how events are written —

/** Events as bytes of a file. */
export interface Serializer {
  /** What a file starts with. */
  header(): Buffer;
  /** One after the other, as a file holds them. */
  serialize(events: readonly DeliveredEvent[]): Buffer;
  /** Whether a file that was closed can be gone on with. */
  readonly canReopen: boolean;
}

// — any of them —

/** A kind of source. */
export type SourceDefinition<Declared extends Keys = Keys> = Definition<Declared, Source, SourceContext>;
/** What a try to reach a far side came to. */
export interface Connection {
  /** A sentence each: which address, who we are there, what we may. */
  readonly findings: readonly string[];
  /** What will keep it from working, and what to do about it. */
  readonly problems: readonly KeyProblem[];
}
/** A kind of sink. */
export interface SinkDefinition<Declared extends Keys = Keys> extends Definition<Declared, Sink, SinkContext> {
  /**
   * Tries to reach the far side, and changes nothing there: for `config check --connect`. What is wrong is in
   * `problems`. `signal`: nobody waits any longer.
   */
  readonly connect?: (
    values: ValuesOf<Declared>,
    surroundings: ClientSurroundings,
    signal: AbortSignal,
  ) => Promise<Connection>;
}
/** A kind of interceptor. */
export type InterceptorDefinition<Declared extends Keys = Keys> = Definition<Declared, Interceptor>;
/** A kind of selector. */
export interface SelectorDefinition<Declared extends Keys = Keys>
  extends Definition<Declared, Selector, SelectorContext> {
  /**
   * Channels that no event requires, whatever its headers: the source starts without them, and they join it once they
   * are open. Default: none.
   */
  readonly optionalChannels?: (values: ValuesOf<Declared>, binding: Binding) => readonly string[];
}
/** A kind of sink processor. */
export type SinkProcessorDefinition<Declared extends Keys = Keys> = Definition<
  Declared,
  SinkProcessor,
  SinkProcessorContext
>;
/** A kind of serializer. */
export type SerializerDefinition<Declared extends Keys = Keys> = Definition<Declared, Serializer>;
/** Where a running agent's configuration is. */
export interface ConfigurationPlace {
  readonly files: readonly string[];
  readonly agent: string;
}
/** What a channel is made with. */
export interface ChannelContext extends ComponentContext {
  /** For what it tells an operator to run. */
  readonly configuration?: ConfigurationPlace | undefined;
}
/** A kind of channel. `create` opens nothing: `open` does, and may be called again after the channel has failed. */
export type ChannelDefinition<Declared extends Keys = Keys> = Definition<
  Declared,
  { open(): Promise<Channel> },
  ChannelContext
>;
