/** What must hold before a channel of Flume's is replaced in its place: found out before anything is written. */
import { createHash } from 'node:crypto';
import { access, constants, lstat, readdir, readFile, stat } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { ForebayError } from '../../../engine.ts';
import type { FlumeDirectories, InPlaceLayout } from './in-place-layout.ts';
import { realPlace } from './real-place.ts';

const ownName = 'channel.json';
const logFile = /^log-\d+(\.meta(\.tmp|\.old|\.meta\.old)?)?$/;
/** All that Flume's file channel makes, in any of its directories, and its integrity tool. */
const flumeNames: readonly RegExp[] = [
  logFile,
  /^log-\d+\.bak$/,
  /^checkpoint(\.meta|\.meta\.tmp|\.snappy|-backup-\d+)?$/,
  /^(inflightputs|inflighttakes|queueset|backupComplete|in_use\.lock)$/,
];

/** Whether a channel of ours is there already, in all data directories. */
export async function isOursAlready({ dataDirs }: FlumeDirectories): Promise<boolean> {
  for (const path of dataDirs) if (!(await namesIn(path)).includes(ownName)) return false;
  return true;
}

/** @throws {ForebayError} a sentence that names the directory and what to do. */
export async function checkReplaceable(given: FlumeDirectories, layout: InPlaceLayout): Promise<void> {
  const inner = new Set<string>();
  for (const path of [
    ...given.dataDirs,
    given.checkpointDir,
    ...(given.backupDir === undefined ? [] : [given.backupDir]),
  ]) {
    for (let at = await realPlace(path); dirname(at) !== at; at = dirname(at)) inner.add(at);
  }
  const mounts = await mountPoints();
  for (const path of given.dataDirs) {
    const found = await stat(path).catch(() => undefined);
    if (found?.isDirectory() !== true) {
      throw refusal(path, 'is no directory that can be read: mount it, or name the dataDirs of Flume');
    }
  }
  for (const { path, staging } of layout.directories) {
    const there = await lstat(path).catch(() => undefined);
    await checkParent(path, there?.dev, mounts);
    if (staging !== undefined && (await lstat(staging).catch(() => undefined)) !== undefined) {
      throw refusal(staging, 'is there, and no plan of an import beside it: move it away, and try again');
    }
    if (there !== undefined) await checkNames(path, inner);
  }
}

/** Changes with each start of Flume, and with each record it writes. */
export async function stateOf(dataDir: string): Promise<string> {
  const hash = createHash('sha256');
  for (const name of (await namesIn(dataDir)).filter((one) => logFile.test(one)).sort()) {
    const { size, mtimeMs } = await stat(join(dataDir, name));
    hash.update(JSON.stringify([name, size, mtimeMs]));
  }
  return hash.digest('hex').slice(0, 32);
}

async function checkParent(path: string, device: number | undefined, mounts: ReadonlySet<string>): Promise<void> {
  const parent = dirname(path);
  const above = await stat(parent).catch(() => undefined);
  if (above === undefined) throw refusal(parent, 'is not there: the new directory is to be made in it');
  if (mounts.has(path) || (device !== undefined && device !== above.dev)) {
    const todo = `import into a directory below it (import-flume ${path}/NAME …), and name that in the configuration`;
    throw refusal(path, `is a mount point and cannot be renamed: ${todo}`);
  }
  try {
    await access(parent, constants.R_OK | constants.W_OK | constants.X_OK);
  } catch {
    const why = `so ${basename(path)} cannot be renamed: run this as a user that may write to it`;
    throw refusal(parent, `cannot be written to, ${why}`);
  }
}

/** Below what is listed there is only what Flume wrote, and other directories of the list. */
async function checkNames(path: string, listed: ReadonlySet<string>): Promise<void> {
  for (const name of await namesIn(path)) {
    if (name === ownName) {
      const todo = 'Flume and forebay were both started on this channel: see which of them has what';
      throw refusal(path, `holds ${ownName}, and not every data directory does: ${todo}`);
    }
    const isKnown = flumeNames.some((one) => one.test(name)) || name.startsWith('.') || name === 'lost+found';
    if (isKnown || listed.has(join(path, name))) continue;
    throw refusal(path, `holds '${name}', which is not of Flume's file channel: move it elsewhere, and try again`);
  }
}

async function namesIn(path: string): Promise<string[]> {
  return await readdir(path).catch(() => []);
}

/** As the kernel lists them; none where it does not. */
async function mountPoints(): Promise<ReadonlySet<string>> {
  const text = await readFile('/proc/self/mountinfo', 'utf8').catch(() => '');
  const unescaped = (field: string): string =>
    field.replaceAll(/\\([0-7]{3})/g, (_, digits: string) => String.fromCharCode(Number.parseInt(digits, 8)));
  return new Set(text.split('\n').map((line) => unescaped(line.split(' ')[4] ?? '')));
}

function refusal(path: string, what: string): ForebayError {
  return new ForebayError('NOT_A_CHANNEL', `${path} ${what}`, { path });
}
