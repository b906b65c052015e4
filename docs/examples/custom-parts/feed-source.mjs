/**
 * A source that asks an HTTP service for what is new: `GET URL?after=17&limit=100` answers with
 * `[{ "id": 18, "text": "…" }, …]`, ids ascending. Each item is an event, in each channel exactly once: how far a
 * channel has come is a note in the very transaction that put the items there.
 */
// @ts-check
import { setTimeout } from 'node:timers/promises';
import { integer, optional, required, storedIn } from 'forebay';

/** @import { Key, KeyType, SourceContext, SourceDefinition, ValuesOf } from 'forebay' */
/** @typedef {{ readonly id: number, readonly text: string }} Item */
/** @typedef {{ readonly url: Key<URL>, readonly batchSize: Key<number>, readonly pollDelayMs: Key<number> }} FeedKeys */

/** @type {KeyType<URL>} */
const url = {
  name: 'URL',
  parse: (given) => (URL.canParse(given) ? { value: new URL(given) } : { problem: `'${given}' is not allowed: a URL` }),
};

const retryDelayMs = 250;

/** @type {SourceDefinition<FeedKeys>} */
export default {
  types: ['feed'],
  keys: {
    url: required(url, { does: 'where the items are', standing: 'ours' }),
    batchSize: optional(integer(1), 100, { unit: 'events', does: 'items of one transaction', standing: 'ours' }),
    pollDelayMs: optional(integer(1), 1000, { unit: 'ms', does: 'the pause when there is nothing', standing: 'ours' }),
  },
  create: (values, context) => new FeedSource(values, context),
};

class FeedSource {
  #stopping = new AbortController();
  /** @type {Promise<void>} */
  #life = Promise.resolve();
  #values;
  #context;
  #noteKey;

  /**
   * @param {ValuesOf<FeedKeys>} values
   * @param {SourceContext} context
   */
  constructor(values, context) {
    this.#values = values;
    this.#context = context;
    this.#noteKey = `feed/${context.name}`;
  }

  async start() {
    const { processor } = this.#context;
    /** How far each channel had come when the agent was here last. */
    const reached = processor.channels.map((name) => ({ name, id: Number(processor.note(name, this.#noteKey) ?? 0) }));
    this.#life = this.#run(reached);
  }

  async stop() {
    this.#stopping.abort();
    await this.#life;
  }

  /** @param {readonly { readonly name: string, readonly id: number }[]} reached */
  async #run(reached) {
    const { signal } = this.#stopping;
    let position = Math.min(...reached.map(({ id }) => id));
    while (!signal.aborted) {
      try {
        // Channels that are further on get nothing before the others have caught up with them.
        const ahead = reached.filter(({ id }) => id > position);
        const until = Math.min(...ahead.map(({ id }) => id));
        const items = (await this.#fetch(position)).filter(({ id }) => id <= until);
        const last = items.at(-1);
        if (last === undefined) {
          await setTimeout(this.#values.pollDelayMs, undefined, { signal });
          continue;
        }
        await this.#put(items, last.id, new Set(ahead.map(({ name }) => name)));
        position = last.id;
      } catch (error) {
        if (signal.aborted) return;
        this.#context.log.error('the feed cannot be read: it is tried again', { error });
        await setTimeout(retryDelayMs, undefined, { signal }).catch(() => undefined);
      }
    }
  }

  /**
   * Offers the items until every required channel has them, or the source is stopped: then its note says where the
   * next start goes on.
   *
   * @param {readonly Item[]} items
   * @param {number} last
   * @param {Set<string>} except
   */
  async #put(items, last, except) {
    const { processor, log } = this.#context;
    const events = items.map(({ id, text: body }) => ({ headers: { id: String(id) }, body: Buffer.from(body) }));
    for (;;) {
      try {
        await processor.process(events, { notes: { [this.#noteKey]: last }, except });
        return;
      } catch (error) {
        for (const channel of storedIn(error)) except.add(channel);
        log.warn('a channel took no items: they are offered again', { error });
        await setTimeout(retryDelayMs, undefined, { signal: this.#stopping.signal });
      }
    }
  }

  /**
   * @param {number} after
   * @returns {Promise<Item[]>}
   */
  async #fetch(after) {
    const request = new URL(this.#values.url);
    request.searchParams.set('after', String(after));
    request.searchParams.set('limit', String(this.#values.batchSize));
    const response = await fetch(request, { signal: this.#stopping.signal });
    if (!response.ok) throw new Error(`${request} answers ${response.status}`);
    return /** @type {Item[]} */ (await response.json());
  }
}
