/**
 * The sink that shows events in the log: for looking at what a source brings. Flume: LoggerSink. Several events share a
 * transaction here, in Flume none do: after a kill up to that many are shown again.
 */
import type { Sink, SinkContext, SinkDefinition, SinkStatus } from '../../../agent/contracts/components.ts';
import { integer, type Key, optional } from '../../../agent/contracts/keys.ts';
import type { Consumer } from '../../../engine.ts';
import { dumpEvent } from './hex-dump.ts';

interface LoggerKeys extends Record<string, Key<unknown>> {
  readonly maxBytesToLog: Key<number>;
}

/** `type = logger`. */
export const loggerSink: SinkDefinition<LoggerKeys> = {
  types: ['logger', 'org.apache.flume.sink.LoggerSink'],
  keys: {
    maxBytesToLog: optional(integer(0), 16, {
      unit: 'bytes',
      does: 'how much of each body is shown',
      standing: { differs: 'an agent of Flume 1.11 makes this sink without its settings, and always shows 16' },
    }),
  },
  create: ({ maxBytesToLog }, context) => new LoggerSink(maxBytesToLog, context),
};

/** How long one call waits for the first event. */
const takeWaitMs = 1000;
const batchEvents = 100;

class LoggerSink implements Sink {
  readonly #bytesMax: number;
  readonly #context: SinkContext;
  #consumer: Consumer | undefined;

  constructor(bytesMax: number, context: SinkContext) {
    this.#bytesMax = bytesMax;
    this.#context = context;
  }

  async start(): Promise<void> {
    this.#consumer ??= this.#context.channel.consumer(`sink/${this.#context.name}`);
  }

  async process(signal: AbortSignal): Promise<SinkStatus> {
    const { log, count, name } = this.#context;
    if (this.#consumer === undefined) throw new Error(`sink ${name} has not been started`);
    const batch = await this.#consumer.take(batchEvents, { waitMs: takeWaitMs, signal });
    if (batch.events.length === 0) return 'backoff';
    count('EventDrainAttemptCount', batch.events.length);
    try {
      for (const event of batch.events) log.info(`Event: ${dumpEvent(event, this.#bytesMax)}`);
      await batch.commit();
    } catch (error) {
      // Where the channel is gone so is the lease: the first error says more.
      await batch.rollback().catch(() => undefined);
      throw error;
    }
    count('EventDrainSuccessCount', batch.events.length);
    return 'ready';
  }

  async stop(): Promise<void> {
    const consumer = this.#consumer;
    this.#consumer = undefined;
    await consumer?.close();
  }
}
