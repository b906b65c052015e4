/** Joda's date patterns, as the Millis serializer reads dates with them: in English, and in the zone of the agent. */
import { type DateParts, literal, numberLetters, type Reader, readerOf } from './joda-tokens.ts';

/** Ms since 1970 of a date's text; undefined where it is none of this pattern. */
export type DateParser = (text: string) => number | undefined;

/** Where neither year nor anything larger than an hour is written. */
const presetYear = 1970;
/** Where a month or a day is written without a year: a leap year, as in Joda. */
const presetYearOfDates = 2000;

type Token = { readonly text: string } | { readonly letter: string; readonly length: number };

/** Compiles a pattern, or says what of it is not supported. Total. */
export function compileJodaPattern(pattern: string): { readonly parse: DateParser } | { readonly problem: string } {
  const tokens = tokensOf(pattern);
  const readers: Reader[] = [];
  const letters = new Set(tokens.map((token) => ('letter' in token ? token.letter : '')));
  if (letters.has('E') && !letters.has('d'))
    return { problem: "'E' needs a day of the month, 'd', in the same pattern" };
  for (const [index, token] of tokens.entries()) {
    if ('text' in token) {
      readers.push(literal(token.text));
      continue;
    }
    const isBeforeNumber = isNumber(tokens[index + 1]);
    const reader = readerOf({ ...token, isBeforeNumber });
    if (reader === undefined) {
      const run = token.letter.repeat(token.length);
      return {
        problem: `'${run}' is not supported in a date pattern: y, M, d, E, a, H, h, K, k, m, s, S, Z and ZZ are`,
      };
    }
    readers.push(reader);
  }
  return { parse: (text) => parseWith(readers, text) };
}

function parseWith(readers: readonly Reader[], text: string): number | undefined {
  const parts: DateParts = {};
  let at = 0;
  for (const read of readers) {
    const end = read(text, at, parts);
    if (end === undefined) return undefined;
    at = end;
  }
  return at === text.length ? timeOf(parts) : undefined;
}

function isNumber(token: Token | undefined): boolean {
  if (token === undefined || 'text' in token) return false;
  return numberLetters.includes(token.letter) || (token.letter === 'M' && token.length <= 2);
}

/** Letters are read, everything else stands for itself, as does what is in quotes; two quotes are one. */
function tokensOf(pattern: string): readonly Token[] {
  const tokens: Token[] = [];
  for (const [run, quoted] of pattern.matchAll(/([A-Za-z])\1*|''|'(?:[^']|'')*'?|[^A-Za-z']+/g)) {
    if (quoted !== undefined) tokens.push({ letter: quoted, length: run.length });
    else if (run === "''") tokens.push({ text: "'" });
    else if (run.startsWith("'")) tokens.push({ text: run.slice(1).replace(/'$/, '').replaceAll("''", "'") });
    else tokens.push({ text: run });
  }
  return tokens;
}

function timeOf(parts: DateParts): number | undefined {
  const { month = 1, day = 1, weekday, halfDay = 0, halfDayHour, minute = 0, second = 0, millisecond = 0 } = parts;
  const hasDate = [parts.month, parts.day, weekday].some((part) => part !== undefined);
  const year = parts.year ?? (hasDate ? presetYearOfDates : presetYear);
  const hour = parts.hour ?? halfDay * 12 + (halfDayHour ?? 0);
  const date = new Date(0);
  date.setUTCFullYear(year, month - 1, day);
  if (date.getUTCMonth() !== month - 1 || date.getUTCDate() !== day) return undefined;
  // The day of that week: Monday is its first.
  if (weekday !== undefined) date.setUTCDate(day + weekday - (date.getUTCDay() || 7));
  date.setUTCHours(hour, minute, second, millisecond);
  const time = parts.offsetMs === undefined ? localTime(date) : date.getTime() - parts.offsetMs;
  return Number.isNaN(time) ? undefined : time;
}

/** The same date and time of day in the zone of the agent; NaN where its clocks skip it. */
function localTime(utc: Date): number {
  const local = new Date(0);
  local.setFullYear(utc.getUTCFullYear(), utc.getUTCMonth(), utc.getUTCDate());
  local.setHours(utc.getUTCHours(), utc.getUTCMinutes(), utc.getUTCSeconds(), utc.getUTCMilliseconds());
  return local.getHours() === utc.getUTCHours() ? local.getTime() : Number.NaN;
}
