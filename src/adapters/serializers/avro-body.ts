/**
 * The serializer for bodies that are Avro records already: they go to an Avro file under the schema that their headers
 * name. Flume: AvroEventSerializer of the HDFS sink.
 *
 * The file's header is written with its first events, since the schema comes with them: a sink that takes back what it
 * wrote first has to begin a new file with a new serializer. A file has one schema; Flume would write events of another
 * one into it, where nobody can read them.
 */
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { Serializer, SerializerDefinition } from '../../agent/contracts/components.ts';
import { type Key, text, unset, type ValuesOf } from '../../agent/contracts/keys.ts';
import type { DeliveredEvent, Headers } from '../../engine.ts';
import { AvroContainer } from './avro-container.ts';
import { type AvroKeys, avroKeys } from './avro-keys.ts';

interface AvroBodyKeys extends AvroKeys {
  readonly schemaURL: Key<string | undefined>;
}

/** `serializer = org.apache.flume.sink.hdfs.AvroEventSerializer$Builder`. */
export const avroBodySerializer: SerializerDefinition<AvroBodyKeys> = {
  types: ['org.apache.flume.sink.hdfs.AvroEventSerializer$Builder', 'org.apache.flume.sink.hdfs.AvroEventSerializer'],
  keys: {
    schemaURL: unset(text, {
      does: 'a file with the schema of events without a header flume.avro.schema.url or flume.avro.schema.literal',
      standing: { differs: 'a path or file: URL; in Flume also http: and hdfs:. Same for the header' },
    }),
    ...avroKeys,
  },
  create: (values) => new AvroBodySerializer(values),
};

const urlHeader = 'flume.avro.schema.url';
const literalHeader = 'flume.avro.schema.literal';

class AvroBodySerializer implements Serializer {
  readonly canReopen = false;
  readonly #values: ValuesOf<AvroBodyKeys>;
  /** By its source: the file's only schema. */
  #file: { readonly source: string; readonly container: AvroContainer } | undefined;

  constructor(values: ValuesOf<AvroBodyKeys>) {
    this.#values = values;
  }

  header(): Buffer {
    return Buffer.alloc(0);
  }

  serialize(events: readonly DeliveredEvent[]): Buffer {
    const [first] = events;
    if (first === undefined) return Buffer.alloc(0);
    const isNew = this.#file === undefined;
    const file = this.#file ?? this.#begin(first.headers);
    const parts = isNew ? [file.container.header()] : [];
    let pending: Buffer[] = [];
    let bytes = 0;
    const endBlock = (): void => {
      if (pending.length > 0) parts.push(...file.container.block(pending.length, Buffer.concat(pending)));
      pending = [];
      bytes = 0;
    };
    for (const { headers, body, sequence } of events) {
      if (sourceOf(headers, this.#values.schemaURL) !== file.source) throw otherSchema(sequence);
      pending.push(body);
      bytes += body.length;
      if (bytes >= this.#values.syncIntervalBytes) endBlock();
    }
    endBlock();
    this.#file = file;
    return Buffer.concat(parts);
  }

  #begin(headers: Headers): { readonly source: string; readonly container: AvroContainer } {
    const source = sourceOf(headers, this.#values.schemaURL);
    const schema = source.startsWith('url ') ? readSchema(source.slice(4)) : source.slice(8);
    checkSchema(schema, source);
    return { source, container: new AvroContainer(schema, this.#values.compressionCodec) };
  }
}

/** `url …` or `literal …`: where an event's schema comes from. The header with the URL wins, as in Flume. */
function sourceOf(headers: Headers, preset: string | undefined): string {
  const url = headers[urlHeader];
  if (url !== undefined) return `url ${url}`;
  const literal = headers[literalHeader];
  if (literal !== undefined) return `literal ${literal}`;
  if (preset !== undefined) return `url ${preset}`;
  throw new Error(`an event has no schema: set schemaURL, or send ${literalHeader} or ${urlHeader} with it`);
}

function readSchema(url: string): string {
  if (/^(?!file:)[a-z][a-z0-9+.-]*:/i.test(url)) {
    throw new Error(`the schema at ${url} cannot be read: only files can. Save it as one, and set schemaURL to it`);
  }
  try {
    return readFileSync(url.startsWith('file:') ? fileURLToPath(url) : url, 'utf8');
  } catch (cause) {
    throw new Error(`the schema at ${url} cannot be read (${(cause as NodeJS.ErrnoException).code})`, { cause });
  }
}

function checkSchema(schema: string, source: string): void {
  try {
    JSON.parse(schema);
  } catch (cause) {
    throw new Error(`the schema from ${source.slice(0, 200)} is no JSON`, { cause });
  }
}

function otherSchema(sequence: number): Error {
  return new Error(
    `event ${sequence} has another schema than the file that it would go to: send events of each schema to a sink of ` +
      'their own (a multiplexing selector does that)',
  );
}
