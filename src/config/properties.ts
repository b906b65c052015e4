/**
 * Java's `.properties` grammar (java.util.Properties.load), with the position of every key and value: a message about
 * a configuration is worth little without its line.
 */

/** A place in a file; both count from 1, the column in characters. */
export interface Position {
  readonly line: number;
  readonly column: number;
}

/** One `key = value` of a file. */
export interface Property {
  readonly key: string;
  readonly value: string;
  readonly keyAt: Position;
  /** Where the value starts; where it would, if it is empty. */
  readonly valueAt: Position;
  /** The first character beyond ASCII that no `\u` stands for. */
  readonly beyondAscii: { readonly text: string; readonly at: Position } | undefined;
}

/** Something that is no property, or that Java would refuse. */
interface PropertyProblem {
  readonly at: Position;
  readonly message: string;
}

/** What a file holds, in its order: a key that is repeated stands here as often. */
export interface ParsedProperties {
  readonly properties: readonly Property[];
  readonly problems: readonly PropertyProblem[];
}

/** A character of a logical line as it stands in the file. */
interface RawCharacter {
  readonly text: string;
  readonly at: Position;
}

/** A character of a logical line, with where it stood. Escaped: it means itself. */
interface Character extends RawCharacter {
  readonly isEscaped: boolean;
}

const blanks = ' \t\f';
const escapes: Readonly<Record<string, string>> = { t: '\t', n: '\n', r: '\r', f: '\f' };

/** Parses the text of a file. Total: what Java throws on is a problem here, and the rest is still read. */
export function parseProperties(text: string): ParsedProperties {
  const properties: Property[] = [];
  const problems: PropertyProblem[] = [];
  const lines = text.split(/\r\n|\n|\r/);
  for (let index = 0; index < lines.length; ) {
    const raw: RawCharacter[] = [];
    let isContinued = true;
    while (isContinued && index < lines.length) {
      const line = lines[index] as string;
      index += 1;
      // Also behind a line of one backslash: as Java sees it, the logical line has not begun yet.
      isContinued = raw.length === 0 && isBlankOrComment(line) ? false : readLine(line, index, raw);
    }
    const end = { line: index, column: (lines[index - 1] as string).length + 1 };
    const property = split(resolveEscapes(raw, problems), end);
    if (property !== undefined) properties.push(property);
  }
  return { properties, problems };
}

function isBlankOrComment(line: string): boolean {
  const first = line[blanksAt(line, 0)];
  return first === undefined || first === '#' || first === '!';
}

/** Adds a natural line's characters; true where the next line continues it. */
function readLine(line: string, number: number, raw: RawCharacter[]): boolean {
  let backslashes = 0;
  while (line[line.length - 1 - backslashes] === '\\') backslashes += 1;
  const isContinued = backslashes % 2 === 1;
  const end = isContinued ? line.length - 1 : line.length;
  for (let column = blanksAt(line, 0); column < end; column += 1) {
    raw.push({ text: line[column] as string, at: { line: number, column: column + 1 } });
  }
  return isContinued;
}

function resolveEscapes(raw: readonly RawCharacter[], problems: PropertyProblem[]): Character[] {
  const characters: Character[] = [];
  for (let index = 0; index < raw.length; index += 1) {
    const { text, at } = raw[index] as RawCharacter;
    if (text !== '\\') {
      characters.push({ text, isEscaped: false, at });
      continue;
    }
    index += 1;
    const escaped = raw[index]?.text ?? '';
    if (escaped !== 'u') {
      characters.push({ text: escapes[escaped] ?? escaped, isEscaped: true, at });
      continue;
    }
    const digits = textOf(raw.slice(index + 1, index + 5));
    if (/^[0-9a-fA-F]{4}$/.test(digits)) {
      characters.push({ text: String.fromCharCode(Number.parseInt(digits, 16)), isEscaped: true, at });
      index += 4;
    } else {
      problems.push({ at, message: `\\u needs four hexadecimal digits, not '${digits}'; a backslash is written \\\\` });
    }
  }
  return characters;
}

/** The key ends at the first `=`, `:` or blank that is not escaped. Undefined for a line without a character. */
function split(characters: readonly Character[], end: Position): Property | undefined {
  const [first] = characters;
  if (first === undefined) return undefined;
  const isBlank = ({ text, isEscaped }: Character) => !isEscaped && blanks.includes(text);
  const isSign = ({ text, isEscaped }: Character) => !isEscaped && (text === '=' || text === ':');
  const stop = characters.findIndex((one) => isBlank(one) || isSign(one));
  const keyEnd = stop === -1 ? characters.length : stop;
  let at = keyEnd;
  let hasSign = false;
  for (; at < characters.length; at += 1) {
    const one = characters[at] as Character;
    if (isSign(one) && !hasSign) hasSign = true;
    else if (!isBlank(one)) break;
  }
  return {
    key: textOf(characters.slice(0, keyEnd)),
    value: textOf(characters.slice(at)),
    keyAt: first.at,
    valueAt: characters[at]?.at ?? end,
    beyondAscii: characters.find(({ text, isEscaped }) => !isEscaped && text > '\x7f'),
  };
}

function textOf(characters: readonly RawCharacter[]): string {
  return characters.map(({ text }) => text).join('');
}

function blanksAt(line: string, from: number): number {
  let at = from;
  while (at < line.length && blanks.includes(line[at] as string)) at += 1;
  return at;
}
