/** What takes events out of a running agent: one sink, or a group of them with its processor. */
import type { ComponentContext, Sink, SinkContext, SinkStatus } from './contracts/components.ts';
import type { PlannedSink } from './plan.ts';
import type { PlannedDrain } from './plan-changes.ts';
import { SinkRunner } from './sink-runner.ts';
import { settledWithin } from './sleep.ts';
import { contextOf, type UnitParts } from './source-unit.ts';
import { type SupervisedState, Supervisor } from './supervisor.ts';
import { keepUndeliverable, movesUndeliverable } from './undeliverable.ts';

/** A sink whose first start hangs holds up the rest of its group so long. */
const firstStartsMsMax = 10_000;

/** One life: started once, stopped once. */
export class Drain {
  readonly planned: PlannedDrain;
  readonly #parts: UnitParts;
  readonly #sinks: ReadonlyMap<string, SinkUnit>;
  readonly #stopping = new AbortController();
  #runner: SinkRunner | undefined;
  /** Each sink has been tried once, or has had time for it. */
  #areTried = false;

  constructor(planned: PlannedDrain, parts: UnitParts) {
    this.planned = planned;
    this.#parts = parts;
    const onRunning = (): void => this.#run();
    this.#sinks = new Map(planned.sinks.map((sink) => [sink.name, new SinkUnit(sink, parts, onRunning)]));
  }

  /** By sink. */
  get states(): ReadonlyMap<string, SupervisedState> {
    return new Map([...this.#sinks].map(([name, sink]) => [name, sink.state]));
  }

  /** Resolves when the first try of each sink has worked or failed. */
  async start(): Promise<void> {
    const tried = Promise.all([...this.#sinks.values()].map((sink) => sink.start()));
    const { clock } = this.#parts;
    void settledWithin(tried, clock, firstStartsMsMax, this.#stopping.signal).then(() => {
      this.#areTried = true;
      this.#run();
    });
    await tried;
  }

  /** Lets the delivery under way end, then stops the sinks. Never rejects. */
  async stop(): Promise<void> {
    this.#stopping.abort();
    await this.#runner?.stop();
    await Promise.all([...this.#sinks.values()].map((sink) => sink.stop()));
  }

  /**
   * From when one of the sinks runs: the others may join. Not before all were tried: a group would take those that are
   * slower to start for failed ones, and let them rest.
   */
  #run(): void {
    if (this.#runner !== undefined || this.#stopping.signal.aborted || !this.#areTried) return;
    if (![...this.#sinks.values()].some(({ state }) => state === 'running')) return;
    const log = this.#parts.log(this.planned.name);
    this.#runner = new SinkRunner({ process: this.#makeProcess(), log, clock: this.#parts.clock });
    this.#runner.start();
  }

  #makeProcess(): (signal: AbortSignal) => Promise<SinkStatus> {
    const { name, processor } = this.planned;
    const [only] = this.#sinks.values();
    if (processor === undefined && only !== undefined) return (signal) => only.process(signal);
    let made: Sink['process'] | undefined;
    return (signal) => {
      made ??= this.#makeProcessor(name);
      return made(signal);
    };
  }

  #makeProcessor(name: string): Sink['process'] {
    const { processor } = this.planned;
    if (processor === undefined) throw new Error(`group ${name} has no processor`);
    const context = contextOf(this.#parts, 'SINK_PROCESSOR', name);
    const { random } = this.#parts;
    const made = processor.definition.create(processor.values, { ...context, sinks: this.#sinks, random });
    return (signal) => made.process(signal);
  }
}

/** A sink as its group sees it: one that has not started fails, and so another takes its place. */
class SinkUnit implements Sink {
  readonly #planned: PlannedSink;
  readonly #parts: UnitParts;
  readonly #supervisor: Supervisor;
  #sink: Sink | undefined;

  constructor(planned: PlannedSink, parts: UnitParts, onRunning: () => void) {
    this.#planned = planned;
    this.#parts = parts;
    const log = parts.log(planned.name);
    this.#supervisor = new Supervisor({
      part: { start: () => this.#start(), stop: async () => this.#sink?.stop() },
      log,
      clock: parts.clock,
      onRunning: () => {
        log.info('the sink runs', { channel: planned.channel });
        onRunning();
      },
    });
  }

  get state(): SupervisedState {
    return this.#supervisor.state;
  }

  start(): Promise<void> {
    this.#parts.counters.started('SINK', this.#planned.name, this.#parts.clock.wallMs());
    return this.#supervisor.start();
  }

  async process(signal: AbortSignal): Promise<SinkStatus> {
    if (this.#sink === undefined || this.#supervisor.state !== 'running') {
      throw new Error(`sink ${this.#planned.name} has not started`);
    }
    return this.#sink.process(signal);
  }

  async stop(): Promise<void> {
    await this.#supervisor.stop();
    this.#parts.counters.stopped('SINK', this.#planned.name, this.#parts.clock.wallMs());
  }

  async #start(): Promise<void> {
    const { name, channel, definition, values, serializer } = this.#planned;
    const context = contextOf(this.#parts, 'SINK', name);
    this.#sink ??= definition.create(values, {
      ...context,
      channel: this.#parts.channel(channel),
      surroundings: this.#parts.surroundings,
      makeSerializer: () => {
        if (serializer === undefined) throw new Error(`sink ${name} declares no serializer`);
        return serializer.definition.create(serializer.values, contextOf(this.#parts, 'SERIALIZER', name));
      },
      undeliverable: this.#undeliverable(context),
    });
    await this.#sink.start();
  }

  #undeliverable(context: ComponentContext): SinkContext['undeliverable'] {
    const { name: sink, channel, deadLetterChannel } = this.#planned;
    if (deadLetterChannel === undefined) return keepUndeliverable;
    const named = (name: string) => ({ name, channel: this.#parts.channel(name) });
    return movesUndeliverable({ ...context, sink, from: named(channel), to: named(deadLetterChannel) });
  }
}
