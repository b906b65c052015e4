/** The character classes that Java has names for, `\d` to `\p{javaLowerCase}`, as code points. */
import { type CodePoints, codePointsOf, complement, union } from './code-points.ts';

const digit = codePointsOf([0x30, 0x39]);
const upper = codePointsOf([0x41, 0x5a]);
const lower = codePointsOf([0x61, 0x7a]);
const alpha = union(upper, lower);
const punctuation = codePointsOf([0x21, 0x2f], [0x3a, 0x40], [0x5b, 0x60], [0x7b, 0x7e]);
const space = codePointsOf([0x09, 0x0d], [0x20, 0x20]);

/** `\d`, `\h`, `\s`, `\v`, `\w` of Java without flags: ASCII but for `\h` and `\v`. The capital is the complement. */
export const classEscapes: Readonly<Record<string, CodePoints>> = {
  d: digit,
  s: space,
  w: union(alpha, digit, [0x5f, 0x5f]),
  h: codePointsOf(
    [0x09, 0x09],
    [0x20, 0x20],
    [0xa0, 0xa0],
    [0x1680, 0x1680],
    [0x180e, 0x180e],
    [0x2000, 0x200a],
    [0x202f, 0x202f],
    [0x205f, 0x205f],
    [0x3000, 0x3000],
  ),
  v: codePointsOf([0x0a, 0x0d], [0x85, 0x85], [0x2028, 0x2029]),
};

/** What ends a line for `.`, `^` and `$`, besides `\r\n`. */
export const lineTerminators: CodePoints = codePointsOf([0x0a, 0x0a], [0x0d, 0x0d], [0x85, 0x85], [0x2028, 0x2029]);

const posix: Readonly<Record<string, CodePoints>> = {
  Lower: lower,
  Upper: upper,
  ASCII: codePointsOf([0, 0x7f]),
  Alpha: alpha,
  Digit: digit,
  Alnum: union(alpha, digit),
  Punct: punctuation,
  Graph: union(alpha, digit, punctuation),
  Print: codePointsOf([0x20, 0x7e]),
  Blank: codePointsOf([0x09, 0x09], [0x20, 0x20]),
  Cntrl: codePointsOf([0, 0x1f], [0x7f, 0x7f]),
  XDigit: codePointsOf([0x30, 0x39], [0x41, 0x46], [0x61, 0x66]),
  Space: space,
  L1: codePointsOf([0, 0xff]),
  all: codePointsOf([0, 0x10_ffff]),
};

/** Java's name to what JavaScript calls the same, inside of `[…]`. */
const javaMethods: Readonly<Record<string, string>> = {
  javaLowerCase: '\\p{Lowercase}',
  javaUpperCase: '\\p{Uppercase}',
  javaAlphabetic: '\\p{Alphabetic}',
  javaIdeographic: '\\p{Ideographic}',
  javaTitleCase: '\\p{Lt}',
  javaDigit: '\\p{Nd}',
  javaDefined: '\\P{Cn}',
  javaLetter: '\\p{L}',
  javaLetterOrDigit: '\\p{L}\\p{Nd}',
  javaSpaceChar: '\\p{Z}',
  javaISOControl: '\\u0000-\\u001f\\u007f-\\u009f',
};

/** Binary properties, after `Is`, in capitals without the low line. */
const binaryProperties: Readonly<Record<string, string>> = {
  ALPHABETIC: '\\p{Alphabetic}',
  IDEOGRAPHIC: '\\p{Ideographic}',
  LETTER: '\\p{L}',
  LOWERCASE: '\\p{Lowercase}',
  UPPERCASE: '\\p{Uppercase}',
  TITLECASE: '\\p{Lt}',
  PUNCTUATION: '\\p{P}',
  CONTROL: '\\p{Cc}',
  WHITE_SPACE: '\\p{White_Space}',
  DIGIT: '\\p{Nd}',
  JOIN_CONTROL: '\\p{Join_Control}',
  ASSIGNED: '\\P{Cn}',
};

const categories = /^(?:L[ultmo]?|M[nec]?|N[dlo]?|Z[slp]?|C[cfosn]?|P[dsecifo]?|S[mcko]?)$/;

/** Character sets that were computed, by their text between `[` and `]`. */
const computed = new Map<string, CodePoints>();

/** Asks JavaScript about every code point, once for each class. Throws where it does not know the class. */
function computeSet(inside: string): CodePoints {
  const known = computed.get(inside);
  if (known !== undefined) return known;
  const pattern = new RegExp(`[${inside}]`, 'u');
  const ranges: [number, number][] = [];
  for (let codePoint = 0; codePoint <= 0x10_ffff; codePoint += 1) {
    if (!pattern.test(String.fromCodePoint(codePoint))) continue;
    const end = ranges[ranges.length - 1];
    if (end !== undefined && end[1] === codePoint - 1) end[1] = codePoint;
    else ranges.push([codePoint, codePoint]);
  }
  const set = codePointsOf(...ranges);
  computed.set(inside, set);
  return set;
}

/** Letters, digits, marks: what Java's `\b` asks about. The text stands between `[` and `]` of JavaScript. */
export const wordBoundaryLetters = '\\p{L}\\p{Nd}';

/** A general category, `L`, `Lu` or `LC`; undefined where it is none. */
function categorySet(name: string): CodePoints | undefined {
  if (name === 'LC') return computeSet('\\p{Lu}\\p{Ll}\\p{Lt}');
  if (name === 'LD') return computeSet('\\p{L}\\p{Nd}');
  return categories.test(name) ? computeSet(`\\p{${name}}`) : undefined;
}

/** Java takes a script's name in any case of letters: `Latin`, `OLD_ITALIC`. */
function scriptSet(name: string): CodePoints | undefined {
  if (!/^\w+$/.test(name)) return undefined;
  const proper = name.toLowerCase().replace(/(?<![a-z])[a-z]/g, (letter) => letter.toUpperCase());
  try {
    return computeSet(`\\p{Script=${proper}}`);
  } catch {
    return undefined;
  }
}

/** What `\p{name}` matches, or undefined: a name that Java does not know either, or one that we do not translate. */
export function propertySet(name: string): CodePoints | undefined {
  const assigned = /^(\w+)=(.*)$/.exec(name);
  if (assigned !== null) {
    const [, key = '', value = ''] = assigned;
    if (/^(?:sc|script)$/i.test(key)) return scriptSet(value);
    return /^(?:gc|general_category)$/i.test(key) ? categorySet(value) : undefined;
  }
  if (Object.hasOwn(posix, name)) return posix[name];
  if (Object.hasOwn(javaMethods, name)) return computeSet(javaMethods[name] ?? '');
  if (name === 'javaWhitespace') {
    const spaces = computeSet('\\p{Z}\\t-\\r\\u001c-\\u001f');
    return complement(union(complement(spaces), [0xa0, 0xa0], [0x2007, 0x2007], [0x202f, 0x202f]));
  }
  if (!name.startsWith('Is')) return categorySet(name);
  const rest = name.slice(2);
  const binary = binaryProperties[rest.toUpperCase()];
  return binary === undefined ? (categorySet(rest) ?? scriptSet(rest)) : computeSet(binary);
}
