/**
 * One fault in one run of the workload, and all that must hold then: in this life, after a kill, after a power cut,
 * after an orderly close. Throws what does not hold.
 */
import assert from 'node:assert/strict';
import { isForebayError } from '../../src/base/errors.ts';
import type { FileChannel } from '../../src/channel/file-channel.ts';
import type { ChannelOptions } from '../../src/channel/options.ts';
import { turnOver } from '../support/manual-clock.ts';
import type { SimulatedDisk } from '../support/simulated-disk.ts';
import type { Fault, Operation } from '../support/simulated-faults.ts';
import { Ledger } from './ledger.ts';
import { describe, type Life, lifeOn, NamedDisk, work } from './workload.ts';

/** Kinds of fault at a mutation of the workload. */
export const faultKinds = [
  'EIO',
  'EIO for good',
  'ENOSPC',
  'ENOSPC for good',
  'EROFS for good',
  'short',
  'short, then EIO',
  'short, then ENOSPC',
] as const;
/** What a call of the disk answers instead of doing it. */
export type FaultKind = (typeof faultKinds)[number];

const readKinds: ReadonlySet<string> = new Set(['open', 'read', 'bytes', 'list', 'entry', 'freeBytes']);
/** An open fails with one of these where the disk does not let it go on; each names its path. */
const openCodes: ReadonlySet<string> = new Set(['DIR_UNUSABLE', 'DISK_FULL', 'CHANNEL_FAILED', 'WRITE_FAILED']);
const powerSeeds: readonly number[] = [1, 2];

/** A fault at the mutation with this index. */
export interface Injection {
  readonly kind: FaultKind;
  readonly index: number;
}

/** The mutations of a run without faults. */
export async function countOperations(options?: ChannelOptions): Promise<readonly Operation[]> {
  const disk = new NamedDisk({ seed: 1 });
  const life = lifeOn(disk, options);
  const ledger = new Ledger();
  await life.clock.run(life.open().then((channel) => work(life, ledger, channel)));
  assert.deepEqual(ledger.failures, []);
  assert.equal(ledger.attempts.filter(({ outcome }) => outcome !== 'stored').length, 0);
  return [...disk.operations];
}

/** Whether this fault can strike an operation of this kind. */
export function applies(kind: FaultKind, operation: Operation): boolean {
  return !kind.startsWith('short') || (operation.kind === 'write' && operation.bytes > 512);
}

function faultOf(kind: FaultKind, index: number): Fault {
  if (kind === 'EIO' || kind === 'ENOSPC') return { at: index, error: kind };
  if (kind === 'short') return { at: index, error: 'short' };
  if (kind === 'short, then EIO') return { at: index, error: 'short', continuation: 'EIO' };
  if (kind === 'short, then ENOSPC') return { at: index, error: 'short', continuation: 'ENOSPC' };
  const hits = (operation: Operation) => !readKinds.has(operation.kind) && operation.index >= index;
  if (kind === 'EIO for good') return { at: hits, error: 'EIO', sticky: true };
  if (kind === 'EROFS for good') return { at: hits, error: 'EROFS', sticky: true };
  // A full disk refuses what needs new room; what was written once can be written again.
  return { at: (operation) => hits(operation) && needsRoom(operation), error: 'ENOSPC', sticky: true };
}

function needsRoom({ kind, path }: Operation): boolean {
  return kind === 'create' || (kind === 'write' && !path.includes('/free-'));
}

/** Runs the workload with one fault, or with several. */
export async function inject(injections: readonly Injection[], options?: ChannelOptions): Promise<void> {
  const disk = new NamedDisk({ seed: 1 });
  const takeBacks = injections.map(({ kind, index }) => disk.inject(faultOf(kind, index)));
  const life = lifeOn(disk, options);
  const ledger = new Ledger();
  const opensAt: number[] = [];
  const open = () => {
    opensAt.push(disk.operations.length);
    return life.open();
  };
  const channel = await runAll({ ...life, open }, ledger);
  for (const takeBack of takeBacks) takeBack();
  if (channel === undefined) await assertAtRest(life, disk);
  ledger.assertErrors();
  ledger.assertDelivered();
  assertLeftAlone(disk, opensAt);
  await assertLaterLives(ledger, disk, options);
  if (channel !== undefined) await assertThisLife(life, ledger, channel, injections);
  const reopened = await life.clock.run(life.open());
  await ledger.assertKept(reopened);
  await life.clock.run(reopened.close());
}

/** An open that failed has let go of everything: no timer of it writes behind its back into what another may own. */
async function assertAtRest(life: Life, disk: NamedDisk): Promise<void> {
  const operations = disk.operations.length;
  life.clock.advance(10_000);
  for (let turn = 0; turn < 10; turn += 1) await turnOver();
  assert.equal(disk.operations.length, operations, 'an open that failed goes on writing');
}

/** Undefined where an open failed: with an error of the list. */
async function runAll(life: Life, ledger: Ledger): Promise<FileChannel | undefined> {
  let failed: unknown;
  const open = () =>
    life.open().catch((error: unknown) => {
      failed = error;
      throw error;
    });
  try {
    return await life.clock.run(open().then((channel) => work({ ...life, open }, ledger, channel)));
  } catch (error) {
    if (failed === undefined || failed !== error) throw error;
    assert.ok(isForebayError(error), `open threw ${String(error)}`);
    assert.ok(openCodes.has(error.code), `open threw ${error.code}: ${error.message}`);
    assert.ok(error.path !== undefined && error.message.length > 20, `open says too little: ${error.message}`);
    return undefined;
  }
}

async function assertThisLife(
  life: Life,
  ledger: Ledger,
  channel: FileChannel,
  injections: readonly Injection[],
): Promise<void> {
  const { state, reasons } = channel.stats().health;
  const passes = injections.length === 1 && !injections.some(({ kind }) => kind.endsWith('for good'));
  if (passes) assert.notEqual(state, 'failed', `one fault stopped it: ${reasons.join()}`);
  if (injections.every(({ kind }) => kind === 'ENOSPC for good')) {
    assert.notEqual(state, 'failed', `a full disk stopped it: ${reasons.join()}`);
    const refused = ledger.failures.filter((attempt) => attempt.kind !== 'put');
    assert.deepEqual(refused, [], 'on a full disk takes, acknowledgements and rollbacks go on');
  }
  life.clock.advance(1000);
  const last = await life.clock.run(ledger.put(channel, 1, 20));
  if (state === 'failed') {
    assert.equal(isForebayError(last.error) && last.error.code, 'CHANNEL_FAILED');
    assert.equal(last.outcome, 'notStored', 'what is asked of a failed channel is not stored');
  } else assert.equal(last.outcome, 'stored', `it goes on by itself, not ${String(last.error)}`);
  ledger.assertCounted(channel);
  await life.clock.run(channel.close());
}

/** Kills, power cuts, and a power cut after a kill, each with the channel opened behind it. */
async function assertLaterLives(ledger: Ledger, disk: SimulatedDisk, options?: ChannelOptions): Promise<void> {
  const killed = disk.snapshot();
  const shown = await assertLife(ledger, killed, options);
  await assertLife(ledger, killed.powerCut(3), options, shown);
  for (const seed of powerSeeds) await assertLife(ledger, disk.snapshot().powerCut(seed), options);
}

async function assertLife(
  ledger: Ledger,
  disk: SimulatedDisk,
  options: ChannelOptions | undefined,
  before?: ReadonlySet<string>,
): Promise<ReadonlySet<string>> {
  const life = lifeOn(disk, options);
  const channel = await life.clock.run(life.open());
  const losses = channel.damages.filter(({ eventsLost }) => eventsLost > 0);
  assert.deepEqual(losses, [], 'no event is reported lost');
  return await life.clock.run(ledger.assertKept(channel, before));
}

/**
 * After a failed write or sync the file is not written and not synced again, under whatever name. The next open, which
 * may be another process's, cannot know. A write that found no room is no failed sync.
 */
function assertLeftAlone(disk: NamedDisk, opensAt: readonly number[]): void {
  for (const failed of disk.failed) {
    if (failed.kind !== 'sync' && !(failed.kind === 'write' && failed.code === 'EIO')) continue;
    // Identity files are replaced as a whole: the one that failed is unlinked before another gets its name.
    if (failed.path.includes('channel.json')) continue;
    const names = disk.namesOf(failed.path);
    const end = opensAt.find((at) => at >= failed.index);
    const after = disk.operations.slice(failed.index, end).find((operation) => {
      return (operation.kind === 'sync' || operation.kind === 'write') && names.has(operation.path);
    });
    assert.equal(after, undefined, `${describe(failed)} failed, and later ${describe(after)}`);
  }
}
