/**
 * Carries a repair out, in steps that each may be the last: what was not reached, the next repair finds again.
 *
 *     1  under the lock: damaged bytes are copied to quarantine/, segments get their names back, header pages their
 *        other copy
 *     2  the channel is opened: recovery, as at any open
 *     3  every byte is read once more: what is damaged is copied, what it costs is given up in the log, what reads
 *        again is pending again, what was held back on the disk is released
 *     4  a report names each place that is settled, with the CRC of what stands there
 */
import { dirname, join } from 'node:path';
import { isNoRoom } from '../../base/errors.ts';
import { systemRandom } from '../../base/random.ts';
import { countSequences } from '../../base/units.ts';
import { openThrough } from '../../wal/byte-window.ts';
import type { Damage } from '../../wal/damage.ts';
import { putBack } from '../../wal/misplaced-segments.ts';
import { listLogFiles } from '../../wal/segment-files.ts';
import {
  checksumOf,
  type KeptDamage,
  keepBytes,
  quarantineName,
  type SettledPlace,
  writeSettledPlaces,
} from '../../wal/settled-places.ts';
import { releaseEntry } from '../../wal/system-frames.ts';
import type { ChannelEnvironment } from '../channel-parts.ts';
import { lockDirectories, releaseLocks } from '../directories.ts';
import { type OpenedChannel, openChannel } from '../file-channel.ts';
import { type ChannelView, type ViewOptions, viewChannel } from '../reader/channel-view.ts';
import { verifyChannel } from '../reader/verify.ts';
import { rewritePage } from './header-pages.ts';
import { offlineOptions } from './offline-options.ts';
import { lostOf, type PlannedDamage, type RepairEnvironment, type RepairPlan, verifyAll } from './plan.ts';

/** What it came to. */
export interface RepairResult {
  /** The plan's, and what showed only then. */
  readonly damages: readonly PlannedDamage[];
  /** What they cost together, each event once. */
  readonly eventsLost: number;
  /** Events that are pending again. */
  readonly eventsReadmitted: number;
  /** Where the damaged bytes and the reports are. */
  readonly quarantineDirs: readonly string[];
  /** Damage that `verify` still names. */
  readonly left: readonly Damage[];
}

/** What a repair acts with. */
export interface ApplyEnvironment extends RepairEnvironment {
  /** Parts of the channel that are not the system's own. */
  readonly channel?: Partial<ChannelEnvironment>;
}

/**
 * Acts on a plan.
 * @throws {ForebayError} CHANNEL_LOCKED, with nothing changed; as `FileChannel.open`; what the disk answers.
 */
export async function applyRepair(
  plan: RepairPlan,
  options: ViewOptions,
  environment: ApplyEnvironment,
): Promise<RepairResult> {
  const { disk, clock, channel: parts } = environment;
  const { view, damages, isEmpty } = plan;
  const { present, checkpointPath } = view.found;
  const home = present[0]?.path ?? '';
  const channelOptions = await offlineOptions(view, options);
  const kept = await prepare(plan, environment);
  if (isEmpty) return { damages, eventsLost: 0, eventsReadmitted: 0, quarantineDirs: [], left: [] };
  const opened = await openChannel(home, channelOptions, { disk, clock, ...parts });
  let settled: Settled;
  try {
    settled = await settleAll(opened, view, kept, environment);
  } finally {
    await opened.channel.close();
  }
  const after = await viewChannel(home, { ...options, checkpointDir: checkpointPath }, { disk, clock });
  const { damages: left } = await verifyAll(after, environment);
  const all: PlannedDamage[] = [...damages];
  for (const damage of [...opened.channel.damages, ...settled.damages]) {
    if (!all.some((one) => isSamePlace(one, damage))) all.push({ ...damage, action: 'settle' });
  }
  const directories = [...present.map(({ path }) => join(path, quarantineName)), ...plan.quarantineDirs];
  const quarantineDirs: string[] = [];
  for (const one of new Set(directories)) if ((await disk.entry(one)) !== undefined) quarantineDirs.push(one);
  return {
    damages: all,
    eventsLost: countSequences(lostOf(all)),
    eventsReadmitted: settled.eventsReadmitted + countSequences(view.readmitted),
    quarantineDirs,
    left,
  };
}

/** Step 1. */
async function prepare(plan: RepairPlan, environment: ApplyEnvironment): Promise<KeptDamage[]> {
  const { view, damages, misplaced, pages } = plan;
  const { disk } = environment;
  const locks = await lockDirectories(disk, view.found.present);
  try {
    const kept: KeptDamage[] = [];
    for (const damage of damages) kept.push({ ...damage, copy: (await keep(environment, damage)).copy });
    for (const page of pages) {
      const file = await disk.open(page.path, { mode: 'write' });
      await rewritePage(file, page).finally(() => file.close());
    }
    await putBack(disk, await listLogFiles(disk, view.found.present), misplaced);
    return kept;
  } finally {
    await releaseLocks(locks);
  }
}

interface Settled {
  readonly damages: readonly Damage[];
  readonly eventsReadmitted: number;
}

/** Steps 3 and 4. `kept`: copied already. */
async function settleAll(
  { channel, log, backend }: OpenedChannel,
  before: ChannelView,
  kept: KeptDamage[],
  environment: ApplyEnvironment,
): Promise<Settled> {
  await channel.checkpointOpened();
  await log.settled();
  const segments = log.segments.map((segment) => ({ ...segment }));
  const view: ChannelView = { ...before, owner: 'none', segments, queue: backend.state, tail: [], damages: [] };
  const { damages, readable } = await verifyChannel(view, environment.onProgress);
  const release = new Set(log.segments.filter(({ pinned }) => pinned).map(({ id }) => id));
  const places = new Map<string, SettledPlace[]>();
  for (const damage of damages) {
    const { path, offset, bytes, kind, sequences } = damage;
    const segment = log.segments.find((one) => one.path === path);
    if (segment === undefined) continue;
    const ranges = backend.state.pendingOf(sequences);
    if (ranges.length > 0) {
      log.quarantine({ segmentId: segment.id, offset, bytes, kind, ranges }, () => backend.quarantine(ranges));
    }
    const { crc, copy } = await keep(environment, damage);
    if (crc === null) release.add(segment.id);
    else if (copy === null) {
      segment.pinned = true;
      release.delete(segment.id);
    }
    if (!kept.some((one) => isSamePlace(one, damage))) kept.push({ ...damage, copy });
    const place = { segmentId: segment.id, epoch: segment.epoch, offset, bytes, crc, kind, sequences };
    places.set(dirname(path), [...(places.get(dirname(path)) ?? []), place]);
  }
  for (const id of release) log.quarantine(releaseEntry(id), () => undefined);
  const eventsReadmitted = await channel.requeue(readable);
  await log.settled();
  if (log.failure !== undefined) throw log.failure;
  await writeReports(view, places, kept, environment);
  return { damages, eventsReadmitted };
}

/** One in each directory that has any. */
async function writeReports(
  { storage: { channelId } }: ChannelView,
  places: ReadonlyMap<string, readonly SettledPlace[]>,
  kept: readonly KeptDamage[],
  { disk, clock, channel: parts }: ApplyEnvironment,
): Promise<void> {
  const settledMs = Math.max(0, Math.floor(clock.wallMs()));
  const copied = kept.filter(({ copy }) => copy !== null);
  for (const directory of new Set([...places.keys(), ...copied.map(({ path }) => dirname(path))])) {
    await writeSettledPlaces(disk, parts?.random ?? systemRandom, {
      directory,
      channelId,
      settledMs,
      places: places.get(directory) ?? [],
      kept: copied.filter(({ path }) => dirname(path) === directory),
    });
  }
}

interface Kept {
  /** Null: there are no bytes that can be read. */
  readonly crc: number | null;
  /** Null: no, or there is no room for one. */
  readonly copy: string | null;
}

/** Copies the bytes of a damage. */
async function keep({ disk, clock }: ApplyEnvironment, { path, offset, bytes, kind }: Damage): Promise<Kept> {
  const entry = await disk.entry(path);
  const extent = kind === 'identity' ? (entry?.bytes ?? 0) : bytes;
  if (entry?.kind !== 'file' || extent === 0) return { crc: null, copy: null };
  const file = await openThrough(disk, path, clock);
  const crc = await checksumOf(file, offset, extent, clock).finally(() => file.close());
  if (crc === undefined) return { crc: null, copy: null };
  try {
    return { crc, copy: await keepBytes(disk, clock, { path, offset, bytes: extent, crc }) };
  } catch (error) {
    if (!isNoRoom(error)) throw error;
    return { crc, copy: null };
  }
}

function isSamePlace(one: Damage, other: Damage): boolean {
  // What the checkpoint tells is said of the newest segment, which is another one once the log has gone on.
  if (one.kind === other.kind && one.bytes === 0 && (one.kind === 'lostEnd' || one.kind === 'record')) return true;
  return one.path === other.path && one.offset === other.offset;
}
