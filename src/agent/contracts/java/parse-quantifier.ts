/** How often a part of a pattern repeats, and what may stand in a look behind. */
import { classEscapes } from './character-properties.ts';
import type { PatternCursor } from './pattern-cursor.ts';
import { descendants, lengthsOf, type PatternNode, PatternRefused } from './pattern-tree.ts';

const countMax = 0x7fff_ffff;

/** `\R`: one line break, `\r\n` first. */
export const lineBreak: PatternNode = {
  kind: 'choice',
  nodes: [
    {
      kind: 'sequence',
      nodes: [
        { kind: 'set', set: [0x0d, 0x0d] },
        { kind: 'set', set: [0x0a, 0x0a] },
      ],
    },
    { kind: 'set', set: classEscapes['v'] ?? [] },
  ],
};

/** What is repeated: `\R` with a quantifier never gives half of `\r\n` back; in a loop of more it depends in Java. */
export function repeatedBreak(node: PatternNode, max: number, index: number): PatternNode {
  if (node === lineBreak) return { kind: 'atomic', node, index };
  const hasBreak = max > 1 && [...descendants(node)].includes(lineBreak);
  if (hasBreak) throw new PatternRefused(index, '\\R in a group that repeats is not supported: write \\n');
  return node;
}

/** Reads `*`, `+`, `?` or `{n,m}`; undefined where none stands here. */
export function parseCounts(cursor: PatternCursor): { readonly min: number; readonly max: number } | undefined {
  const index = cursor.index;
  if (cursor.takes('*')) return { min: 0, max: Number.POSITIVE_INFINITY };
  if (cursor.takes('+')) return { min: 1, max: Number.POSITIVE_INFINITY };
  if (cursor.takes('?')) return { min: 0, max: 1 };
  if (!cursor.takes('{')) return undefined;
  const least = cursor.takeWhile(/^\d$/);
  const hasMore = cursor.takes(',');
  const most = hasMore ? cursor.takeWhile(/^\d$/) : least;
  const min = Number(least);
  const max = most === '' ? Number.POSITIVE_INFINITY : Number(most);
  const isRange = least !== '' && cursor.takes('}') && min <= max && min <= countMax;
  if (isRange && (max <= countMax || most === '')) return { min, max };
  throw new PatternRefused(index, 'a quantifier in braces is {n}, {n,} or {n,m}, n not above m; a brace itself is \\{');
}

/** Java asks for a length that it can see. What JavaScript would do backwards in another order is not translated. */
export function checkBehind(node: PatternNode, index: number): void {
  if (lengthsOf(node).max === Number.POSITIVE_INFINITY) {
    throw new PatternRefused(index, 'a look behind needs a greatest length: use {0,n} in place of * and +');
  }
  for (const { kind } of descendants(node)) {
    if (kind === 'group') throw new PatternRefused(index, 'a capturing group in a look behind: use (?:…)');
    if (kind === 'atomic') throw new PatternRefused(index, 'a possessive or atomic part in a look behind');
  }
}
