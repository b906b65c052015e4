/**
 * BucketPath: what `hdfs.path` and `hdfs.filePrefix` are for one event. Compiled once; the time's part is made once a
 * second of the events' time, and a path once for each combination of headers at that time. So an event mostly costs a
 * look at a table, and events of one file get the very same string, which the sink then finds its file by.
 */
import type { ParsedValue } from '../../../agent/contracts/keys.ts';
import type { Headers } from '../../../engine.ts';
import { type NoTime, timeOf } from './event-time.ts';
import { type HostNames, type PathPart, parsePath } from './path-text.ts';
import { momentAt, type WallClock } from './path-time.ts';
import { headerProblem, nameReason, type PathProblem, valueReason } from './path-values.ts';

/** What a text means beside its letters. */
export interface PathOptions extends WallClock {
  /** `hdfs.useLocalTimeStamp`: the time is now, and the header counts for nothing. */
  readonly usesLocalTime: boolean;
  readonly host: HostNames;
}

/** One after the other they make the path. `open` and `close` are around a name that has headers in it. */
type Step =
  | { readonly kind: 'text'; readonly index: number }
  | { readonly kind: 'header'; readonly name: string }
  | { readonly kind: 'open' }
  | { readonly kind: 'close' };

/** What stands between headers: literals and letters. */
type Run = readonly Exclude<PathPart, { kind: 'header' }>[];

/** So many seconds are kept: late events mix with those on time. */
const secondsKept = 256;
/** So many paths of one time are kept: a sink has 5000 open files at most by default, and rarely hundreds. */
const pathsKept = 1000;

/** Compiles a text. A problem where it can never work; a warning where it surely means something else. */
export function compilePath(text: string, options: PathOptions): ParsedValue<PathTemplate> {
  const parsed = parsePath(text, options.host);
  if ('problem' in parsed) return parsed;
  const value = new PathTemplate(text, parsed.value, options);
  return parsed.warning === undefined ? { value } : { value, warning: parsed.warning };
}

/** One text, compiled. */
export class PathTemplate {
  readonly text: string;
  /** Whether it shows the event's time, which then must have one or be given the sink's. */
  readonly needsTime: boolean;
  readonly #options: PathOptions;
  readonly #steps: readonly Step[];
  readonly #runs: readonly Run[];
  readonly #headerNames: readonly string[];
  readonly #showsHeaderTime: boolean;
  /** The runs' texts by second, and those used last. */
  readonly #recent = new Map<number, readonly string[]>();
  #lastSecond: number = Number.NaN;
  #lastTexts: readonly string[] = [];
  /** Paths made of the last texts, by the headers' values. */
  readonly #paths = new Map<string, string>();

  constructor(text: string, parts: readonly PathPart[], options: PathOptions) {
    const letters = parts.flatMap((part) => (part.kind === 'time' ? [part.letter] : []));
    const { steps, runs } = compile(parts);
    this.text = text;
    this.needsTime = letters.length > 0;
    this.#options = options;
    this.#steps = steps;
    this.#runs = runs;
    this.#headerNames = parts.flatMap((part) => (part.kind === 'header' ? [part.name] : []));
    this.#showsHeaderTime = letters.includes('t');
    if (!this.needsTime) this.#lastTexts = this.#render(0, '');
  }

  /** The path for an event, or why it has none. `nowMs` counts where the sink's own time is used. */
  expand(headers: Headers, nowMs: number): string | PathProblem {
    const texts = this.#texts(headers, nowMs);
    if ('kind' in texts) return texts;
    const key = this.#valuesOf(headers);
    const known = this.#paths.get(key);
    if (known !== undefined) return known;
    const path = this.#make(texts, headers);
    if (typeof path !== 'string') return path;
    if (this.#paths.size >= pathsKept) this.#paths.clear();
    this.#paths.set(key, path);
    return path;
  }

  /** Tells values apart of which a path can be made: no such value has a NUL. */
  #valuesOf(headers: Headers): string {
    const [first] = this.#headerNames;
    if (first === undefined) return '';
    if (this.#headerNames.length === 1) return headerOf(headers, first) ?? '';
    return this.#headerNames.map((name) => headerOf(headers, name) ?? '').join('\0');
  }

  #make(texts: readonly string[], headers: Headers): string | PathProblem {
    let path = '';
    let nameStart = 0;
    let last = '';
    for (const step of this.#steps) {
      if (step.kind === 'text') path += texts[step.index];
      else if (step.kind === 'open') nameStart = path.length;
      else if (step.kind === 'header') {
        last = step.name;
        const value = headerOf(headers, last) ?? '';
        const reason = valueReason(value);
        if (reason !== undefined) return headerProblem(last, value, reason, this.text);
        path += value;
      } else {
        const reason = nameReason(path.slice(nameStart));
        if (reason !== undefined) return headerProblem(last, headerOf(headers, last), reason, this.text);
      }
    }
    return path;
  }

  #texts(headers: Headers, nowMs: number): readonly string[] | PathProblem {
    if (!this.needsTime) return this.#lastTexts;
    const ms = this.#options.usesLocalTime ? nowMs : timeOf(headers);
    if (typeof ms === 'string') return timeProblem(ms, headers, this.text);
    if (this.#showsHeaderTime) {
      const headerTime = this.#options.usesLocalTime ? `${nowMs}` : (headerOf(headers, 'timestamp') ?? '');
      return this.#keep(this.#render(ms, headerTime));
    }
    const second = Math.floor(ms / 1000);
    if (second === this.#lastSecond) return this.#lastTexts;
    let texts = this.#recent.get(second);
    if (texts === undefined) {
      texts = this.#render(ms, '');
      if (this.#recent.size >= secondsKept) this.#recent.clear();
      this.#recent.set(second, texts);
    }
    this.#lastSecond = second;
    return this.#keep(texts);
  }

  /** Paths stay known as long as the texts are the same: for a path by the hour, that hour. */
  #keep(texts: readonly string[]): readonly string[] {
    const last = this.#lastTexts;
    if (texts.every((text, index) => text === last[index])) return last;
    this.#lastTexts = texts;
    this.#paths.clear();
    return texts;
  }

  #render(ms: number, headerTime: string): readonly string[] {
    const write = this.needsTime ? momentAt(this.#options, ms, headerTime) : undefined;
    return this.#runs.map((run) =>
      run.map((part) => (part.kind === 'literal' ? part.text : (write?.(part.letter) ?? ''))).join(''),
    );
  }
}

/** Joins what stands between headers, and marks the names that have headers in them. */
function compile(parts: readonly PathPart[]): { steps: Step[]; runs: Run[] } {
  const steps: Step[] = [];
  const runs: Run[] = [];
  let run: Exclude<PathPart, { kind: 'header' }>[] = [];
  const endRun = (): void => {
    if (run.length > 0) steps.push({ kind: 'text', index: runs.push(run) - 1 });
    run = [];
  };
  for (const [index, name] of namesOf(parts).entries()) {
    if (index > 0) run.push({ kind: 'literal', text: '/' });
    const hasHeader = name.some(({ kind }) => kind === 'header');
    if (hasHeader) {
      endRun();
      steps.push({ kind: 'open' });
    }
    for (const part of name) {
      if (part.kind !== 'header') run.push(part);
      else {
        endRun();
        steps.push(part);
      }
    }
    if (!hasHeader) continue;
    endRun();
    steps.push({ kind: 'close' });
  }
  endRun();
  return { steps, runs };
}

/** The parts of each name between the slashes of literals. */
function namesOf(parts: readonly PathPart[]): PathPart[][] {
  let name: PathPart[] = [];
  const names = [name];
  for (const part of parts) {
    if (part.kind !== 'literal') {
      name.push(part);
      continue;
    }
    for (const [index, text] of part.text.split('/').entries()) {
      if (index > 0) {
        name = [];
        names.push(name);
      }
      if (text !== '') name.push({ kind: 'literal', text });
    }
  }
  return names;
}

function headerOf(headers: Headers, name: string): string | undefined {
  return Object.hasOwn(headers, name) ? headers[name] : undefined;
}

function timeProblem(reason: NoTime, headers: Headers, text: string): PathProblem {
  const subject =
    reason === 'missing'
      ? "the event has no header 'timestamp', and"
      : `the event's header 'timestamp' is ${JSON.stringify(headers['timestamp']?.slice(0, 60))}, no time in ms, and`;
  const cure = 'Add an interceptor of type timestamp to the source, or set hdfs.useLocalTimeStamp = true';
  const message = `${subject} '${text}' shows the time. ${cure}`;
  return { kind: 'timestamp', header: 'timestamp', reason, message };
}
