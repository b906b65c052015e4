/**
 * The record that an export makes of an event, as Avro has it. Readers of Flume's own files, which ask for a record
 * `Event` of `headers` and `body`, find both here by schema resolution, and pass over the rest. docs/channel-tools.md
 * shows it: files of it are kept for years, so fields are only ever added, each with a default.
 */
import avsc from 'avsc';
import type { DumpedEvent } from '../../channel/reader/dump.ts';

const schema = {
  type: 'record',
  name: 'Event',
  doc: 'An event of a forebay channel.',
  fields: [
    { name: 'sequence', type: 'long', doc: 'Its position in the channel, from 1.' },
    {
      name: 'time',
      type: { type: 'long', logicalType: 'timestamp-millis' },
      doc: 'When it was committed to the channel.',
    },
    {
      name: 'state',
      type: { type: 'enum', name: 'EventState', symbols: ['pending', 'prepared', 'acked', 'lost'] },
      doc: 'What had become of it when it was exported.',
    },
    { name: 'headers', type: { type: 'map', values: 'string' } },
    { name: 'body', type: 'bytes' },
  ],
} satisfies avsc.Schema;

/** As a file's header has it. */
export const exportedSchema: string = JSON.stringify(schema);

const type = avsc.Type.forSchema(schema);

/**
 * Writes the event's record into `out` at `at`. Returns where it ends; where there is no room for it, by how many bytes
 * it is too little, as a negative number.
 */
export function encodeExported({ event, timeMs, state }: DumpedEvent, out: Buffer, at: number): number {
  const { sequence, headers, body } = event;
  return type.encode({ sequence, time: timeMs, state, headers, body }, out, at);
}
