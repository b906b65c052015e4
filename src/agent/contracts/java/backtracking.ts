/**
 * How long JavaScript's backtracking RegExp can take for a pattern, at worst: proved, not measured.
 *
 * An engine that backtracks walks the paths of the pattern's automaton over the text. Their number is exponential only
 * where a loop can come back to one of its states in two ways over the same characters. Else it is a polynomial: each
 * loop behind another adds one to the degree, if the characters that both take can also lead from one to the other.
 * Both are decided on the safe side, for all texts, and for attempts that fail in the end.
 */
import { lineTerminators } from './character-properties.ts';
import { anyCodePoint, type CodePoints, intersection, union } from './code-points.ts';
import { type Assertion, descendants, type PatternNode } from './pattern-tree.ts';
import { type PositionAutomaton, type PositionEdge, positionAutomaton } from './position-automaton.ts';
import { strongComponents } from './strong-components.ts';

/** `'exponential'` also where nothing could be proved. Degree 1 is linear in the length of the text. */
export type BacktrackingCost = 'exponential' | { readonly degree: number };

/** Loops of more states are not checked. */
const loopStatesMax = 64;
/** So many ways to go without a loop count as a constant. */
const fixedWaysMax = 4096;

/** The cost of `find`, which tries at every place of the text unless the pattern begins with `^`, and of `matches`. */
export function backtrackingCost(node: PatternNode): BacktrackingCost {
  let lookDegree = 0;
  for (const one of descendants(node)) {
    if (one.kind !== 'look') continue;
    const cost = costOf(one.node, false);
    if (cost === 'exponential') return cost;
    lookDegree = Math.max(lookDegree, cost.degree);
  }
  const hasLoopedReference = [...descendants(node)].some(
    (one) => one.kind === 'repeat' && one.max > 1 && [...descendants(one)].some(({ kind }) => kind === 'reference'),
  );
  if (hasLoopedReference) return 'exponential';
  const whole = costOf(node, false);
  const found = findCost(withoutTail(node));
  if (whole === 'exponential' || found === 'exponential') return 'exponential';
  return { degree: Math.max(1, whole.degree + lookDegree, found.degree + lookDegree) };
}

function findCost(node: PatternNode): BacktrackingCost {
  const beginning = firstAssertion(node);
  if (beginning === 'start') return costOf(node, false);
  if (beginning !== 'lineStart' && beginning !== 'unixLineStart') return costOf(node, true);
  // Attempts begin behind a line terminator only, which most loops do not take.
  const anything: PatternNode = { kind: 'set', set: anyCodePoint };
  const skipped: PatternNode = {
    kind: 'repeat',
    node: anything,
    min: 0,
    max: Number.POSITIVE_INFINITY,
    isLazy: true,
    index: 0,
  };
  const lines: PatternNode = { kind: 'sequence', nodes: [skipped, { kind: 'set', set: lineTerminators }] };
  const optional: PatternNode = { kind: 'repeat', node: lines, min: 0, max: 1, isLazy: true, index: 0 };
  return costOf({ kind: 'sequence', nodes: [optional, node] }, false);
}

/** What has to hold where an attempt begins. */
function firstAssertion(node: PatternNode): Assertion | undefined {
  if (node.kind === 'assertion') return node.assertion;
  if (node.kind === 'sequence') return node.nodes[0] === undefined ? undefined : firstAssertion(node.nodes[0]);
  if (node.kind === 'group' || node.kind === 'atomic') return firstAssertion(node.node);
  if (node.kind !== 'choice') return undefined;
  const [first, ...others] = node.nodes.map(firstAssertion);
  return others.every((other) => other === first) ? first : undefined;
}

/** The pattern without the loop at its end, as in `error.*`: `find` is done when it gets there, nothing can fail. */
function withoutTail(node: PatternNode): PatternNode {
  if (node.kind === 'repeat' && node.node.kind === 'set') return { ...node, max: node.min };
  if (node.kind === 'group') return { ...node, node: withoutTail(node.node) };
  if (node.kind !== 'sequence') return node;
  const last = node.nodes[node.nodes.length - 1];
  return last === undefined ? node : { kind: 'sequence', nodes: [...node.nodes.slice(0, -1), withoutTail(last)] };
}

function costOf(node: PatternNode, beginsAnywhere: boolean): BacktrackingCost {
  const automaton = positionAutomaton(node, beginsAnywhere);
  if (automaton === undefined) return 'exponential';
  const overlaps = overlapTable();
  const component = strongComponents(automaton.length, (state) => (automaton[state] ?? []).map(({ to }) => to));
  if (fixedWays(automaton, component, overlaps) > fixedWaysMax) return 'exponential';
  const loops = loopsOf(automaton, component);
  if (loops.some((loop) => isAmbiguous(automaton, loop, overlaps))) return 'exponential';
  return { degree: longestChain(automaton, loops) };
}

type Overlaps = (one: CodePoints, other: CodePoints) => boolean;

/** Whether two sets share a character, remembered. */
function overlapTable(): Overlaps {
  const known = new Map<CodePoints, Map<CodePoints, boolean>>();
  return (one, other) => {
    const row = known.get(one) ?? new Map<CodePoints, boolean>();
    known.set(one, row);
    const answer = row.get(other) ?? intersection(one, other).length > 0;
    row.set(other, answer);
    return answer;
  };
}

/** An upper bound of the ways that choices multiply to, loops aside. */
function fixedWays(automaton: PositionAutomaton, component: readonly number[], overlaps: Overlaps): number {
  let ways = 1;
  automaton.forEach((edges, state) => {
    // Staying in a loop or leaving it is counted by the degree.
    const leaving = edges.filter(({ to }) => component[to] !== component[state]);
    const staying = edges.filter(({ to }) => component[to] === component[state]);
    ways *= Math.max(branching(leaving, overlaps), branching(staying, overlaps));
  });
  return ways;
}

function branching(edges: readonly PositionEdge[], overlaps: Overlaps): number {
  let most = 1;
  for (const { label } of edges) {
    const together = edges.reduce((sum, other) => sum + (overlaps(label, other.label) ? other.ways : 0), 0);
    most = Math.max(most, together);
  }
  return most;
}

/** States that reach themselves, with the states they reach themselves through. */
interface Loop {
  readonly states: ReadonlySet<number>;
  readonly characters: CodePoints;
}

function loopsOf(automaton: PositionAutomaton, component: readonly number[]): Loop[] {
  const states = new Map<number, Set<number>>();
  const labels = new Map<number, CodePoints[]>();
  automaton.forEach((edges, state) => {
    const own = component[state] ?? -1;
    for (const { to, label } of edges) {
      if (component[to] !== own) continue;
      states.set(own, (states.get(own) ?? new Set<number>()).add(state));
      labels.set(own, [...(labels.get(own) ?? []), label]);
    }
  });
  // A component's number is above those it leads to: descending is in the order of the text.
  return [...states.keys()]
    .sort((one, other) => other - one)
    .map((own) => ({ states: states.get(own) ?? new Set(), characters: union(...(labels.get(own) ?? [])) }));
}

/** Whether a state can come back to itself in two ways over the same characters. */
function isAmbiguous(automaton: PositionAutomaton, { states }: Loop, overlaps: Overlaps): boolean {
  if (states.size > loopStatesMax) return true;
  const members = [...states];
  const place = new Map(members.map((state, at) => [state, at]));
  const inside = members.map((state) => (automaton[state] ?? []).filter(({ to }) => states.has(to)));
  if (inside.some((edges) => edges.some(({ ways }) => ways > 1))) return true;
  const count = members.length;
  // Pairs of states that the same characters lead to.
  const successors = (pair: number): number[] => {
    const edges = inside[Math.floor(pair / count)] ?? [];
    const others = inside[pair % count] ?? [];
    return edges.flatMap((one) =>
      others
        .filter((other) => overlaps(one.label, other.label))
        .map((other) => (place.get(one.to) ?? 0) * count + (place.get(other.to) ?? 0)),
    );
  };
  const component = strongComponents(count * count, successors);
  const diagonal = new Set(members.map((_, at) => component[at * count + at]));
  return component.some((own, pair) => Math.floor(pair / count) !== pair % count && diagonal.has(own));
}

/** How many loops can share one run of characters, one behind the other. */
function longestChain(automaton: PositionAutomaton, loops: readonly Loop[]): number {
  const lengths: number[] = [];
  loops.forEach((loop, at) => {
    const before = loops
      .slice(0, at)
      .map((other, index) => (isChained(automaton, other, loop) ? (lengths[index] ?? 0) : 0));
    lengths.push(1 + Math.max(0, ...before));
  });
  return Math.max(0, ...lengths);
}

/** Whether characters that both loops take lead from the one to the other. */
function isChained(automaton: PositionAutomaton, from: Loop, to: Loop): boolean {
  const shared = intersection(from.characters, to.characters);
  const seen = new Set(from.states);
  const open = [...from.states];
  for (let state = open.pop(); state !== undefined; state = open.pop()) {
    if (to.states.has(state)) return true;
    for (const edge of automaton[state] ?? []) {
      if (seen.has(edge.to) || intersection(edge.label, shared).length === 0) continue;
      seen.add(edge.to);
      open.push(edge.to);
    }
  }
  return false;
}
