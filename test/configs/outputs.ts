/** What comes out of an agent: lines in its files, in its log, names in its directories. */
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Place } from './agents.ts';

/** What there must be once all went through, and still must be when the agent has stopped. */
export interface Output {
  /** As plain data; own paths as in the configuration. */
  read(place: Place): Promise<unknown>;
  readonly expected: unknown;
  /** There is nothing to read before it has stopped, which may be once its sinks have taken so many events. */
  readonly events?: number;
}

/** All lines of all files below `path`, in any order, and how often each. */
export function written(path: string, expected: readonly string[]): Output {
  return {
    expected: { [path]: [...expected].sort() },
    read: async (place) => ({ [path]: (await linesBelow(place, path)).sort() }),
  };
}

/** As `written`, for what is only known by its form: `make` says what it comes to. */
export function writtenAs(path: string, expected: unknown, make: (lines: readonly string[]) => unknown): Output {
  return { expected, read: async (place) => make(await linesBelow(place, path)) };
}

/** The texts of all files below `path`, one after the other. */
export function content(path: string, expected: string): Output {
  return {
    expected: { [path]: expected },
    read: async (place) => ({ [path]: (await filesBelow(place, path)).map(({ text }) => text).join('') }),
  };
}

/** The whole numbers from 0 to some number of a hundred or more, each once. */
export function countedUp(path: string, prefix = ''): Output {
  return writtenAs(path, { hasMany: true, isGapless: true }, (lines) => {
    return { hasMany: lines.length >= 100, isGapless: isGapless(lines, prefix) };
  });
}

/** Behind `earlyLines`: these, and each of the early ones once. */
export function writtenLater(path: string, expected: readonly string[]): Output {
  return writtenAs(path, { later: [...expected].sort(), isGapless: true }, (lines) => {
    const isEarly = (line: string): boolean => line.startsWith('early ');
    const later = lines.filter((line) => !isEarly(line)).sort();
    return { later, isGapless: isGapless(lines.filter(isEarly), 'early ') };
  });
}

/** Whether each of these directories has got some of the lines that begin so. */
export function shared(paths: readonly string[], start: string): Output {
  return {
    expected: paths,
    read: async (place) => {
      const each = await Promise.all(paths.map((path) => linesBelow(place, path)));
      return paths.filter((_, index) => each[index]?.some((line) => line.startsWith(start)));
    },
  };
}

/** The numbers behind `prefix`: 0, 1, 2, … in any order. */
function isGapless(lines: readonly string[], prefix: string): boolean {
  const numbers = lines.map((line) => (line.startsWith(prefix) ? Number(line.slice(prefix.length)) : Number.NaN));
  return numbers.sort((a, b) => a - b).every((number, index) => number === index);
}

/** What is in a directory, without what begins with a dot. */
export function names(path: string, expected: readonly string[]): Output {
  return {
    expected: { [path]: expected },
    read: async ({ dir }) => ({ [path]: (await namesIn(join(dir, path))).filter((name) => !name.startsWith('.')) }),
  };
}

/** All events that the logger sink `sink` shows, in their order. */
export function logged(sink: string, expected: readonly string[]): Output {
  return {
    expected: { [sink]: expected },
    read: async (place) => {
      const lines = place.log().filter(({ component, text }) => component === sink && text.startsWith('Event: '));
      return { [sink]: lines.map(({ text }) => text.slice('Event: '.length)) };
    },
  };
}

/** That a component says this. */
export function told(component: string, expected: RegExp): Output {
  const isTold = (place: Place) => place.log().some((line) => line.component === component && expected.test(line.text));
  return { expected: `${component}: ${expected}`, read: async (place) => isTold(place) && `${component}: ${expected}` };
}

async function linesBelow(place: Place, path: string): Promise<string[]> {
  const files = await filesBelow(place, path);
  return files.flatMap(({ text }) => text.split('\n').slice(0, -1));
}

/** In the order of their names. What is not there has no files. */
async function filesBelow({ dir }: Place, path: string): Promise<{ name: string; text: string }[]> {
  const top = join(dir, path);
  const files = [];
  for (const name of await namesIn(top, true)) {
    const text = await readFile(join(top, name), 'utf8').catch(missing);
    if (text !== undefined) files.push({ name, text: text.replaceAll(dir, '') });
  }
  return files;
}

async function namesIn(path: string, recursive = false): Promise<string[]> {
  const entries = await readdir(path, { recursive }).catch(missing);
  return [...(entries ?? [])].sort();
}

/** A directory is no file, and what was renamed in the meantime is met again under its new name. */
function missing(error: NodeJS.ErrnoException): undefined {
  if (error.code === 'ENOENT' || error.code === 'EISDIR') return undefined;
  throw error;
}
