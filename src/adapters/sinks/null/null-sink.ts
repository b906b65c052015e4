/** The sink that throws events away: for measuring, and for draining a channel. Flume: NullSink. */
import type { Sink, SinkContext, SinkDefinition, SinkStatus } from '../../../agent/contracts/components.ts';
import { integer, type Key, optional } from '../../../agent/contracts/keys.ts';
import type { Consumer } from '../../../engine.ts';

interface NullKeys extends Record<string, Key<unknown>> {
  readonly batchSize: Key<number>;
  readonly logEveryNEvents: Key<number>;
}

/** `type = null`. */
export const nullSink: SinkDefinition<NullKeys> = {
  types: ['null', 'org.apache.flume.sink.NullSink'],
  keys: {
    batchSize: optional(integer(1), 100, { unit: 'events', does: 'how many one transaction takes at most' }),
    logEveryNEvents: optional(integer(1), 10_000, { unit: 'events', does: 'a line in the log for each so many' }),
  },
  create: ({ batchSize, logEveryNEvents }, context) => new NullSink(batchSize, logEveryNEvents, context),
};

/** How long one call waits for the first event. */
const takeWaitMs = 1000;

class NullSink implements Sink {
  readonly #batchSize: number;
  readonly #logEvery: number;
  readonly #context: SinkContext;
  #consumer: Consumer | undefined;
  #events = 0;

  constructor(batchSize: number, logEvery: number, context: SinkContext) {
    this.#batchSize = batchSize;
    this.#logEvery = logEvery;
    this.#context = context;
  }

  async start(): Promise<void> {
    this.#consumer ??= this.#context.channel.consumer(`sink/${this.#context.name}`);
  }

  async process(signal: AbortSignal): Promise<SinkStatus> {
    const { log, count, name } = this.#context;
    if (this.#consumer === undefined) throw new Error(`sink ${name} has not been started`);
    const batch = await this.#consumer.take(this.#batchSize, { waitMs: takeWaitMs, signal });
    if (batch.events.length === 0) return 'backoff';
    count('EventDrainAttemptCount', batch.events.length);
    try {
      await batch.commit();
    } catch (error) {
      // Where the channel is gone so is the lease: the first error says more.
      await batch.rollback().catch(() => undefined);
      throw error;
    }
    count('EventDrainSuccessCount', batch.events.length);
    const before = this.#events;
    this.#events += batch.events.length;
    if (Math.floor(this.#events / this.#logEvery) > Math.floor(before / this.#logEvery)) {
      log.info(`null sink ${name} has taken ${this.#events} events`, { events: this.#events });
    }
    return 'ready';
  }

  async stop(): Promise<void> {
    const consumer = this.#consumer;
    this.#consumer = undefined;
    await consumer?.close();
  }
}
