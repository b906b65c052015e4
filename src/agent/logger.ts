/**
 * The agent's log: pino's JSON lines, or the same as text for a terminal; to stderr or into a file. Writing is
 * synchronous, so that the last line before the end is there too.
 */
import { closeSync, mkdirSync, openSync } from 'node:fs';
import { dirname } from 'node:path';
import { destination, type Logger as PinoLogger, pino } from 'pino';
import type { Clock, Log, LogFields } from './contracts/components.ts';
import { describeError, textLine } from './log-lines.ts';
import { Repeats } from './repeats.ts';

/** Where the log goes, and how. */
export interface LoggerOptions {
  /** Default: stderr. */
  readonly file?: string;
  readonly format: 'text' | 'json';
  /** What is below is not written. Default `info`. */
  readonly level?: LogLevel;
  readonly clock: Clock;
}

/** As words of a line; `off` writes nothing. */
export type LogLevel = 'info' | 'warn' | 'error' | 'off';

/** One log for all components. */
export interface Logger {
  /** The log of one component. */
  log(component: string): Log;
  /** Goes on in a new file of the same name: the old one was moved away. */
  reopen(): void;
  /** Writes what was held back. */
  flush(): void;
}

const stderrFd = 2;
const reserved: ReadonlySet<string> = new Set(['time', 'level', 'component', 'text']);

/** @throws the system's error, where the file cannot be written. */
export function makeLogger({ file, format, level = 'info', clock }: LoggerOptions): Logger {
  if (file !== undefined) {
    mkdirSync(dirname(file), { recursive: true });
    closeSync(openSync(file, 'a'));
  }
  const out = destination({ dest: file ?? stderrFd, sync: true });
  // A full disk or a closed pipe must not end the agent; what could not be written is tried with the next line.
  out.on('error', () => undefined);
  const asText = { write: (line: string) => void out.write(`${textLine(JSON.parse(line))}\n`) };
  const options = {
    level: level === 'off' ? 'silent' : level,
    base: null,
    messageKey: 'text',
    timestamp: () => `,"time":"${new Date(clock.wallMs()).toISOString()}"`,
    formatters: { level: (label: string) => ({ level: label }) },
  };
  const root = pino(options, format === 'text' ? asText : out);
  const write = writer(root);
  const repeats = new Repeats(clock, write);
  return {
    log: (component) => ({
      info: (text, fields = {}) => write('info', component, text, fields),
      warn: (text, fields = {}) => repeats.add('warn', component, text, fields),
      error: (text, fields = {}) => repeats.add('error', component, text, fields),
    }),
    reopen: () => {
      if (file !== undefined) out.reopen();
    },
    flush: () => repeats.flush(),
  };
}

function writer(root: PinoLogger) {
  return (level: 'info' | 'warn' | 'error', component: string, text: string, fields: LogFields): void => {
    root[level]({ component, ...plainFields(fields) }, text);
  };
}

/** Nothing that a component says can stand for what the line itself says. */
function plainFields(fields: LogFields): Record<string, unknown> {
  const entries = Object.entries(fields).filter(([, value]) => value !== undefined);
  return Object.fromEntries(
    entries.map(([key, value]) => {
      const plain = value instanceof Error || key === 'error' ? describeError(value) : value;
      return [reserved.has(key) ? `${key}_` : key, typeof plain === 'bigint' ? String(plain) : plain];
    }),
  );
}
