/** What events weigh against capacityBytes and transactionBytesMax: bodies, header names and values, in UTF-8. */
import { headerBytesMax } from '../codec/validate-event.ts';
import type { Event, Headers } from '../event/event.ts';

/** The weight of valid events. Headers of neighbours that are one object are weighed once. */
export function eventsBytes(events: readonly Event[]): number {
  let bytes = 0;
  let headers: Headers | undefined;
  let headerBytes = 0;
  for (const event of events) {
    if (event.headers !== headers) {
      headers = event.headers;
      headerBytes = headersBytes(headers);
    }
    bytes += event.body.length + headerBytes;
  }
  return bytes;
}

/** Whether valid events are over `bytesMax`: the weight then, else undefined. Weighs headers only where they matter. */
export function bytesOver(events: readonly Event[], bytesMax: number): number | undefined {
  let bodyBytes = 0;
  for (const event of events) bodyBytes += event.body.length;
  if (bodyBytes + events.length * headerBytesMax <= bytesMax) return undefined;
  const bytes = eventsBytes(events);
  return bytes > bytesMax ? bytes : undefined;
}

/** The weight of valid headers. */
export function headersBytes(headers: Headers): number {
  let bytes = 0;
  for (const name of Object.keys(headers)) {
    bytes += Buffer.byteLength(name) + Buffer.byteLength(headers[name] ?? '');
  }
  return bytes;
}
