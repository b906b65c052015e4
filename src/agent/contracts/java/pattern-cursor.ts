/** Walks over the characters of a Java pattern, with `\Q…\E` taken out first, as Java does. Quoted are literals. */
import { PatternRefused } from './pattern-tree.ts';

/** One character of a pattern. */
export interface PatternCharacter {
  readonly codePoint: number;
  /** Of its first UTF-16 unit in the source. */
  readonly index: number;
  readonly isQuoted: boolean;
}

/** Splits the source, and marks what stands between `\Q` and `\E` (or the end). */
function readCharacters(source: string): PatternCharacter[] {
  const characters: PatternCharacter[] = [];
  let isQuoted = false;
  let index = 0;
  const push = (): void => {
    const codePoint = source.codePointAt(index) ?? 0;
    characters.push({ codePoint, index, isQuoted });
    index += codePoint > 0xffff ? 2 : 1;
  };
  while (index < source.length) {
    const isEscape = source[index] === '\\' && index + 1 < source.length;
    if (isEscape && source[index + 1] === (isQuoted ? 'E' : 'Q')) {
      isQuoted = !isQuoted;
      index += 2;
    } else if (isEscape && !isQuoted) {
      push();
      push();
    } else push();
  }
  return characters;
}

/** A place in a pattern. */
export class PatternCursor {
  readonly #source: string;
  readonly #characters: readonly PatternCharacter[];
  #at = 0;

  constructor(source: string) {
    this.#source = source;
    this.#characters = readCharacters(source);
  }

  /** Where the next character stands in the source; its length at the end. */
  get index(): number {
    return this.#characters[this.#at]?.index ?? this.#source.length;
  }

  get isAtEnd(): boolean {
    return this.#at >= this.#characters.length;
  }

  /** The next character, or undefined at the end. */
  get next(): PatternCharacter | undefined {
    return this.#characters[this.#at];
  }

  /** The unquoted character `ahead` places on, as text; empty where there is none or it is quoted. */
  peek(ahead = 0): string {
    const character = this.#characters[this.#at + ahead];
    return character === undefined || character.isQuoted ? '' : String.fromCodePoint(character.codePoint);
  }

  /** Whether the unquoted characters from here on are these (ASCII). */
  sees(text: string): boolean {
    return Array.from(text).every((one, ahead) => this.peek(ahead) === one);
  }

  /** Goes on by so many characters. */
  skip(count = 1): void {
    this.#at += count;
  }

  /** Goes past `text` where it stands here. */
  takes(text: string): boolean {
    const found = this.sees(text);
    if (found) this.skip(text.length);
    return found;
  }

  /** Goes past the unquoted characters that `pattern` takes one by one, `max` at most. */
  takeWhile(pattern: RegExp, max: number = Number.POSITIVE_INFINITY): string {
    let taken = '';
    while (taken.length < max && pattern.test(this.peek())) {
      taken += this.peek();
      this.skip();
    }
    return taken;
  }

  /** The next character, whatever it is; refuses the end with `message`. */
  take(message: string): PatternCharacter {
    const character = this.next;
    if (character === undefined) throw new PatternRefused(this.#source.length, message);
    this.skip();
    return character;
  }
}
