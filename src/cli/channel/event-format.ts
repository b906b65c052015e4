/** One event as `dump` and `tail` print it. The JSON shape is `forebay channel dump --help`'s, and stays as it is. */
import { isUtf8 } from 'node:buffer';
import type { DumpedEvent } from '../../channel/reader/dump.ts';
import { inert } from './verb.ts';

/** `raw`: the body and a newline, whatever is in it. */
export type EventFormat = 'ndjson' | 'text' | 'raw';

const newline: Buffer = Buffer.from('\n');

/** With the end of its line. Aliases the event's bytes. */
export function formatEvent(dumped: DumpedEvent, format: EventFormat): readonly (string | Uint8Array)[] {
  if (format === 'raw') return [dumped.event.body, newline];
  return [format === 'ndjson' ? `${jsonOf(dumped)}\n` : `${textOf(dumped)}\n`];
}

let last = { timeMs: 0, text: new Date(0).toISOString() };

/** The events of a transaction have one time. */
function isoTime(timeMs: number): string {
  if (timeMs !== last.timeMs) last = { timeMs, text: new Date(timeMs).toISOString() };
  return last.text;
}

function jsonOf({ event, timeMs, state }: DumpedEvent): string {
  const { sequence, headers, body } = event;
  const bytes = Buffer.from(body.buffer, body.byteOffset, body.length);
  const encoding = isUtf8(bytes) ? 'utf8' : 'base64';
  const time = isoTime(timeMs);
  return JSON.stringify({ sequence, time, state, headers, body: bytes.toString(encoding), encoding });
}

function textOf({ event, timeMs, state }: DumpedEvent): string {
  const { sequence, headers, body } = event;
  const pairs = Object.entries(headers).map(([name, value]) => `${inert(name)}=${inert(value)}`);
  const text = Buffer.from(body.buffer, body.byteOffset, body.length).toString();
  return `${sequence} ${isoTime(timeMs)} ${state} {${pairs.join(', ')}} ${inert(text)}`;
}
