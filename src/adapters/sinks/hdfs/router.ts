/** Finds out where an event goes: `hdfs.path` and `hdfs.filePrefix`, expanded for it. */
import { hostname } from 'node:os';
import { localHost } from '../../../agent/contracts/java/local-host.ts';
import { localTimeZone } from '../../../agent/contracts/java/time-zone.ts';
import type { Headers } from '../../../engine.ts';
import type { BucketPath } from './file-names.ts';
import type { HdfsValues } from './hdfs-keys.ts';
import { compilePath, type PathOptions, type PathTemplate } from './path-escapes.ts';
import type { PathProblem } from './path-values.ts';

/** Both texts, compiled. */
export class Router {
  readonly #directory: PathTemplate;
  readonly #prefix: PathTemplate;
  #last: BucketPath = { directory: '', prefix: '' };

  /**
   * @param directory the path of `hdfs.path`.
   * @throws {Error} Where a text can never work: its key was checked for that.
   */
  constructor(values: HdfsValues, directory: string) {
    const options = optionsOf(values);
    this.#directory = compiled(directory, options);
    this.#prefix = compiled(values['hdfs.filePrefix'], options);
  }

  /** The very same object as before where nothing differs; or why there is none, which is for ever. */
  route(headers: Headers, nowMs: number): BucketPath | PathProblem {
    const directory = this.#directory.expand(headers, nowMs);
    if (typeof directory !== 'string') return directory;
    const prefix = this.#prefix.expand(headers, nowMs);
    if (typeof prefix !== 'string') return prefix;
    const last = this.#last;
    if (last.directory !== directory || last.prefix !== prefix) this.#last = { directory, prefix };
    return this.#last;
  }
}

function optionsOf(values: HdfsValues): PathOptions {
  const { address, name } = localHost();
  return {
    zone: values['hdfs.timeZone'] ?? localTimeZone(),
    round: values['hdfs.round'] ? { unit: values['hdfs.roundUnit'], value: values['hdfs.roundValue'] } : undefined,
    usesLocalTime: values['hdfs.useLocalTimeStamp'],
    host: { localhost: hostname(), ip: address, fqdn: name },
  };
}

function compiled(text: string, options: PathOptions): PathTemplate {
  const parsed = compilePath(text, options);
  if ('problem' in parsed) throw new Error(parsed.problem);
  return parsed.value;
}
