/**
 * How a component declares its configuration keys, once: the declaration validates, gives defaults, words the messages
 * and makes the tables of docs/flume-compat.md.
 */

/** A value, what to tell about it, or why there is none. */
export type ParsedValue<Value> =
  | { readonly value: Value; readonly warning?: string }
  /** What is wrong, and what is allowed. */
  | { readonly problem: string };

/** How a key's text becomes a value. */
export interface KeyType<Value> {
  /** As a table says it: `integer`, `boolean`, `never, immediate`. */
  readonly name: string;
  /** `text` is trimmed and not empty. Total. */
  readonly parse: (text: string) => ParsedValue<Value>;
}

/** Against Flume 1.11: the same; the same name with a difference; accepted, with nothing for it to do; ours alone. */
export type FlumeStanding = 'same' | 'ours' | { readonly differs: string } | { readonly needless: string };

/** One key of a component. */
export interface Key<Value> {
  readonly type: KeyType<unknown>;
  readonly isRequired: boolean;
  /** What it is where it is not set. */
  readonly default: Value | undefined;
  /** `ms`, `bytes`, `events`, …; of the number. */
  readonly unit: string | undefined;
  readonly does: string;
  readonly standing: FlumeStanding;
  /** The key is the beginning of many, `headers.` of `headers.g1.env`: its value maps the rest to each value. */
  readonly isPrefix: boolean;
}

/** A component's keys by name. `type`, `channel` and `channels` are declared by nobody: config/ knows them. */
export type Keys = Readonly<Record<string, Key<unknown>>>;

/** The values of declared keys. */
export type ValuesOf<Declared extends Keys> = {
  readonly [Name in keyof Declared]: Declared[Name] extends Key<infer Value> ? Value : never;
};

/** What is said of a key. */
export interface KeyText {
  readonly does: string;
  readonly unit?: string;
  /** Default: same. */
  readonly standing?: FlumeStanding;
}

/** A key that may be left out and then has `preset`. */
export function optional<Value>(type: KeyType<Value>, preset: Value, text: KeyText): Key<Value> {
  return makeKey(type, { isRequired: false, default: preset, isPrefix: false }, text);
}

/** A key that may be left out; undefined then. */
export function unset<Value>(type: KeyType<Value>, text: KeyText): Key<Value | undefined> {
  return makeKey(type, { isRequired: false, default: undefined, isPrefix: false }, text);
}

/** A key that must be there. */
export function required<Value>(type: KeyType<Value>, text: KeyText): Key<Value> {
  return makeKey<Value>(type, { isRequired: true, default: undefined, isPrefix: false }, text);
}

/** Keys that begin with this name. */
export function prefixed<Value>(type: KeyType<Value>, text: KeyText): Key<ReadonlyMap<string, Value>> {
  return makeKey(type, { isRequired: false, default: new Map<string, Value>(), isPrefix: true }, text);
}

function makeKey<Value>(
  type: KeyType<unknown>,
  fixed: Pick<Key<Value>, 'isRequired' | 'default' | 'isPrefix'>,
  { does, unit, standing = 'same' }: KeyText,
): Key<Value> {
  return { type, ...fixed, does, unit, standing };
}

/** Any text. */
export const text: KeyType<string> = { name: 'text', parse: (value) => ({ value }) };

/** Java's parseBoolean takes everything but `true` for false: so do we, and say so. */
export const boolean: KeyType<boolean> = {
  name: 'boolean',
  parse: (value) => {
    const lower = value.toLowerCase();
    if (lower === 'true') return { value: true };
    if (lower === 'false') return { value: false };
    return { value: false, warning: `'${value}' is neither true nor false, and counts as false` };
  },
};

/** Names separated by blanks, as of channels and file groups. */
export const names: KeyType<readonly string[]> = {
  name: 'names, separated by blanks',
  parse: (value) => ({ value: value.split(/\s+/) }),
};

/** A whole number from `min` to `max`. */
export function integer(min: number = Number.MIN_SAFE_INTEGER, max: number = Number.MAX_SAFE_INTEGER): KeyType<number> {
  const range = rangeText(min, max);
  return {
    name: `integer${range}`,
    parse: (value) => {
      const number = Number(value);
      const isWhole = /^[+-]?\d+$/.test(value) && Number.isSafeInteger(number);
      if (isWhole && number >= min && number <= max) return { value: number };
      return { problem: `'${value}' is not allowed: an integer${range}` };
    },
  };
}

function rangeText(min: number, max: number): string {
  const hasMin = min !== Number.MIN_SAFE_INTEGER;
  const hasMax = max !== Number.MAX_SAFE_INTEGER;
  if (hasMin && hasMax) return ` from ${min} to ${max}`;
  if (hasMin) return ` from ${min}`;
  return hasMax ? ` up to ${max}` : '';
}

/** One of `values`, in any case of letters, as Flume's enumerations. */
export function oneOf<const Value extends string>(...values: readonly Value[]): KeyType<Value> {
  return {
    name: values.join(', '),
    parse: (given) => {
      const value = values.find((one) => one.toLowerCase() === given.toLowerCase());
      return value === undefined ? { problem: `'${given}' is not allowed: one of ${values.join(', ')}` } : { value };
    },
  };
}
