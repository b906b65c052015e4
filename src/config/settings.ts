/** The keys of all files of a configuration, merged in their order, each with where it was set. */
import type { Place, Problems } from './problems.ts';
import { type Property, parseProperties } from './properties.ts';
import { readConfigText } from './read-file.ts';

/** A key with its value, both trimmed as Java trims. */
export interface Setting {
  readonly key: string;
  readonly value: string;
  readonly keyAt: Place;
  readonly valueAt: Place;
}

/** By key, each where it was set first. */
export type Settings = ReadonlyMap<string, Setting>;

/** Reads the files: of a key that several set, the last one counts. Undefined where a file cannot be used. */
export async function readSettings(files: readonly string[], problems: Problems): Promise<Settings | undefined> {
  const settings = new Map<string, Setting>();
  let isUsable = true;
  for (const file of files) {
    const text = await readConfigText(file, problems);
    if (text === undefined) isUsable = false;
    else for (const setting of settingsOf(file, text, problems)) settings.set(setting.key, setting);
  }
  return isUsable ? settings : undefined;
}

function settingsOf(file: string, text: string, problems: Problems): Iterable<Setting> {
  const parsed = parseProperties(text);
  for (const { at, message } of parsed.problems) problems.error({ file, ...at }, '', message);
  if (parsed.properties.length === 0) problems.error({ file, line: 1, column: 1 }, '', 'holds no properties');
  const found = new Map<string, Setting>();
  for (const property of parsed.properties) {
    const setting = settingOf(file, property, problems);
    const earlier = found.get(setting.key);
    if (earlier !== undefined) {
      const message = `is set in line ${earlier.keyAt.line} already: this one counts`;
      problems.warn(setting.keyAt, setting.key, message);
    }
    found.set(setting.key, setting);
  }
  return found.values();
}

function settingOf(file: string, property: Property, problems: Problems): Setting {
  const { key: rawKey, value, keyAt, valueAt, beyondAscii } = property;
  const key = javaTrim(rawKey);
  if (beyondAscii !== undefined) {
    const { text, at } = beyondAscii;
    const code = (text.codePointAt(0) ?? 0).toString(16).toUpperCase();
    const message = `byte 0x${code} is read as ISO-8859-1, as Flume does: here '${text}'; in a file saved as UTF-8 \
that is part of another character. Write \\uXXXX for what is not ASCII`;
    problems.warn({ file, ...at }, key, message);
  }
  return { key, value: javaTrim(value), keyAt: { file, ...keyAt }, valueAt: { file, ...valueAt } };
}

/** As String.trim: everything up to U+0020, and nothing else. */
export function javaTrim(text: string): string {
  let start = 0;
  let end = text.length;
  while (start < end && (text[start] as string) <= ' ') start += 1;
  while (end > start && (text[end - 1] as string) <= ' ') end -= 1;
  return text.slice(start, end);
}
