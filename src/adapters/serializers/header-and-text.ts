/**
 * The serializer that writes headers and body as a line: `{host=a, n=1} the body`.
 * Flume: HeaderAndBodyTextEventSerializer.
 * Nothing is escaped, as in Flume: such a file is for people, not for parsing.
 */
import type { Serializer, SerializerDefinition } from '../../agent/contracts/components.ts';
import { boolean, type Key, optional } from '../../agent/contracts/keys.ts';
import type { DeliveredEvent, Headers } from '../../engine.ts';

interface HeaderAndTextKeys extends Record<string, Key<unknown>> {
  readonly appendNewline: Key<boolean>;
}

/** `serializer = header_and_text`. */
export const headerAndTextSerializer: SerializerDefinition<HeaderAndTextKeys> = {
  types: [
    'header_and_text',
    'org.apache.flume.serialization.HeaderAndBodyTextEventSerializer$Builder',
    'org.apache.flume.serialization.HeaderAndBodyTextEventSerializer',
  ],
  keys: {
    appendNewline: optional(boolean, true, {
      does: 'whether a line feed follows each event',
      standing: { differs: 'headers stand in the order in which they were set, in Flume in that of a Java HashMap' },
    }),
  },
  create: ({ appendNewline }) => new HeaderAndTextSerializer(appendNewline),
};

const lineFeed = 0x0a;

class HeaderAndTextSerializer implements Serializer {
  readonly canReopen = true;
  readonly #appendNewline: boolean;

  constructor(appendNewline: boolean) {
    this.#appendNewline = appendNewline;
  }

  header(): Buffer {
    return Buffer.alloc(0);
  }

  serialize(events: readonly DeliveredEvent[]): Buffer {
    const extra = this.#appendNewline ? 1 : 0;
    const prefixes = prefixesOf(events);
    let bytes = 0;
    for (const [index, { body }] of events.entries()) bytes += (prefixes[index]?.length ?? 0) + body.length + extra;
    const out = Buffer.allocUnsafe(bytes);
    let at = 0;
    for (const [index, { body }] of events.entries()) {
      const prefix = prefixes[index];
      if (prefix !== undefined) {
        out.set(prefix, at);
        at += prefix.length;
      }
      out.set(body, at);
      at += body.length;
      if (extra === 1) out[at++] = lineFeed;
    }
    return out;
  }
}

/** Neighbours often share one headers object: it is encoded once. */
function prefixesOf(events: readonly DeliveredEvent[]): Buffer[] {
  let lastHeaders: Headers | undefined;
  let lastPrefix = Buffer.alloc(0);
  return events.map(({ headers }) => {
    if (headers !== lastHeaders) {
      lastHeaders = headers;
      const pairs = Object.entries(headers).map(([name, value]) => `${name}=${value}`);
      lastPrefix = Buffer.from(`{${pairs.join(', ')}} `);
    }
    return lastPrefix;
  });
}
