/** What lines of the log look like: an error with its causes, and a record as a line of text. */
import { isForebayError } from '../engine.ts';

const causesMax = 5;
/** Keys of a record that are not its fields. */
const ownKeys: ReadonlySet<string> = new Set(['time', 'level', 'component', 'text']);
/** What would end a line, or tell a terminal something. */
const control = /[\p{Cc}\u2028\u2029]/gu;

/** An error as JSON shows it. `stack` is there where it may be a bug: not for what the system or the engine says. */
export interface DescribedError {
  readonly message: string;
  readonly code?: string;
  readonly cause?: DescribedError;
  readonly errors?: readonly DescribedError[];
  readonly stack?: string;
}

/** Anything that was thrown. */
export function describeError(error: unknown, depth = 0): DescribedError {
  if (!(error instanceof Error)) return { message: String(error) };
  const { code } = error as { code?: unknown };
  const isExpected = isForebayError(error) || typeof code === 'string';
  const errors = error instanceof AggregateError && depth < causesMax ? error.errors.slice(0, causesMax) : [];
  return {
    message: error.message === '' ? error.name : error.message,
    ...(typeof code === 'string' ? { code } : {}),
    ...(error.cause === undefined || depth >= causesMax ? {} : { cause: describeError(error.cause, depth + 1) }),
    ...(errors.length === 0 ? {} : { errors: errors.map((one) => describeError(one, depth + 1)) }),
    ...(isExpected || error.stack === undefined ? {} : { stack: error.stack }),
  };
}

/** As one sentence: the message and, where it does not say so itself, what it came from. */
function errorText({ message, code, cause, errors }: DescribedError): string {
  const inner = [...(cause === undefined ? [] : [cause]), ...(errors ?? [])].map(errorText);
  const news = inner.filter((text) => !message.includes(text));
  const coded = code === undefined || message.includes(code) ? message : `${message} (${code})`;
  return [coded, ...news].join('; ');
}

/** `2026-11-23T00:00:00.000Z INFO r1: sentence key=value`, one line whatever is in it. */
export function textLine(record: Readonly<Record<string, unknown>>): string {
  const { time, level, component, text } = record;
  const fields = Object.entries(record).filter(([key]) => !ownKeys.has(key));
  const shown = fields.map(([key, value]) => ` ${key}=${valueText(key, value)}`).join('');
  const head = `${String(time)} ${String(level).toUpperCase()} ${String(component)}: ${String(text)}`;
  return `${head}${shown}`.replace(control, escaped);
}

function valueText(key: string, value: unknown): string {
  const isError = key === 'error' && typeof value === 'object' && value !== null && 'message' in value;
  const plain = isError ? errorText(value as DescribedError) : value;
  const text = typeof plain === 'string' ? plain : JSON.stringify(plain);
  return /^[^\s"=]+$/.test(text) ? text : JSON.stringify(plain);
}

function escaped(character: string): string {
  if (character === '\n') return '\\n';
  return `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`;
}
