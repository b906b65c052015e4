/** What a configuration is told: one list of problems, each with its place, in the order of the files. */
import type { Position } from './properties.ts';

/** Something wrong, or something to know. */
export interface ConfigProblem {
  /** `error`: it does not start so. `warning`: it does. */
  readonly severity: 'error' | 'warning';
  readonly file: string;
  /** Both from 1. */
  readonly line: number;
  readonly column: number;
  /** The whole key, `a1.sources.r1.type`; empty for what concerns a file as a whole. */
  readonly key: string;
  readonly message: string;
}

/** Where something stands in one of the files. */
export interface Place extends Position {
  readonly file: string;
}

/** A problem as it is printed: `file:line:column key: message`, and whether it is only a warning. */
export function problemText({ severity, file, line, column, key, message }: ConfigProblem): string {
  const prefix = `${file}:${line}:${column}${key === '' ? '' : ` ${key}`}:`;
  return severity === 'warning' ? `${prefix} warning: ${message}` : `${prefix} ${message}`;
}

/** By file, in the order that `files` were given in, then by line. Each once. */
export function inOrder(problems: readonly ConfigProblem[], files: readonly string[]): readonly ConfigProblem[] {
  const unique = new Map(problems.map((one) => [JSON.stringify(one), one]));
  return [...unique.values()].sort(
    (a, b) => files.indexOf(a.file) - files.indexOf(b.file) || a.line - b.line || a.column - b.column,
  );
}

/** Collects problems. */
export class Problems {
  readonly #list: ConfigProblem[] = [];
  readonly #isLenient: boolean;

  /** `isLenient`: what Flume leaves out with a line in its log is left out here as well, with a warning. */
  constructor(isLenient: boolean) {
    this.#isLenient = isLenient;
  }

  error(at: Place, key: string, message: string): void {
    this.#add('error', at, key, message);
  }

  warn(at: Place, key: string, message: string): void {
    this.#add('warning', at, key, message);
  }

  /** What Flume goes on without. `dropped`: what that is, `the source`. */
  drop(at: Place, key: string, message: string, dropped: string): void {
    if (this.#isLenient) this.warn(at, key, `${message}; ${dropped} is left out, as Flume does`);
    else this.error(at, key, message);
  }

  get hasErrors(): boolean {
    return this.#list.some(({ severity }) => severity === 'error');
  }

  /** As `inOrder`. */
  sorted(files: readonly string[]): readonly ConfigProblem[] {
    return inOrder(this.#list, files);
  }

  #add(severity: ConfigProblem['severity'], { file, line, column }: Place, key: string, message: string): void {
    this.#list.push({ severity, file, line, column, key, message });
  }
}
