/**
 * The options of a channel, as data: default, check and what is allowed, one entry each. docs/configuration.md
 * prints the same table. A wrong value is CONFIG_INVALID and names the option, the value and what is allowed.
 */
import { ForebayError } from '../base/errors.ts';
import { gib, kib, mib } from '../base/units.ts';
import { eventsPerFrameMax, payloadBytesMax } from '../codec/validate-event.ts';

/** Keys by number; 32 bytes each, or the path of a file that holds them. */
export interface EncryptionOptions {
  readonly activeKey: number;
  readonly keys: Readonly<Record<number, Uint8Array | string>>;
}

/** When a commit is durable: before it resolves, or at most `intervalMs` later. */
export type FsyncOption = 'commit' | { readonly intervalMs: number };

/** What a channel runs with: every option has its value. Undefined: no such limit, or the default of its place. */
export interface ResolvedOptions {
  /** Events that no consumer holds. */
  readonly capacityEvents: number;
  /** Their bodies and headers. */
  readonly capacityBytes: number | undefined;
  /** Segments, in all states. */
  readonly maxDiskBytes: number | undefined;
  /** Events of one put transaction. */
  readonly transactionCapacity: number;
  readonly transactionBytesMax: number;
  /** How long a put waits for room. */
  readonly keepAliveMs: number;
  readonly segmentBytes: number;
  /** The directory the channel is opened with where undefined. */
  readonly dataDirs: readonly string[] | undefined;
  /** `checkpoint` below that directory where undefined. */
  readonly checkpointDir: string | undefined;
  readonly checkpoint: 'lmdb' | 'memory';
  readonly checkpointIntervalMs: number;
  readonly minimumFreeBytes: number;
  readonly fsync: FsyncOption;
  readonly retentionHours: number;
  readonly retentionBytes: number;
  readonly compression: 'none' | 'zstd' | 'deflate';
  readonly encryption: EncryptionOptions | undefined;
  readonly missingDir: 'fail' | 'continue';
}

/** Any of them. */
export type OptionName = keyof ResolvedOptions;

/** Options as a caller gives them; `capacity` is another name of `capacityEvents`. */
export type ChannelOptions = { readonly [name in OptionName]?: ResolvedOptions[name] | undefined } & {
  readonly capacity?: number | undefined;
};

interface Rule<Value> {
  readonly default: Value;
  readonly allowed: string;
  accepts(value: unknown): boolean;
}

/** Six of the smallest segments: the reserve's three, the one written, the one before it, and one to start. */
const maxDiskBytesMin: number = 6 * 64 * kib;
/** setTimeout takes no more. */
const delayMsMax: number = 2 ** 31 - 1;

const rules: { readonly [name in OptionName]: Rule<ResolvedOptions[name]> } = {
  capacityEvents: integer(1_000_000, 1),
  capacityBytes: optional(integer(undefined, 1)),
  maxDiskBytes: optional(integer(undefined, maxDiskBytesMin)),
  transactionCapacity: integer(10_000, 1, eventsPerFrameMax),
  transactionBytesMax: integer(payloadBytesMax, 1, payloadBytesMax),
  keepAliveMs: integer(3000, 0, delayMsMax),
  segmentBytes: integer(64 * mib, 64 * kib, 16 * gib),
  dataDirs: optional({ default: undefined, allowed: 'an array of one or more different paths', accepts: isPathList }),
  checkpointDir: optional({ default: undefined, allowed: 'a path', accepts: isPath }),
  checkpoint: oneOf('lmdb', 'memory'),
  checkpointIntervalMs: integer(30_000, 1, delayMsMax),
  minimumFreeBytes: integer(500 * mib, 0),
  fsync: { default: 'commit', allowed: `'commit' or { intervalMs: 1 … ${delayMsMax} }`, accepts: isFsync },
  retentionHours: { default: 0, allowed: 'a number from 0', accepts: (value) => isNumber(value) && Number(value) >= 0 },
  retentionBytes: integer(0, 0),
  compression: oneOf('none', 'zstd', 'deflate'),
  encryption: optional({
    default: undefined,
    allowed: '{ activeKey: 1 … 2^32 − 1, keys: { [number]: 32 bytes or a file } }, the active key among the keys',
    accepts: isEncryption,
  }),
  missingDir: oneOf('fail', 'continue'),
};

/** What a channel that keeps nothing on a disk can be told. */
export const memoryOptionNames: readonly OptionName[] = [
  'capacityEvents',
  'capacityBytes',
  'transactionCapacity',
  'transactionBytesMax',
  'keepAliveMs',
];

/** All of them. */
export const optionNames: readonly OptionName[] = Object.keys(rules) as OptionName[];

/**
 * `options` with the defaults put in. `names`: those that this kind of channel has.
 * @throws {ForebayError} CONFIG_INVALID
 */
export function resolveOptions(options: unknown, names: readonly OptionName[] = optionNames): ResolvedOptions {
  if (typeof options !== 'object' || options === null || Array.isArray(options)) {
    throw invalid('options', options, 'an object');
  }
  const given: Record<string, unknown> = { ...options };
  if (given['capacity'] !== undefined) {
    const { capacity, capacityEvents = capacity } = given;
    if (!rules.capacityEvents.accepts(capacity)) throw invalid('capacity', capacity, rules.capacityEvents.allowed);
    if (capacityEvents !== capacity) throw invalid('capacity', capacity, 'the same as capacityEvents, or left out');
    given['capacityEvents'] = capacityEvents;
  }
  delete given['capacity'];
  const resolved: Record<string, unknown> = {};
  for (const name of optionNames) resolved[name] = rules[name].default;
  for (const [name, value] of Object.entries(given)) {
    if (value === undefined) continue;
    const known = names.find((each) => each === name);
    if (known === undefined) throw invalid(name, value, `none of this name; there are ${names.join(', ')}`);
    if (!rules[known].accepts(value)) throw invalid(name, value, rules[known].allowed);
    resolved[name] = value;
  }
  return resolved as unknown as ResolvedOptions;
}

function integer<Default extends number | undefined>(
  defaultValue: Default,
  min: number,
  max: number = Number.MAX_SAFE_INTEGER,
): Rule<Default> {
  const allowed = max === Number.MAX_SAFE_INTEGER ? `an integer from ${min}` : `an integer, ${min} … ${max}`;
  return { default: defaultValue, allowed, accepts: (value) => isInteger(value, min, max) };
}

function oneOf<Value extends string>(first: Value, ...others: Value[]): Rule<Value> {
  const values: readonly unknown[] = [first, ...others];
  const allowed = values.map((value) => `'${value}'`).join(', ');
  return { default: first, allowed, accepts: (value) => values.includes(value) };
}

/** A rule whose default is undefined, for an option of any type. */
function optional<Value>(rule: Rule<undefined>): Rule<Value | undefined> {
  return rule;
}

function isNumber(value: unknown): boolean {
  return typeof value === 'number' && Number.isFinite(value);
}

function isInteger(value: unknown, min: number, max: number): boolean {
  return Number.isSafeInteger(value) && Number(value) >= min && Number(value) <= max;
}

function isPath(value: unknown): boolean {
  return typeof value === 'string' && value !== '' && !value.includes('\0');
}

function isPathList(value: unknown): boolean {
  return Array.isArray(value) && value.length > 0 && value.every(isPath) && new Set(value).size === value.length;
}

function isFsync(value: unknown): boolean {
  if (value === 'commit') return true;
  if (typeof value !== 'object' || value === null || Object.keys(value).length !== 1) return false;
  return isInteger((value as { intervalMs?: unknown }).intervalMs, 1, delayMsMax);
}

function isEncryption(value: unknown): boolean {
  if (typeof value !== 'object' || value === null) return false;
  const { activeKey, keys } = value as { activeKey?: unknown; keys?: unknown };
  if (!isInteger(activeKey, 1, 2 ** 32 - 1) || typeof keys !== 'object' || keys === null) return false;
  const entries = Object.entries(keys as Record<string, unknown>);
  const valid = entries.every(([id, key]) => {
    const isId = isInteger(Number(id), 1, 2 ** 32 - 1) && String(Number(id)) === id;
    return isId && (isPath(key) || (key instanceof Uint8Array && key.length === 32));
  });
  return valid && entries.some(([id]) => Number(id) === activeKey);
}

function invalid(name: string, value: unknown, allowed: string): ForebayError {
  // Keys of encryption are secret: only plain values are shown.
  const shown = typeof value === 'object' && value !== null ? 'an object' : (JSON.stringify(value) ?? String(value));
  return new ForebayError('CONFIG_INVALID', `option '${name}' is ${shown}; allowed: ${allowed}`, {
    expected: allowed,
    actual: shown,
  });
}
