/**
 * The header section of an event batch, encoding side (header-section.ts reads it).
 *
 *     0        4      5           6        8
 *     +--------+------+-----------+--------+--------------------+------+
 *     | maps   | form | ref width | zero 2 | references, width×n | maps |
 *     +--------+------+-----------+--------+--------------------+------+
 *
 *     form 1, columns: keys u32 | varying u8 × keys | string list: keys | string list: the constant values
 *                      | for each varying key a string list: its value in each map
 *     form 2, rows:    width u8 | pairs of each map, width × maps | string list: name, value, name, value, …
 *
 * A section of no bytes: no event has headers. Reference width 0: one map for all events, or one for each in
 * order; else 1, 2 or 4, and event i has map references[i]. Maps with the same names are stored by column
 * (a value that all share is stored once), others by row. The order of names in a map is not kept.
 */
import { invariant } from '../base/assert.ts';
import type { Event, Headers } from '../event/event.ts';
import { planStringList, type StringListPlan, widthFor, writeStringList, writeUnsigned } from './string-list.ts';

/** The part before the references, and the two forms. */
export const headerSectionBytesMin = 8;
export const formColumns = 1;
export const formRows = 2;
/** Columns of more cells (maps × keys) go by row, so that what a reader builds is bounded by what it reads. */
export const columnCellsMax: number = 2 ** 26;
/** Maps that repeat are looked for while at most this many, plus a quarter of the events seen, are distinct. */
const distinctAllowance = 8;

type MapsPlan =
  | {
      readonly form: typeof formColumns;
      readonly keys: StringListPlan;
      readonly varying: readonly boolean[];
      readonly constants: StringListPlan;
      readonly columns: readonly StringListPlan[];
    }
  | { readonly form: typeof formRows; readonly pairs: readonly number[]; readonly strings: StringListPlan };

/** What `writeHeaders` writes: `bytes` bytes. */
export interface HeaderPlan {
  readonly bytes: number;
  readonly mapCount: number;
  /** The map of each event, where the maps are neither one nor one for each event. */
  readonly references: readonly number[] | undefined;
  readonly maps: MapsPlan | undefined;
}

interface DistinctMaps {
  readonly maps: readonly Headers[];
  readonly references: readonly number[] | undefined;
}

const noHeaders: HeaderPlan = { bytes: 0, mapCount: 0, references: undefined, maps: undefined };

/** Finds the layout for the headers of `events`, which must be valid. */
export function planHeaders(events: readonly Event[]): HeaderPlan {
  const { maps, references } = distinctMaps(events);
  const only = maps.length <= 1 ? maps[0] : undefined;
  if (maps.length === 0 || (only !== undefined && Object.keys(only).length === 0)) return noHeaders;
  const plan = planColumns(maps) ?? planRows(maps);
  const referencesBytes = references === undefined ? 0 : references.length * widthFor(maps.length - 1);
  const bytes = headerSectionBytesMin + referencesBytes + mapsBytes(plan, maps.length);
  return { bytes, mapCount: maps.length, references, maps: plan };
}

/** Writes `plan.bytes` bytes at `offset` and returns the offset behind them. */
export function writeHeaders(plan: HeaderPlan, target: Buffer, offset: number): number {
  const { maps, references } = plan;
  if (maps === undefined) return offset;
  const referenceWidth = references === undefined ? 0 : widthFor(plan.mapCount - 1);
  target.writeUInt32LE(plan.mapCount, offset);
  target[offset + 4] = maps.form;
  target[offset + 5] = referenceWidth;
  target.writeUInt16LE(0, offset + 6);
  let position = offset + headerSectionBytesMin;
  if (referenceWidth !== 0) position = writeNumbers(references ?? [], target, position, referenceWidth);
  if (maps.form === formRows) {
    const width = pairsWidth(maps.pairs);
    target[position] = width;
    position = writeNumbers(maps.pairs, target, position + 1, width);
    return writeStringList(maps.strings, target, position);
  }
  target.writeUInt32LE(maps.varying.length, position);
  position += 4;
  for (const varying of maps.varying) target[position++] = varying ? 1 : 0;
  position = writeStringList(maps.keys, target, position);
  position = writeStringList(maps.constants, target, position);
  for (const column of maps.columns) position = writeStringList(column, target, position);
  return position;
}

/**
 * The maps to store. Repeats are found by reference, against the event before by content, then by content
 * among all, until too many differ: then each event keeps its own map.
 */
function distinctMaps(events: readonly Event[]): DistinctMaps {
  const first = events[0]?.headers;
  if (first === undefined) return { maps: [], references: undefined };
  let previous = first;
  let index = 1;
  for (; index < events.length; index++) {
    const headers = headersAt(events, index);
    if (headers !== previous && !sameHeaders(headers, previous)) break;
    previous = headers;
  }
  if (index >= events.length) return { maps: [first], references: undefined };
  return distinctAmong(events, first, index);
}

/** As `distinctMaps`, where the events before `start` share `first` and the one there differs. */
function distinctAmong(events: readonly Event[], first: Headers, start: number): DistinctMaps {
  const maps = [first];
  const references: number[] = new Array<number>(start).fill(0);
  const byReference = new Map<Headers, number>([[first, 0]]);
  const byContent = new Map<string, number>([[contentOf(first), 0]]);
  let previous = first;
  let current = 0;
  for (let index = start; index < events.length; index++) {
    const headers = headersAt(events, index);
    if (headers !== previous && !sameHeaders(headers, previous)) {
      const content = byReference.has(headers) ? '' : contentOf(headers);
      current = byReference.get(headers) ?? byContent.get(content) ?? maps.length;
      if (current === maps.length) {
        if (maps.length > distinctAllowance + index / 4) return ownMaps(events);
        maps.push(headers);
        byReference.set(headers, current);
        byContent.set(content, current);
      }
    }
    previous = headers;
    references.push(current);
  }
  return maps.length === events.length ? { maps, references: undefined } : { maps, references };
}

function ownMaps(events: readonly Event[]): DistinctMaps {
  return { maps: events.map((event) => event.headers), references: undefined };
}

function headersAt(events: readonly Event[], index: number): Headers {
  const event = events[index];
  invariant(event !== undefined, 'events has no holes');
  return event.headers;
}

function sameHeaders(left: Headers, right: Headers): boolean {
  const keys = Object.keys(left);
  for (const key of keys) {
    if (left[key] !== right[key] || !Object.hasOwn(right, key)) return false;
  }
  return keys.length === Object.keys(right).length;
}

/** Different for different names or values. */
function contentOf(headers: Headers): string {
  let content = '';
  for (const key of Object.keys(headers)) {
    const value = headers[key] ?? '';
    content += `${key.length},${value.length}:${key}${value}`;
  }
  return content;
}

/** Undefined where the maps do not all have the same names. */
function planColumns(maps: readonly Headers[]): MapsPlan | undefined {
  const keys = Object.keys(maps[0] ?? {});
  if (maps.length * keys.length > columnCellsMax) return undefined;
  for (const map of maps) {
    const own = Object.keys(map);
    if (own.length !== keys.length) return undefined;
    for (let index = 0; index < own.length; index++) {
      const key = keys[index] ?? '';
      if (own[index] !== key && !Object.hasOwn(map, key)) return undefined;
    }
  }
  const constants: string[] = [];
  const columns: StringListPlan[] = [];
  const varying: boolean[] = [];
  for (const key of keys) {
    const values = columnOf(maps, key);
    varying.push(typeof values !== 'string');
    if (typeof values === 'string') constants.push(values);
    else columns.push(planStringList(values));
  }
  return { form: formColumns, keys: planStringList(keys), varying, constants: planStringList(constants), columns };
}

/** The values of `key`, or the one value that all maps share. */
function columnOf(maps: readonly Headers[], key: string): string | string[] {
  const values: string[] = [];
  const first = maps[0]?.[key] ?? '';
  let same = true;
  for (const map of maps) {
    const value = map[key];
    invariant(typeof value === 'string', 'header values are strings');
    if (same) same = value === first;
    values.push(value);
  }
  return same ? first : values;
}

function planRows(maps: readonly Headers[]): MapsPlan {
  const pairs: number[] = [];
  const strings: string[] = [];
  for (const map of maps) {
    const keys = Object.keys(map);
    pairs.push(keys.length);
    for (const key of keys) {
      const value = map[key];
      invariant(typeof value === 'string', 'header values are strings');
      strings.push(key, value);
    }
  }
  return { form: formRows, pairs, strings: planStringList(strings) };
}

function mapsBytes(plan: MapsPlan, mapCount: number): number {
  if (plan.form === formRows) return 1 + mapCount * pairsWidth(plan.pairs) + plan.strings.bytes;
  let bytes = 4 + plan.varying.length + plan.keys.bytes + plan.constants.bytes;
  for (const column of plan.columns) bytes += column.bytes;
  return bytes;
}

function pairsWidth(pairs: readonly number[]): 1 | 2 | 4 {
  let max = 0;
  for (const count of pairs) if (count > max) max = count;
  return widthFor(max);
}

function writeNumbers(values: readonly number[], target: Buffer, offset: number, width: 1 | 2 | 4): number {
  let position = offset;
  for (const value of values) {
    writeUnsigned(target, position, width, value);
    position += width;
  }
  return position;
}
