/** A log that a test reads. */
import type { Log, LogFields } from '../../src/agent/contracts/components.ts';

/** What was said. */
export interface RecordedLine {
  readonly component: string;
  readonly level: 'info' | 'warn' | 'error';
  readonly text: string;
  readonly fields: LogFields;
}

/** See above; `of` is the log of another component into the same lines. */
export class RecordedLog implements Log {
  readonly lines: RecordedLine[];
  readonly #component: string;

  constructor(component = 'x', lines: RecordedLine[] = []) {
    this.#component = component;
    this.lines = lines;
  }

  /** `INFO text`, a line each. */
  get text(): string {
    return this.lines.map(({ level, text }) => `${level.toUpperCase()} ${text}`).join('\n');
  }

  of(component: string): RecordedLog {
    return new RecordedLog(component, this.lines);
  }

  info(text: string, fields: LogFields = {}): void {
    this.lines.push({ component: this.#component, level: 'info', text, fields });
  }

  warn(text: string, fields: LogFields = {}): void {
    this.lines.push({ component: this.#component, level: 'warn', text, fields });
  }

  error(text: string, fields: LogFields = {}): void {
    this.lines.push({ component: this.#component, level: 'error', text, fields });
  }
}
