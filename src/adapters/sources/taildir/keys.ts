/** The keys of the taildir source, with Flume's names, units and defaults. */
import { homedir } from 'node:os';
import { basename, dirname, isAbsolute, join } from 'node:path';
import type { KeyProblem } from '../../../agent/contracts/components.ts';
import { compileJavaPattern, type JavaPattern } from '../../../agent/contracts/java/java-pattern.ts';
import {
  boolean,
  integer,
  type Key,
  names,
  optional,
  prefixed,
  required,
  text,
  type ValuesOf,
} from '../../../agent/contracts/keys.ts';

const backoff = {
  differs: 'a change that the system announces is read at once; this is the delay where it announces none',
};

/** Declared once: validation, defaults and the tables of the documentation come from here. */
export const taildirKeys: {
  readonly filegroups: Key<readonly string[]>;
  readonly 'filegroups.': Key<ReadonlyMap<string, string>>;
  readonly positionFile: Key<string>;
  readonly 'headers.': Key<ReadonlyMap<string, string>>;
  readonly byteOffsetHeader: Key<boolean>;
  readonly skipToEnd: Key<boolean>;
  readonly idleTimeout: Key<number>;
  readonly writePosInterval: Key<number>;
  readonly batchSize: Key<number>;
  readonly maxBatchCount: Key<number>;
  readonly backoffSleepIncrement: Key<number>;
  readonly maxBackoffSleep: Key<number>;
  readonly cachePatternMatching: Key<boolean>;
  readonly fileHeader: Key<boolean>;
  readonly fileHeaderKey: Key<string>;
} = {
  filegroups: required(names, {
    does: 'the file groups',
    standing: { differs: 'files are read oldest first, whatever their group; in Flume group by group' },
  }),
  'filegroups.': prefixed(text, {
    does: 'the absolute path of a group; its last part is a regular expression',
    standing: { differs: 'a rotated file is read to its end also under a name that does not match, and never again' },
  }),
  positionFile: optional(text, join(homedir(), '.flume', 'taildir_position.json'), {
    does: 'where the positions are written for Flume',
    standing: {
      differs: 'positions are kept in the channels; this file counts where there are none, or it was changed',
    },
  }),
  'headers.': prefixed(text, { does: 'headers.GROUP.NAME: a header of every event of a group' }),
  byteOffsetHeader: optional(boolean, false, { does: 'adds the header byteoffset: where the line starts' }),
  skipToEnd: optional(boolean, false, {
    does: 'files without a position are read from their end',
    standing: { differs: 'only at the first start with a file group: a file unknown later is new, and is read whole' },
  }),
  idleTimeout: optional(integer(0), 120_000, {
    unit: 'ms',
    does: 'a file unchanged for so long is closed, and a last line without its end is an event',
  }),
  writePosInterval: optional(integer(0), 3000, { unit: 'ms', does: 'how often the position file is written' }),
  batchSize: optional(integer(1), 100, { unit: 'events', does: 'lines of one transaction' }),
  maxBatchCount: optional(integer(), Number.MAX_SAFE_INTEGER, {
    does: 'batches of one file before the next file has its turn; 0 and less: no limit',
  }),
  backoffSleepIncrement: optional(integer(0), 1000, {
    unit: 'ms',
    does: 'how much longer each look waits that found nothing',
    standing: backoff,
  }),
  maxBackoffSleep: optional(integer(0), 5000, {
    unit: 'ms',
    does: 'the longest wait between two looks',
    standing: backoff,
  }),
  cachePatternMatching: optional(boolean, true, { does: 'lists a directory only when its time has changed' }),
  fileHeader: optional(boolean, false, { does: 'adds a header with the absolute path' }),
  fileHeaderKey: optional(text, 'file', { does: 'the name of that header' }),
};

/** What the source is made from. */
export type TaildirValues = ValuesOf<typeof taildirKeys>;

/** Files of one directory whose names match. */
export interface FileGroup {
  readonly name: string;
  readonly directory: string;
  /** The path as configured. */
  readonly path: string;
  readonly pattern: JavaPattern;
  readonly headers: Readonly<Record<string, string>>;
}

/** The groups in their order, and what is wrong with them. */
export function readGroups(values: TaildirValues): { groups: FileGroup[]; problems: KeyProblem[] } {
  const groups: FileGroup[] = [];
  const problems: KeyProblem[] = [];
  for (const name of values.filegroups) {
    const key = `filegroups.${name}`;
    const path = values['filegroups.'].get(name) ?? '';
    if (path === '') problems.push({ key, message: `is missing: the path of group '${name}'` });
    else if (!isAbsolute(path)) problems.push({ key, message: `'${path}' is not allowed: an absolute path` });
    else {
      const compiled = compileJavaPattern(basename(path));
      if ('problem' in compiled) problems.push({ key, message: `'${basename(path)}': ${compiled.problem}` });
      else
        groups.push({
          name,
          directory: dirname(path),
          path,
          pattern: compiled.pattern,
          headers: headersOf(values, name),
        });
    }
  }
  return { groups, problems };
}

function headersOf(values: TaildirValues, group: string): Record<string, string> {
  const headers: [string, string][] = [];
  for (const [rest, value] of values['headers.']) {
    if (rest.startsWith(`${group}.`)) headers.push([rest.slice(group.length + 1), value]);
  }
  return Object.fromEntries(headers);
}
