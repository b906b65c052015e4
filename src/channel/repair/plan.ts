/**
 * What a repair would do, found without a change: each damage that `verify` names, those that only look like losses
 * (segments under each other's names), what reads again of what was given up, what is held back on the disk.
 */
import { dirname, join, resolve } from 'node:path';
import type { Clock } from '../../base/clock.ts';
import type { Disk } from '../../base/disk.ts';
import { ForebayError } from '../../base/errors.ts';
import { countSequences, type SequenceRanges } from '../../base/units.ts';
import type { CopiedCheckpoint } from '../../checkpoint/lmdb-copy.ts';
import { SequenceSet } from '../../queue/sequence-set.ts';
import type { Damage } from '../../wal/damage.ts';
import { findMisplaced, type MisplacedSegment } from '../../wal/misplaced-segments.ts';
import { listLogFiles } from '../../wal/segment-files.ts';
import type { SegmentInfo } from '../../wal/segment-info.ts';
import { quarantineName } from '../../wal/settled-places.ts';
import { type ChannelView, type ViewOptions, viewChannel } from '../reader/channel-view.ts';
import { withCheckpoint } from '../reader/checkpoint-damages.ts';
import { type VerifyProgress, verifyChannel } from '../reader/verify.ts';
import { findRewritable, type RewritablePage } from './header-pages.ts';

/**
 * What is done about a damage. `rename`: the segment gets its own name back. `rewrite`: from another copy of the same.
 * `renew`: made anew. `recover`: as any open does it, in a new segment. `settle`: the bytes stay, a copy is kept, and
 * what they cost is given up for good in the log. `mount`: somebody has to bring the directory back first.
 */
export type RepairAction = 'rename' | 'rewrite' | 'renew' | 'recover' | 'settle' | 'mount';

/** A damage, and what is done about it. */
export interface PlannedDamage extends Damage {
  readonly action: RepairAction;
}

/** See above. */
export interface RepairPlan {
  readonly view: ChannelView;
  readonly damages: readonly PlannedDamage[];
  /** What they cost together, each event once. */
  readonly eventsLost: number;
  /** Events that wait, or are prepared, and are not among them. */
  readonly eventsKept: number;
  /** Where damaged bytes go: `quarantine/` of the directories concerned. */
  readonly quarantineDirs: readonly string[];
  /** Events that were given up, and read well now; those that any open takes up again too. */
  readonly readmitted: SequenceRanges;
  readonly misplaced: readonly MisplacedSegment[];
  readonly pages: readonly RewritablePage[];
  /** Kept on the disk whatever becomes of their events, until a repair. */
  readonly held: readonly SegmentInfo[];
  /** Nothing is to be done: all holds. */
  readonly isEmpty: boolean;
}

/** What a repair reads with. `readCheckpoint`: of the checkpoint in a directory; undefined: none is looked at. */
export interface RepairEnvironment {
  readonly disk: Disk;
  readonly clock: Clock;
  readonly readCheckpoint: (directory: string) => Promise<CopiedCheckpoint>;
  readonly onProgress?: (progress: VerifyProgress) => void;
}

/**
 * Reads all of the channel.
 * @throws {ForebayError} As `viewChannel` does: damage never throws.
 */
export async function planRepair(
  path: string,
  options: ViewOptions,
  environment: RepairEnvironment,
): Promise<RepairPlan> {
  const { disk, clock } = environment;
  const view = await viewChannel(path, { ...options, byContents: true }, { disk, clock });
  refuseElsewhere(resolve(path), view);
  const listing = await listLogFiles(disk, view.found.present);
  const { channelId } = view.storage;
  const misplaced = await findMisplaced({ disk, clock, channelId, listing });
  const pages = await findRewritable(view);
  const { damages, readable } = await verifyAll(view, environment);
  const readmitted = SequenceSet.of(readable);
  readmitted.addAll(view.readmitted);
  const renames = misplaced.map(({ file, id }) => renameDamage(file.path, id));
  const planned = [...renames, ...damages.map((damage) => ({ ...damage, action: actionOf(damage, pages) }))];
  const lost = lostOf(planned);
  const held = view.segments.filter(({ pinned, absent }) => pinned && !absent);
  const isCopied = ({ action }: PlannedDamage) => !['rename', 'renew', 'mount'].includes(action);
  const directories = planned.filter(isCopied).map((damage) => join(dirname(damage.path), quarantineName));
  return {
    view,
    damages: planned,
    eventsLost: countSequences(lost),
    eventsKept: view.queue.depth - countSequences(view.queue.pendingOf(lost)),
    quarantineDirs: [...new Set(directories)],
    readmitted: readmitted.toRanges(),
    misplaced,
    pages,
    held,
    isEmpty: planned.length === 0 && readmitted.isEmpty && held.length === 0,
  };
}

/** A copied channel whose own identity is damaged: what is left of it names the directory that it was copied from. */
function refuseElsewhere(given: string, { found }: ChannelView): void {
  const { present, absent, checkpointPath } = found;
  if (checkpointPath === given || [...present, ...absent].some(({ path }) => path === given)) return;
  const others = present.map(({ path }) => path).join(', ');
  const text = `the identity in ${given} does not hold; its other copies name ${others}: repair that, or restore it`;
  throw new ForebayError('NOT_A_CHANNEL', text, { path: given, actual: others });
}

/** All that `verify` says, of the checkpoint too. */
export async function verifyAll(
  view: ChannelView,
  { readCheckpoint, onProgress }: Pick<RepairEnvironment, 'readCheckpoint' | 'onProgress'>,
): Promise<{ readonly damages: readonly Damage[]; readonly readable: SequenceRanges }> {
  const { damages, readable } = await verifyChannel(view, onProgress);
  const { checkpointPath } = view.found;
  if (checkpointPath === undefined) return { damages, readable };
  return { damages: withCheckpoint(damages, view, await readCheckpoint(checkpointPath)), readable };
}

/** What `damages` cost together, each event once. */
export function lostOf(damages: readonly Damage[]): SequenceRanges {
  const lost = new SequenceSet();
  for (const { eventsLost, sequences } of damages) if (eventsLost > 0) lost.addAll(sequences);
  return lost.toRanges();
}

function actionOf({ kind, path, bytes }: Damage, pages: readonly RewritablePage[]): RepairAction {
  if (kind === 'identity') return 'rewrite';
  if (kind === 'checkpoint') return 'renew';
  if (kind === 'segmentHeader' && pages.some((page) => page.path === path)) return 'rewrite';
  if (kind === 'absent') return 'mount';
  const isOfOpen = kind === 'segmentMissing' || kind === 'lostEnd' || kind === 'unprovenTail';
  return isOfOpen || bytes === 0 ? 'recover' : 'settle';
}

function renameDamage(path: string, id: number): PlannedDamage {
  const name = `${id.toString(16).padStart(16, '0')}.seg`;
  const message = `this is segment ${name} under another's name: nothing is lost`;
  return { path, offset: 0, bytes: 0, kind: 'segmentHeader', eventsLost: 0, sequences: [], message, action: 'rename' };
}
