/**
 * The automaton of a pattern's positions (Glushkov's): a state for each character class, an edge from one to each that
 * may take the next character. Its paths over a text are the ways in which a backtracking engine can try it.
 */
import { classEscapes } from './character-properties.ts';
import { anyCodePoint, type CodePoints, complement, intersection } from './code-points.ts';
import { lineBreak } from './parse-quantifier.ts';
import type { PatternNode, RepeatNode } from './pattern-tree.ts';

/** An edge: the characters it takes, and in how many ways. */
export interface PositionEdge {
  readonly to: number;
  readonly label: CodePoints;
  ways: number;
}

/** Edges by state. State 0 is where an attempt begins. */
export type PositionAutomaton = readonly (readonly PositionEdge[])[];

interface Part {
  readonly isNullable: boolean;
  readonly first: readonly number[];
  readonly last: readonly number[];
}

const empty: Part = { isNullable: true, first: [], last: [] };
/** Repeats with a greatest count are written out up to so many states, and taken for endless loops above. */
const copiesMax = 48;
/** Larger automata are not looked at: too slow to check. */
const statesMax = 2000;

class Builder {
  readonly edges: PositionEdge[][] = [[]];
  readonly #sets: CodePoints[] = [[]];
  /** What a possessive loop leaves nothing of: the next character is not in it. */
  readonly #taken = new Map<number, CodePoints>();

  get isTooLarge(): boolean {
    return this.#sets.length > statesMax;
  }

  build(node: PatternNode): Part {
    if (this.isTooLarge) return empty;
    switch (node.kind) {
      case 'set':
        return this.#position(node.set);
      case 'sequence':
        return node.nodes.reduce<Part>((before, one) => this.join(before, this.build(one)), empty);
      case 'choice': {
        const parts = node.nodes.map((one) => this.build(one));
        return {
          isNullable: parts.some(({ isNullable }) => isNullable),
          first: parts.flatMap(({ first }) => first),
          last: parts.flatMap(({ last }) => last),
        };
      }
      case 'group':
        return this.build(node.node);
      case 'atomic':
        return this.#atomic(node.node);
      case 'repeat':
        return this.#repeat(node);
      default:
        return empty;
    }
  }

  join(before: Part, after: Part): Part {
    this.#connect(before.last, after.first);
    return {
      isNullable: before.isNullable && after.isNullable,
      first: before.isNullable ? [...before.first, ...after.first] : before.first,
      last: after.isNullable ? [...before.last, ...after.last] : after.last,
    };
  }

  #position(set: CodePoints): Part {
    const position = this.#sets.push(set) - 1;
    this.edges.push([]);
    return { isNullable: false, first: [position], last: [position] };
  }

  #connect(from: readonly number[], to: readonly number[]): void {
    for (const one of from) {
      const edges = this.edges[one] ?? [];
      const taken = this.#taken.get(one);
      for (const other of to) {
        const set = this.#sets[other] ?? [];
        const label = taken === undefined ? set : intersection(set, complement(taken));
        const known = edges.find((edge) => edge.to === other);
        if (known !== undefined && label.length > 0) known.ways += 1;
        else if (label.length > 0) edges.push({ to: other, label, ways: 1 });
      }
    }
  }

  #atomic(node: PatternNode): Part {
    // Never given back in part, so there is one way over the line terminators of a text.
    if (node === lineBreak) return this.#position(classEscapes['v'] ?? []);
    const part = this.build(node);
    const isRun = node.kind === 'repeat' && node.node.kind === 'set' && node.max === Number.POSITIVE_INFINITY;
    if (isRun && node.node.kind === 'set') for (const one of part.last) this.#taken.set(one, node.node.set);
    return part;
  }

  #repeat(node: RepeatNode): Part {
    if (node.max === 0) return empty;
    const isEndless = node.max === Number.POSITIVE_INFINITY;
    const before = this.#sets.length;
    const once = this.build(node.node);
    const size = this.#sets.length - before;
    const copies = isEndless ? node.min : node.max;
    if (isEndless ? copies <= 1 : size * copies > copiesMax) {
      this.#connect(once.last, once.first);
      return node.min === 0 ? { ...once, isNullable: true } : once;
    }
    if (isEndless) {
      const rest = this.build({ ...node, min: 0 });
      return this.join(once, rest);
    }
    return this.#copies(node, once);
  }

  /** `X{2,4}` as `XX(X(X)?)?`, which can be taken in one way only. */
  #copies(node: RepeatNode, once: Part): Part {
    const min = Math.max(0, node.min - 1);
    const isOptional = node.min === 0;
    if (node.max > 1) {
      const rest = this.#repeat({ ...node, min, max: node.max - 1 });
      const all = this.join(once, rest);
      return isOptional ? { ...all, isNullable: true } : all;
    }
    return isOptional ? { ...once, isNullable: true } : once;
  }
}

/** The automaton, with a loop at its beginning where attempts begin anywhere; undefined where it would be too large. */
export function positionAutomaton(node: PatternNode, beginsAnywhere: boolean): PositionAutomaton | undefined {
  const builder = new Builder();
  const start: Part = { isNullable: false, first: [0], last: [0] };
  builder.join(start, builder.build(node));
  if (beginsAnywhere) builder.edges[0]?.push({ to: 0, label: anyCodePoint, ways: 1 });
  return builder.isTooLarge ? undefined : builder.edges;
}
