/** What a comparison with Flume is made of: a source with its input, channels, and sinks that leave files. */
import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { mkdir, utimes, writeFile } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';

/** One source and what comes of it. In settings `@dir@` is the case's own directory. */
export interface FlumeCase {
  /** Of letters only: it is part of the components' names. */
  readonly name: string;
  /** Below the case's directory. Each is a minute younger than the one before, unless `age` says otherwise. */
  readonly files: Readonly<Record<string, string | Buffer | AgedFile>>;
  /** `key = value` behind the source's name. */
  readonly source: readonly string[];
  /** Behind each sink's name. Each sink has a channel of its own; its files are to go to `@dir@/out/<key>`. */
  readonly sinks: Readonly<Record<string, readonly string[]>>;
  /** Lines that come out in all, where the sinks write any. */
  readonly lines: number;
  /** Lines to be sent to `@port@`; the answers are compared too. */
  readonly sent?: string;
  /** Whether the files get their own names before the agents are stopped. */
  readonly isClosedByItself?: boolean;
  /** What each file that comes out is to be like before the agents are stopped, beside the number of lines. */
  readonly isWhole?: (content: Buffer) => boolean;
  /** What is to be the same: default all below `out`. */
  readonly compared?: readonly string[];
  /** Makes what differs by right the same. Default: only names are made so. */
  readonly normalize?: (text: string, path: string) => string;
}

/** Where the cases that are sent lines listen. */
export type Ports = ReadonlyMap<FlumeCase, number>;

/** A file with a time of change of its own. */
export interface AgedFile {
  readonly content: string;
  readonly minutes: number;
}

/** The zone of the agents' processes: another than the machine's, and not UTC, so that local time shows. */
export const agentsZone = 'America/New_York';

const startMs = Date.parse('2024-05-05T12:00:00Z');
const minuteMs = 60_000;

/** The directory of one case under one agent. */
function directoryOf(agentDir: string, { name }: FlumeCase): string {
  return join(agentDir, name);
}

/** Writes the input and makes the directories of the output. */
export async function prepareInput(agentDir: string, one: FlumeCase): Promise<void> {
  const directory = directoryOf(agentDir, one);
  for (const [index, [path, given]] of Object.entries(one.files).entries()) {
    const isAged = typeof given === 'object' && 'minutes' in given;
    const target = join(directory, path);
    await mkdir(dirname(target), { recursive: true });
    await writeFile(target, isAged ? given.content : given);
    const time = (startMs + (isAged ? given.minutes : index) * minuteMs) / 1000;
    await utimes(target, time, time);
  }
  for (const sink of Object.keys(one.sinks)) await mkdir(join(directory, 'out', sink), { recursive: true });
}

/** The configuration of agent `a1` with all the cases. Flume and we get the same but for directories and ports. */
export function configurationOf(agentDir: string, cases: readonly FlumeCase[], ports: Ports): string {
  const lines: string[] = [];
  const lists = { sources: [] as string[], channels: [] as string[], sinks: [] as string[] };
  for (const one of cases) {
    const { name, source, sinks } = one;
    const channels = Object.keys(sinks).map((sink) => `${name}-${sink}`);
    lists.sources.push(name);
    lists.channels.push(...channels);
    lists.sinks.push(...channels);
    lines.push(...source.map((line) => `a1.sources.${name}.${line}`));
    lines.push(`a1.sources.${name}.channels = ${channels.join(' ')}`);
    for (const channel of channels) lines.push(...channelLines(`a1.channels.${channel}`));
    for (const [sink, settings] of Object.entries(sinks)) {
      lines.push(`a1.sinks.${name}-${sink}.channel = ${name}-${sink}`);
      lines.push(...settings.map((line) => `a1.sinks.${name}-${sink}.${line}`));
    }
    const directory = directoryOf(agentDir, one);
    for (const [index, line] of lines.entries())
      lines[index] = line.replaceAll('@dir@', directory).replace('@port@', `${ports.get(one)}`);
  }
  return [...Object.entries(lists).map(([kind, names]) => `a1.${kind} = ${names.join(' ')}`), ...lines, ''].join('\n');
}

function channelLines(channel: string): string[] {
  const settings = ['type = memory', 'capacity = 10000', 'transactionCapacity = 1000', 'keep-alive = 1'];
  return settings.map((line) => `${channel}.${line}`);
}

interface FoundFile {
  readonly content: Buffer;
  readonly changedMs: number;
}

/** All files below, by path; Hadoop's checksums left out. */
function filesBelow(directory: string): Map<string, FoundFile> {
  const files = new Map<string, FoundFile>();
  if (!existsSync(directory)) return files;
  const paths = readdirSync(directory, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && !entry.name.endsWith('.crc'))
    .map((entry) => join(entry.parentPath, entry.name).slice(directory.length + 1));
  for (const path of paths.sort()) {
    const full = join(directory, path);
    try {
      files.set(path, { content: readFileSync(full), changedMs: statSync(full).mtimeMs });
    } catch {
      // Renamed since it was listed.
    }
  }
  return files;
}

/** Whether all has come out. */
export function hasCome(agentDir: string, one: FlumeCase): boolean {
  const files = outOf(agentDir, one);
  if (one.isClosedByItself === true && [...files.keys()].some((path) => path.endsWith('.tmp'))) return false;
  const contents = [...files.values()].map(({ content }) => content);
  return countLines(contents) >= one.lines && contents.length > 0 && contents.every(one.isWhole ?? (() => true));
}

/** Lines that have come out so far. */
export function linesOf(agentDir: string, one: FlumeCase): number {
  return countLines([...outOf(agentDir, one).values()].map(({ content }) => content));
}

function outOf(agentDir: string, one: FlumeCase): Map<string, FoundFile> {
  return filesBelow(join(directoryOf(agentDir, one), 'out'));
}

function countLines(contents: readonly Buffer[]): number {
  let lines = 0;
  for (const content of contents) {
    for (let at = content.indexOf(10); at >= 0; at = content.indexOf(10, at + 1)) lines += 1;
  }
  return lines;
}

/** Files by names that can be compared, with what is in them, byte by byte. */
export function comparable(agentDir: string, one: FlumeCase): Record<string, string> {
  const found: Record<string, string> = {};
  const directory = directoryOf(agentDir, one);
  const normalize = one.normalize ?? ((text: string) => text);
  for (const below of one.compared ?? ['out']) {
    const times = new Map<string, number[]>();
    for (const [path, { content, changedMs }] of filesBelow(join(directory, below))) {
      if (basename(path).startsWith('.flumespool')) continue;
      const name = comparableName(`${below}/${path}`, changedMs, times);
      found[name] = normalize(content.toString('latin1').replaceAll(agentDir, '@agent@'), name);
    }
  }
  return found;
}

/**
 * A name's time, where it is about that of the file: `#0` for the first time in ms of all files that are else called
 * the same, `#1` for the next one; `#s` for a time in seconds, of the agents' zone.
 */
function comparableName(path: string, changedMs: number, known: Map<string, number[]>): string {
  return path.replace(/\d{14}|\d{13}/, (time) => {
    const isSeconds = time.length === 14;
    const timeMs = isSeconds ? utcOf(time) : Number(time);
    const aboutMs = isSeconds ? utcOf(secondsText(changedMs)) : changedMs;
    if (Math.abs(timeMs - aboutMs) > minuteMs) return time;
    if (isSeconds) return '#s';
    const rest = path.replace(/\d{13}(-\d+)?/, '');
    const times = known.get(rest) ?? [];
    if (!times.includes(timeMs)) times.push(timeMs);
    known.set(rest, times);
    return `#${times.indexOf(timeMs)}`;
  });
}

function utcOf(text: string): number {
  return Date.parse(text.replace(/^(....)(..)(..)(..)(..)(..)$/, '$1-$2-$3T$4:$5:$6Z'));
}

function secondsText(ms: number): string {
  const format = new Intl.DateTimeFormat('sv-SE', { timeZone: agentsZone, dateStyle: 'short', timeStyle: 'medium' });
  return format.format(ms).replace(/\D/g, '');
}

/** The headers of `header_and_text` in the order of their names: in Flume's they are in that of a HashMap. */
export function sortHeaders(text: string): string {
  return text.replace(/^\{(.*)\} /gm, (_, pairs: string) => `{${pairs.split(', ').sort().join(', ')}} `);
}

/** Fails with both where they are not the same. */
export function assertSameFiles(flume: Record<string, string>, forebay: Record<string, string>): void {
  assert.ok(Object.keys(flume).length > 0, 'Flume left no file');
  assert.deepEqual(Object.keys(forebay), Object.keys(flume));
  for (const [name, content] of Object.entries(flume)) assert.equal(forebay[name], content, name);
}
