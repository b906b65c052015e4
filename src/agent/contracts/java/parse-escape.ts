/** The escapes of Java's patterns that stand for characters, inside and outside of classes. */
import { classEscapes, propertySet } from './character-properties.ts';
import { type CodePoints, complement, withAsciiCases, withUnicodeCases } from './code-points.ts';
import type { PatternCursor } from './pattern-cursor.ts';
import { PatternRefused } from './pattern-tree.ts';

/** The inline flags of a pattern by letter, of those that are on. */
export type PatternFlags = ReadonlySet<string>;

/** One character, which the flag `i` is still to be applied to, or a class that is done. */
export type EscapedCharacter = { readonly codePoint: number } | { readonly set: CodePoints };

const controls: Readonly<Record<string, number>> = { t: 9, n: 10, r: 13, f: 12, a: 7, e: 27 };

/** The set with the cases that the flags ask for. */
export function withCases(set: CodePoints, flags: PatternFlags): CodePoints {
  if (!flags.has('i')) return set;
  return flags.has('u') ? withUnicodeCases(set) : withAsciiCases(set);
}

/** Reads what follows a backslash that stood at `index`. */
export function parseEscape(cursor: PatternCursor, flags: PatternFlags, index: number): EscapedCharacter {
  const { codePoint } = cursor.take('a backslash at the end: write \\\\ for one');
  const letter = String.fromCodePoint(codePoint);
  const control = controls[letter];
  if (control !== undefined) return { codePoint: control };
  const set = classEscapes[letter.toLowerCase()];
  if (set !== undefined) return { set: letter === letter.toLowerCase() ? set : complement(set) };
  if (letter === 'p' || letter === 'P') return { set: parseProperty(cursor, flags, index, letter === 'P') };
  if (letter === 'x') return { codePoint: parseHex(cursor, index) };
  if (letter === 'u') return { codePoint: parseUnicode(cursor, index) };
  if (letter === '0') return { codePoint: parseOctal(cursor, index) };
  if (letter === 'c') return { codePoint: cursor.take('\\c needs a character').codePoint ^ 64 };
  if (!/[A-Za-z0-9]/.test(letter)) return { codePoint };
  throw new PatternRefused(index, `the escape \\${letter} is not known here`);
}

function parseProperty(cursor: PatternCursor, flags: PatternFlags, index: number, isNegated: boolean): CodePoints {
  let name = '';
  if (cursor.takes('{')) {
    name = cursor.takeWhile(/[^}]/);
    if (!cursor.takes('}')) throw new PatternRefused(index, 'a character property that no } closes');
  } else name = String.fromCodePoint(cursor.take('\\p needs the name of a property').codePoint);
  const set = propertySet(name);
  if (set === undefined)
    throw new PatternRefused(index, `the character property '${name}' is unknown or not supported`);
  if (withCases(set, flags).length !== set.length || withCases(set, flags).some((one, at) => one !== set[at])) {
    throw new PatternRefused(
      index,
      `\\p{${name}} under (?i) means other things in other versions of Java: use [a-zA-Z]`,
    );
  }
  return isNegated ? complement(set) : set;
}

function parseHex(cursor: PatternCursor, index: number): number {
  const isBraced = cursor.takes('{');
  const digits = cursor.takeWhile(/[0-9A-Fa-f]/, isBraced ? 8 : 2);
  const value = Number.parseInt(digits, 16);
  const isComplete = isBraced ? digits !== '' && cursor.takes('}') && value <= 0x10_ffff : digits.length === 2;
  if (!isComplete) throw new PatternRefused(index, '\\x needs two hexadecimal digits, or {h…h} up to 10FFFF');
  return value;
}

function parseUnicode(cursor: PatternCursor, index: number): number {
  const unit = (): number => {
    const digits = cursor.takeWhile(/[0-9A-Fa-f]/, 4);
    if (digits.length !== 4) throw new PatternRefused(index, '\\u needs four hexadecimal digits');
    return Number.parseInt(digits, 16);
  };
  const first = unit();
  const followed = Array.from({ length: 4 }, (_, at) => cursor.peek(at + 2)).join('');
  const isPair = first >= 0xd800 && first <= 0xdbff && cursor.sees('\\u') && /^[Dd][C-Fc-f]/.test(followed);
  if (!isPair) return first;
  cursor.skip(2);
  return 0x1_0000 + (first - 0xd800) * 0x400 + (unit() - 0xdc00);
}

function parseOctal(cursor: PatternCursor, index: number): number {
  const digits = cursor.takeWhile(/[0-7]/, /[0-3]/.test(cursor.peek()) ? 3 : 2);
  if (digits === '') throw new PatternRefused(index, '\\0 needs an octal digit');
  return Number.parseInt(digits, 8);
}
