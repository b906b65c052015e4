/**
 * The sink processor that uses the preferred sink that works. Flume: FailoverSinkProcessor. A sink that failed rests
 * for 2^n seconds, n its failures in a row; once rested it is tried before the sink that stands in for it.
 */
import type {
  Clock,
  Log,
  Sink,
  SinkProcessor,
  SinkProcessorContext,
  SinkProcessorDefinition,
  SinkStatus,
} from '../../agent/contracts/components.ts';
import { integer, type Key, optional, prefixed } from '../../agent/contracts/keys.ts';

interface Ranked {
  readonly name: string;
  readonly sink: Sink;
  readonly priority: number;
}

interface Resting {
  readonly ranked: Ranked;
  failures: number;
  /** Monotonic. */
  untilMs: number;
}

interface FailoverKeys extends Record<string, Key<unknown>> {
  readonly maxpenalty: Key<number>;
  readonly 'priority.': Key<ReadonlyMap<string, number>>;
}

/** `processor.type = failover`. */
export const failoverProcessor: SinkProcessorDefinition<FailoverKeys> = {
  types: ['failover', 'org.apache.flume.sink.FailoverSinkProcessor'],
  keys: {
    maxpenalty: optional(integer(0), 30_000, {
      unit: 'ms',
      does: 'the longest rest of a sink that failed; it rests for 2 s, 4 s, 8 s, … up to this',
    }),
    'priority.': prefixed(integer(), {
      does: 'priority.SINK: the working sink with the largest is used; without one −1, −2, … in the order of the group',
    }),
  },
  create: (values, context) => new Failover(values.maxpenalty, values['priority.'], context),
};

class Failover implements SinkProcessor {
  readonly #penaltyMsMax: number;
  readonly #clock: Clock;
  readonly #log: Log;
  /** Preferred first. */
  readonly #live: Ranked[];
  readonly #resting: Resting[] = [];

  constructor(penaltyMsMax: number, priorities: ReadonlyMap<string, number>, context: SinkProcessorContext) {
    this.#penaltyMsMax = penaltyMsMax;
    this.#clock = context.clock;
    this.#log = context.log;
    this.#live = rank(priorities, context);
  }

  async process(signal: AbortSignal): Promise<SinkStatus> {
    return (await this.#tryRested(signal)) ?? (await this.#tryLive(signal));
  }

  /** Undefined where none had rested long enough, or each of those failed again. */
  async #tryRested(signal: AbortSignal): Promise<SinkStatus | undefined> {
    const nowMs = this.#clock.monotonicMs();
    for (let next = this.#firstRested(nowMs); next !== undefined; next = this.#firstRested(nowMs)) {
      try {
        const status = await next.ranked.sink.process(signal);
        // With nothing to do it has proved nothing: it stays among the failed, and is asked first again.
        if (status === 'ready') this.#revive(next);
        return status;
      } catch (error) {
        next.failures += 1;
        this.#rest(next);
        this.#log.warn('a sink of the group failed again', { sink: next.ranked.name, error });
      }
    }
    return undefined;
  }

  async #tryLive(signal: AbortSignal): Promise<SinkStatus> {
    const errors: unknown[] = [];
    for (let active = this.#live[0]; active !== undefined; active = this.#live[0]) {
      try {
        return await active.sink.process(signal);
      } catch (error) {
        errors.push(error);
        this.#live.shift();
        const failed = { ranked: active, failures: 1, untilMs: 0 };
        this.#rest(failed);
        this.#resting.push(failed);
        const next = this.#live[0]?.name ?? 'none';
        this.#log.warn('a sink of the group failed, the next takes over', { sink: active.name, next, error });
      }
    }
    throw new AggregateError(errors, 'every sink of the group has failed, and none has rested long enough');
  }

  #firstRested(nowMs: number): Resting | undefined {
    const [first] = this.#resting.sort((a, b) => a.untilMs - b.untilMs);
    return first !== undefined && first.untilMs < nowMs ? first : undefined;
  }

  #rest(resting: Resting): void {
    resting.untilMs = this.#clock.monotonicMs() + Math.min(this.#penaltyMsMax, 2 ** resting.failures * 1000);
  }

  #revive(resting: Resting): void {
    this.#resting.splice(this.#resting.indexOf(resting), 1);
    this.#live.push(resting.ranked);
    this.#live.sort((a, b) => b.priority - a.priority);
    this.#log.info('a sink of the group works again', { sink: resting.ranked.name });
  }
}

function rank(priorities: ReadonlyMap<string, number>, { sinks, log }: SinkProcessorContext): Ranked[] {
  const ranked: Ranked[] = [];
  let unnamed = 0;
  for (const [name, sink] of sinks) {
    const given = priorities.get(name);
    if (given === undefined) unnamed -= 1;
    const priority = given ?? unnamed;
    const same = ranked.find((other) => other.priority === priority);
    if (same === undefined) ranked.push({ name, sink, priority });
    else log.warn(`sink ${name} is not used: it has the priority of ${same.name}`, { priority });
  }
  for (const name of priorities.keys()) {
    if (!sinks.has(name)) log.warn(`priority.${name} has no effect: the group has no sink ${name}`);
  }
  return ranked.sort((a, b) => b.priority - a.priority);
}
