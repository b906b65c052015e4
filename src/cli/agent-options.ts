/** The command line of `forebay agent`: every option of `flume-ng agent`, and what becomes of each. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { LogLevel } from '../agent/logger.ts';

/** What was asked for. */
export interface AgentOptions {
  readonly name: string;
  /** In the order in which they count. */
  readonly files: readonly string[];
  /** In the order in which they are looked into. */
  readonly confDirectories: readonly string[];
  readonly pollIntervalMs: number;
  readonly reloads: boolean;
  readonly isDryRun: boolean;
  readonly isLenient: boolean;
  readonly logFile: string | undefined;
  readonly logLevel: LogLevel;
  /** Of `-Dk=v`. */
  readonly systemProperties: ReadonlyMap<string, string>;
  /** What was accepted and has no effect, each with what to do instead. */
  readonly notes: readonly string[];
}

/** The options, or what is wrong with them. */
export type ParsedOptions =
  | { readonly kind: 'options'; readonly options: AgentOptions }
  | { readonly kind: 'wrong'; readonly messages: readonly string[] };

/** By what the user may write to what it is called here. */
const valueOptions: ReadonlyMap<string, string> = new Map([
  ...named('name', '-n', '--name'),
  ...named('conf-file', '-f', '--conf-file'),
  ...named('conf', '-c', '--conf'),
  ...named('classpath', '-C', '--classpath'),
  ...named('plugins-path', '--plugins-path'),
  ...named('poll-interval', '-i', '--poll-interval'),
  ...named('conf-uri', '-u', '--conf-uri'),
  ...named('conf-provider', '-prov', '--conf-provider'),
  ...named('conf-user', '-user', '--conf-user'),
  ...named('conf-password', '-pwd', '--conf-password'),
  ...named('auth-provider', '-a', '--auth-provider'),
  ...named('backup-directory', '-b', '--backup-directory'),
  ...named('zkConnString', '-z', '--zkConnString'),
  ...named('zkBasePath', '-p', '--zkBasePath'),
  ...named('log-file', '--log-file'),
]);
const flags: ReadonlyMap<string, string> = new Map([
  ...named('dryrun', '-d', '--dryrun'),
  ...named('no-reload-conf', '--no-reload-conf'),
  ...named('lenient', '--lenient'),
]);
const javaOption = /^-(?:X|agentlib|agentpath|javaagent)/;

/** Accepted; why it does nothing. */
const withoutEffect: ReadonlyMap<string, string> = new Map([
  ['classpath', 'no Java class is loaded; a part of your own is a module that its `type` names'],
  ['plugins-path', 'no Java plug-in is loaded; a part of your own is a module that its `type` names'],
  ['conf-user', 'it is for http URIs of --conf-uri, which are not supported'],
  ['conf-password', 'it is for http URIs of --conf-uri, which are not supported'],
  ['auth-provider', 'it is for http URIs of --conf-uri, which are not supported'],
  ['backup-directory', 'no copy is kept: where the file cannot be read, what runs goes on'],
  ['zkBasePath', 'it is for --zkConnString, which is not supported'],
]);
/** Refused: there would be no configuration. */
const notSupported: ReadonlyMap<string, string> = new Map([
  ['conf-provider', 'a Java class cannot provide the configuration: write it to a file and name that with --conf-file'],
  ['zkConnString', 'ZooKeeper is not read: write the configuration to a file and name that with --conf-file'],
]);

/** The second by the configuration's substitution. */
const appliedProperties: ReadonlySet<string> = new Set(['flume.root.logger', 'propertiesImplementation']);

const pollSeconds = 30;
const pollSecondsMax = 1_000_000;

/** What stands for the values of those with an effect; names as commander writes them. */
const valueNames: ReadonlyMap<string, string> = new Map([
  ['name', 'name'],
  ['conf-file', 'file'],
  ['conf', 'dir'],
  ['poll-interval', 'seconds'],
  ['conf-uri', 'uri'],
  ['log-file', 'file'],
]);

/** The options that have an effect, as commander would be told of them: `-f, --conf-file <file>`. */
export function agentFlags(): string[] {
  const written = new Map<string, string[]>();
  for (const [one, option] of [...valueOptions, ...flags]) {
    if (withoutEffect.has(option) || notSupported.has(option)) continue;
    written.set(option, [...(written.get(option) ?? []), one]);
  }
  return [...written].map(([option, ways]) => {
    const value = valueOptions.has(`--${option}`) ? ` <${valueNames.get(option) ?? 'value'}>` : '';
    return `${ways.join(', ')}${value}`;
  });
}

/** Reads the arguments behind `agent`. */
export function parseAgentOptions(args: readonly string[]): ParsedOptions {
  const given: Given = { values: new Map(), flags: new Set(), system: new Map(), java: [], wrong: [] };
  for (let at = 0; at < args.length; at += 1) at += readOne(given, args[at] as string, args[at + 1]);
  const wrong = [...given.wrong];
  for (const [option, why] of notSupported) if (given.values.has(option)) wrong.push(`--${option}: ${why}`);
  const name = given.values.get('name')?.at(-1);
  if (name === undefined) wrong.push('--name is missing: the agent to run, as in `-n a1`');
  const files = [...uriFiles(given, wrong), ...(given.values.get('conf-file') ?? [])];
  if (files.length === 0) wrong.push('--conf-file is missing: the configuration, as in `-f agent.properties`');
  const interval = given.values.get('poll-interval')?.at(-1) ?? String(pollSeconds);
  if (!/^\d+$/.test(interval) || Number(interval) < 1 || Number(interval) > pollSecondsMax) {
    wrong.push(`--poll-interval: '${interval}' is not allowed: seconds, 1 … ${pollSecondsMax}`);
  }
  if (wrong.length > 0 || name === undefined) return { kind: 'wrong', messages: wrong };
  const { level, notes } = readLogger(given.system.get('flume.root.logger'));
  const options = {
    name,
    files,
    confDirectories: given.values.get('conf') ?? [],
    pollIntervalMs: Number(interval) * 1000,
    reloads: !given.flags.has('no-reload-conf'),
    isDryRun: given.flags.has('dryrun'),
    isLenient: given.flags.has('lenient'),
    logFile: given.values.get('log-file')?.at(-1),
    logLevel: level,
    systemProperties: given.system,
    notes: [...notesOf(given), ...notes],
  };
  return { kind: 'options', options };
}

interface Given {
  readonly values: Map<string, string[]>;
  readonly flags: Set<string>;
  readonly system: Map<string, string>;
  readonly java: string[];
  readonly wrong: string[];
}

/** Returns how many arguments it took beside its own. */
function readOne(given: Given, arg: string, next: string | undefined): number {
  if (arg.startsWith('-D') && arg.length > 2) {
    const [key = '', ...rest] = arg.slice(2).split('=');
    given.system.set(key, rest.join('='));
    return 0;
  }
  if (javaOption.test(arg)) {
    given.java.push(arg);
    return 0;
  }
  const flag = flags.get(arg);
  if (flag !== undefined) {
    given.flags.add(flag);
    return 0;
  }
  const [, written = arg, attached] = /^(--[^=]+)=(.*)$/s.exec(arg) ?? [];
  const option = valueOptions.get(written);
  const value = attached ?? next;
  if (option === undefined) given.wrong.push(`'${arg}' is not known: see \`forebay agent --help\``);
  else if (value === undefined) given.wrong.push(`${written} needs a value`);
  else given.values.set(option, [...(given.values.get(option) ?? []), value]);
  return option !== undefined && attached === undefined && value !== undefined ? 1 : 0;
}

function uriFiles(given: Given, wrong: string[]): readonly string[] {
  return (given.values.get('conf-uri') ?? []).flatMap((uri) => {
    try {
      return [fileURLToPath(uri)];
    } catch {
      wrong.push(
        `--conf-uri: '${uri}' is not supported: a file URI of this machine is; or name a file with --conf-file`,
      );
      return [];
    }
  });
}

function notesOf({ values, java }: Given): string[] {
  const notes: string[] = [];
  for (const [option, why] of withoutEffect) if (values.has(option)) notes.push(`--${option} has no effect: ${why}`);
  for (const dir of values.get('conf') ?? []) {
    const file = join(dir, 'flume-env.sh');
    if (existsSync(file)) notes.push(`${file} is not run: what it exports is to be in the environment already`);
  }
  if (java.length > 0) {
    const memory = 'for more memory set NODE_OPTIONS=--max-old-space-size=MEBIBYTES';
    notes.push(`${java.join(' ')}: has no effect, it is for Java; ${memory}`);
  }
  return notes;
}

/** A note for each `-Dk=v` that neither forebay nor the configuration used. `asked`: by `${sys:k}` in a value. */
export function unusedProperties({ systemProperties }: AgentOptions, asked: ReadonlySet<string>): readonly string[] {
  const unused = [...systemProperties.keys()].filter((key) => !appliedProperties.has(key) && !asked.has(key));
  return unused.map((key) => `-D${key} is not used: no value of the configuration says \${sys:${key}}`);
}

/** `INFO,console`, as Flume's own manual has it. */
function readLogger(text: string | undefined): { readonly level: LogLevel; readonly notes: readonly string[] } {
  const [level = '', ...appenders] = (text ?? 'INFO').split(',').map((part) => part.trim());
  const notes = appenders.flatMap((appender) => {
    if (/^console$/i.test(appender)) return [];
    return [`-Dflume.root.logger: '${appender}' is not known: the log goes to stderr, or where --log-file says`];
  });
  const known = logLevels.get(level.toUpperCase());
  if (known !== undefined) return { level: known, notes };
  return { level: 'info', notes: [...notes, `-Dflume.root.logger: '${level}' is no level of a log: INFO is used`] };
}

const logLevels: ReadonlyMap<string, LogLevel> = new Map([
  ['ALL', 'info'],
  ['TRACE', 'info'],
  ['DEBUG', 'info'],
  ['INFO', 'info'],
  ['WARN', 'warn'],
  ['ERROR', 'error'],
  ['FATAL', 'error'],
  ['OFF', 'off'],
]);

function named(option: string, ...written: string[]): (readonly [string, string])[] {
  return written.map((one) => [one, option] as const);
}
