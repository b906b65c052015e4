/** The files that wait in the spool directory, and which of them comes next. */
import { readdir, stat } from 'node:fs/promises';
import { join, relative, resolve } from 'node:path';

/** What is looked for. */
export interface SpoolOptions {
  readonly spoolDir: string;
  readonly trackerDir: string;
  readonly fileSuffix: string;
  readonly isTracked: boolean;
  readonly isRecursive: boolean;
  readonly order: 'oldest' | 'youngest' | 'random';
  readonly include: (name: string) => boolean;
  readonly ignore: (name: string) => boolean;
  readonly random: () => number;
}

/** A file to be spooled. */
export interface Candidate {
  readonly path: string;
  readonly inode: number;
  readonly mtimeMs: number;
  readonly ctimeMs: number;
  readonly sizeBytes: number;
}

/** Files whose state is asked for at once. */
const statsAtOnce = 16;

/** Absolute: where the note of a done file is, with the tracking policy `tracker_dir`. */
export function trackerOf(options: Pick<SpoolOptions, 'spoolDir' | 'trackerDir' | 'fileSuffix'>, path: string): string {
  return join(options.trackerDir, `${relative(options.spoolDir, path)}${options.fileSuffix}`);
}

/** All that waits, in the order of `consumeOrder`. @throws Where the directory cannot be read. */
export async function listCandidates(options: SpoolOptions): Promise<Candidate[]> {
  const paths: string[] = [];
  await collect(options, resolve(options.spoolDir), paths, true);
  const done = options.isTracked ? await trackers(options) : new Set<string>();
  const waiting = paths.filter((path) => !done.has(trackerOf(options, path)));
  const candidates: Candidate[] = [];
  for (let at = 0; at < waiting.length; at += statsAtOnce) {
    const found = await Promise.all(waiting.slice(at, at + statsAtOnce).map(candidateAt));
    candidates.push(...found.filter((one) => one !== undefined));
  }
  return ordered(candidates, options);
}

function ordered(candidates: Candidate[], { order, random }: SpoolOptions): Candidate[] {
  if (order === 'random') {
    for (let at = candidates.length - 1; at > 0; at -= 1) {
      const other = Math.floor(random() * (at + 1));
      [candidates[at], candidates[other]] = [candidates[other] as Candidate, candidates[at] as Candidate];
    }
    return candidates;
  }
  const sign = order === 'oldest' ? 1 : -1;
  // Of the same age the smaller name comes first, in both orders.
  return candidates.sort((a, b) => sign * (a.mtimeMs - b.mtimeMs) || (a.path < b.path ? -1 : 1));
}

/** Undefined where no file is there. */
export async function candidateAt(path: string): Promise<Candidate | undefined> {
  try {
    const found = await stat(path);
    if (!found.isFile()) return undefined;
    const { ino: inode, mtimeMs, ctimeMs, size: sizeBytes } = found;
    return { path, inode, mtimeMs, ctimeMs, sizeBytes };
  } catch {
    // Gone since it was listed, or a link to nowhere.
    return undefined;
  }
}

async function collect(options: SpoolOptions, directory: string, paths: string[], isTop: boolean): Promise<void> {
  const entries = await readdir(directory, { withFileTypes: true }).catch((error: unknown) => {
    if (isTop) throw error;
    return [];
  });
  for (const entry of entries) {
    const { name } = entry;
    if (name.startsWith('.')) continue;
    const path = join(directory, name);
    if (entry.isDirectory()) {
      if (options.isRecursive && !options.ignore(name)) await collect(options, path, paths, false);
    } else if (!name.endsWith(options.fileSuffix) && options.include(name) && !options.ignore(name)) paths.push(path);
  }
}

/** Of files that are done. */
async function trackers({ trackerDir, fileSuffix }: SpoolOptions): Promise<Set<string>> {
  const entries = await readdir(trackerDir, { withFileTypes: true, recursive: true }).catch(() => []);
  const files = entries.filter((entry) => !entry.isDirectory() && entry.name.endsWith(fileSuffix));
  return new Set(files.map((entry) => join(entry.parentPath, entry.name)));
}
