/** Which events a verb is about, and how they are printed: the options that dump, tail, replay and export share. */
import { Option } from 'commander';
import type { DumpedEvent, DumpRange, EventState } from '../../channel/reader/dump.ts';
import type { EventFormat } from './event-format.ts';
import { UsageError } from './verb.ts';

const eventStates: readonly EventState[] = ['pending', 'prepared', 'acked', 'lost'];
const formats: readonly EventFormat[] = ['ndjson', 'text', 'raw'];

/** An option that may be given several times. */
export function append(one: string, others: readonly string[] = []): readonly string[] {
  return [...others, one];
}

/** An option whose values are known: help and completion name them. What else is given, the verb itself refuses. */
export function choiceOption(flags: string, description: string, values: readonly string[]): Option {
  return new Option(flags, description).choices(values).argParser((text) => text);
}

/** `--state`; `preset` where it is not given. */
export function stateOption(preset: string): Option {
  return choiceOption('--state <list>', `in these states, with commas (default: ${preset})`, [...eventStates, 'all']);
}

/** `--format`. */
export function formatOption(description = 'of what is printed'): Option {
  return choiceOption('--format <format>', `${description} (default: text; with --json: ndjson)`, formats);
}

/** `--from` and `--to`. @throws {UsageError} */
export function rangeOf({ from, to }: { readonly from?: string; readonly to?: string }): DumpRange {
  return { ...boundOf('from', from), ...boundOf('to', to) };
}

function boundOf(end: 'from' | 'to', text: string | undefined): DumpRange {
  if (text === undefined) return {};
  if (/^\d+$/.test(text)) return end === 'from' ? { fromSequence: Number(text) } : { toSequence: Number(text) };
  const timeMs = /^\d{4}-\d{2}-\d{2}/.test(text) ? Date.parse(text) : Number.NaN;
  if (Number.isNaN(timeMs)) {
    throw new UsageError(`--${end} '${text}': a sequence, or a time as 2026-11-22T10:00:00Z`);
  }
  return end === 'from' ? { fromMs: timeMs } : { toMs: timeMs };
}

/** `--state`. @throws {UsageError} */
export function statesOf(text: string): ReadonlySet<EventState> {
  return new Set(text === 'all' ? eventStates : text.split(',').map((one) => oneOf('--state', one, eventStates)));
}

/** `--format`; text where it is not given, and NDJSON with --json. @throws {UsageError} */
export function formatOf({ format, json }: { readonly format?: string; readonly json?: boolean }): EventFormat {
  return oneOf('--format', format ?? (json === true ? 'ndjson' : 'text'), formats);
}

/** Headers that an event must have, with these values. */
export type Where = readonly (readonly [string, string])[];

/** `--where`. @throws {UsageError} */
export function whereOf(texts: readonly string[] = []): Where {
  return texts.map((text) => {
    const sign = text.indexOf('=');
    if (sign <= 0) throw new UsageError(`--where '${text}': HEADER=VALUE is due, as host=web1`);
    return [text.slice(0, sign), text.slice(sign + 1)] as const;
  });
}

/** Whether the event has all these headers. */
export function matches({ event }: DumpedEvent, where: Where): boolean {
  return where.every(([name, value]) => event.headers[name] === value);
}

/** A whole number. @throws {UsageError} */
export function countOf(option: string, text: string): number {
  if (/^\d{1,15}$/.test(text)) return Number(text);
  throw new UsageError(`${option} '${text}': a whole number is due`);
}

function oneOf<Value extends string>(option: string, text: string, values: readonly Value[]): Value {
  const value = values.find((one) => one === text);
  if (value === undefined) throw new UsageError(`${option} '${text}' is not allowed: one of ${values.join(', ')}`);
  return value;
}
