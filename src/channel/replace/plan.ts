/**
 * The plan by which a new channel comes into the place of directories that hold something else: a file beside the
 * first of them, written whole or not at all. It is there from before the first directory is made until after the last
 * one was moved, so whoever finds it knows what an earlier run was about, and how far it was.
 */
import { dirname } from 'node:path';
import type { Disk } from '../../base/disk.ts';
import { ForebayError } from '../../base/errors.ts';
import { writeWhole } from '../../base/write-whole.ts';

/** A directory that is replaced as a whole. Absolute, and no link. */
export interface ReplacedDirectory {
  readonly path: string;
  /** Beside it: what comes in its place. Undefined: nothing does, it is only moved away. */
  readonly staging: string | undefined;
}

/** See above. */
export interface ReplacePlan {
  /** `building`: nothing was moved yet. `moving`: the new channel is whole and durable. */
  readonly phase: 'building' | 'moving';
  /** What the old ones are moved into: a directory of this name beside each. */
  readonly oldName: string;
  readonly directories: readonly ReplacedDirectory[];
  /** What it is built from, as it was then. Only the builder knows what that says. */
  readonly source: string;
  /** What the build came to, for whoever tells of it; only the builder knows what that says. */
  readonly report: unknown;
}

const planBytesMax = 16 * 2 ** 20;
const version = 1;

/** Undefined where there is none. @throws {ForebayError} DATA_DAMAGED. */
export async function readPlan(disk: Disk, path: string): Promise<ReplacePlan | undefined> {
  const entry = await disk.entry(path);
  if (entry === undefined) return undefined;
  const bytes = Buffer.alloc(Math.min(entry.bytes, planBytesMax));
  const file = await disk.open(path, { mode: 'read' });
  await file.read(bytes, 0).finally(() => file.close());
  const plan = decode(bytes.toString('utf8'));
  if (plan !== undefined) return plan;
  const text = `${path} does not hold: see which directories beside it were moved, put them back, and remove it`;
  throw new ForebayError('DATA_DAMAGED', text, { path });
}

/** Durable when it resolves. */
export async function writePlan(disk: Disk, path: string, plan: ReplacePlan): Promise<void> {
  const bytes = Buffer.from(`${JSON.stringify({ version, ...plan })}\n`);
  await writeWhole(disk, path, (file) => file.write(bytes, 0));
}

/** Durable when it resolves. Fine if there is none. */
export async function removePlan(disk: Disk, path: string): Promise<void> {
  await disk.unlink(`${path}.new`);
  await disk.unlink(path);
  await disk.syncDirectory(dirname(path));
}

function decode(text: string): ReplacePlan | undefined {
  let parsed: unknown;
  try {
    parsed = JSON.parse(text);
  } catch {
    return undefined;
  }
  if (!isRecord(parsed) || parsed['version'] !== version) return undefined;
  const { phase, oldName, directories, source, report } = parsed;
  const isPhase = phase === 'building' || phase === 'moving';
  if (!isPhase || typeof oldName !== 'string' || typeof source !== 'string' || !Array.isArray(directories))
    return undefined;
  const read = directories.flatMap((one: unknown) => {
    if (!isRecord(one) || typeof one['path'] !== 'string') return [];
    const { path, staging } = one;
    return typeof staging === 'string' || staging === undefined ? [{ path, staging }] : [];
  });
  return read.length === directories.length ? { phase, oldName, directories: read, source, report } : undefined;
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
