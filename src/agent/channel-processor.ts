/**
 * What stands between a source and its channels: the interceptors in their order, the selector for each event, and
 * one transaction for each channel. The notes of a call go into that same transaction.
 */
import { type Channel, type Event, isForebayError, type NoteValue } from '../engine.ts';
import { ChannelLane, type LaneCall } from './channel-lane.ts';
import type {
  ChannelProcessor,
  Clock,
  ComponentContext,
  Interceptor,
  Log,
  ProcessOptions,
  Route,
  Selector,
} from './contracts/components.ts';
import { PartlyStored } from './contracts/partly-stored.ts';

/** What a processor is made of. `name` is the source's. */
export interface ProcessorParts extends ComponentContext {
  /** The source's, in the order of the configuration. */
  readonly channels: readonly string[];
  /** The channel as it is open now; throws where it is not, and the call is refused with that. */
  readonly channel: (name: string) => Channel;
  /** Of `channels`, those that no event requires. Default: none. */
  readonly optional?: readonly string[];
  /** Whether the source has this channel at all: an optional one may come later. Default: it has. */
  readonly isJoined?: (name: string) => boolean;
  readonly interceptors: readonly Interceptor[];
  /** `isSteady: false`: it would choose otherwise for an event that is offered again. */
  readonly selector: Selector & { readonly isSteady?: boolean };
}

/** What one call puts into one channel. */
interface Target {
  readonly channel: string;
  readonly events: Event[];
  isRequired: boolean;
}

type Notes = ProcessOptions['notes'];
type Targets = ReadonlyMap<string, Target>;

const repeatMs = 60_000;
const none: ReadonlySet<string> = new Set();

/** Counts EventReceivedCount, EventAcceptedCount and, where an optional channel refused, OptionalChannelWriteFail. */
export function createChannelProcessor(parts: ProcessorParts): ChannelProcessor {
  return new LaneProcessor(parts);
}

class LaneProcessor implements ChannelProcessor {
  readonly #parts: ProcessorParts;
  readonly #isJoined: (name: string) => boolean;
  readonly #lanes: ReadonlyMap<string, ChannelLane>;
  readonly #failures: FailureLog;
  /** Channels that the event last routed to them had as optional: what a put without events goes by. */
  readonly #lastOptional: Set<string>;
  readonly #underWay: Set<LaneCall> = new Set();
  /** Settled, and their lanes hold back what comes until the source has heard. */
  readonly #untold: Set<LaneCall> = new Set();

  constructor(parts: ProcessorParts) {
    this.#parts = parts;
    this.#isJoined = parts.isJoined ?? (() => true);
    this.#lanes = new Map(parts.channels.map((name) => [name, new ChannelLane(() => parts.channel(name))]));
    this.#lastOptional = new Set(parts.optional);
    this.#failures = new FailureLog(parts.log, parts.clock);
  }

  get channels(): readonly string[] {
    return [...this.#lanes.keys()].filter(this.#isJoined);
  }

  note(channel: string, key: string): NoteValue | undefined {
    return this.#lanes.has(channel) ? this.#parts.channel(channel).notes.get(key) : undefined;
  }

  /**
   * A put is called before this returns, unless a call with notes is under way: see ChannelLane. One that a required
   * channel refuses takes along those behind it that have notes: none of them moves that channel's note past events
   * that are not there. For that, a source attaches to the promise when it calls, and once it has seen a refusal it
   * goes on from the note when all its calls have settled.
   */
  async process(events: readonly Event[], { notes, except = none }: ProcessOptions = {}): Promise<void> {
    const { count } = this.#parts;
    if (events.length > 0) count('EventReceivedCount', events.length);
    const call: LaneCall = { whenKnown: [] };
    this.#underWay.add(call);
    try {
      await this.#dispatch(call, events, notes, except);
    } finally {
      this.#settled(call);
    }
    if (events.length > 0) count('EventAcceptedCount', events.length);
  }

  async #dispatch(call: LaneCall, events: readonly Event[], notes: Notes, except: ReadonlySet<string>): Promise<void> {
    let targets: Targets;
    try {
      targets = this.#targets(this.#intercept(events), except);
    } catch (error) {
      // As any refusal it lets no later note pass: nor that of a call made in this same turn.
      if (notes !== undefined) {
        for (const [channel, lane] of this.#lanes) if (!except.has(channel)) lane.refuseAfter(call, error);
      }
      throw error;
    }
    const puts: { readonly target: Target; readonly settled: Promise<void> }[] = [];
    for (const [channel, lane] of this.#lanes) {
      const target = targets.get(channel) ?? this.#emptyTarget(channel);
      const hasNothing = target.events.length === 0 && (notes === undefined || !this.#isJoined(channel));
      if (except.has(channel) || hasNothing) continue;
      const { events: chosen, isRequired } = target;
      puts.push({ target, settled: lane.put({ events: chosen, notes, isRequired, call }) });
    }
    const outcomes = await Promise.allSettled(puts.map(({ settled }) => settled));
    const refusals = puts.flatMap(({ target }, index) => {
      const outcome = outcomes[index];
      return outcome?.status === 'rejected' ? [{ target, error: outcome.reason as unknown }] : [];
    });
    for (const { target, error } of refusals) if (!target.isRequired) this.#optionalFailed(target, error);
    const required = refusals.find(({ target }) => target.isRequired);
    if (required === undefined) return;
    const stored = puts
      .filter((_, index) => outcomes[index]?.status === 'fulfilled')
      .map(({ target }) => target.channel);
    if (stored.length === 0 && except.size === 0) throw required.error;
    throw new PartlyStored(required.target.channel, required.error, new Set([...except, ...stored]));
  }

  /** With no other call under way the source knows all. Else give it the time to hear of this one. */
  #settled(call: LaneCall): void {
    this.#underWay.delete(call);
    if (call.whenKnown.length > 0) {
      this.#untold.add(call);
      setImmediate(() => this.#tell(call));
    }
    if (this.#underWay.size === 0) for (const untold of this.#untold) this.#tell(untold);
  }

  #tell(call: LaneCall): void {
    if (!this.#untold.delete(call)) return;
    for (const known of call.whenKnown) known();
  }

  #intercept(events: readonly Event[]): readonly Event[] {
    const { interceptors } = this.#parts;
    if (interceptors.length === 0) return events;
    const kept: Event[] = [];
    for (const event of events) {
      let current: Event | undefined = event;
      for (const interceptor of interceptors) {
        current = interceptor.intercept(current);
        if (current === undefined) break;
      }
      if (current !== undefined) kept.push(current);
    }
    return kept;
  }

  #targets(events: readonly Event[], except: ReadonlySet<string>): Targets {
    const { selector } = this.#parts;
    const targets = new Map<string, Target>();
    /** A selector gives the same route again and again. */
    const known = new Map<Route, readonly Target[]>();
    for (const event of events) {
      const route = selector.route(event);
      let chosen = known.get(route);
      if (chosen === undefined) {
        chosen = this.#targetsOf(this.#reroute(route, except), targets);
        known.set(route, chosen);
      }
      for (const target of chosen) target.events.push(event);
    }
    return targets;
  }

  /** An event that may have gone elsewhere the last time must not get lost in a channel that takes nothing now. */
  #reroute(route: Route, except: ReadonlySet<string>): Route {
    const isLost = this.#parts.selector.isSteady === false && route.required.every((name) => except.has(name));
    if (except.size === 0 || !isLost || route.required.length === 0) return route;
    const other = this.channels.find((name) => !except.has(name));
    return other === undefined ? route : { required: [other], optional: route.optional };
  }

  #targetsOf({ required, optional }: Route, targets: Map<string, Target>): readonly Target[] {
    const targetOf = (channel: string): Target => {
      const target = targets.get(channel) ?? { channel, events: [], isRequired: false };
      if (!this.#lanes.has(channel)) {
        throw new Error(`the selector of source ${this.#parts.name} chose '${channel}', which is none of its channels`);
      }
      targets.set(channel, target);
      return target;
    };
    const chosen = new Set<Target>();
    for (const channel of required) {
      const target = targetOf(channel);
      target.isRequired = true;
      this.#lastOptional.delete(channel);
      chosen.add(target);
    }
    for (const channel of optional) {
      const target = targetOf(channel);
      if (!required.includes(channel)) this.#lastOptional.add(channel);
      chosen.add(target);
    }
    return [...chosen];
  }

  #emptyTarget(channel: string): Target {
    return { channel, events: [], isRequired: !this.#lastOptional.has(channel) };
  }

  #optionalFailed({ channel, events }: Target, error: unknown): void {
    this.#parts.count('OptionalChannelWriteFail');
    this.#failures.failed(channel, events.length, error);
  }
}

/** Says at once that an optional channel refused, and then once a minute how often it did. */
class FailureLog {
  readonly #log: Log;
  readonly #clock: Clock;
  readonly #byChannel: Map<string, { saidAtMs: number; failures: number; events: number }> = new Map();

  constructor(log: Log, clock: Clock) {
    this.#log = log;
    this.#clock = clock;
  }

  failed(channel: string, events: number, error: unknown): void {
    const now = this.#clock.monotonicMs();
    const since = this.#byChannel.get(channel) ?? { saidAtMs: Number.NEGATIVE_INFINITY, failures: 0, events: 0 };
    this.#byChannel.set(channel, since);
    since.failures += 1;
    since.events += events;
    if (now - since.saidAtMs < repeatMs) return;
    const code = isForebayError(error) ? error.code : undefined;
    const { failures, events: lost } = since;
    const times = failures === 1 ? 'once' : `${failures} times`;
    this.#log.warn(`optional channel ${channel} refused ${times}: ${lost} events are not in it`, { code, error });
    Object.assign(since, { saidAtMs: now, failures: 0, events: 0 });
  }
}
