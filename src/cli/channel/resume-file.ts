/**
 * How far a replay is, so that one that was cut off goes on where it was. Written beside and renamed, synced both: it
 * is whole at any time. It belongs to one channel, range and receiver, and is refused for another.
 */
import { readFile } from 'node:fs/promises';
import type { DiskLock } from '../../base/disk.ts';
import { nodeDisk } from '../../base/disk-node.ts';
import { ForebayError, isForebayError, systemCode } from '../../base/errors.ts';
import type { Sequence } from '../../base/units.ts';
import { writeWhole } from '../../base/write-whole.ts';
import { inert, UsageError } from './verb.ts';

/** What a replay sends, and where: as it was asked for. */
export interface ReplayIdentity {
  readonly channelId: string;
  readonly from: string | null;
  readonly to: string | null;
  readonly state: readonly string[];
  readonly where: readonly string[];
  /** `stdout ndjson`, `sink a1.k1`. */
  readonly receiver: string;
}

/** How far it is. */
export interface ReplayProgress {
  /** All before it was sent. */
  readonly nextSequence: Sequence;
  /** So many events. */
  readonly events: number;
}

const version = 1;
const fileBytesMax = 1024 * 1024;

/** See above. */
export class ResumeFile {
  readonly path: string;
  readonly identity: ReplayIdentity;
  /** As of opening; undefined where the replay begins. */
  readonly earlier: ReplayProgress | undefined;

  readonly #lock: DiskLock | undefined;

  private constructor(path: string, identity: ReplayIdentity, earlier?: ReplayProgress, lock?: DiskLock) {
    this.path = path;
    this.identity = identity;
    this.earlier = earlier;
    this.#lock = lock;
  }

  /** @throws {UsageError} Where the file is there and is no such file, or another replay's. */
  static async open(path: string, identity: ReplayIdentity): Promise<ResumeFile> {
    return new ResumeFile(path, identity, await progressAt(path, identity));
  }

  /** The same, and keeps other replays from it until it is closed. @throws {ForebayError} CHANNEL_LOCKED */
  static async openAlone(path: string, identity: ReplayIdentity): Promise<ResumeFile> {
    await progressAt(path, identity);
    const lock = await lockBeside(path);
    // Whoever had the lock may have gone on meanwhile.
    return new ResumeFile(path, identity, await progressAt(path, identity), lock);
  }

  async close(): Promise<void> {
    await this.#lock?.release();
  }

  /** Resolves when durable. */
  async write({ nextSequence, events }: ReplayProgress): Promise<void> {
    const bytes = Buffer.from(`${JSON.stringify({ version, ...this.identity, nextSequence, events })}\n`);
    await writeWhole(nodeDisk(), this.path, (file) => file.write(bytes, 0));
  }
}

/** Undefined where this machine has no locks: then nothing keeps others out. */
async function lockBeside(path: string): Promise<DiskLock | undefined> {
  let lock: DiskLock | undefined;
  try {
    lock = await nodeDisk().lock(`${path}.lock`);
  } catch (error) {
    if (isForebayError(error) && error.code === 'DIR_UNUSABLE') return undefined;
    throw error;
  }
  if (lock !== undefined) return lock;
  throw new ForebayError('CHANNEL_LOCKED', `--resume: another replay works with ${path}: wait for its end`, { path });
}

async function progressAt(path: string, identity: ReplayIdentity): Promise<ReplayProgress | undefined> {
  const text = await readIfThere(path);
  return text === undefined ? undefined : progressIn(text, path, identity);
}

async function readIfThere(path: string): Promise<string | undefined> {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return undefined;
    throw error;
  }
}

function progressIn(text: string, path: string, identity: ReplayIdentity): ReplayProgress {
  const shown = inert(path);
  const found = text.length <= fileBytesMax ? parse(text) : undefined;
  const { nextSequence, events } = found ?? {};
  if (found === undefined || found['version'] !== version || !isCount(nextSequence) || !isCount(events)) {
    throw new UsageError(`--resume: ${shown} is no such file: name another, which need not be there yet`);
  }
  for (const [name, value] of Object.entries(identity)) {
    const theirs = JSON.stringify(found[name]);
    const ours = JSON.stringify(value);
    if (theirs === ours) continue;
    const differs = `${name} is ${inert(theirs ?? 'not there')} in it, and ${ours} here`;
    throw new UsageError(`--resume: ${shown} is of another replay (${differs}): name another file, or remove it`);
  }
  return { nextSequence, events };
}

function parse(text: string): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null ? { ...value } : undefined;
  } catch {
    return undefined;
  }
}

function isCount(value: unknown): value is number {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0;
}
