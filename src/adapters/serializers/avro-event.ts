/** The serializer that writes whole events, headers and body, to an Avro file. Flume: FlumeEventAvroEventSerializer. */
import type { Serializer, SerializerDefinition } from '../../agent/contracts/components.ts';
import type { DeliveredEvent, Headers } from '../../engine.ts';
import { type AvroCodec, AvroContainer, longBytes, writeLong } from './avro-container.ts';
import { type AvroKeys, avroKeys } from './avro-keys.ts';

/** `serializer = avro_event`. */
export const avroEventSerializer: SerializerDefinition<AvroKeys> = {
  types: [
    'avro_event',
    'org.apache.flume.serialization.FlumeEventAvroEventSerializer$Builder',
    'org.apache.flume.serialization.FlumeEventAvroEventSerializer',
  ],
  keys: avroKeys,
  create: ({ syncIntervalBytes, compressionCodec }) => new AvroEventSerializer(syncIntervalBytes, compressionCodec),
};

const schema = JSON.stringify({
  type: 'record',
  name: 'Event',
  fields: [
    { name: 'headers', type: { type: 'map', values: 'string' } },
    { name: 'body', type: 'bytes' },
  ],
});

class AvroEventSerializer implements Serializer {
  /** A file that is gone on with would need the sync marker that it began with. */
  readonly canReopen = false;
  readonly #blockBytes: number;
  readonly #container: AvroContainer;

  constructor(blockBytes: number, codec: AvroCodec) {
    this.#blockBytes = blockBytes;
    this.#container = new AvroContainer(schema, codec);
  }

  header(): Buffer {
    return this.#container.header();
  }

  serialize(events: readonly DeliveredEvent[]): Buffer {
    const parts: Buffer[] = [];
    const encoder = new HeaderEncoder();
    let pending: Encoded[] = [];
    let bytes = 0;
    const endBlock = (): void => {
      if (pending.length > 0) parts.push(...this.#container.block(pending.length, recordsOf(pending, bytes)));
      pending = [];
      bytes = 0;
    };
    for (const { headers, body } of events) {
      const encoded = encoder.encode(headers);
      pending.push({ headers: encoded, body });
      bytes += encoded.length + longBytes(body.length) + body.length;
      if (bytes >= this.#blockBytes) endBlock();
    }
    endBlock();
    return Buffer.concat(parts);
  }
}

interface Encoded {
  readonly headers: Buffer;
  readonly body: Buffer;
}

function recordsOf(events: readonly Encoded[], bytes: number): Buffer {
  const out = Buffer.allocUnsafe(bytes);
  let at = 0;
  for (const { headers, body } of events) {
    out.set(headers, at);
    at = writeLong(out, body.length, at + headers.length);
    out.set(body, at);
    at += body.length;
  }
  return out;
}

/** Headers as an Avro map. Neighbours often share one headers object: it is encoded once. */
class HeaderEncoder {
  #last: Headers | undefined;
  #encoded: Buffer = Buffer.alloc(0);

  encode(headers: Headers): Buffer {
    if (headers === this.#last) return this.#encoded;
    this.#last = headers;
    const texts = Object.entries(headers).flat();
    const sizes = texts.map((text) => Buffer.byteLength(text));
    let bytes = 1 + (texts.length > 0 ? longBytes(texts.length / 2) : 0);
    for (const size of sizes) bytes += longBytes(size) + size;
    const out = Buffer.allocUnsafe(bytes);
    let at = texts.length > 0 ? writeLong(out, texts.length / 2, 0) : 0;
    for (const [index, text] of texts.entries()) {
      at = writeLong(out, sizes[index] ?? 0, at);
      at += out.write(text, at, 'utf8');
    }
    // An empty block ends a map.
    out[at] = 0;
    this.#encoded = out;
    return out;
  }
}
