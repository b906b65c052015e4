/**
 * The header section of an event batch, reading side: bytes in header-plan.ts. Everything is checked when the
 * section is read, without making a string; maps are built when asked for, those that events share once.
 */
import type { Headers } from '../event/event.ts';
import { columnCellsMax, formColumns, formRows, headerSectionBytesMin } from './header-plan.ts';
import { readStringList, readUnsigned, type StringList } from './string-list.ts';

/**
 * The headers of a batch's events. Maps that events share are frozen; a map of one event's own is not, since
 * freezing costs three times as much as building it (decode 13.9 M events/s without, 3.4 M with).
 */
export interface HeaderSection {
  /** The headers of event `index`; an index of the batch. */
  at(index: number): Headers;
}

/** Where the section lies in the payload, and for how many events. */
export interface HeaderSectionPlace {
  readonly start: number;
  readonly end: number;
  readonly eventCount: number;
}

/** One function builds map `index`. */
type BuildMap = (index: number) => Headers;

const none: Headers = Object.freeze({});

/** Reads the section, or says why its bytes are none. Total. The payload must not change as long as it is used. */
export function readHeaders(payload: Buffer, place: HeaderSectionPlace): HeaderSection | string {
  const { start, end, eventCount } = place;
  if (start === end) return { at: () => none };
  if (start + headerSectionBytesMin > end) return 'header section: cut off';
  const mapCount = payload.readUInt32LE(start);
  const form = payload[start + 4];
  const width = payload[start + 5];
  if (payload.readUInt16LE(start + 6) !== 0) return 'header section: reserved bytes are not zero';
  if (mapCount === 0 || mapCount > eventCount) return 'header section: number of maps';
  if (width !== 0 && width !== 1 && width !== 2 && width !== 4) return 'header section: reference width';
  const mapsAt = start + headerSectionBytesMin + width * eventCount;
  if (mapsAt > end) return 'header section: references cut off';
  if (form !== formColumns && form !== formRows) return 'header section: form';
  const build =
    form === formColumns ? readColumns(payload, mapsAt, end, mapCount) : readRows(payload, mapsAt, end, mapCount);
  if (typeof build === 'string') return build;

  if (width === 0 && mapCount === 1) return sharedMaps(build, () => 0);
  if (width === 0) return mapCount === eventCount ? { at: build } : 'header section: maps without references';
  const referencesAt = start + headerSectionBytesMin;
  for (let at = referencesAt; at < mapsAt; at += width) {
    if (readUnsigned(payload, at, width) >= mapCount) return 'header section: reference to no map';
  }
  return sharedMaps(build, (index) => readUnsigned(payload, referencesAt + index * width, width));
}

function sharedMaps(build: BuildMap, mapOf: (index: number) => number): HeaderSection {
  const built = new Map<number, Headers>();
  let lastMap = -1;
  let last = none;
  return {
    at(index) {
      const map = mapOf(index);
      if (map === lastMap) return last;
      const headers = built.get(map) ?? Object.freeze(build(map));
      built.set(map, headers);
      lastMap = map;
      last = headers;
      return headers;
    },
  };
}

function readColumns(payload: Buffer, start: number, end: number, mapCount: number): BuildMap | string {
  if (start + 4 > end) return 'columns: cut off';
  const keyCount = payload.readUInt32LE(start);
  const keysAt = start + 4 + keyCount;
  if (keysAt > end) return 'columns: number of keys';
  if (mapCount * keyCount > columnCellsMax) return 'columns: too many cells';
  let varyingCount = 0;
  for (let at = start + 4; at < keysAt; at++) {
    const varying = payload[at] ?? 0;
    if (varying > 1) return 'columns: kind of a column';
    varyingCount += varying;
  }
  const keys = readStringList(payload, keysAt, end, keyCount);
  if (keys === undefined) return 'columns: keys';
  const constants = readStringList(payload, keys.end, end, keyCount - varyingCount);
  if (constants === undefined) return 'columns: constant values';
  const columns: StringList[] = [];
  let position = constants.end;
  for (let index = 0; index < varyingCount; index++) {
    const column = readStringList(payload, position, end, mapCount);
    if (column === undefined) return 'columns: values of a column';
    columns.push(column);
    position = column.end;
  }
  if (position !== end) return 'columns: bytes left over';
  return columnsBuilder(payload.subarray(start + 4, keysAt), keys, constants, columns);
}

/** Builds by copying a template that has every key, so that a map costs one clone and its varying values. */
function columnsBuilder(varying: Buffer, keys: StringList, constants: StringList, columns: StringList[]): BuildMap {
  let decoded: { template: Headers; varyingKeys: string[] } | undefined;
  return (index) => {
    decoded ??= decodeTemplate(varying, keys, constants);
    const headers: Record<string, string> = { ...decoded.template };
    for (let column = 0; column < columns.length; column++) {
      // the key is an own property already, so this sets it, even where it is '__proto__'
      headers[decoded.varyingKeys[column] ?? ''] = columns[column]?.at(index) ?? '';
    }
    return headers;
  };
}

function decodeTemplate(
  varying: Buffer,
  keys: StringList,
  constants: StringList,
): { template: Headers; varyingKeys: string[] } {
  const template: Record<string, string> = {};
  const varyingKeys: string[] = [];
  let constant = 0;
  for (const [index, key] of keys.all().entries()) {
    const varies = varying[index] === 1;
    if (varies) varyingKeys.push(key);
    setHeader(template, key, varies ? '' : constants.at(constant++));
  }
  return { template, varyingKeys };
}

function readRows(payload: Buffer, start: number, end: number, mapCount: number): BuildMap | string {
  if (start + 1 > end) return 'rows: cut off';
  const width = payload[start];
  if (width !== 1 && width !== 2 && width !== 4) return 'rows: width';
  const stringsAt = start + 1 + width * mapCount;
  if (stringsAt > end) return 'rows: numbers of pairs cut off';
  let pairCount = 0;
  for (let at = start + 1; at < stringsAt; at += width) pairCount += readUnsigned(payload, at, width);
  const strings = readStringList(payload, stringsAt, end, 2 * pairCount);
  if (strings === undefined) return 'rows: names and values';
  if (strings.end !== end) return 'rows: bytes left over';
  let firstPairs: Uint32Array | undefined;
  return (index) => {
    firstPairs ??= startsOf(payload, start + 1, width, mapCount);
    const headers: Record<string, string> = {};
    const last = firstPairs[index + 1] ?? 0;
    for (let pair = firstPairs[index] ?? 0; pair < last; pair++) {
      setHeader(headers, strings.at(2 * pair), strings.at(2 * pair + 1));
    }
    return headers;
  };
}

/** The running sum of `count` numbers, from 0 to their total. */
function startsOf(payload: Buffer, at: number, width: 1 | 2 | 4, count: number): Uint32Array {
  const starts = new Uint32Array(count + 1);
  let sum = 0;
  for (let index = 0; index < count; index++) {
    sum += readUnsigned(payload, at + index * width, width);
    starts[index + 1] = sum;
  }
  return starts;
}

/** A plain assignment to `__proto__` would set no property. */
function setHeader(headers: Record<string, string>, key: string, value: string): void {
  if (key !== '__proto__') headers[key] = value;
  else Object.defineProperty(headers, key, { value, enumerable: true, writable: true, configurable: true });
}
