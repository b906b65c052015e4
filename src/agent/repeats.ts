/** The same error again and again is one line a minute that says how often: a full disk must not fill the log too. */
import type { Clock, LogFields } from './contracts/components.ts';
import { describeError } from './log-lines.ts';

/** Writes a line. */
export type WriteLine = (level: 'warn' | 'error', component: string, text: string, fields: LogFields) => void;

const windowMs = 60_000;
const errorsMax = 1000;

interface Repeated {
  readonly write: (repeated: number) => void;
  readonly cancel: () => void;
}

interface Waiting {
  count: number;
  latest: Repeated;
}

/** Stands before a log: the first of its kind passes at once, the others wait for the end of their minute. */
export class Repeats {
  readonly #clock: Clock;
  readonly #write: WriteLine;
  readonly #waiting: Map<string, Waiting> = new Map();

  constructor(clock: Clock, write: WriteLine) {
    this.#clock = clock;
    this.#write = write;
  }

  /** Writes it now, or counts it. Two are the same where all that is text in them is, but for numbers in an error. */
  add(level: 'warn' | 'error', component: string, text: string, fields: LogFields): void {
    const key = JSON.stringify([level, component, text, kindOf(fields)]);
    const waiting = this.#waiting.get(key);
    const write = (repeated: number): void => this.#write(level, component, text, { ...fields, repeated });
    if (waiting !== undefined) {
      waiting.count += 1;
      waiting.latest = { ...waiting.latest, write };
      return;
    }
    this.#write(level, component, text, fields);
    const [oldest] = this.#waiting.keys();
    if (this.#waiting.size >= errorsMax && oldest !== undefined) this.#end(oldest);
    this.#waiting.set(key, { count: 0, latest: { write, cancel: this.#endLater(key) } });
  }

  /** Writes what was counted. */
  flush(): void {
    for (const key of [...this.#waiting.keys()]) this.#end(key);
  }

  #endLater(key: string): () => void {
    const timer = this.#clock.after(windowMs, () => this.#minuteOver(key));
    return () => timer.cancel();
  }

  /** While it goes on it stays known, for the next minute's line. */
  #minuteOver(key: string): void {
    const waiting = this.#waiting.get(key);
    if (waiting === undefined || waiting.count === 0) {
      this.#waiting.delete(key);
      return;
    }
    waiting.latest.write(waiting.count);
    waiting.count = 0;
    waiting.latest = { ...waiting.latest, cancel: this.#endLater(key) };
  }

  #end(key: string): void {
    const waiting = this.#waiting.get(key);
    this.#waiting.delete(key);
    if (waiting === undefined) return;
    waiting.latest.cancel();
    if (waiting.count > 0) waiting.latest.write(waiting.count);
  }
}

function kindOf(fields: LogFields): unknown[] {
  return Object.entries(fields).flatMap(([name, value]) => {
    if (name === 'error') return [describeError(value).message.replace(/\d+/g, '#')];
    return typeof value === 'string' ? [name, value] : [];
  });
}
