/**
 * `${…}` in values, as Flume 1.11 resolves it: Commons Text's StringSubstitutor with the lookups `env`, `sys`, `java`
 * and `date`, and the configuration's own keys behind them. `$${a}` stands for `${a}`; `${a:-b}` is b where there is
 * no a; what nothing resolves stays as it is.
 */
import { formatDate } from './date-pattern.ts';

/** Where values come from. */
export interface SubstitutionSources {
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** Java's system properties: those of `-Dk=v`. */
  readonly system: ReadonlyMap<string, string>;
  /** The configuration's own keys. */
  readonly property: (key: string) => string | undefined;
  /** `-DpropertiesImplementation=…EnvVarResolverProperties`: a bare name may be one of the environment. */
  readonly isEnvironmentBare: boolean;
  readonly now: Date;
}

/** What a value became. `problem`: why it cannot be used. */
export interface Substituted {
  readonly text: string;
  readonly problem: string | undefined;
  /** Names that nothing resolved, as they stand between the braces. */
  readonly unresolved: readonly string[];
  /** System properties that it asked for. */
  readonly asked: readonly string[];
}

/** Far more than any configuration has; a few keys that name each other twice could fill any memory. */
const charactersMax: number = 1024 * 1024;
const depthMax = 64;
const lookupsMax = 10_000;

class SubstitutionError extends Error {}

/** Resolves one value. Total. */
export function substitute(value: string, sources: SubstitutionSources): Substituted {
  const tally: Tally = { unresolved: [], asked: [], lookups: 0 };
  const { unresolved, asked } = tally;
  try {
    return { text: replace(value, { prior: [], depth: 0 }, sources, tally), problem: undefined, unresolved, asked };
  } catch (error) {
    if (!(error instanceof SubstitutionError)) throw error;
    return { text: value, problem: error.message, unresolved, asked };
  }
}

/** What is counted over a whole value. */
interface Tally {
  readonly unresolved: string[];
  readonly asked: string[];
  lookups: number;
}

/** On the way to a value: the names that led here, and how many braces and values deep this is. */
interface Way {
  readonly prior: readonly string[];
  readonly depth: number;
}

function replace(text: string, { prior, depth }: Way, sources: SubstitutionSources, tally: Tally): string {
  if (depth > depthMax) throw new SubstitutionError(`is nested more than ${depthMax} deep`);
  let out = '';
  let at = 0;
  for (;;) {
    const start = text.indexOf('${', at);
    const end = start === -1 ? -1 : closingBrace(text, start + 2);
    if (end === -1) return out + text.slice(at);
    out += text.slice(at, start);
    if (out.endsWith('$')) {
      // An escape: one dollar goes, and what is inside is looked at.
      out += '{';
      at = start + 2;
      continue;
    }
    const whole = text.slice(start, end + 1);
    const expression = replace(text.slice(start + 2, end), { prior, depth: depth + 1 }, sources, tally);
    const delimiter = expression.indexOf(':-');
    const name = delimiter === -1 ? expression : expression.slice(0, delimiter);
    if (prior.includes(name)) throw new SubstitutionError(`refers to itself: ${[...prior, name].join(' → ')}`);
    tally.lookups += 1;
    if (tally.lookups > lookupsMax) throw new SubstitutionError(`takes more than ${lookupsMax} lookups`);
    if (/^sys:/i.test(name)) tally.asked.push(name.slice('sys:'.length));
    const found = lookup(name, sources) ?? (delimiter === -1 ? undefined : expression.slice(delimiter + 2));
    if (found === undefined) tally.unresolved.push(name);
    const below = { prior: [...prior, name], depth: depth + 1 };
    out += found === undefined ? whole : replace(found, below, sources, tally);
    if (out.length > charactersMax) throw new SubstitutionError(`becomes longer than ${charactersMax} characters`);
    at = end + 1;
  }
}

/** Where the variable that starts before `from` ends; -1 where it does not. */
function closingBrace(text: string, from: number): number {
  let open = 0;
  for (let at = from; at < text.length; at += 1) {
    if (text.startsWith('${', at)) {
      open += 1;
      at += 1;
    } else if (text[at] === '}') {
      if (open === 0) return at;
      open -= 1;
    }
  }
  return -1;
}

function lookup(name: string, sources: SubstitutionSources): string | undefined {
  const colon = name.indexOf(':');
  const rest = name.slice(colon + 1);
  const found = colon === -1 ? undefined : lookupPrefixed(name.slice(0, colon).toLowerCase(), rest, sources);
  // Where the prefix gives nothing or is unknown, Commons Text tries the rest as a plain name.
  return found ?? sources.property(rest) ?? (sources.isEnvironmentBare ? sources.environment[rest] : undefined);
}

function lookupPrefixed(prefix: string, rest: string, sources: SubstitutionSources): string | undefined {
  if (prefix === 'env') return sources.environment[rest];
  if (prefix === 'sys') return sources.system.get(rest);
  if (prefix === 'java')
    throw new SubstitutionError(`\${java:${rest}} asks about a Java that is not there: write the value`);
  if (prefix !== 'date') return undefined;
  const date = formatDate(rest, sources.now);
  if ('problem' in date) throw new SubstitutionError(`\${date:${rest}}: ${date.problem}`);
  return date.text;
}
