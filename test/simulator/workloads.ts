/** What the simulated processes do: each workload leans on one part of the engine, with transactions of equal size. */
import type { ChannelOptions } from '../../src/channel/options.ts';
import type { Fault, Operation } from '../support/simulated-faults.ts';
import { channelDirectory, type Life, type Program } from './life.ts';

/** How the first life ends, and every later one; else the seed chooses. */
export type Ending = 'kill' | 'powerCut';

/** One workload. */
export interface Workload {
  readonly name: string;
  readonly options: ChannelOptions;
  /** What the first life does. */
  readonly program: Program;
  /** Room of the disk. */
  readonly capacityBytes?: number;
  /** Calls may be refused. */
  readonly mayRefuse?: boolean;
  /** Starts on an empty disk, so that stops in the channel's creation are met too. */
  readonly creates?: boolean;
  readonly endings?: readonly Ending[];
}

/** The smallest segments there are. */
const base: ChannelOptions = { segmentBytes: 65_536, minimumFreeBytes: 0, checkpointIntervalMs: 40, keepAliveMs: 30 };
/** Bodies of single puts: two sectors, so that a torn one shows. */
const singleBytes = 900;

async function singles(life: Life): Promise<void> {
  for (let turn = 0; turn < 4; turn += 1) await life.put(1, singleBytes);
  await life.idle(120);
  for (let turn = 0; turn < 4; turn += 1) await life.put(1, singleBytes);
  const lease = await life.take(3);
  await life.commit(lease);
  await life.put(1, singleBytes);
}

async function batches(life: Life): Promise<void> {
  for (let turn = 0; turn < 6; turn += 1) await life.put(8, 300, turn % 2 === 1);
  await life.commit(await life.take(20), undefined, undefined, true);
  for (let turn = 0; turn < 3; turn += 1) await life.put(8, 300, true);
}

/** Many producers at once, a consumer that waits for events, and one that looks for them at every turn. */
async function producers(life: Life): Promise<void> {
  const producer = async (index: number): Promise<void> => {
    for (let turn = 0; turn < 5; turn += 1) await life.put(1 + (index % 3), 700, index % 2 === 0);
  };
  const waiting = async (): Promise<void> => {
    for (let turn = 0; turn < 4; turn += 1) await life.commit(await life.take(3, undefined, 10));
  };
  const impatient = async (): Promise<void> => {
    const consumer = life.channel.consumer('impatient');
    for (let turn = 0; turn < 30; turn += 1) {
      const lease = await life.take(2, consumer);
      if (lease.events.length === 0) await life.pause();
      else if (turn % 3 === 0) await life.rollback(lease, consumer);
      else await life.commit(lease, consumer);
    }
  };
  await Promise.all([...[0, 1, 2, 3, 4, 5].map(producer), waiting(), impatient()]);
}

/** Puts, takes and partial commits by turns. */
async function interleaved(life: Life): Promise<void> {
  const consumer = life.channel.consumer('k');
  for (let turn = 0; turn < 6; turn += 1) {
    const [, lease] = await Promise.all([life.put(5, 400, true), life.take(6, consumer)]);
    const odd = lease.events.filter((_, index) => index % 2 === 1);
    const even = lease.events.filter((_, index) => index % 2 === 0);
    await Promise.all([life.commit(lease, consumer, odd, turn % 2 === 0), life.put(1, singleBytes)]);
    if (turn % 3 === 0) await life.rollback(lease, consumer, even);
    else await life.commit(lease, consumer, even);
  }
}

/** A segment for every third put; drained ones are used again. */
async function rotation(life: Life): Promise<void> {
  for (let turn = 0; turn < 12; turn += 1) {
    await life.put(6, 3200, turn % 4 === 0);
    await life.commit(await life.take(turn < 3 ? 4 : 7), undefined, undefined, turn % 3 === 0);
  }
  await life.commit(await life.take(100));
  for (let turn = 0; turn < 4; turn += 1) await life.put(6, 3200);
}

async function twoPhase(life: Life): Promise<void> {
  const consumer = life.channel.consumer('sink');
  for (let turn = 0; turn < 4; turn += 1) {
    await life.put(6, 500);
    const lease = await life.take(6, consumer);
    const first = await life.prepare(consumer, lease.events.slice(0, 2), true);
    const second = await life.prepare(consumer, lease.events.slice(2, 5));
    await life.commit(lease, consumer, lease.events.slice(5));
    if (first !== undefined) await life.resolve(first, turn % 2 === 0 ? 'commit' : 'rollback', turn < 2);
    if (second !== undefined && turn !== 1) await life.resolve(second, turn === 2 ? 'rollback' : 'commit', true);
    await life.note();
  }
}

/** Several consumers at once, one of which is fenced by a new one of its name, and rolled back takes. */
async function consumers(life: Life): Promise<void> {
  for (let turn = 0; turn < 3; turn += 1) await life.put(8, 350);
  const [one, two, three] = ['one', 'two', 'three'].map((name) => life.channel.consumer(name));
  const leases = await Promise.all([life.take(5, one), life.take(5, two), life.take(5, three)]);
  await Promise.all([life.commit(leases[0]!, one), life.rollback(leases[1]!, two), life.put(8, 350)]);
  life.oracle.returned(leases[2]!.events);
  const again = life.channel.consumer('three');
  const lease = await life.take(6, again);
  await Promise.all([life.commit(lease, again, lease.events.slice(0, 3)), life.put(8, 350, true)]);
  await life.rollback(lease, again, lease.events.slice(3));
  await life.commit(await life.take(4, two), two, undefined, true);
}

/** Puts until nothing fits, drains under pressure, and puts again. */
async function full(life: Life): Promise<void> {
  for (let round = 0; round < 2; round += 1) {
    let stored = true;
    for (let turn = 0; turn < 24 && stored; turn += 1) stored = await life.put(4, 4000);
    for (let turn = 0; turn < 24; turn += 1) {
      const lease = await life.take(6);
      if (lease.events.length === 0 || !(await life.commit(lease, undefined, undefined, turn % 4 === 0))) break;
    }
    await life.idle(120);
  }
  await life.put(4, 4000);
}

/** By interval: what is acknowledged lies in the cache for a while. */
async function interval(life: Life): Promise<void> {
  for (let turn = 0; turn < 3; turn += 1) await life.put(1, singleBytes);
  await life.idle(50);
  for (let turn = 0; turn < 4; turn += 1) await life.put(1, singleBytes);
  await life.commit(await life.take(3));
  await life.put(8, 2500);
  await life.idle(5);
  for (let turn = 0; turn < 5; turn += 1) await life.put(8, 2500);
  const consumer = life.channel.consumer('k');
  const lease = await life.take(4, consumer);
  const prepared = await life.prepare(consumer, lease.events.slice(0, 2));
  if (prepared !== undefined) await life.resolve(prepared, 'commit');
  await life.put(1, singleBytes);
}

/** One fault of the kind, at the n-th such operation; the program goes on, or closes and opens again. */
function failing(kind: Operation['kind'], error: Fault['error'], program: Program): Program {
  return async (life) => {
    let left = 3 + life.random.below(9);
    life.failOnce(error, (operation) => {
      if (operation.kind === kind) left -= 1;
      return left === 0;
    });
    await program(life);
    if (life.channel.stats().health.state !== 'failed') return;
    if (!(await life.reopen())) return;
    await life.put(1, singleBytes);
    await life.commit(await life.take(2));
  };
}

async function mixed(life: Life): Promise<void> {
  const some = [0, 1, 2].map(() => life.put(1, singleBytes, true));
  await Promise.all(some);
  for (let turn = 0; turn < 3; turn += 1) await life.put(1, singleBytes);
  await life.commit(await life.take(2));
  await Promise.all([life.put(4, 700), life.put(4, 700), life.commit(await life.take(2), undefined, undefined, true)]);
  await life.put(1, singleBytes);
}

async function reopens(life: Life): Promise<void> {
  for (let turn = 0; turn < 3; turn += 1) {
    await life.put(3, 600, true);
    await life.commit(await life.take(2));
    if (turn === 1) await life.checkpoint();
    if (!(await life.reopen())) return;
    await life.put(1, singleBytes);
  }
  await life.checkpoint();
  await life.put(1, singleBytes);
  await life.close();
}

/** What every later life does: the same sizes again, so that new groups land where old ones were cut off. */
export async function shortProgram(life: Life): Promise<void> {
  await life.put(1, singleBytes);
  await life.put(1, singleBytes, true);
  const [lease] = await Promise.all([life.take(3), life.put(8, 300), life.put(8, 300)]);
  await life.commit(lease, undefined, undefined, true);
  const consumer = life.channel.consumer('k');
  const rest = await life.take(3, consumer);
  await life.commit(rest, consumer, rest.events.slice(0, 1));
  await life.put(1, singleBytes);
}

const directories = [0, 1, 2].map((index) => `${channelDirectory}/data${index}`);
const key = Buffer.alloc(32, 7);
const byInterval: ChannelOptions = { ...base, fsync: { intervalMs: 20 } };

/** All of them. */
export const workloads: readonly Workload[] = [
  { name: 'creation', options: base, program: singles, creates: true },
  { name: 'singles', options: base, program: singles },
  { name: 'batches', options: base, program: batches },
  { name: 'producers', options: base, program: producers },
  { name: 'interleaved', options: base, program: interleaved },
  { name: 'rotation', options: base, program: rotation },
  { name: 'two-phase', options: base, program: twoPhase },
  { name: 'consumers', options: base, program: consumers },
  { name: 'full', options: { ...base, maxDiskBytes: 8 * 65_536 }, program: full, mayRefuse: true },
  { name: 'disk-full', options: base, program: full, capacityBytes: 9 * 65_536, mayRefuse: true },
  { name: 'directories', options: { ...base, dataDirs: directories }, program: rotation },
  { name: 'interval', options: byInterval, program: interval },
  { name: 'interval-full', options: byInterval, program: full, capacityBytes: 9 * 65_536, mayRefuse: true },
  {
    name: 'encrypted',
    options: { ...base, compression: 'deflate', encryption: { activeKey: 1, keys: { 1: key } } },
    program: interleaved,
  },
  { name: 'failed-sync', options: base, program: failing('sync', 'EIO', mixed), mayRefuse: true },
  // The failed pages stay in the cache over the kill, and leave it with the power.
  {
    name: 'failed-sync-kill-cut',
    options: base,
    program: failing('sync', 'EIO', mixed),
    mayRefuse: true,
    endings: ['kill', 'powerCut'],
  },
  { name: 'failed-write', options: base, program: failing('write', 'EIO', mixed), mayRefuse: true },
  { name: 'failed-interval', options: byInterval, program: failing('sync', 'EIO', interval), mayRefuse: true },
  { name: 'cut-tail', options: base, program: singles, endings: ['powerCut', 'powerCut'] },
  { name: 'reopens', options: base, program: reopens },
];
