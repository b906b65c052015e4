/** Reads the text of a Java pattern into a tree, or refuses it with the place. */
import { lineTerminators } from './character-properties.ts';
import { anyCodePoint, type CodePoints, complement } from './code-points.ts';
import { parseClass } from './parse-class.ts';
import { type PatternFlags, parseEscape, withCases } from './parse-escape.ts';
import { checkBehind, lineBreak, parseCounts, repeatedBreak } from './parse-quantifier.ts';
import { PatternCursor } from './pattern-cursor.ts';
import type { PatternTree } from './pattern-tree.ts';
import { type Assertion, type PatternNode, PatternRefused } from './pattern-tree.ts';

/** A pattern is read by recursion: deeper ones could overflow the stack. */
const depthMax = 200;
const newline: CodePoints = [0x0a, 0x0a];

/** Reads `source`. Throws PatternRefused. */
export function parsePattern(source: string): PatternTree {
  return new PatternParser(source).parse();
}

class PatternParser {
  readonly #cursor: PatternCursor;
  readonly #groupNames = new Map<string, number>();
  #flags: PatternFlags = new Set();
  #groupCount = 0;
  #depth = 0;

  constructor(source: string) {
    this.#cursor = new PatternCursor(source);
  }

  parse(): PatternTree {
    const node = this.#parseChoice();
    if (!this.#cursor.isAtEnd) throw new PatternRefused(this.#cursor.index, ') without a group that it closes');
    return { node, groupCount: this.#groupCount, groupNames: this.#groupNames };
  }

  /** Up to the `)` or the end, which stay. */
  #parseChoice(): PatternNode {
    this.#depth += 1;
    if (this.#depth > depthMax)
      throw new PatternRefused(this.#cursor.index, `more than ${depthMax} groups inside each other`);
    const nodes: PatternNode[] = [this.#parseSequence()];
    while (this.#cursor.takes('|')) nodes.push(this.#parseSequence());
    this.#depth -= 1;
    return nodes.length === 1 ? (nodes[0] ?? { kind: 'sequence', nodes: [] }) : { kind: 'choice', nodes };
  }

  #parseSequence(): PatternNode {
    const nodes: PatternNode[] = [];
    for (;;) {
      this.#skipComments();
      if (this.#cursor.isAtEnd || this.#cursor.sees('|') || this.#cursor.sees(')')) return { kind: 'sequence', nodes };
      const index = this.#cursor.index;
      const atom = this.#parseAtom();
      if (atom !== undefined) nodes.push(this.#parseQuantifier(atom, index));
    }
  }

  /** Blanks and `# …` under (?x). */
  #skipComments(): void {
    if (!this.#flags.has('x')) return;
    for (;;) {
      if (this.#cursor.takeWhile(/^[\t-\r ]$/) !== '') continue;
      if (this.#cursor.peek() !== '#') return;
      while (!this.#cursor.isAtEnd && !/[\n\r\u0085\u2028\u2029]/.test(this.#cursor.peek())) this.#cursor.skip();
    }
  }

  /** One thing that a quantifier may follow; undefined for what only sets flags. */
  #parseAtom(): PatternNode | undefined {
    const cursor = this.#cursor;
    const index = cursor.index;
    const asserts = (assertion: Assertion): PatternNode => ({ kind: 'assertion', assertion, index });
    const isUnix = this.#flags.has('d');
    const isMultiline = this.#flags.has('m');
    switch (cursor.peek()) {
      case '(':
        return this.#parseGroup();
      case '[':
        cursor.skip();
        return { kind: 'set', set: parseClass(cursor, this.#flags, index) };
      case '\\':
        cursor.skip();
        return this.#parseEscaped(index);
      case '.':
        cursor.skip();
        if (this.#flags.has('s')) return { kind: 'set', set: anyCodePoint };
        return { kind: 'set', set: complement(isUnix ? newline : lineTerminators) };
      case '^':
        cursor.skip();
        if (!isMultiline) return asserts('start');
        return asserts(isUnix ? 'unixLineStart' : 'lineStart');
      case '$':
        cursor.skip();
        if (isMultiline) return asserts(isUnix ? 'unixLineEnd' : 'lineEnd');
        return asserts(isUnix ? 'unixBeforeLastTerminator' : 'beforeLastTerminator');
      case '*':
      case '+':
      case '?':
      case '{':
        throw new PatternRefused(
          index,
          `the quantifier ${cursor.peek()} has nothing before it: write \\${cursor.peek()}`,
        );
      default:
        return this.#literal(cursor.take('a character is missing').codePoint);
    }
  }

  #literal(codePoint: number): PatternNode {
    return { kind: 'set', set: withCases([codePoint, codePoint], this.#flags) };
  }

  #parseEscaped(index: number): PatternNode {
    const cursor = this.#cursor;
    const letter = cursor.peek();
    const isUnix = this.#flags.has('d');
    const assertions: Readonly<Record<string, Assertion>> = {
      A: 'start',
      z: 'end',
      Z: isUnix ? 'unixBeforeLastTerminator' : 'beforeLastTerminator',
      b: 'wordBoundary',
      B: 'noWordBoundary',
    };
    const assertion = assertions[letter];
    if (assertion !== undefined) {
      cursor.skip();
      if (letter === 'b' && cursor.sees('{')) throw new PatternRefused(index, '\\b{…} is not supported');
      return { kind: 'assertion', assertion, index };
    }
    if (/^[1-9]$/.test(letter)) return this.#parseNumberedReference(index);
    if (letter === 'k') return this.#parseNamedReference(index);
    if (letter === 'R') {
      cursor.skip();
      return lineBreak;
    }
    const escaped = parseEscape(cursor, this.#flags, index);
    return 'set' in escaped ? { kind: 'set', set: escaped.set } : this.#literal(escaped.codePoint);
  }

  /** As many digits as there are groups so far. */
  #parseNumberedReference(index: number): PatternNode {
    let number = Number(this.#cursor.takeWhile(/\d/, 1));
    while (/^\d$/.test(this.#cursor.peek())) {
      const longer = number * 10 + Number(this.#cursor.peek());
      if (longer > this.#groupCount) break;
      number = longer;
      this.#cursor.skip();
    }
    return this.#reference(number, index);
  }

  #parseNamedReference(index: number): PatternNode {
    this.#cursor.skip();
    if (!this.#cursor.takes('<')) throw new PatternRefused(index, '\\k needs <name>');
    const name = this.#parseName(index);
    const number = this.#groupNames.get(name);
    if (number === undefined) throw new PatternRefused(index, `there is no group named '${name}' before`);
    return this.#reference(number, index);
  }

  #reference(number: number, index: number): PatternNode {
    if (number > this.#groupCount) throw new PatternRefused(index, `there is no group ${number} before`);
    if (this.#flags.has('i')) throw new PatternRefused(index, 'a reference to a group under (?i) is not supported');
    return { kind: 'reference', number, index };
  }

  #parseName(index: number): string {
    const name = this.#cursor.takeWhile(/^[A-Za-z0-9]$/);
    const isName = /^[A-Za-z]/.test(name) && this.#cursor.takes('>');
    if (!isName) throw new PatternRefused(index, "a group's name is a letter, letters and digits, then >");
    return name;
  }

  #parseGroup(): PatternNode | undefined {
    const cursor = this.#cursor;
    const index = cursor.index;
    cursor.skip();
    const outer = this.#flags;
    const rest = (): PatternNode => {
      const node = this.#parseChoice();
      if (!cursor.takes(')')) throw new PatternRefused(index, 'a group that no ) closes');
      this.#flags = outer;
      return node;
    };
    if (!cursor.takes('?')) return this.#capture(undefined, index, rest);
    if (cursor.takes(':')) return { kind: 'sequence', nodes: [rest()] };
    if (cursor.takes('>')) return { kind: 'atomic', node: rest(), index };
    for (const [text, isAhead, isNegative] of lookStarts) {
      if (!cursor.takes(text)) continue;
      const node = rest();
      if (!isAhead) checkBehind(node, index);
      return { kind: 'look', node, isAhead, isNegative, index };
    }
    if (cursor.takes('<')) return this.#capture(this.#parseName(index), index, rest);
    this.#parseFlags(index);
    if (cursor.takes(')')) return undefined;
    cursor.skip();
    return { kind: 'sequence', nodes: [rest()] };
  }

  #capture(name: string | undefined, index: number, rest: () => PatternNode): PatternNode {
    this.#groupCount += 1;
    const number = this.#groupCount;
    if (name !== undefined && this.#groupNames.has(name)) {
      throw new PatternRefused(index, `there is another group named '${name}'`);
    }
    if (name !== undefined) this.#groupNames.set(name, number);
    return { kind: 'group', node: rest(), number };
  }

  /** The letters of `(?i-s)` and `(?i-s:…)`; the `)` or `:` stays. */
  #parseFlags(index: number): void {
    const flags = new Set(this.#flags);
    const [on = '', off = '', ...more] = this.#cursor.takeWhile(/^[a-zA-Z-]$/).split('-');
    const isFlags = /^[dimsux]*$/.test(on + off) && more.length === 0;
    if (!isFlags || !(this.#cursor.sees(')') || this.#cursor.sees(':'))) {
      throw new PatternRefused(
        index,
        'a group or flag that is unknown or not supported: (?d), (?i), (?m), (?s), (?u), (?x) are',
      );
    }
    for (const flag of on) flags.add(flag);
    for (const flag of off) flags.delete(flag);
    this.#flags = flags;
  }

  #parseQuantifier(node: PatternNode, index: number): PatternNode {
    this.#skipComments();
    const at = this.#cursor.index;
    const range = parseCounts(this.#cursor);
    if (range === undefined) return node;
    const isLazy = this.#cursor.takes('?');
    const isPossessive = !isLazy && this.#cursor.takes('+');
    const repeated = repeatedBreak(node, range.max, at);
    const repeat: PatternNode = { kind: 'repeat', node: repeated, ...range, isLazy, index: at };
    return isPossessive ? { kind: 'atomic', node: repeat, index } : repeat;
  }
}

const lookStarts: readonly (readonly [string, boolean, boolean])[] = [
  ['=', true, false],
  ['!', true, true],
  ['<=', false, false],
  ['<!', false, true],
];
