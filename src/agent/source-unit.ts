/** One source of a running agent, with its interceptors, its selector and its way into the channels. */
import type { Channel } from '../engine.ts';
import { createChannelProcessor } from './channel-processor.ts';
import type { ChannelProcessor, Clock, ComponentContext, Log, Source } from './contracts/components.ts';
import type { CountedKind, Counters } from './counters.ts';
import type { PlannedSource } from './plan.ts';
import { type SupervisedState, Supervisor } from './supervisor.ts';

/** What a component of an agent is made from. */
export interface UnitParts {
  readonly log: (component: string) => Log;
  readonly clock: Clock;
  readonly counters: Counters;
  readonly random: () => number;
  /** @throws where it is not open. */
  readonly channel: (name: string) => Channel;
}

/** See above. One life: started once, stopped once. */
export class SourceUnit {
  readonly planned: PlannedSource;
  readonly #parts: UnitParts;
  readonly #supervisor: Supervisor;
  #source: Source | undefined;

  constructor(planned: PlannedSource, parts: UnitParts) {
    this.planned = planned;
    this.#parts = parts;
    const log = parts.log(planned.name);
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
    const context = contextOf(this.#parts, 'SOURCE', planned.name);
    this.#source ??= planned.definition.create(planned.values, { ...context, processor: this.#makeProcessor(context) });
    await this.#source.start();
  }

  #makeProcessor(context: ComponentContext): ChannelProcessor {
    const { name, channels, interceptors, selector } = this.planned;
    return createChannelProcessor({
      ...context,
      channels,
      channel: this.#parts.channel,
      interceptors: interceptors.map(({ name: own, definition, values }) =>
        definition.create(values, contextOf(this.#parts, 'INTERCEPTOR', `${name}.${own}`)),
      ),
      selector: selector.definition.create(selector.values, { ...context, channels }),
    });
  }
}

/** What a component is told when it is made. */
export function contextOf(parts: UnitParts, kind: CountedKind, name: string): ComponentContext {
  return { name, log: parts.log(name), clock: parts.clock, count: parts.counters.counterOf(kind, name) };
}
