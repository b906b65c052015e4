/**
 * An event as Flume's logger sink shows it: EventHelper.dumpEvent over HexDump of commons-io.
 *
 *     { headers:{k=v} body: 48 65 6C 6C 6F                                  Hello }
 *
 * 16 bytes a line; the first line's offset is left out, further lines keep theirs.
 */
import type { Event } from '../../../engine.ts';

const lineBytes = 16;

/** `{ headers:{…} body:… }` with at most `bytesMax` bytes of the body. */
export function dumpEvent({ headers, body }: Event, bytesMax: number): string {
  const pairs = Object.entries(headers).map(([name, value]) => `${name}=${value}`);
  const shown = body.subarray(0, bytesMax);
  const lines: string[] = [];
  for (let at = 0; at < shown.length; at += lineBytes) {
    const offset = at === 0 ? '' : at.toString(16).toUpperCase().padStart(8, '0');
    lines.push(`${offset} ${dumpLine(shown.subarray(at, at + lineBytes))}`);
  }
  return `{ headers:{${pairs.join(', ')}} body:${lines.join('\n')} }`;
}

function dumpLine(bytes: Uint8Array): string {
  let hex = '';
  let ascii = '';
  for (const byte of bytes) {
    hex += `${byte.toString(16).toUpperCase().padStart(2, '0')} `;
    ascii += byte >= 0x20 && byte < 0x7f ? String.fromCharCode(byte) : '.';
  }
  return hex.padEnd(lineBytes * 3) + ascii;
}
