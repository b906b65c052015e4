/** Turns the texts of a configuration into the values that a component declares, and says what is wrong with them. */
import type { KeyProblem } from './components.ts';
import type { Key, Keys, ValuesOf } from './keys.ts';

/** What came out. `values` are there where `problems` is empty. */
export interface ReadKeys<Declared extends Keys> {
  readonly values: ValuesOf<Declared> | undefined;
  readonly problems: readonly KeyProblem[];
  /** Keys nobody declared among them. */
  readonly warnings: readonly KeyProblem[];
}

/** Reads `properties`, by the part of the key behind the component's name. Empty values are not set, as in Flume. */
export function readKeys<Declared extends Keys>(
  declared: Declared,
  properties: ReadonlyMap<string, string>,
): ReadKeys<Declared> {
  const problems: KeyProblem[] = [];
  const warnings: KeyProblem[] = [];
  const values: Record<string, unknown> = {};
  const parse = (given: string, { type, standing }: Key<unknown>, text: string): unknown => {
    if (typeof standing === 'object' && 'needless' in standing) {
      warnings.push({ key: given, message: `has no effect: ${standing.needless}` });
    }
    const parsed = type.parse(text);
    if ('problem' in parsed) {
      problems.push({ key: given, message: parsed.problem });
      return undefined;
    }
    if (parsed.warning !== undefined) warnings.push({ key: given, message: parsed.warning });
    return parsed.value;
  };
  const names = Object.keys(declared);
  const set = new Map([...properties].map(([given, text]) => [given, text.trim()] as const).filter(([, text]) => text));
  for (const [name, key] of Object.entries(declared)) {
    if (key.isPrefix) {
      const behind = [...set].filter(([given]) => declaredName(given, declared) === name);
      values[name] = new Map(behind.map(([given, text]) => [given.slice(name.length), parse(given, key, text)]));
      continue;
    }
    const text = set.get(name);
    if (text !== undefined) values[name] = parse(name, key, text);
    else if (key.isRequired) problems.push({ key: name, message: `is missing: ${key.does}` });
    else values[name] = key.default;
  }
  for (const given of properties.keys()) {
    if (declaredName(given, declared) !== undefined) continue;
    const near = nearest(given, names);
    warnings.push({ key: given, message: `is not known here${near === undefined ? '' : `: do you mean '${near}'?`}` });
  }
  return { values: problems.length > 0 ? undefined : (values as ValuesOf<Declared>), problems, warnings };
}

/** The declaration that a key falls under: its own, else the longest beginning. */
function declaredName(given: string, declared: Keys): string | undefined {
  if (Object.hasOwn(declared, given) && declared[given]?.isPrefix === false) return given;
  const prefixes = Object.keys(declared).filter((name) => declared[name]?.isPrefix === true && given.startsWith(name));
  return prefixes.filter((name) => name.length < given.length).sort((a, b) => b.length - a.length)[0];
}

/** The name that differs least, if by little. */
export function nearest(given: string, known: readonly string[]): string | undefined {
  // Of a short name some of it has to be right.
  const limit = Math.min(Math.max(2, Math.floor(given.length / 3)), given.length - 1);
  const ranked = known
    .filter((name) => Math.abs(name.length - given.length) <= limit)
    .map((name) => ({ name, distance: editDistance(given.toLowerCase(), name.toLowerCase()) }))
    .sort((a, b) => a.distance - b.distance);
  const [best] = ranked;
  return best !== undefined && best.distance <= limit ? best.name : undefined;
}

/** Levenshtein's. */
function editDistance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, index) => index);
  for (let i = 1; i <= a.length; i += 1) {
    const next = [i];
    for (let j = 1; j <= b.length; j += 1) {
      const replaced = (row[j - 1] as number) + (a[i - 1] === b[j - 1] ? 0 : 1);
      next.push(Math.min(replaced, (row[j] as number) + 1, (next[j - 1] as number) + 1));
    }
    row = next;
  }
  return row[b.length] as number;
}
