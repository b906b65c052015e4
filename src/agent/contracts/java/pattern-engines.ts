/**
 * The two engines behind a Java pattern. JavaScript's RegExp is some thirty times as fast; re2js, a port of RE2/J,
 * takes time in proportion to the text whatever the pattern. A pattern of polynomial cost runs on RegExp for short
 * texts, where even the worst is bounded, and on re2js for longer ones.
 */
import { RE2JS } from 're2js';
import type { JavaScriptPattern, Re2Sources } from './write-pattern.ts';

/** Where a pattern matches, in UTF-16 units. `groups[0]` is the match; undefined is a group without part in it. */
export interface JavaMatch {
  readonly index: number;
  readonly end: number;
  readonly groups: readonly (string | undefined)[];
}

/** Looks for a pattern. */
export interface PatternEngine {
  /** Each match that begins at `from` or behind, from the left, none overlapping. */
  readonly scan: (text: string) => Iterable<JavaMatch>;
  readonly find: (text: string) => JavaMatch | undefined;
  readonly matches: (text: string) => JavaMatch | undefined;
}

/** Runs on JavaScript's RegExp. */
export function javaScriptEngine({ source, groupIndexes }: JavaScriptPattern): PatternEngine {
  const first = new RegExp(source, 'u');
  const whole = new RegExp(`^(?:${source})$`, 'u');
  const isDirect = groupIndexes.every((groupIndex, number) => groupIndex === number);
  const toMatch = (found: RegExpExecArray | null): JavaMatch | undefined => {
    if (found === null) return undefined;
    const end = found.index + found[0].length;
    if (isDirect && found.length === groupIndexes.length) return { index: found.index, end, groups: found.slice() };
    return { index: found.index, end, groups: groupIndexes.map((groupIndex) => found[groupIndex]) };
  };
  return {
    find: (text) => toMatch(first.exec(text)),
    matches: (text) => toMatch(whole.exec(text)),
    *scan(text) {
      for (const found of text.matchAll(new RegExp(source, 'gu'))) {
        const match = toMatch(found);
        if (match !== undefined) yield match;
      }
    },
  };
}

/** Runs on re2js. Throws where it refuses the pattern, as for counts above 1000. */
export function re2Engine({ find, findCrLf, matches, hasEndMark }: Re2Sources): PatternEngine {
  const first = RE2JS.compile(find);
  const firstCrLf = RE2JS.compile(findCrLf);
  const whole = RE2JS.compile(matches);
  const scan = function* (re2: RE2JS, hasMark: boolean, text: string): Generator<JavaMatch> {
    const matcher = re2.matcher(text);
    const groupCount = re2.groupCount() - (hasMark ? 1 : 0);
    while (matcher.find()) {
      const index = matcher.start();
      const end = hasMark ? matcher.start(groupCount + 1) : matcher.end();
      const groups: (string | undefined)[] = [text.slice(index, end)];
      for (let group = 1; group <= groupCount; group += 1) groups.push(matcher.group(group) ?? undefined);
      yield { index, end, groups };
    }
  };
  const scanFirst = (text: string): Generator<JavaMatch> =>
    scan(text.endsWith('\r\n') ? firstCrLf : first, hasEndMark, text);
  const one = (matched: Generator<JavaMatch>): JavaMatch | undefined => matched.next().value ?? undefined;
  return { find: (text) => one(scanFirst(text)), matches: (text) => one(scan(whole, false, text)), scan: scanFirst };
}

/** `short` up to so many UTF-16 units of text, `long` above. */
export function engineByLength(short: PatternEngine, long: PatternEngine, shortMax: number): PatternEngine {
  const choose = (text: string): PatternEngine => (text.length <= shortMax ? short : long);
  return {
    find: (text) => choose(text).find(text),
    matches: (text) => choose(text).matches(text),
    scan: (text) => choose(text).scan(text),
  };
}

/** Longer texts can overflow the stack on which RegExp keeps the ways that it has not tried. */
const stackTextMax = 1_000_000;

/** `fast`, and where its stack is too small for a text, `linear`; without that it throws an Error with the cure. */
export function engineWithReserve(fast: PatternEngine, linear: () => PatternEngine | undefined): PatternEngine {
  const attempt = (text: string, look: (engine: PatternEngine) => JavaMatch | undefined): JavaMatch | undefined => {
    try {
      return look(fast);
    } catch (error) {
      if (!(error instanceof RangeError)) throw error;
      const reserve = linear();
      if (reserve !== undefined) return look(reserve);
      throw new Error(`a text of ${text.length} characters is too long for this pattern: cut it, by maxLineLength`);
    }
  };
  return {
    find: (text) => attempt(text, (engine) => engine.find(text)),
    matches: (text) => attempt(text, (engine) => engine.matches(text)),
    scan: (text) => (text.length > stackTextMax ? (linear() ?? fast) : fast).scan(text),
  };
}
