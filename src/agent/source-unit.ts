/** One source of a running agent, with its interceptors, its selector and its way into the channels. */
import type { Channel } from '../engine.ts';
import { createChannelProcessor } from './channel-processor.ts';
import type {
  ChannelProcessor,
  ClientSurroundings,
  Clock,
  ComponentContext,
  Log,
  Source,
} from './contracts/components.ts';
import type { CountedKind, Counters } from './counters.ts';
import type { PlannedSource } from './plan.ts';
import { type SupervisedState, Supervisor } from './supervisor.ts';

/** What a component of an agent is made from. */
export interface UnitParts {
  readonly log: (component: string) => Log;
  readonly clock: Clock;
  readonly counters: Counters;
  readonly random: () => number;
  readonly surroundings: ClientSurroundings;
  /** @throws where it is not open. */
  readonly channel: (name: string) => Channel;
}

/** What a source cannot start without. */
interface Requirement {
  readonly channels: readonly string[];
  /** Why it cannot start whatever is open: its selector, a part of the user's own maybe, threw. */
  readonly problem: Error | undefined;
}

/** Channels that some event may require; all, where none does. Total. */
export function requirementOf({ name, channels, selector }: PlannedSource): Requirement {
  try {
    const optional = selector.definition.optionalChannels?.(selector.values, { channels }) ?? [];
    const required = channels.filter((channel) => !optional.includes(channel));
    return { channels: required.length > 0 ? required : channels, problem: undefined };
  } catch (cause) {
    const what = `the selector of source ${name} cannot say which channels are optional: its optionalChannels failed`;
    return { channels: [], problem: new Error(what, { cause }) };
  }
}

/** See above. One life: started once, stopped once. */
export class SourceUnit {
  readonly planned: PlannedSource;
  readonly #parts: UnitParts;
  readonly #supervisor: Supervisor;
  readonly #requirement: Requirement;
  /** Channels that it has: of the optional ones those that were open, or came since. */
  readonly #joined: Set<string>;
  #goesByNotes = false;
  #source: Source | undefined;

  constructor(planned: PlannedSource, parts: UnitParts, isOpen: (channel: string) => boolean) {
    this.planned = planned;
    this.#parts = parts;
    this.#requirement = requirementOf(planned);
    this.#joined = new Set(planned.channels.filter((name) => this.requires(name) || isOpen(name)));
    const log = parts.log(planned.name);
    if (this.missing.length > 0 && this.#requirement.problem === undefined) {
      log.warn('the source starts without optional channels that are not open', { channels: this.missing.join(' ') });
    }
    this.#supervisor = new Supervisor({
      part: { start: () => this.#start(), stop: async () => this.#source?.stop() },
      log,
      clock: parts.clock,
      onRunning: () => log.info('the source runs', { channels: planned.channels.join(' ') }),
    });
  }

  get state(): SupervisedState {
    return this.#supervisor.state;
  }

  /** Optional channels that it does not have. */
  get missing(): readonly string[] {
    return this.planned.channels.filter((name) => !this.#joined.has(name));
  }

  /** It asked for notes when it started: another channel's are looked at by starting again. */
  get goesByNotes(): boolean {
    return this.#goesByNotes;
  }

  requires(channel: string): boolean {
    return this.#requirement.channels.includes(channel);
  }

  /** It has this channel from now on. */
  join(channel: string): void {
    this.#joined.add(channel);
    this.#parts.log(this.planned.name).info(`optional channel ${channel} is open, and has joined`);
  }

  /** An optional channel is being closed. */
  leave(channel: string): void {
    this.#joined.delete(channel);
  }

  /** Resolves when the first try has worked or failed. */
  start(): Promise<void> {
    this.#parts.counters.started('SOURCE', this.planned.name, this.#parts.clock.wallMs());
    return this.#supervisor.start();
  }

  /** Never rejects. */
  async stop(): Promise<void> {
    await this.#supervisor.stop();
    this.#parts.counters.stopped('SOURCE', this.planned.name, this.#parts.clock.wallMs());
  }

  async #start(): Promise<void> {
    const { planned } = this;
    if (this.#requirement.problem !== undefined) throw this.#requirement.problem;
    const context = contextOf(this.#parts, 'SOURCE', planned.name);
    this.#source ??= planned.definition.create(planned.values, { ...context, processor: this.#makeProcessor(context) });
    await this.#source.start();
  }

  #makeProcessor(context: ComponentContext): ChannelProcessor {
    const { name, channels, interceptors, selector } = this.planned;
    const processor = createChannelProcessor({
      ...context,
      channels,
      optional: channels.filter((channel) => !this.requires(channel)),
      isJoined: (channel) => this.#joined.has(channel),
      channel: (channel) => this.#openChannel(channel),
      interceptors: interceptors.map(({ name: own, definition, values }) =>
        definition.create(values, contextOf(this.#parts, 'INTERCEPTOR', `${name}.${own}`)),
      ),
      selector: selector.definition.create(selector.values, { ...context, channels }),
    });
    return {
      process: (events, options) => processor.process(events, options),
      get channels() {
        return processor.channels;
      },
      note: (channel, key) => {
        if (this.#supervisor.state === 'starting') this.#goesByNotes = true;
        return processor.note(channel, key);
      },
    };
  }

  #openChannel(name: string): Channel {
    if (!this.#joined.has(name)) throw new Error(`channel ${name} is not open`);
    return this.#parts.channel(name);
  }
}

/** What a component is told when it is made. */
export function contextOf(parts: UnitParts, kind: CountedKind, name: string): ComponentContext {
  return { name, log: parts.log(name), clock: parts.clock, count: parts.counters.counterOf(kind, name) };
}
