/**
 * Java's regular expressions, as Flume's configurations hold them. A pattern is translated so that it matches what
 * java.util.regex matches, or refused with the place: it never means something else, and never hangs the agent.
 *
 * Characters follow Java 17 without flag U: `\w`, `\d`, `\s` are ASCII, `\b` knows all letters. Where Java splits a
 * surrogate pair, by an empty match between its halves, we do not. A group without part in the match is undefined; Java
 * sometimes shows what it held in a try that failed.
 */
import type { KeyType } from '../keys.ts';
import { type BacktrackingCost, backtrackingCost } from './backtracking.ts';
import type { JavaReplacement } from './java-replacement.ts';
import { parsePattern } from './parse-pattern.ts';
import {
  engineByLength,
  engineWithReserve,
  type JavaMatch,
  javaScriptEngine,
  type PatternEngine,
  re2Engine,
} from './pattern-engines.ts';
import {
  descendants,
  type PatternNode,
  type PatternProblem,
  PatternRefused,
  type PatternTree,
} from './pattern-tree.ts';
import { writeJavaScript, writeRe2 } from './write-pattern.ts';

/** A text may take so many steps at most where the other engine can do it too: some tenths of a second. */
const stepsMax = 1e8;
/** What only JavaScript can run is refused above: square is what Java needs for it as well. */
const degreeMax = 2;
/** Longer patterns are no patterns. */
const sourceLengthMax = 10_000;

/** A compiled pattern. */
export class JavaPattern {
  readonly source: string;
  readonly groupCount: number;
  /** Group numbers by name. */
  readonly groupNames: ReadonlyMap<string, number>;
  readonly #engine: PatternEngine;

  constructor(source: string, { groupCount, groupNames }: PatternTree, engine: PatternEngine) {
    this.source = source;
    this.groupCount = groupCount;
    this.groupNames = groupNames;
    this.#engine = engine;
  }

  /** The first match, as Java's find. */
  find(text: string): JavaMatch | undefined {
    return this.#engine.find(text);
  }

  /** The match that takes the whole text, as Java's matches. */
  matches(text: string): JavaMatch | undefined {
    return this.#engine.matches(text);
  }

  /** The text with every match replaced. `replacement` was compiled with this pattern. */
  replaceAll(text: string, replacement: JavaReplacement): string {
    let result = '';
    let done = 0;
    for (const { index, end, groups } of this.#engine.scan(text)) {
      result += text.slice(done, index);
      for (const part of replacement) result += typeof part === 'string' ? part : (groups[part] ?? '');
      done = end;
    }
    return done === 0 && result === '' ? text : result + text.slice(done);
  }
}

/** Compiles a pattern, or says what is wrong with it, or why it is not supported, and where. Total. */
export function compileJavaPattern(
  source: string,
): { readonly pattern: JavaPattern } | { readonly problem: PatternProblem } {
  try {
    if (source.length > sourceLengthMax) throw new PatternRefused(sourceLengthMax, 'the pattern is too long');
    const tree = parsePattern(source);
    return { pattern: new JavaPattern(source, tree, chooseEngine(tree)) };
  } catch (error) {
    if (!(error instanceof PatternRefused)) throw error;
    return { problem: { index: error.index, message: error.message } };
  }
}

function chooseEngine(tree: PatternTree): PatternEngine {
  const written = attempt(() => writeJavaScript(tree));
  const re2 = attempt(() => re2Engine(writeRe2(tree)));
  const linear = re2 instanceof PatternRefused ? undefined : re2;
  if (written instanceof PatternRefused) {
    if (linear !== undefined) return linear;
    throw written;
  }
  const cost = backtrackingCost(tree.node);
  if (cost === 'exponential') {
    if (linear !== undefined) return linear;
    throw tooSlow(tree.node, cost);
  }
  const fast = engineWithReserve(javaScriptEngine(written), () => linear);
  if (cost.degree > 1 && linear !== undefined) return engineByLength(fast, linear, lengthMax(cost.degree));
  if (cost.degree <= degreeMax) return fast;
  throw tooSlow(tree.node, cost);
}

/** The text of which even the worst takes `stepsMax`: there are n^d / d! ways to put d ends into n places. */
function lengthMax(degree: number): number {
  let factorial = 1;
  for (let factor = 2; factor <= degree; factor += 1) factorial *= factor;
  return Math.floor((stepsMax * factorial) ** (1 / degree));
}

/** What came out, or why it was refused; re2js has errors of its own. */
function attempt<Result>(make: () => Result): Result | PatternRefused {
  try {
    return make();
  } catch (error) {
    return error instanceof PatternRefused ? error : new PatternRefused(0, String(error));
  }
}

function tooSlow(node: PatternNode, cost: BacktrackingCost): PatternRefused {
  const time = cost === 'exponential' ? 'for ever' : `time that grows with the length to the power of ${cost.degree}`;
  const loop = [...descendants(node)].find((one) => one.kind === 'repeat' && one.max > 1);
  const index = loop !== undefined && 'index' in loop ? loop.index : 0;
  return new PatternRefused(
    index,
    `some lines could take ${time}: let what is repeated begin and end with characters that its neighbours do not take`,
  );
}

/** A Java pattern. */
export const javaRegex: KeyType<JavaPattern> = {
  name: 'regular expression of Java',
  parse: (text) => {
    const compiled = compileJavaPattern(text);
    if ('pattern' in compiled) return { value: compiled.pattern };
    const { index, message } = compiled.problem;
    return { problem: `'${text}' is not allowed: column ${index + 1} of the pattern: ${message}` };
  },
};
