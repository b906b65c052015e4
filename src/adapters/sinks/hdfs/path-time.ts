/**
 * The letters of BucketPath that stand for an event's time, and its rounding. Names of days and months are English:
 * Flume takes the JVM's language, so the same configuration makes other paths on another host.
 */
import { fieldsAt, type TimeFields, type TimeZone } from '../../../agent/contracts/java/time-zone.ts';

/** `hdfs.round`, `hdfs.roundValue`, `hdfs.roundUnit`: down to a multiple of `value` within the next larger unit. */
export interface Rounding {
  readonly unit: 'second' | 'minute' | 'hour';
  /** From 1 to 60, or 24 for hours. */
  readonly value: number;
}

/** Which clock on the wall an event's time is read from. */
export interface WallClock {
  readonly zone: TimeZone;
  readonly round: Rounding | undefined;
}

/** What a letter is made of: the fields of the rounded time, that time, and the header as it is. */
interface Moment {
  readonly fields: TimeFields;
  readonly ms: number;
  readonly text: string;
}

const secondMs = 1000;
const minuteMs = 60 * secondMs;
const days = ['Sunday', 'Monday', 'Tuesday', 'Wednesday', 'Thursday', 'Friday', 'Saturday'];
const months = [
  'January',
  'February',
  'March',
  'April',
  'May',
  'June',
  'July',
  'August',
  'September',
  'October',
  'November',
  'December',
];

/** By letter; behind each the pattern of SimpleDateFormat that Flume gives it, where it is one. */
const formats: Readonly<Record<string, (moment: Moment) => string>> = {
  a: ({ fields }) => day(fields).slice(0, 3), // EEE
  A: ({ fields }) => day(fields), // EEEE
  b: ({ fields }) => month(fields).slice(0, 3), // MMM
  B: ({ fields }) => month(fields), // MMMM
  c: ({ fields }) => dateAndTime(fields), // EEE MMM d HH:mm:ss yyyy
  d: ({ fields }) => pad(fields.day), // dd
  D: ({ fields }) => `${pad(fields.month)}/${pad(fields.day)}/${pad(fields.year % 100)}`, // MM/dd/yy
  e: ({ fields }) => `${fields.day}`, // d
  H: ({ fields }) => pad(fields.hour), // HH
  I: ({ fields }) => pad(hourOfTwelve(fields)), // hh
  j: ({ fields }) => `${fields.dayOfYear}`.padStart(3, '0'), // DDD
  k: ({ fields }) => `${fields.hour}`, // H
  l: ({ fields }) => `${hourOfTwelve(fields)}`, // h
  m: ({ fields }) => pad(fields.month), // MM
  M: ({ fields }) => pad(fields.minute), // mm
  n: ({ fields }) => `${fields.month}`, // M
  p: ({ fields }) => (fields.hour < 12 ? 'AM' : 'PM'), // a
  s: ({ ms }) => `${Math.trunc(ms / 1000)}`,
  S: ({ fields }) => pad(fields.second), // ss
  t: ({ text }) => text,
  y: ({ fields }) => pad(fields.year % 100), // yy
  Y: ({ fields }) => year(fields), // yyyy
  z: ({ fields }) => offset(fields.offsetMinutes), // ZZZ
};

/** Whether a letter stands for the time. */
export function isTimeLetter(letter: string): boolean {
  return Object.hasOwn(formats, letter);
}

/** Makes the texts of letters at one time: `text` is the header that says `ms`. */
export function momentAt({ zone, round }: WallClock, ms: number, text: string): (letter: string) => string {
  const rounded = round === undefined ? ms : roundDown(zone, ms, round);
  const moment: Moment = { fields: fieldsAt(zone, rounded), ms: rounded, text };
  return (letter) => formats[letter]?.(moment) ?? '';
}

/**
 * As Java's Calendar sets fields of the wall clock: the offset that counts is the one at the time set, a time that a
 * change of the clock leaves out is as much later, and of a time that comes twice it is the second.
 */
function roundDown(zone: TimeZone, ms: number, { unit, value }: Rounding): number {
  const { hour, minute, second, offsetMinutes } = fieldsAt(zone, ms);
  const offsetAt = (atMs: number): number => fieldsAt(zone, atMs).offsetMinutes * minuteMs;
  let backMs = ms - Math.floor(ms / secondMs) * secondMs;
  if (unit === 'second') backMs += (second % value) * secondMs;
  else {
    backMs += second * secondMs;
    backMs += unit === 'minute' ? (minute % value) * minuteMs : (minute + (hour % value) * 60) * minuteMs;
  }
  const before = ms - backMs;
  const rounded = before + offsetMinutes * minuteMs - offsetAt(before);
  const laterOffsetMs = offsetAt(rounded + 60 * minuteMs);
  const again = rounded + offsetAt(rounded) - laterOffsetMs;
  return again > rounded && offsetAt(again) === laterOffsetMs ? again : rounded;
}

function day({ weekday }: TimeFields): string {
  return days[weekday] ?? '';
}

function month(fields: TimeFields): string {
  return months[fields.month - 1] ?? '';
}

function year(fields: TimeFields): string {
  return `${fields.year}`.padStart(4, '0');
}

function dateAndTime(fields: TimeFields): string {
  const time = `${pad(fields.hour)}:${pad(fields.minute)}:${pad(fields.second)}`;
  return `${day(fields).slice(0, 3)} ${month(fields).slice(0, 3)} ${fields.day} ${time} ${year(fields)}`;
}

function hourOfTwelve({ hour }: TimeFields): number {
  return hour % 12 === 0 ? 12 : hour % 12;
}

/** RFC 822's: `+0530`. */
function offset(minutes: number): string {
  const size = Math.abs(minutes);
  return `${minutes < 0 ? '-' : '+'}${pad(Math.floor(size / 60))}${pad(Math.floor(size % 60))}`;
}

function pad(value: number): string {
  return `${value}`.padStart(2, '0');
}
