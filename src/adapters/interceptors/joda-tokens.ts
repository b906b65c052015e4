/** The letters of Joda's date patterns, and what each of them reads. */

/** What a date's text has said so far; each part 0 or 1 based as people write it. */
export interface DateParts {
  year?: number;
  month?: number;
  day?: number;
  /** Monday is 1. */
  weekday?: number;
  hour?: number;
  halfDayHour?: number;
  halfDay?: number;
  minute?: number;
  second?: number;
  millisecond?: number;
  offsetMs?: number;
}

/** Reads at `at`: where it ended, or undefined where the text is something else. */
export type Reader = (text: string, at: number, parts: DateParts) => number | undefined;

/** A run of one letter, and whether digits follow it at once. */
export interface LetterRun {
  readonly letter: string;
  readonly length: number;
  readonly isBeforeNumber: boolean;
}

const months = [
  ...['January', 'February', 'March', 'April', 'May', 'June', 'July'],
  ...['August', 'September', 'October', 'November', 'December'],
];
const weekdays = ['Monday', 'Tuesday', 'Wednesday', 'Thursday', 'Friday', 'Saturday', 'Sunday'];
const yearDigitsMax = 9;
/** As SimpleDateFormat: two digits mean a year from 80 before to 19 after this one. */
const pivotBackYears = 30;
const centuryBackYears = 50;

/** Letters that read digits, apart from M and MM. */
export const numberLetters = 'CxyYdhHmsSeDwkK';

/** The reader of a run; undefined where the letter is not supported. */
export function readerOf({ letter, length, isBeforeNumber }: LetterRun): Reader | undefined {
  switch (letter) {
    case 'y':
    case 'Y':
      if (length === 2) return twoDigitYear(!isBeforeNumber);
      return number('year', { digits: isBeforeNumber ? length : yearDigitsMax, isSigned: letter === 'y' });
    case 'M':
      return length >= 3 ? name('month', months) : number('month', { min: 1, max: 12 });
    case 'd':
      return number('day', { min: 1, max: 31 });
    case 'E':
      return name('weekday', weekdays);
    case 'a':
      return halfDay;
    case 'H':
      return number('hour', { max: 23 });
    case 'k':
      return number('hour', { min: 1, max: 24, modulus: 24 });
    case 'K':
      return number('halfDayHour', { max: 11 });
    case 'h':
      return number('halfDayHour', { min: 1, max: 12, modulus: 12 });
    case 'm':
      return number('minute', { max: 59 });
    case 's':
      return number('second', { max: 59 });
    case 'S':
      return fraction(length);
    case 'Z':
      return length <= 2 ? offset : undefined;
    default:
      return undefined;
  }
}

/** Reads the text itself, in any case of letters. */
export function literal(expected: string): Reader {
  const lower = expected.toLowerCase();
  return (text, at) =>
    text.slice(at, at + expected.length).toLowerCase() === lower ? at + expected.length : undefined;
}

interface NumberRule {
  readonly digits?: number;
  readonly min?: number;
  readonly max?: number;
  readonly modulus?: number;
  readonly isSigned?: boolean;
}

function number(part: keyof DateParts, rule: NumberRule): Reader {
  const { digits = 2, min = 0, max = Number.MAX_SAFE_INTEGER, modulus, isSigned = false } = rule;
  const pattern = new RegExp(`${isSigned ? '[+-]?' : ''}[0-9]{1,${digits}}`, 'y');
  return (text, at, parts) => {
    const found = matchAt(pattern, text, at);
    const value = Number(found);
    if (found === undefined || (value < min && !isSigned) || value > max) return undefined;
    parts[part] = modulus === undefined ? value : value % modulus;
    return at + found.length;
  };
}

function twoDigitYear(isLenient: boolean): Reader {
  const pattern = isLenient ? /[+-]?[0-9]{1,9}/y : /[0-9]{2}/y;
  return (text, at, parts) => {
    const found = matchAt(pattern, text, at);
    if (found === undefined) return undefined;
    const value = Number(found);
    parts.year = value;
    if (/^[0-9]{2}$/.test(found)) {
      const low = new Date().getFullYear() - pivotBackYears - centuryBackYears;
      parts.year = low + ((value - (low % 100) + 100) % 100);
    }
    return at + found.length;
  };
}

/** Short or full, as it is written, or all in small or in capital letters. */
function name(part: 'month' | 'weekday', names: readonly string[]): Reader {
  const numbers = new Map<string, number>();
  names.forEach((full, index) => {
    for (const one of [full, full.slice(0, 3)]) {
      for (const form of [one, one.toLowerCase(), one.toUpperCase()]) numbers.set(form, index + 1);
    }
  });
  const longestFirst = [...numbers].sort(([a], [b]) => b.length - a.length);
  return (text, at, parts) => {
    const found = longestFirst.find(([form]) => text.startsWith(form, at));
    if (found === undefined) return undefined;
    parts[part] = found[1];
    return at + found[0].length;
  };
}

const halfDay: Reader = (text, at, parts) => {
  const found = matchAt(/AM|PM|am|pm/y, text, at);
  if (found === undefined) return undefined;
  parts.halfDay = found.toLowerCase() === 'pm' ? 1 : 0;
  return at + 2;
};

function fraction(digitsMax: number): Reader {
  const pattern = new RegExp(`[0-9]{1,${digitsMax}}`, 'y');
  return (text, at, parts) => {
    const found = matchAt(pattern, text, at);
    if (found === undefined) return undefined;
    parts.millisecond = Number(found.slice(0, 3).padEnd(3, '0'));
    return at + found.length;
  };
}

/** `+0130`, `+01:30`, `+01` or `Z`. */
const offset: Reader = (text, at, parts) => {
  const found = matchAt(/[Zz]|[+-](?:[01][0-9]|2[0-3])(?::?[0-5][0-9](?::?[0-5][0-9])?)?/y, text, at);
  if (found === undefined) return undefined;
  const digits = found.replace(/[^0-9]/g, '').padEnd(6, '0');
  const seconds = Number(digits.slice(0, 2)) * 3600 + Number(digits.slice(2, 4)) * 60 + Number(digits.slice(4, 6));
  parts.offsetMs = (found.startsWith('-') ? -1000 : 1000) * seconds;
  return at + found.length;
};

function matchAt(sticky: RegExp, text: string, at: number): string | undefined {
  sticky.lastIndex = at;
  return sticky.exec(text)?.[0];
}
