/**
 * The sink processor that spreads the work over all sinks. Flume: LoadBalancingSinkProcessor. Each call starts with
 * another sink and goes on to the next where one fails; with `backoff` a sink that failed is left out for a while.
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
import { boolean, integer, type Key, oneOf, optional } from '../../agent/contracts/keys.ts';

/** Failures further apart than this, behind the end of the rest, are not in a row. */
const inARowMs = 3_600_000;
const failuresMax = 16;

interface Balanced {
  readonly name: string;
  readonly sink: Sink;
  failures: number;
  /** Monotonic, as the next. */
  failedAtMs: number | undefined;
  restsUntilMs: number;
}

interface LoadBalanceKeys extends Record<string, Key<unknown>> {
  readonly backoff: Key<boolean>;
  readonly selector: Key<'round_robin' | 'random'>;
  readonly 'selector.maxTimeOut': Key<number>;
}

/** `processor.type = load_balance`. */
export const loadBalanceProcessor: SinkProcessorDefinition<LoadBalanceKeys> = {
  types: ['load_balance', 'org.apache.flume.sink.LoadBalancingSinkProcessor'],
  keys: {
    backoff: optional(boolean, false, { does: 'leaves a sink that failed out for 2 s, 4 s, 8 s, …' }),
    selector: optional(oneOf('round_robin', 'random'), 'round_robin', {
      does: 'the order in which sinks are tried',
      standing: { differs: 'a Java class of your own cannot be named' },
    }),
    'selector.maxTimeOut': optional(integer(0), 30_000, {
      unit: 'ms',
      does: 'the longest that a sink is left out, with backoff',
    }),
  },
  create: (values, context) => new LoadBalance(values, context),
};

class LoadBalance implements SinkProcessor {
  readonly #backsOff: boolean;
  readonly #isRandom: boolean;
  readonly #restMsMax: number;
  readonly #clock: Clock;
  readonly #log: Log;
  readonly #random: () => number;
  readonly #sinks: readonly Balanced[];
  #head = 0;

  constructor(
    values: { backoff: boolean; selector: 'round_robin' | 'random'; 'selector.maxTimeOut': number },
    context: SinkProcessorContext,
  ) {
    this.#backsOff = values.backoff;
    this.#isRandom = values.selector === 'random';
    this.#restMsMax = values['selector.maxTimeOut'];
    this.#clock = context.clock;
    this.#log = context.log;
    this.#random = context.random;
    this.#sinks = [...context.sinks].map(([name, sink]) => {
      return { name, sink, failures: 0, failedAtMs: undefined, restsUntilMs: Number.NEGATIVE_INFINITY };
    });
  }

  async process(signal: AbortSignal): Promise<SinkStatus> {
    const errors: unknown[] = [];
    for (const balanced of this.#order()) {
      try {
        return await balanced.sink.process(signal);
      } catch (error) {
        errors.push(error);
        if (this.#backsOff) this.#rest(balanced);
        this.#log.warn('a sink of the group failed, the next is tried', { sink: balanced.name, error });
      }
    }
    const why = errors.length === 0 ? 'every sink of the group has to rest' : 'every sink that was tried has failed';
    throw new AggregateError(errors, why);
  }

  #order(): Balanced[] {
    const nowMs = this.#clock.monotonicMs();
    const active = this.#sinks.filter((one) => !this.#backsOff || one.restsUntilMs < nowMs);
    if (this.#isRandom) return this.#shuffled(active);
    const begin = this.#head >= active.length ? 0 : this.#head;
    this.#head = begin + 1 >= active.length ? 0 : begin + 1;
    return [...active.slice(begin), ...active.slice(0, begin)];
  }

  #shuffled(sinks: Balanced[]): Balanced[] {
    for (let last = sinks.length - 1; last > 0; last -= 1) {
      const chosen = Math.floor(this.#random() * (last + 1));
      [sinks[last], sinks[chosen]] = [sinks[chosen] as Balanced, sinks[last] as Balanced];
    }
    return sinks;
  }

  #rest(balanced: Balanced): void {
    const nowMs = this.#clock.monotonicMs();
    const sinceMs = balanced.failedAtMs === undefined ? Number.POSITIVE_INFINITY : nowMs - balanced.failedAtMs;
    const isInARow = this.#restMs(balanced.failures) + inARowMs > sinceMs;
    balanced.failures = isInARow ? Math.min(balanced.failures + 1, failuresMax) : 1;
    balanced.failedAtMs = nowMs;
    balanced.restsUntilMs = nowMs + this.#restMs(balanced.failures);
  }

  #restMs(failures: number): number {
    return Math.min(this.#restMsMax, 1000 * 2 ** failures);
  }
}
