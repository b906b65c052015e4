/**
 * A sink that posts events as lines of JSON. A batch is committed once the other side has answered that it has it; where
 * that is not sure the same events come again, with the same ids: a receiver that drops the ids it has got already, or
 * overwrites by them, has each event exactly once.
 */
// @ts-check
import { integer, optional, required, text } from 'forebay';

/** @import { Consumer, DeliveredEvent, Key, SinkContext, SinkDefinition, SinkStatus, ValuesOf } from 'forebay' */
/** @typedef {{ readonly url: Key<string>, readonly batchSize: Key<number> }} HttpKeys */

/** @type {SinkDefinition<HttpKeys>} */
export default {
  types: ['http'],
  keys: {
    url: required(text, { does: 'where events are posted to', standing: 'ours' }),
    batchSize: optional(integer(1), 100, { unit: 'events', does: 'events of one request', standing: 'ours' }),
  },
  check: ({ url }) => (URL.canParse(url) ? [] : [{ key: 'url', message: `'${url}' is not allowed: a URL` }]),
  create: (values, context) => new HttpSink(values, context),
};

/** How long one call waits for the first event. */
const takeWaitMs = 1000;
const requestTimeoutMs = 30_000;

class HttpSink {
  #values;
  #context;
  /** @type {Consumer | undefined} */
  #consumer;

  /**
   * @param {ValuesOf<HttpKeys>} values
   * @param {SinkContext} context
   */
  constructor(values, context) {
    this.#values = values;
    this.#context = context;
  }

  async start() {
    this.#consumer ??= this.#context.channel.consumer(`sink/${this.#context.name}`);
  }

  async stop() {
    await this.#consumer?.close();
    this.#consumer = undefined;
  }

  /**
   * @param {AbortSignal} signal
   * @returns {Promise<SinkStatus>}
   */
  async process(signal) {
    const { count, name } = this.#context;
    if (this.#consumer === undefined) throw new Error(`sink ${name} has not been started`);
    const batch = await this.#consumer.take(this.#values.batchSize, { waitMs: takeWaitMs, signal });
    if (batch.events.length === 0) return 'backoff';
    count('EventDrainAttemptCount', batch.events.length);
    try {
      await this.#post(batch.events);
      await batch.commit();
    } catch (error) {
      // Back to the head of the channel, in order. Where the channel is gone so is the lease: the first error says more.
      await batch.rollback().catch(() => undefined);
      throw error;
    }
    count('EventDrainSuccessCount', batch.events.length);
    return 'ready';
  }

  /** @param {readonly DeliveredEvent[]} events */
  async #post(events) {
    const { channelId } = this.#context.channel.stats();
    const lines = events.map(({ sequence, headers, body }) => {
      return `${JSON.stringify({ id: `${channelId}/${sequence}`, headers, body: body.toString() })}\n`;
    });
    const response = await fetch(this.#values.url, {
      method: 'POST',
      headers: { 'content-type': 'application/x-ndjson' },
      body: lines.join(''),
      signal: AbortSignal.timeout(requestTimeoutMs),
    });
    // Read to its end: the connection is free again.
    const answer = await response.text();
    if (!response.ok) throw new Error(`${this.#values.url} answers ${response.status}: ${answer.slice(0, 200)}`);
  }
}
