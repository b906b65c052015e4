/**
 * Flume's file channel replaced by one of ours, under the same names. The new one is built beside the old one; only
 * once all of it is durable, the old directories are moved to `flume-old-TIME/` beside them, unchanged, and the new
 * ones come to their names. An interrupted run is gone on with by the next one, wherever it was.
 */
import { rm } from 'node:fs/promises';
import { resolve } from 'node:path';
import { type FlumeImport, importFlume } from '../../adapters/channels/flume-files/import-flume.ts';
import { checkReplaceable, isOursAlready, stateOf } from '../../adapters/channels/flume-files/in-place-checks.ts';
import { type InPlaceLayout, layOut } from '../../adapters/channels/flume-files/in-place-layout.ts';
import { FlumeChannelFiles } from '../../adapters/channels/flume-files/read-flume-channel.ts';
import type { Disk } from '../../base/disk.ts';
import { ForebayError } from '../../base/errors.ts';
import { FileChannel } from '../../channel/file-channel.ts';
import { isBegun, moveDirectories } from '../../channel/replace/move.ts';
import { type ReplacePlan, readPlan, removePlan, writePlan } from '../../channel/replace/plan.ts';
import { readdressChannel } from '../../channel/replace/readdress.ts';
import type { FlumePlace } from './flume-place.ts';

/** What a run needs beside the place. */
export interface InPlaceTools {
  readonly disk: Disk;
  readonly wallMs: () => number;
  readonly removeTree: (path: string) => Promise<void>;
  /** Rejects where Flume runs on one of them. */
  readonly refuseRunning: (directories: readonly string[]) => Promise<void>;
  readonly onProgress: (done: number, total: number) => void;
}

/** What was imported. */
export interface ImportReport extends FlumeImport {
  readonly records: number;
  readonly logFiles: number;
  readonly openTransactions: number;
}

/** `isDone`: a channel of ours was there already. `oldPaths`: where Flume's directories are now. */
export type InPlaceResult =
  | { readonly isDone: true }
  | { readonly isDone: false; readonly report: ImportReport; readonly oldPaths: readonly string[] };

const capacityEventsMin = 1_000_000;
/** More of them than that are only counted when another run tells of them. */
const damagesKeptMax = 1000;

/** Removes a directory with all that is in it. */
export async function removeTree(path: string): Promise<void> {
  await rm(path, { recursive: true, force: true });
}

/** See above. @throws {ForebayError} and nothing was changed, or the next run goes on. */
export async function importInPlace(place: FlumePlace, tools: InPlaceTools): Promise<InPlaceResult> {
  const { disk } = tools;
  const layout = await layOut(place);
  const [first] = layout.directories.filter(({ staging }) => staging !== undefined);
  const beside = first?.staging ?? '';
  const planPath = `${beside}.json`;
  const lockPath = `${beside}.lock`;
  const run: Run = { place, tools, layout, planPath, lockPath };
  if ((await readPlan(disk, planPath)) === undefined) {
    if (await isOursAlready(place)) return { isDone: true };
    await refuseFlume(run);
    await checkReplaceable(place, layout);
  }
  const lock = await disk.lock(lockPath);
  if (lock === undefined) {
    const text = `${lockPath} is held: another run of this command is at it; wait for its end`;
    throw new ForebayError('CHANNEL_LOCKED', text, { path: lockPath });
  }
  try {
    return await runLocked(run);
  } finally {
    // What is left to do needs it: then the next run takes it.
    if ((await disk.entry(planPath)) === undefined) await disk.unlink(lockPath);
    await lock.release();
  }
}

interface Run {
  readonly place: FlumePlace;
  readonly tools: InPlaceTools;
  readonly layout: InPlaceLayout;
  readonly planPath: string;
  readonly lockPath: string;
}

/** Another run may have ended since this one looked. */
async function runLocked(run: Run): Promise<InPlaceResult> {
  const { place, tools, layout, planPath, lockPath } = run;
  const { disk } = tools;
  let plan = await readPlan(disk, planPath);
  if (plan === undefined && (await isOursAlready(place))) return { isDone: true };
  if (plan !== undefined && JSON.stringify(plan.directories) !== JSON.stringify(layout.directories)) {
    const text = `${planPath} is of an import of other directories: end that one with the configuration it had`;
    throw new ForebayError('NOT_A_CHANNEL', text, { path: planPath });
  }
  await refuseFlume(run);
  if (plan !== undefined && (await isOutdated(run, plan))) {
    await undo(run, plan);
    await checkReplaceable(place, layout);
    plan = undefined;
  }
  if (plan?.phase !== 'moving') plan = await build(run, plan);
  const oldPaths = await moveDirectories(disk, plan);
  // The plan last: while it is there, the next run sees to what is left.
  await disk.unlink(lockPath);
  await removePlan(disk, planPath);
  return { isDone: false, report: reportOf(plan.report), oldPaths };
}

async function refuseFlume({ place, tools }: Run): Promise<void> {
  const backup = place.backupDir === undefined ? [] : [place.backupDir];
  await tools.refuseRunning([...place.dataDirs, place.checkpointDir, ...backup]);
}

/** Whether Flume has written since, or what was built is being removed: it is worth nothing then. */
async function isOutdated({ place, tools }: Run, plan: ReplacePlan): Promise<boolean> {
  if (plan.phase === 'moving' && (await isBegun(tools.disk, plan))) return false;
  return (await sourceOf(place.dataDirs)) !== plan.source;
}

async function sourceOf(dataDirs: readonly string[]): Promise<string> {
  return (await Promise.all(dataDirs.map(stateOf))).join(' ');
}

/** Makes the new channel beside the old one. When it resolves all of it is durable, and the plan says so. */
async function build(run: Run, earlier: ReplacePlan | undefined): Promise<ReplacePlan> {
  const { place, tools, layout, planPath } = run;
  const { disk } = tools;
  const source = await sourceOf(place.dataDirs);
  const files = await FlumeChannelFiles.open({ dataDirs: place.dataDirs, keyStore: place.keyStore });
  try {
    const oldName = earlier?.oldName ?? `flume-old-${timeText(tools.wallMs())}`;
    const { directories } = layout;
    const plan: ReplacePlan = { phase: 'building', oldName, directories, source, report: null };
    const report = await orUndo(run, plan, async () => {
      if (earlier === undefined) await writePlan(disk, planPath, plan);
      const filled = await fill(run, files);
      if ((await sourceOf(place.dataDirs)) === source) return filled;
      const text = `${place.dataDirs[0]}: Flume has written to it meanwhile: stop it, and run this again`;
      throw new ForebayError('CHANNEL_LOCKED', text, { path: place.dataDirs[0] ?? '' });
    });
    const moving: ReplacePlan = { ...plan, phase: 'moving', report };
    await writePlan(disk, planPath, moving);
    return moving;
  } finally {
    await files.close();
  }
}

/** What cannot be undone either is left to the next run. */
async function orUndo<T>(run: Run, plan: ReplacePlan, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    await undo(run, plan).catch(() => undefined);
    throw error;
  }
}

async function fill({ place, tools, layout }: Run, files: FlumeChannelFiles): Promise<ImportReport> {
  const { disk } = tools;
  const { stagedDataDirs, stagedCheckpointDir } = layout;
  const { count, records, openTransactions } = files.replayed;
  // What the configuration bounds holds for what comes later: nobody takes yet.
  const { transactionCapacity: _, capacityBytes: __, maxDiskBytes: ___, ...options } = place.options;
  const channel = await FileChannel.open(
    stagedDataDirs[0] ?? '',
    {
      ...options,
      dataDirs: stagedDataDirs,
      checkpointDir: stagedCheckpointDir,
      checkpoint: 'memory',
      capacityEvents: Math.max(count, capacityEventsMin),
    },
    { disk },
  );
  let done: FlumeImport;
  try {
    done = await importFlume(files, channel, tools.onProgress, { isAgain: true });
  } finally {
    await channel.close();
  }
  const paths = new Map(stagedDataDirs.map((path, index) => [path, resolve(place.dataDirs[index] ?? path)]));
  await readdressChannel(disk, paths, stagedCheckpointDir);
  const damages = done.damages.slice(0, damagesKeptMax);
  return { ...done, damages, records, logFiles: files.paths.length, openTransactions };
}

/** All that was made is removed, the plan last. A part of a channel is never at the name of a whole one. */
async function undo({ tools, layout, planPath }: Run, plan: ReplacePlan): Promise<void> {
  const { disk, removeTree: remove } = tools;
  // No plan may say that a channel is whole when its removal has begun.
  const marking = writePlan(disk, planPath, { ...plan, phase: 'building', source: '' });
  await (plan.phase === 'moving' ? marking : marking.catch(() => undefined));
  for (const { staging } of layout.directories) {
    if (staging === undefined) continue;
    const undone = `${staging}.undone`;
    await remove(undone);
    if ((await disk.entry(staging)) !== undefined) await disk.rename(staging, undone);
    await remove(undone);
  }
  await removePlan(disk, planPath);
}

/** It was read from a file. */
function reportOf(value: unknown): ImportReport {
  const given = (typeof value === 'object' && value !== null ? value : {}) as Partial<Record<string, unknown>>;
  const number = (key: string): number => (typeof given[key] === 'number' ? given[key] : 0);
  const damages = Array.isArray(given['damages']) ? (given['damages'] as FlumeImport['damages']) : [];
  return {
    events: number('events'),
    eventsBefore: number('eventsBefore'),
    damages,
    records: number('records'),
    logFiles: number('logFiles'),
    openTransactions: number('openTransactions'),
  };
}

/** `2026-11-23T09-45-12Z`: a name on every file system. */
function timeText(ms: number): string {
  return `${new Date(ms).toISOString().slice(0, 19).replaceAll(':', '-')}Z`;
}
