/** Avro files of events for tests, well made and not, by avsc's encoders. */
import avsc from 'avsc';
import { type AvroCodec, AvroContainer } from '../../src/adapters/serializers/avro-container.ts';
import type { Event } from '../../src/event/event.ts';

/** As Flume's avro_event writes it. */
export const flumeSchema: string = JSON.stringify({
  type: 'record',
  name: 'Event',
  fields: [
    { name: 'headers', type: { type: 'map', values: 'string' } },
    { name: 'body', type: 'bytes' },
  ],
});

const eventType = avsc.Type.forSchema(JSON.parse(flumeSchema));
const longType = avsc.Type.forSchema('long');

/** An Avro long. */
export function avroLong(value: number): Buffer {
  return longType.toBuffer(value);
}

/** A record of flumeSchema. */
export function avroEvent({ headers, body }: Event): Buffer {
  return eventType.toBuffer({ headers, body: Buffer.from(body) });
}

/** A file of such events, so many in a block. */
export function avroFile(
  events: readonly Event[],
  { blockEvents, codec = 'null' }: { readonly blockEvents: number; readonly codec?: AvroCodec },
): { readonly bytes: Buffer; readonly blocksAt: readonly number[] } {
  const container = new AvroContainer(flumeSchema, codec);
  const parts = [container.header()];
  const blocksAt: number[] = [];
  let at = parts[0]?.length ?? 0;
  for (let from = 0; from < events.length; from += blockEvents) {
    const some = events.slice(from, from + blockEvents);
    const block = Buffer.concat(container.block(some.length, Buffer.concat(some.map(avroEvent))));
    parts.push(block);
    blocksAt.push(at);
    at += block.length;
  }
  return { bytes: Buffer.concat(parts), blocksAt };
}

/** `from` … `to` − 1, each told from the others by its body. */
export function numberedEvents(from: number, to: number): Event[] {
  return Array.from({ length: to - from }, (_, at) => {
    const number = from + at;
    return { headers: { host: `web${number % 3}` }, body: Buffer.from(`event ${number}`) };
  });
}
