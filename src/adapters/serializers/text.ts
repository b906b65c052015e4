/** The serializer that writes bodies as lines. Flume: BodyTextEventSerializer. */
import type { Serializer, SerializerDefinition } from '../../agent/contracts/components.ts';
import { boolean, type Key, optional } from '../../agent/contracts/keys.ts';
import type { DeliveredEvent } from '../../engine.ts';

interface TextKeys extends Record<string, Key<unknown>> {
  readonly appendNewline: Key<boolean>;
}

/** `serializer = text`. */
export const textSerializer: SerializerDefinition<TextKeys> = {
  types: [
    'text',
    'org.apache.flume.serialization.BodyTextEventSerializer$Builder',
    'org.apache.flume.serialization.BodyTextEventSerializer',
  ],
  keys: { appendNewline: optional(boolean, true, { does: 'whether a line feed follows each body' }) },
  create: ({ appendNewline }) => new TextSerializer(appendNewline),
};

const lineFeed = 0x0a;

class TextSerializer implements Serializer {
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
    let bytes = 0;
    for (const { body } of events) bytes += body.length + extra;
    const out = Buffer.allocUnsafe(bytes);
    let at = 0;
    for (const { body } of events) {
      out.set(body, at);
      at += body.length;
      if (extra === 1) out[at++] = lineFeed;
    }
    return out;
  }
}
