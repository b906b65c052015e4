/**
 * Faults in an open after a crash, and in the takes that follow it: at each mutation and at each read. The open fails
 * with an error of the list, or does not; whichever, nothing is lost and the next one finds it.
 */
import assert from 'node:assert/strict';
import { isForebayError } from '../../src/base/errors.ts';
import type { FileChannel } from '../../src/channel/file-channel.ts';
import type { SimulatedDisk } from '../support/simulated-disk.ts';
import type { Fault, Operation } from '../support/simulated-faults.ts';
import { Ledger } from './ledger.ts';
import { type Life, lifeOn, NamedDisk, work } from './workload.ts';

/** Where a fault strikes: the mutations or the reads of an open and the takes behind it, each from 1. */
export interface OpenFault {
  readonly name: string;
  readonly of: 'mutation' | 'read';
  readonly index: number;
  readonly fault: Fault;
}

/** A disk as a crash leaves it, with what its channel had acknowledged. */
export interface Crashed {
  readonly disk: SimulatedDisk;
  readonly ledger: Ledger;
}

const mutationKinds: ReadonlySet<string> = new Set([
  'create',
  'write',
  'sync',
  'truncate',
  'rename',
  'unlink',
  'makeDirectory',
  'syncDirectory',
]);
const openCodes: ReadonlySet<string> = new Set(['DIR_UNUSABLE', 'DISK_FULL', 'CHANNEL_FAILED', 'WRITE_FAILED']);

/** The workload, stopped at this share of its operations; then a kill, or with a seed a power cut. */
export async function crashAt(share: number, powerSeed: number | undefined): Promise<Crashed> {
  const whole = new NamedDisk({ seed: 1 });
  const wholeLife = lifeOn(whole);
  await wholeLife.clock.run(wholeLife.open().then((channel) => work(wholeLife, new Ledger(), channel)));
  const disk = new NamedDisk({ seed: 1 });
  const life = lifeOn(disk);
  const ledger = new Ledger();
  disk.stopAt(Math.floor(whole.operations.length * share), 'after');
  await life.clock.run(
    life
      .open()
      .then((channel) => work(life, ledger, channel))
      .then(
        () => undefined,
        () => undefined,
      ),
  );
  return { disk: powerSeed === undefined ? disk.kill() : disk.powerCut(powerSeed), ledger };
}

/** All faults for this crash: of each mutation and each read that an open and a take of everything make. */
export async function openFaults(crashed: Crashed): Promise<OpenFault[]> {
  const disk = crashed.disk.snapshot();
  const life = lifeOn(disk);
  await life.clock.run(life.open().then((channel) => crashed.ledger.assertKept(channel)));
  const faults: OpenFault[] = [];
  for (let index = 1; index <= disk.operations.length; index += 1) {
    for (const error of ['EIO', 'ENOSPC', 'EROFS'] as const) {
      const hits = (operation: Operation) => mutationKinds.has(operation.kind) && operation.index >= index;
      faults.push({ name: `${error} at mutation ${index}`, of: 'mutation', index, fault: { at: index, error } });
      const sticky: Fault = { at: hits, error, sticky: true };
      faults.push({ name: `${error} for good from mutation ${index}`, of: 'mutation', index, fault: sticky });
    }
  }
  for (let index = 1; index <= disk.readCount; index += 1) {
    const at = (operation: Operation) => !mutationKinds.has(operation.kind) && operation.index === index;
    faults.push({ name: `EIO at read ${index}`, of: 'read', index, fault: { at, error: 'EIO' } });
  }
  return faults;
}

/** Opens with the fault; then again without; and after a kill, and after a power cut. */
export async function injectAtOpen(crashed: Crashed, { fault }: OpenFault): Promise<void> {
  const { ledger } = crashed;
  const disk = crashed.disk.snapshot();
  const takeBack = disk.inject(fault);
  const life = lifeOn(disk);
  const shown = await life.clock.run(openAndTake(life, ledger));
  takeBack();
  const killed = disk.snapshot();
  const kept = await assertOpens(killed, ledger, shown);
  await assertOpens(killed.powerCut(5), ledger, kept);
  await assertOpens(disk.snapshot().powerCut(6), ledger, shown);
  const again = disk.stopped ? undefined : await life.clock.run(reopen(life));
  if (again !== undefined) await life.clock.run(ledger.assertKept(again, shown));
}

/** What the life showed; undefined where it did not come to that. */
async function openAndTake(life: Life, ledger: Ledger): Promise<ReadonlySet<string> | undefined> {
  let channel: FileChannel;
  try {
    channel = await life.open();
  } catch (error) {
    assert.ok(isForebayError(error), `open threw ${String(error)}`);
    assert.ok(openCodes.has(error.code) && error.path !== undefined, `open threw ${error.code}: ${error.message}`);
    return undefined;
  }
  opened.set(life, channel);
  assert.deepEqual(
    channel.damages.filter(({ eventsLost }) => eventsLost > 0),
    [],
    'no event is reported lost',
  );
  try {
    return await ledger.assertKept(channel);
  } catch (error) {
    if (!isForebayError(error)) throw error;
    assert.equal(error.code, 'CHANNEL_FAILED', `a take threw ${error.code}: ${error.message}`);
    return undefined;
  }
}

const opened: WeakMap<Life, FileChannel> = new WeakMap();

/** In the same process: what the first open held is free again. */
async function reopen(life: Life): Promise<FileChannel> {
  await opened.get(life)?.close();
  return life.open();
}

async function assertOpens(
  disk: SimulatedDisk,
  ledger: Ledger,
  before: ReadonlySet<string> | undefined,
): Promise<ReadonlySet<string>> {
  const life = lifeOn(disk);
  const channel = await life.clock.run(life.open());
  return await life.clock.run(ledger.assertKept(channel, before));
}
