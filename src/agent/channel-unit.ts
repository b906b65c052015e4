/** One channel of a running agent: opened with back-off, watched, closed, and opened again where it has failed. */
import type { Channel } from '../engine.ts';
import type { ChannelDefinition, Clock, ConfigurationPlace, Log } from './contracts/components.ts';
import type { Counters } from './counters.ts';
import type { Planned } from './plan.ts';
import { type SupervisedState, Supervisor } from './supervisor.ts';

/** What a channel is run with. */
export interface ChannelUnitParts {
  readonly planned: Planned<ChannelDefinition>;
  readonly log: Log;
  readonly clock: Clock;
  readonly counters: Counters;
  readonly configuration?: ConfigurationPlace | undefined;
  /** Called each time the channel has been opened. */
  readonly onOpen: () => void;
}

/** See above. */
export class ChannelUnit {
  readonly planned: Planned<ChannelDefinition>;
  readonly #parts: ChannelUnitParts;
  #made: { open(): Promise<Channel> } | undefined;
  #channel: Channel | undefined;
  #supervisor: Supervisor;
  #isStopped = false;
  #saidReasons = '';

  constructor(parts: ChannelUnitParts) {
    this.planned = parts.planned;
    this.#parts = parts;
    this.#supervisor = this.#makeSupervisor();
  }

  get state(): SupervisedState {
    return this.#supervisor.state;
  }

  /** Undefined where it is not open. */
  get channel(): Channel | undefined {
    return this.#channel;
  }

  /** Resolves when the first try to open it has worked or failed. */
  start(): Promise<void> {
    const { counters, clock, planned } = this.#parts;
    counters.started('CHANNEL', planned.name, clock.wallMs());
    return this.#supervisor.start();
  }

  /** True where it was open and has failed: it is to be opened again. Says what else is wrong with it, once. */
  look(): boolean {
    if (this.#channel === undefined) return false;
    const { state, reasons } = this.#channel.stats().health;
    const said = reasons.join('; ');
    if (said !== this.#saidReasons && said !== '') this.#parts.log.warn(`the channel is ${state}`, { reasons: said });
    this.#saidReasons = said;
    return state === 'failed';
  }

  /** Closes it and opens it anew. Whoever uses it has let go of it. Resolves when it is closed. */
  async reopen(): Promise<void> {
    this.#parts.log.error('the channel has failed: it is closed, and opened again', { reasons: this.#saidReasons });
    await this.#supervisor.stop();
    if (this.#isStopped) return;
    this.#supervisor = this.#makeSupervisor();
    void this.#supervisor.start();
  }

  /** Closes it for good. Never rejects. */
  async stop(): Promise<void> {
    this.#isStopped = true;
    await this.#supervisor.stop();
    this.#parts.counters.stopped('CHANNEL', this.planned.name, this.#parts.clock.wallMs());
  }

  #makeSupervisor(): Supervisor {
    const { log, clock, onOpen } = this.#parts;
    const part = { start: () => this.#open(), stop: () => this.#close() };
    return new Supervisor({ part, log, clock, onRunning: onOpen });
  }

  async #open(): Promise<void> {
    const { log, clock, counters, planned, configuration } = this.#parts;
    const { name, definition, values } = planned;
    const count = counters.counterOf('CHANNEL', name);
    this.#made ??= definition.create(values, { name, log, clock, count, configuration });
    this.#channel = await this.#made.open();
    this.#saidReasons = '';
    log.info('the channel is open', { events: this.#channel.stats().depthEvents });
  }

  async #close(): Promise<void> {
    const channel = this.#channel;
    this.#channel = undefined;
    await channel?.close();
  }
}
