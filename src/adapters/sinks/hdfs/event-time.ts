/** The time of an event as Flume's sinks take it: the header `timestamp`, milliseconds since 1970 as Java's long. */
import type { Headers } from '../../../engine.ts';

/** Why a header gives no time. */
export type NoTime = 'missing' | 'malformed';

/** Two days less than a JavaScript Date can be from 1970: room for zones and rounding. Java's long goes further. */
const msMax = 8.64e15 - 2 * 86_400_000;
const whole = /^[+-]?\d+$/;

/** The header's time in ms, or why there is none. */
export function timeOf(headers: Headers): number | NoTime {
  const text = Object.hasOwn(headers, 'timestamp') ? headers['timestamp'] : undefined;
  if (text === undefined) return 'missing';
  const ms = Number(text);
  return whole.test(text) && Math.abs(ms) <= msMax ? ms : 'malformed';
}
