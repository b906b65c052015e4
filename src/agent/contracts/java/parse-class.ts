/** Java's character classes, `[a-z&&[^aeiou]]`, read in the very steps that java.util.regex takes. */
import { type CodePoints, codePointsOf, complement, intersection, union } from './code-points.ts';
import { type PatternFlags, parseEscape, withCases } from './parse-escape.ts';
import type { PatternCursor } from './pattern-cursor.ts';
import { PatternRefused } from './pattern-tree.ts';

/** Reads a class whose `[` at `index` is behind us, with its `]`. */
export function parseClass(cursor: PatternCursor, flags: PatternFlags, index: number): CodePoints {
  const isNegated = cursor.takes('^');
  const { set, isMixed } = parseItems(cursor, flags, index);
  cursor.skip();
  if (!isNegated) return set;
  if (isMixed) {
    throw new PatternRefused(index, 'a class with ^ and another class or && in it means other things in Java 8 and 9');
  }
  return complement(set);
}

/** What stands before the `]`, which stays. */
function parseItems(
  cursor: PatternCursor,
  flags: PatternFlags,
  index: number,
): { readonly set: CodePoints; readonly isMixed: boolean } {
  let set: CodePoints | undefined;
  let isMixed = false;
  for (;;) {
    const at = cursor.index;
    if (cursor.isAtEnd) throw new PatternRefused(index, 'a character class that no ] closes');
    if (cursor.peek() === ']' && set !== undefined) return { set, isMixed };
    if (cursor.takes('[')) {
      set = union(set ?? [], parseClass(cursor, flags, at));
      isMixed = true;
    } else if (cursor.takes('&&')) {
      const right = parseRightSide(cursor, flags, index);
      if (right === undefined && set === undefined) throw new PatternRefused(at, '&& without a class beside it');
      if (right === undefined) throw new PatternRefused(at, '&& with nothing behind it');
      set = set === undefined ? right : intersection(set, right);
      isMixed = true;
    } else set = union(set ?? [], parseRange(cursor, flags));
  }
}

/** All up to the `]` or the next `&&`: classes, and behind them whatever is no class as one. */
function parseRightSide(cursor: PatternCursor, flags: PatternFlags, index: number): CodePoints | undefined {
  let right: CodePoints | undefined;
  while (!cursor.isAtEnd && cursor.peek() !== ']' && cursor.peek() !== '&') {
    const at = cursor.index;
    const part = cursor.takes('[') ? parseClass(cursor, flags, at) : parseItems(cursor, flags, index).set;
    right = union(right ?? [], part);
  }
  if (cursor.isAtEnd) throw new PatternRefused(index, 'a character class that no ] closes');
  return right;
}

function parseOne(cursor: PatternCursor, flags: PatternFlags): { codePoint: number } | { set: CodePoints } {
  const index = cursor.index;
  if (cursor.takes('\\')) return parseEscape(cursor, flags, index);
  const isBlank = cursor.peek() !== '' && /[\s#]/.test(cursor.peek());
  if (flags.has('x') && isBlank) throw new PatternRefused(index, 'escape a blank or # in a class under (?x)');
  const { codePoint } = cursor.take('a character class that no ] closes');
  return { codePoint };
}

function parseRange(cursor: PatternCursor, flags: PatternFlags): CodePoints {
  const index = cursor.index;
  const first = parseOne(cursor, flags);
  if ('set' in first) return first.set;
  const isRange = cursor.peek() === '-' && cursor.peek(1) !== '[' && cursor.peek(1) !== ']';
  if (!isRange) return withCases([first.codePoint, first.codePoint], flags);
  cursor.skip();
  const last = parseOne(cursor, flags);
  if ('set' in last || last.codePoint < first.codePoint) {
    throw new PatternRefused(index, 'a range in a character class that ends before it begins');
  }
  return withCases(codePointsOf([first.codePoint, last.codePoint]), flags);
}
