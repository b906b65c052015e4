/** What a Java pattern says, as a tree: parse-pattern.ts makes it, backtracking.ts checks, write-pattern.ts writes. */
import type { CodePoints } from './code-points.ts';

/** A place where something holds, without taking characters. `Unix` knows `\n` only. */
export type Assertion =
  | 'start'
  | 'end'
  | 'lineStart'
  | 'unixLineStart'
  | 'beforeLastTerminator'
  | 'unixBeforeLastTerminator'
  | 'lineEnd'
  | 'unixLineEnd'
  | 'wordBoundary'
  | 'noWordBoundary';

/** A part of a pattern. `index` is where it begins in the source. */
export type PatternNode =
  | { readonly kind: 'set'; readonly set: CodePoints }
  | { readonly kind: 'sequence'; readonly nodes: readonly PatternNode[] }
  | { readonly kind: 'choice'; readonly nodes: readonly PatternNode[] }
  | RepeatNode
  | { readonly kind: 'group'; readonly node: PatternNode; readonly number: number }
  | LookNode
  | { readonly kind: 'atomic'; readonly node: PatternNode; readonly index: number }
  | { readonly kind: 'reference'; readonly number: number; readonly index: number }
  | { readonly kind: 'assertion'; readonly assertion: Assertion; readonly index: number };

/** `X{min,max}`; `max` may be Infinity. Possessive ones are an atomic node around a greedy one. */
export interface RepeatNode {
  readonly kind: 'repeat';
  readonly node: PatternNode;
  readonly min: number;
  readonly max: number;
  readonly isLazy: boolean;
  readonly index: number;
}

/** `(?=X)`, `(?!X)`, `(?<=X)`, `(?<!X)`. */
interface LookNode {
  readonly kind: 'look';
  readonly node: PatternNode;
  readonly isAhead: boolean;
  readonly isNegative: boolean;
  readonly index: number;
}

/** What a pattern was read as. */
export interface PatternTree {
  readonly node: PatternNode;
  readonly groupCount: number;
  /** Group numbers by name. */
  readonly groupNames: ReadonlyMap<string, number>;
}

/** Why a pattern is refused; `index` counts UTF-16 units of the source, from 0. */
export interface PatternProblem {
  readonly index: number;
  readonly message: string;
}

/** Thrown inside of the translation only: compileJavaPattern returns it as a problem. */
export class PatternRefused extends Error {
  readonly index: number;

  constructor(index: number, message: string) {
    super(message);
    this.index = index;
  }
}

/** The parts directly under a node. */
function childrenOf(node: PatternNode): readonly PatternNode[] {
  if ('nodes' in node) return node.nodes;
  return 'node' in node ? [node.node] : [];
}

/** Every node from this one down, this one first. */
export function* descendants(node: PatternNode): Generator<PatternNode> {
  yield node;
  for (const child of childrenOf(node)) yield* descendants(child);
}

/** The lengths a node can match, in code points. A reference counts as 0 to Infinity. */
export function lengthsOf(node: PatternNode): { readonly min: number; readonly max: number } {
  if (node.kind === 'set') return { min: 1, max: 1 };
  if (node.kind === 'assertion' || node.kind === 'look') return { min: 0, max: 0 };
  if (node.kind === 'reference') return { min: 0, max: Number.POSITIVE_INFINITY };
  const inner = childrenOf(node).map(lengthsOf);
  if (node.kind === 'choice') {
    return { min: Math.min(...inner.map(({ min }) => min)), max: Math.max(...inner.map(({ max }) => max)) };
  }
  const sum = inner.reduce((total, { min, max }) => ({ min: total.min + min, max: total.max + max }), {
    min: 0,
    max: 0,
  });
  if (node.kind !== 'repeat') return sum;
  return { min: sum.min * node.min, max: sum.max === 0 ? 0 : sum.max * node.max };
}
