/** What all verbs of `forebay channel` share: how they end, and what they print where. */
import { once } from 'node:events';
import { isForebayError, systemCode } from '../../base/errors.ts';

/** sysexits.h. */
const exitUsage = 64;
const exitLocked = 75;
const exitConfig = 78;
const exitFailed = 1;
/** Damage was met: by stats and dump too. */
export const exitDamage = 2;

/** What to do about errors whose own text speaks to a program, not to an operator. */
const hints: Readonly<Record<string, string>> = {
  KEY_WRONG: 'give keys as --key ID=FILE, or name the channel by --conf-file, --name and --channel',
  EACCES: 'run as the user that the agent runs as, or give this one access',
  ENOTDIR: 'a file stands where a directory is due: name a data directory of the channel',
};

/** The command line is wrong: exit 64. */
export class UsageError extends Error {}

/** A configuration is: exit 78. `lines`: one for each problem. */
export class ConfigurationError extends Error {
  readonly lines: readonly string[];

  constructor(lines: readonly string[]) {
    super(lines.join('\n'));
    this.lines = lines;
  }
}

/** Runs a verb: what it throws is told on stderr, and becomes an exit status. */
export async function runVerb(finish: (status: number) => void, verb: () => Promise<number>): Promise<void> {
  try {
    finish(await verb());
  } catch (error) {
    finish(statusOf(error));
    for (const line of linesOf(error)) console.error(line);
  }
}

function statusOf(error: unknown): number {
  if (error instanceof UsageError) return exitUsage;
  if (error instanceof ConfigurationError) return exitConfig;
  if (!isForebayError(error)) return exitFailed;
  if (error.code === 'CHANNEL_LOCKED') return exitLocked;
  return error.code === 'CONFIG_INVALID' ? exitConfig : exitFailed;
}

function linesOf(error: unknown): readonly string[] {
  if (error instanceof ConfigurationError) return error.lines;
  const told = inert(`error: ${error instanceof Error ? error.message : String(error)}`);
  const hint = hints[(isForebayError(error) ? error.code : systemCode(error)) ?? ''];
  return hint === undefined ? [told] : [told, hint];
}

/** One JSON document. */
export function printJson(value: unknown): void {
  console.log(JSON.stringify(value));
}

/** Writes to stdout, no faster than it is read. */
export async function write(bytes: string | Uint8Array): Promise<void> {
  if (!process.stdout.write(bytes)) await once(process.stdout, 'drain');
}

/** `12,345`. */
export function counted(count: number): string {
  return count.toLocaleString('en-US');
}

/** `3.2 MiB`. */
export function sizeText(bytes: number): string {
  const units = ['B', 'KiB', 'MiB', 'GiB', 'TiB'];
  let value = bytes;
  let unit = 0;
  while (value >= 1024 && unit < units.length - 1) {
    value /= 1024;
    unit += 1;
  }
  return `${unit === 0 ? value : value.toFixed(1)} ${units[unit]}`;
}

/** `4 min`, of a length of time. */
export function ageText(ms: number): string {
  const steps: readonly (readonly [number, string])[] = [
    [86_400_000, 'd'],
    [3_600_000, 'h'],
    [60_000, 'min'],
    [1000, 's'],
  ];
  const step = steps.find(([length]) => ms >= length);
  return step === undefined ? `${Math.round(ms)} ms` : `${(ms / step[0]).toFixed(1)} ${step[1]}`;
}

const steering = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/u;

/** What a stranger wrote, for a terminal: characters that could steer it are shown by number. */
export function inert(text: string): string {
  if (!steering.test(text)) return text;
  return text.replaceAll(new RegExp(steering, 'gu'), (character) => {
    if (character === '\t') return '\\t';
    if (character === '\n') return '\\n';
    if (character === '\r') return '\\r';
    return `\\u{${character.codePointAt(0)?.toString(16)}}`;
  });
}
