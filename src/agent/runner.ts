/**
 * Runs a plan: channels are opened first, then sinks start, then sources; stopped is in reverse. What fails to start
 * is tried again without holding up the rest. A channel that fails is opened again, and what uses it restarts.
 */
import type { Channel } from '../engine.ts';
import { isVolatile, movedInto } from './carry-over.ts';
import { ChannelUnit } from './channel-unit.ts';
import type {
  ChannelDefinition,
  ClientSurroundings,
  Clock,
  ConfigurationPlace,
  Log,
  Timer,
} from './contracts/components.ts';
import { type Counted, Counters } from './counters.ts';
import { Drain } from './drain.ts';
import type { Plan, Planned } from './plan.ts';
import { drainKey, drainsOf, sourceKey } from './plan-changes.ts';
import { settledWithin } from './sleep.ts';
import { requirementOf, SourceUnit, type UnitParts } from './source-unit.ts';
import { type StopStage, stopInStages } from './stop-stages.ts';
import type { SupervisedState } from './supervisor.ts';

/** What an agent runs with. */
export interface RunnerParts {
  readonly log: (component: string) => Log;
  readonly clock: Clock;
  /** Default: Math.random. */
  readonly random?: () => number;
  /** Default: none. */
  readonly surroundings?: ClientSurroundings;
  /** What the plans come from, where they do from files. */
  readonly configuration?: ConfigurationPlace;
}

/** A running agent as it stands. */
export interface AgentStats {
  /** `channel c1`, `sink k1`, `source r1`. */
  readonly states: ReadonlyMap<string, SupervisedState>;
  /** Those that are open. */
  readonly channels: ReadonlyMap<string, ReturnType<Channel['stats']>>;
  readonly counters: readonly Counted[];
}

const stopLimitMs = 60_000;
/** Of the limit: when sources, sinks and channels must have stopped. */
const sourcesUntil = 0.5;
const sinksUntil = 0.85;
/** A first start that takes longer does not hold up what comes behind it. */
const startWaitMs = 10_000;
/** Of a channel, which may have much to recover. Others do not wait longer for one that hangs. */
const openWaitMs = 30_000;
const lookEveryMs = 1000;

const noSurroundings: ClientSurroundings = { environment: {}, confDirectories: [] };

/** See above. One life: started once, stopped once. */
export class AgentRunner {
  readonly #log: Log;
  readonly #unitParts: UnitParts;
  readonly #configuration: ConfigurationPlace | undefined;
  readonly #channels: Map<string, ChannelUnit> = new Map();
  readonly #drains: Map<string, Drain> = new Map();
  readonly #sources: Map<string, SourceUnit> = new Map();
  readonly #stopping = new AbortController();
  #plan: Plan | undefined;
  #work: Promise<unknown> = Promise.resolve();
  #lookTimer: Timer | undefined;

  constructor({ log, clock, random = Math.random, surroundings = noSurroundings, configuration }: RunnerParts) {
    this.#log = log('agent');
    this.#configuration = configuration;
    const channel = (name: string): Channel => this.#openChannel(name);
    this.#unitParts = { log, clock, random, surroundings, counters: new Counters(), channel };
  }

  /** Resolves when each component's first start has worked or failed; those that failed are tried again. */
  start(plan: Plan): Promise<void> {
    return this.#inTurn(async () => {
      this.#plan = plan;
      this.#lookLater();
      await this.#startChannels(plan.channels);
      await this.#startUsers();
    });
  }

  /** Makes the agent run `plan`: what is the same in it goes on undisturbed. Resolves as `start`. */
  swap(plan: Plan): Promise<void> {
    return this.#inTurn(async () => {
      const changed = changedChannels(this.#plan, plan);
      await this.#stopChanged(plan, changed);
      this.#plan = plan;
      this.#forgetRemoved(plan);
      for (const name of changed)
        await this.#replaceChannel(
          name,
          plan.channels.find((one) => one.name === name),
        );
      await this.#startChannels(plan.channels.filter(({ name }) => !this.#channels.has(name)));
      await this.#startUsers();
    });
  }

  /**
   * Stops sources, then sinks, then closes channels, all within `limitMs`. Resolves to what has not stopped by then:
   * `source r1`; empty where all is well.
   */
  stop(limitMs: number = stopLimitMs): Promise<readonly string[]> {
    this.#stopping.abort();
    this.#lookTimer?.cancel();
    const stopped = this.#work.then(() => this.#stopAll(limitMs));
    this.#work = stopped;
    return stopped;
  }

  stats(): AgentStats {
    const states = new Map<string, SupervisedState>();
    const channels = new Map<string, ReturnType<Channel['stats']>>();
    for (const [name, unit] of this.#channels) {
      states.set(`channel ${name}`, unit.state);
      if (unit.channel !== undefined) channels.set(name, unit.channel.stats());
    }
    for (const drain of this.#drains.values()) {
      for (const [name, state] of drain.states) states.set(`sink ${name}`, state);
    }
    for (const [name, unit] of this.#sources) states.set(`source ${name}`, unit.state);
    return { states, channels, counters: this.#unitParts.counters.all() };
  }

  /** One change of the agent at a time; none once it stops. */
  #inTurn(task: () => Promise<void>): Promise<void> {
    const done = this.#work.then(async () => {
      if (!this.#stopping.signal.aborted) await task();
    });
    this.#work = done.catch((error: unknown) => this.#log.error('the agent has an error of its own', { error }));
    return done;
  }

  #openChannel(name: string): Channel {
    const channel = this.#channels.get(name)?.channel;
    if (channel === undefined) throw new Error(`channel ${name} is not open`);
    return channel;
  }

  async #startChannels(planned: readonly Planned<ChannelDefinition>[]): Promise<void> {
    const units = planned.map((one) => this.#makeChannel(one));
    for (const unit of units) this.#channels.set(unit.planned.name, unit);
    await Promise.all(units.map((unit) => this.#orStop(unit.start(), openWaitMs)));
  }

  #makeChannel(planned: Planned<ChannelDefinition>): ChannelUnit {
    const { log, clock, counters } = this.#unitParts;
    const onOpen = (): void => void this.#inTurn(() => this.#startUsers());
    const configuration = this.#configuration;
    return new ChannelUnit({ planned, log: log(planned.name), clock, counters, configuration, onOpen });
  }

  /** Starts what is not started and has the channels that it needs: sinks first. */
  async #startUsers(): Promise<void> {
    const plan = this.#plan;
    if (plan === undefined) return;
    const isOpen = (name: string): boolean => this.#channels.get(name)?.channel !== undefined;
    const drains = drainsOf(plan).filter(({ id, channels }) => !this.#drains.has(id) && channels.every(isOpen));
    const madeDrains = drains.map((planned) => new Drain(planned, this.#unitParts));
    for (const drain of madeDrains) this.#drains.set(drain.planned.id, drain);
    await this.#orStop(Promise.all(madeDrains.map((drain) => drain.start())), startWaitMs);
    if (this.#stopping.signal.aborted) return;
    await this.#joinOptional(isOpen);
    const sources = plan.sources.filter((one) => {
      return !this.#sources.has(one.name) && requirementOf(one).channels.every(isOpen);
    });
    const madeSources = sources.map((planned) => new SourceUnit(planned, this.#unitParts, isOpen));
    for (const source of madeSources) this.#sources.set(source.planned.name, source);
    await this.#orStop(Promise.all(madeSources.map((source) => source.start())), startWaitMs);
  }

  /** Optional channels that came: a source that goes by notes is stopped, and starts again with theirs. */
  async #joinOptional(isOpen: (channel: string) => boolean): Promise<void> {
    await this.#stopSources((source) => source.goesByNotes && source.missing.some(isOpen));
    for (const source of this.#sources.values()) {
      for (const channel of source.missing.filter(isOpen)) source.join(channel);
    }
  }

  #lookLater(): void {
    this.#lookTimer = this.#unitParts.clock.after(lookEveryMs, () => {
      for (const unit of this.#channels.values()) {
        if (unit.look()) void this.#inTurn(() => this.#reopen(unit));
      }
      this.#lookLater();
    });
  }

  async #reopen(unit: ChannelUnit): Promise<void> {
    const { name } = unit.planned;
    // Seen twice, or replaced since.
    if (this.#channels.get(name) !== unit || !unit.look()) return;
    await this.#stopSources((source) => source.requires(name));
    for (const source of this.#sources.values()) source.leave(name);
    await this.#stopDrains((drain) => drain.planned.channels.includes(name));
    if (!this.#stopping.signal.aborted) await this.#orStop(unit.reopen());
  }

  async #stopChanged(plan: Plan, channels: ReadonlySet<string>): Promise<void> {
    const sourceKeys = new Map(plan.sources.map((source) => [source.name, sourceKey(source)]));
    const drainKeys = new Map(drainsOf(plan).map((drain) => [drain.id, drainKey(drain)]));
    await this.#stopSources(({ planned }) => {
      return sourceKeys.get(planned.name) !== sourceKey(planned) || planned.channels.some((one) => channels.has(one));
    });
    await this.#stopDrains(({ planned }) => {
      return drainKeys.get(planned.id) !== drainKey(planned) || planned.channels.some((one) => channels.has(one));
    });
  }

  #forgetRemoved({ channels, sources, sinks }: Plan): void {
    const { counters } = this.#unitParts;
    const kept = { CHANNEL: channels, SOURCE: sources, SINK: sinks };
    for (const { kind, name } of counters.all()) {
      const known = kind === 'CHANNEL' || kind === 'SOURCE' || kind === 'SINK' ? kept[kind] : undefined;
      if (known?.every((one) => one.name !== name)) counters.removed(kind, name);
    }
  }

  async #stopSources(isMeant: (source: SourceUnit) => boolean): Promise<void> {
    const meant = [...this.#sources].filter(([, source]) => isMeant(source));
    await this.#stopped(meant.map(([name, source]) => [`source ${name}`, source.stop()]));
    if (!this.#stopping.signal.aborted) for (const [name] of meant) this.#sources.delete(name);
  }

  async #stopDrains(isMeant: (drain: Drain) => boolean): Promise<void> {
    const meant = [...this.#drains].filter(([, drain]) => isMeant(drain));
    await this.#stopped(meant.map(([id, drain]) => [id, drain.stop()]));
    if (!this.#stopping.signal.aborted) for (const [id] of meant) this.#drains.delete(id);
  }

  /** Waits for them as long as it takes: another one must not start beside one that has not stopped. */
  async #stopped(stops: readonly (readonly [name: string, stop: Promise<void>])[]): Promise<void> {
    const all = Promise.all(stops.map(([, stop]) => stop));
    if (await this.#orStop(all, stopLimitMs)) return;
    const names = stops.map(([name]) => name).join(', ');
    if (!this.#stopping.signal.aborted) this.#log.warn('still waiting for components to stop', { names });
    await this.#orStop(all);
  }

  /** `planned` undefined: the channel is not in the plan any more. */
  async #replaceChannel(name: string, planned: Planned<ChannelDefinition> | undefined): Promise<void> {
    const old = this.#channels.get(name);
    if (old === undefined || this.#stopping.signal.aborted) return;
    const held = old.channel;
    if (planned !== undefined && held !== undefined && isVolatile(held)) {
      await this.#carryOver(old, held, planned);
      return;
    }
    const left = held?.stats().depthEvents ?? 0;
    if (planned === undefined && left > 0) {
      const fate = held !== undefined && isVolatile(held) ? 'are gone' : 'stay in its directories';
      this.#unitParts.log(name).warn(`the channel is removed, and its events ${fate}`, { events: left });
    }
    await this.#orStop(old.stop());
    this.#channels.delete(name);
  }

  async #carryOver(old: ChannelUnit, held: Channel, planned: Planned<ChannelDefinition>): Promise<void> {
    const unit = this.#makeChannel(planned);
    await this.#orStop(unit.start());
    const isMoved = await movedInto(unit, held, this.#unitParts.log(planned.name));
    if (isMoved) this.#channels.set(planned.name, unit);
    await this.#orStop((isMoved ? old : unit).stop());
  }

  #stopAll(limitMs: number): Promise<readonly string[]> {
    const stages: StopStage[] = [
      { until: sourcesUntil, stop: () => [...this.#sources].map(([name, unit]) => [`source ${name}`, unit.stop()]) },
      { until: sinksUntil, stop: () => [...this.#drains].map(([id, drain]) => [id, drain.stop()]) },
      { until: 1, stop: () => [...this.#channels].map(([name, unit]) => [`channel ${name}`, unit.stop()]) },
    ];
    return stopInStages(stages, this.#unitParts.clock, limitMs);
  }

  /** False where the agent is being stopped, or `limitMs` were over, before `work` was done. */
  #orStop(work: Promise<unknown>, limitMs: number = 2 ** 31 - 1): Promise<boolean> {
    return settledWithin(work, this.#unitParts.clock, limitMs, this.#stopping.signal);
  }
}

/** Names of channels that are in `from` and not the same in `to`. */
function changedChannels(from: Plan | undefined, to: Plan): ReadonlySet<string> {
  const kept = new Map(to.channels.map(({ name, fingerprint }) => [name, fingerprint]));
  const changed = from?.channels.filter(({ name, fingerprint }) => kept.get(name) !== fingerprint) ?? [];
  return new Set(changed.map(({ name }) => name));
}
