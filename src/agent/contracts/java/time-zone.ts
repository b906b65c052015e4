/**
 * Java's names of time zones, and what the clocks of a zone show at a moment. An offset is asked from Intl once
 * for a quarter of an hour and remembered: clocks change at the edge of one. Where they did not, it is asked anew.
 */
import type { KeyType } from '../keys.ts';

/** What calendar and clock show. `month`, `day` and `dayOfYear` begin at 1; `weekday` is 0 for Sunday. */
export interface TimeFields {
  readonly year: number;
  readonly month: number;
  readonly day: number;
  readonly hour: number;
  readonly minute: number;
  readonly second: number;
  readonly weekday: number;
  readonly dayOfYear: number;
  /** East of Greenwich is positive. A fraction where the offset has seconds, as all had before time zones. */
  readonly offsetMinutes: number;
}

const minuteMs = 60_000;
const quarterMs = 15 * minuteMs;
const dayMs = 86_400_000;
/** Quarters remembered for times that jump about: about 40 days. */
const quartersMax = 4096;

/** Java's short names that the time zone database does not have, or has with another meaning. */
const shortNames: Readonly<Record<string, string>> = {
  ACT: 'Australia/Darwin',
  AET: 'Australia/Sydney',
  AGT: 'America/Argentina/Buenos_Aires',
  ART: 'Africa/Cairo',
  AST: 'America/Anchorage',
  BET: 'America/Sao_Paulo',
  BST: 'Asia/Dhaka',
  CAT: 'Africa/Harare',
  CNT: 'America/St_Johns',
  CST: 'America/Chicago',
  CTT: 'Asia/Shanghai',
  EAT: 'Africa/Addis_Ababa',
  ECT: 'Europe/Paris',
  IET: 'America/Indiana/Indianapolis',
  IST: 'Asia/Kolkata',
  JST: 'Asia/Tokyo',
  MIT: 'Pacific/Apia',
  NET: 'Asia/Yerevan',
  NST: 'Pacific/Auckland',
  PLT: 'Asia/Karachi',
  PNT: 'America/Phoenix',
  PRT: 'America/Puerto_Rico',
  PST: 'America/Los_Angeles',
  SST: 'Pacific/Guadalcanal',
  VST: 'Asia/Ho_Chi_Minh',
};

const fixedNames: Readonly<Record<string, number>> = { GMT: 0, UTC: 0, EST: -300, MST: -420, HST: -600 };

/** A day, in the proleptic Gregorian calendar. */
interface CalendarDay {
  readonly year: number;
  readonly month: number;
  readonly day: number;
  readonly weekday: number;
  readonly dayOfYear: number;
}

/** A time zone: rules of a place, or a fixed offset. */
export class TimeZone {
  /** As the configuration names it. */
  readonly name: string;
  readonly #formatter: Intl.DateTimeFormat | undefined;
  readonly #offsets = new Map<number, number>();
  #quarter = Number.NaN;
  #offsetMs = 0;
  #dayNumber = Number.NaN;
  #calendarDay: CalendarDay = calendarDay(0);

  /** @param rules The offset in minutes, or how Intl tells the time there. */
  constructor(name: string, rules: number | Intl.DateTimeFormat) {
    this.name = name;
    this.#formatter = typeof rules === 'number' ? undefined : rules;
    if (typeof rules === 'number') this.#offsetMs = rules * minuteMs;
  }

  /** How far the clocks there are before UTC, in ms. */
  offsetMsAt(epochMs: number): number {
    if (this.#formatter === undefined) return this.#offsetMs;
    const quarter = Math.floor(epochMs / quarterMs);
    if (quarter === this.#quarter) return this.#offsetMs;
    const known = this.#offsets.get(quarter);
    const first = known ?? askOffsetMs(this.#formatter, quarter * quarterMs);
    if (known === undefined) {
      const last = askOffsetMs(this.#formatter, (quarter + 1) * quarterMs - 1);
      if (first !== last) return askOffsetMs(this.#formatter, epochMs);
      if (this.#offsets.size >= quartersMax) this.#offsets.clear();
      this.#offsets.set(quarter, first);
    }
    this.#quarter = quarter;
    this.#offsetMs = first;
    return first;
  }

  /** The calendar day, which is that of the last call nearly always. */
  calendarDayOf(dayNumber: number): CalendarDay {
    if (dayNumber !== this.#dayNumber) {
      this.#calendarDay = calendarDay(dayNumber);
      this.#dayNumber = dayNumber;
    }
    return this.#calendarDay;
  }
}

/** What the clocks of `zone` show at `epochMs`, which is a time that Date can hold. */
export function fieldsAt(zone: TimeZone, epochMs: number): TimeFields {
  const offsetMs = zone.offsetMsAt(epochMs);
  const localMs = Math.floor(epochMs) + offsetMs;
  const dayNumber = Math.floor(localMs / dayMs);
  const seconds = Math.floor((localMs - dayNumber * dayMs) / 1000);
  const { year, month, day, weekday, dayOfYear } = zone.calendarDayOf(dayNumber);
  const hour = Math.floor(seconds / 3600);
  const minute = Math.floor(seconds / 60) % 60;
  const offsetMinutes = offsetMs / minuteMs;
  return { year, month, day, hour, minute, second: seconds % 60, weekday, dayOfYear, offsetMinutes };
}

function calendarDay(dayNumber: number): CalendarDay {
  const date = new Date(dayNumber * dayMs);
  const year = date.getUTCFullYear();
  // setUTCFullYear, because Date.UTC takes the years 0 to 99 for those of the twentieth century.
  const firstDay = new Date(0).setUTCFullYear(year, 0, 1) / dayMs;
  return {
    year,
    month: date.getUTCMonth() + 1,
    day: date.getUTCDate(),
    weekday: date.getUTCDay(),
    dayOfYear: dayNumber - firstDay + 1,
  };
}

/** Reads the clocks of a zone, and how far they are before UTC. */
function askOffsetMs(formatter: Intl.DateTimeFormat, epochMs: number): number {
  const parts = new Map(formatter.formatToParts(epochMs).map(({ type, value }) => [type, value]));
  const part = (type: Intl.DateTimeFormatPartTypes): number => Number(parts.get(type));
  const year = parts.get('era') === 'BC' ? 1 - part('year') : part('year');
  const local = new Date(0);
  local.setUTCFullYear(year, part('month') - 1, part('day'));
  local.setUTCHours(part('hour'), part('minute'), part('second'));
  return local.getTime() - Math.floor(epochMs / 1000) * 1000;
}

function formatterOf(timeZone: string): Intl.DateTimeFormat {
  return new Intl.DateTimeFormat('en-US', {
    timeZone,
    calendar: 'gregory',
    numberingSystem: 'latn',
    hourCycle: 'h23',
    era: 'short',
    year: 'numeric',
    month: 'numeric',
    day: 'numeric',
    hour: 'numeric',
    minute: 'numeric',
    second: 'numeric',
  });
}

/** `GMT+8`, `GMT-0330`, `GMT+08:00` in minutes, by Java's rule; undefined for anything else. */
function customOffset(name: string): number | undefined {
  const custom = /^GMT([+-])(?:(\d{1,2})(?::(\d\d))?|(\d{1,2})(\d\d))$/.exec(name);
  if (custom === null) return undefined;
  const [, sign, hours = '0', minutes = '0', packedHours = hours, packedMinutes = minutes] = custom;
  const hour = Number(packedHours);
  const minute = Number(packedMinutes);
  if (hour > 23 || minute > 59) return undefined;
  return (hour * 60 + minute) * (sign === '-' ? -1 : 1);
}

/** A place's name in the database's own case: Java takes no other. */
const placeName = /^[A-Z][\w+-]*(?:\/[A-Z][\w+-]*)*$/;

/** Finds a zone by a name that Java's TimeZone.getTimeZone knows; undefined for others, which Java takes for GMT. */
export function findTimeZone(name: string): TimeZone | undefined {
  const offset = Object.hasOwn(fixedNames, name) ? fixedNames[name] : customOffset(name);
  if (offset !== undefined) return new TimeZone(name, offset);
  const place = Object.hasOwn(shortNames, name) ? (shortNames[name] ?? name) : name;
  if (!placeName.test(place)) return undefined;
  const sameLetters = Intl.supportedValuesOf('timeZone').find((one) => one.toLowerCase() === place.toLowerCase());
  if (sameLetters !== undefined && sameLetters !== place) return undefined;
  try {
    return new TimeZone(name, formatterOf(place));
  } catch {
    return undefined;
  }
}

/** The zone of this machine, or of the environment's TZ. */
export function localTimeZone(): TimeZone {
  const name = Intl.DateTimeFormat().resolvedOptions().timeZone;
  return new TimeZone(name, formatterOf(name));
}

/** A time zone by Java's name. */
export const timeZone: KeyType<TimeZone> = {
  name: 'time zone of Java',
  parse: (text) => {
    const value = findTimeZone(text);
    if (value !== undefined) return { value };
    return {
      problem: `'${text}' is not allowed: a time zone as Asia/Shanghai, GMT+8 or UTC (Java would take it for GMT)`,
    };
  },
};
