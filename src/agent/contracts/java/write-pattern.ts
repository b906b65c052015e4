/**
 * Writes a pattern's tree for an engine: JavaScript's RegExp (flag `u` only) or RE2. What an engine does otherwise than
 * Java is refused for that engine: nothing is written that means something else.
 */
import { wordBoundaryLetters } from './character-properties.ts';
import { type CodePoints, complement, rangesOf } from './code-points.ts';
import {
  type Assertion,
  descendants,
  lengthsOf,
  type PatternNode,
  PatternRefused,
  type RepeatNode,
} from './pattern-tree.ts';

const lastCodePoint = 0x10_ffff;

/** A pattern for RegExp. `groupIndexes` are those of the Java groups, in order, 0 for the whole first. */
export interface JavaScriptPattern {
  readonly source: string;
  readonly groupIndexes: readonly number[];
}

/** What `find` and `matches` need of RE2. The end of a text decides about `$`, so there are two for `find`. */
export interface Re2Sources {
  /** For a text that does not end in `\r\n`. */
  readonly find: string;
  /** For a text that does. */
  readonly findCrLf: string;
  readonly matches: string;
  /** Whether an empty group behind the last one marks where the match ends. */
  readonly hasEndMark: boolean;
}

const letters = `[_${wordBoundaryLetters}]`;
/** A mark belongs to the letter or digit before it, over other marks: Java 8 to 18, with or without the flag U. */
const marked = `[${wordBoundaryLetters}]\\p{Mn}+`;
const wordBefore = `${letters}|${marked}`;
const wordAfter = `${letters}|\\p{Mn}(?<=${marked})`;

const javaScriptAssertions: Readonly<Record<Assertion, string>> = {
  start: '^',
  end: '$',
  lineStart: '(?:(?!$)(?:^|(?<=\\n|\\r(?!\\n)|[\\x85\\u2028\\u2029])))',
  unixLineStart: '(?:(?!$)(?:^|(?<=\\n)))',
  beforeLastTerminator: '(?:$|(?=\\r\\n$|(?<!\\r)\\n$|[\\r\\x85\\u2028\\u2029]$))',
  unixBeforeLastTerminator: '(?:$|(?=\\n$))',
  lineEnd: '(?:$|(?=(?<!\\r)\\n|[\\r\\x85\\u2028\\u2029]))',
  unixLineEnd: '(?:$|(?=\\n))',
  wordBoundary: `(?:(?<=${wordBefore})(?!${wordAfter})|(?<!${wordBefore})(?=${wordAfter}))`,
  noWordBoundary: `(?:(?<=${wordBefore})(?=${wordAfter})|(?<!${wordBefore})(?!${wordAfter}))`,
};

function writeClass(set: CodePoints, writeOne: (codePoint: number) => string): string {
  const isInverse = set[set.length - 1] === lastCodePoint;
  const ranges = rangesOf(isInverse ? complement(set) : set);
  const text = ranges.map(([first, last]) => writeOne(first) + (last > first ? `-${writeOne(last)}` : '')).join('');
  const [only] = ranges;
  const isOne = !isInverse && ranges.length === 1 && only !== undefined && only[0] === only[1];
  return isOne ? text : `[${isInverse ? '^' : ''}${text}]`;
}

function isPlain(codePoint: number): boolean {
  return /[A-Za-z0-9 "'_:;=<>,%@]/.test(String.fromCodePoint(codePoint)) && codePoint < 0x80;
}

function countText({ min, max, isLazy }: RepeatNode): string {
  const lazy = isLazy ? '?' : '';
  if (max === Number.POSITIVE_INFINITY) return (min === 0 ? '*' : min === 1 ? '+' : `{${min},}`) + lazy;
  if (max === 1 && min === 0) return `?${lazy}`;
  return (min === max ? `{${min}}` : `{${min},${max}}`) + lazy;
}

/** The groups that surely have matched behind the node, where those of `before` had. */
function certainGroups(node: PatternNode, before: ReadonlySet<number>): ReadonlySet<number> {
  switch (node.kind) {
    case 'sequence':
      return node.nodes.reduce((known, one) => certainGroups(one, known), before);
    case 'choice': {
      const [first = before, ...others] = node.nodes.map((one) => certainGroups(one, before));
      return new Set([...first].filter((number) => others.every((other) => other.has(number))));
    }
    case 'group':
      return new Set([...certainGroups(node.node, before), node.number]);
    case 'atomic':
      return certainGroups(node.node, before);
    case 'repeat': {
      const inside = certainGroups(node.node, before);
      return node.min > 0 ? inside : before;
    }
    case 'look': {
      const inside = certainGroups(node.node, before);
      return node.isNegative ? before : inside;
    }
    case 'reference':
      // In Java a reference to a group that has not matched fails; in JavaScript it matches.
      if (before.has(node.number)) return before;
      throw new PatternRefused(
        node.index,
        `group ${node.number} may not have matched here: such a reference is not supported`,
      );
    default:
      return before;
  }
}

/** JavaScript forgets groups and rejects empty rounds where a loop goes round again, Java does not. */
function checkLoop(node: RepeatNode): void {
  if (node.max <= 1) return;
  if (lengthsOf(node.node).min === 0) {
    throw new PatternRefused(node.index, 'what is repeated can match nothing: such a loop is not supported');
  }
  checkKept(node.node, node.index, 'in a loop that may go round without it');
}

function checkKept(node: PatternNode, index: number, where: string): void {
  const certain = certainGroups(node, new Set(groupsIn(node, 'reference')));
  const lost = groupsIn(node, 'group').find((number) => !certain.has(number));
  if (lost !== undefined) throw new PatternRefused(index, `group ${lost} is ${where}: not supported, use (?:…)`);
}

function groupsIn(node: PatternNode, kind: 'group' | 'reference'): number[] {
  return [...descendants(node)].flatMap((one) => (one.kind === kind && 'number' in one ? [one.number] : []));
}

/** Writes for JavaScript. Throws PatternRefused. */
export function writeJavaScript(tree: { readonly node: PatternNode; readonly groupCount: number }): JavaScriptPattern {
  certainGroups(tree.node, new Set());
  const groupIndexes = [0];
  let groups = 0;
  const write = (node: PatternNode): string => {
    switch (node.kind) {
      case 'set':
        return writeClass(node.set, (one) => (isPlain(one) ? String.fromCodePoint(one) : `\\u{${one.toString(16)}}`));
      case 'sequence':
        return node.nodes.map(writePart).join('');
      case 'choice':
        return node.nodes.map(write).join('|');
      case 'group': {
        groups += 1;
        groupIndexes[node.number] = groups;
        return `(${write(node.node)})`;
      }
      case 'repeat':
        return writeRepeat(node);
      case 'look':
        if (node.isNegative && groupsIn(node.node, 'group').length > 0) {
          throw new PatternRefused(node.index, 'a capturing group in a negative look: use (?:…)');
        }
        return `(?${node.isAhead ? '' : '<'}${node.isNegative ? '!' : '='}${write(node.node)})`;
      case 'atomic': {
        groups += 1;
        const own = groups;
        return `(?:(?=(${write(node.node)}))\\${own})`;
      }
      case 'reference':
        return `(?:\\${groupIndexes[node.number] ?? 0})`;
      case 'assertion':
        return javaScriptAssertions[node.assertion];
    }
  };
  const writePart = (node: PatternNode): string => {
    const isLoose = node.kind === 'choice' || node.kind === 'sequence';
    return isLoose ? `(?:${write(node)})` : write(node);
  };
  const writeRepeat = (node: RepeatNode): string => {
    checkLoop(node);
    const inner = write(node.node);
    const isEmptyable = lengthsOf(node.node).min === 0 && node.min === 0 && node.max === 1;
    // JavaScript's ? rejects an empty match, Java's takes it.
    if (isEmptyable) return node.isLazy ? `(?:|${inner})` : `(?:${inner}|)`;
    const needsNone = node.node.kind === 'set' || node.node.kind === 'group' || node.node.kind === 'atomic';
    return (needsNone ? inner : `(?:${inner})`) + countText(node);
  };
  return { source: write(tree.node), groupIndexes };
}

/** Writes for RE2, which knows no look, reference or atomic group. Throws PatternRefused. */
export function writeRe2({ node: tree }: { readonly node: PatternNode }): Re2Sources {
  const parts = tree.kind === 'sequence' ? tree.nodes : [tree];
  const last = parts[parts.length - 1];
  const hasEndMark = last?.kind === 'assertion' && last.assertion === 'beforeLastTerminator';
  const body = (hasEndMark ? parts.slice(0, -1) : parts).map(writeRe2Part).join('');
  if (!hasEndMark) return { find: body, findCrLf: body, matches: `\\A(?:${body})\\z`, hasEndMark };
  return {
    find: `${body}()(?:[\\n\\r\\x{85}\\x{2028}\\x{2029}]?\\z)`,
    findCrLf: `${body}()(?:(?:\\r\\n)?\\z)`,
    matches: `\\A(?:${body})\\z`,
    hasEndMark,
  };
}

function writeRe2Part(node: PatternNode): string {
  switch (node.kind) {
    case 'set':
      if (node.set.length === 0) return '[^\\x{0}-\\x{10FFFF}]';
      return node.set[0] === 0 && node.set[1] === lastCodePoint ? '(?s:.)' : writeClass(node.set, writeRe2One);
    case 'sequence':
      return `(?:${node.nodes.map(writeRe2Part).join('')})`;
    case 'choice':
      return `(?:${node.nodes.map(writeRe2Part).join('|')})`;
    case 'group':
      return `(${writeRe2Part(node.node)})`;
    case 'repeat':
      if (node.max > 1 && lengthsOf(node.node).min === 0) {
        throw new PatternRefused(node.index, 'what is repeated can match nothing: such a loop is not supported');
      }
      return `(?:${writeRe2Part(node.node)})${countText(node)}`;
    case 'assertion':
      if (node.assertion === 'start') return '\\A';
      if (node.assertion === 'end') return '\\z';
      throw new PatternRefused(node.index, 'RE2 does not know this');
    default:
      throw new PatternRefused(node.index, 'RE2 does not know this');
  }
}

function writeRe2One(codePoint: number): string {
  return isPlain(codePoint) ? String.fromCodePoint(codePoint) : `\\x{${codePoint.toString(16)}}`;
}
