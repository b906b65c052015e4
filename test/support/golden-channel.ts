/**
 * The channels whose bytes are kept in test/golden/format-v1: one life story, told in several storage variants, on a
 * disk in memory with a clock that stands still and randomness from a seed, so that the bytes are always the same.
 * The story writes every frame type that this version writes, in several segments, with an unclean stop in between; but
 * for DROP and REWIND, which have a channel of their own each.
 */
import { readdir, readFile } from 'node:fs/promises';
import { join, posix } from 'node:path';
import type { Clock } from '../../src/base/clock.ts';
import type { Disk } from '../../src/base/disk.ts';
import { memoryDisk } from '../../src/base/disk-memory.ts';
import { FileChannel } from '../../src/channel/file-channel.ts';
import type { ChannelOptions } from '../../src/channel/options.ts';
import type { Event } from '../../src/event/event.ts';
import { SeededRandom } from './seeded-random.ts';
import { SimulatedDisk } from './simulated-disk.ts';

/** Where the channel of every variant lies, on its disk. */
export const goldenDirectory = '/forebay/c1';

/** Kept open for ever: a channel written with it must stay readable. */
const keyOne: Buffer = Buffer.from(Array.from({ length: 32 }, (_, index) => index));

/** Options by variant: what its channel was written with, and is read with. */
export const goldenVariants: Readonly<Record<string, ChannelOptions>> = {
  plain: {},
  deflate: { compression: 'deflate' },
  encrypted: { encryption: { activeKey: 1, keys: { 1: keyOne } } },
  dropped: {},
  rewound: {},
};

const options: ChannelOptions = { segmentBytes: 65_536, checkpoint: 'memory' };
const startMs = Date.UTC(2026, 10, 22, 12, 0, 0);

/** Time that passes only when told; timers whose time has come fire then. */
class StandingClock implements Clock {
  #nowMs = 0;
  #timers: { atMs: number; call: () => void }[] = [];

  wallMs(): number {
    return startMs + this.#nowMs;
  }

  monotonicMs(): number {
    return this.#nowMs;
  }

  after(delayMs: number, call: () => void): { cancel: () => void } {
    const timer = { atMs: this.#nowMs + delayMs, call };
    this.#timers.push(timer);
    return {
      cancel: () => {
        this.#timers = this.#timers.filter((other) => other !== timer);
      },
    };
  }

  pass(ms: number): void {
    this.#nowMs += ms;
    const due = this.#timers.filter(({ atMs }) => atMs <= this.#nowMs);
    this.#timers = this.#timers.filter(({ atMs }) => atMs > this.#nowMs);
    for (const { call } of due) call();
  }
}

/** Some events: `kind` picks the layout of headers and bodies in the frame. */
function events(kind: 'columns' | 'rows' | 'shared' | 'none', count: number, bodyBytes = 12): Event[] {
  return Array.from({ length: count }, (_, index) => {
    const body = Buffer.from(`${kind} ${index} `.repeat(1 + bodyBytes).slice(0, bodyBytes + (index % 3)));
    if (kind === 'columns') return { headers: { host: 'web-1', n: String(index) }, body };
    if (kind === 'rows') return { headers: index % 2 === 0 ? { ä: 'ö', n: String(index) } : { other: '' }, body };
    if (kind === 'shared') return { headers: { host: 'web-2' }, body: Buffer.from(`${kind} ${index % 10}`) };
    return { headers: {}, body };
  });
}

interface World {
  readonly disk: SimulatedDisk;
  readonly clock: StandingClock;
  readonly random: SeededRandom;
  readonly options: ChannelOptions;
}

function openOn(world: World): Promise<FileChannel> {
  return FileChannel.open(goldenDirectory, world.options, world);
}

/** Groups with a MARK only are written so long after the last commit. */
async function fallSilent(world: World): Promise<void> {
  world.clock.pass(150);
  for (let turn = 0; turn < 50; turn++) await new Promise<void>((resolve) => setImmediate(resolve));
}

/** A new channel; PUT in all layouts, ACK in both forms, PREPARE, RESOLVE, NOTE, MARK; three segments; closed. */
async function firstLife(world: World): Promise<void> {
  const channel = await openOn(world);
  await channel.put(events('columns', 5));
  await channel.put(events('rows', 6));
  world.clock.pass(10);
  await channel.put(events('shared', 4), { notes: { position: { file: 'a.log', offset: 4096 } } });
  await channel.put(events('none', 3));
  await channel.notes.set('owner', ['golden', 1, null]);
  await (await channel.take(4)).commit();
  const sink = channel.consumer('sink');
  await sink.take(10);
  const scattered = [5, 7, 9].map((sequence) => ({ first: sequence, last: sequence }));
  await sink.commit(scattered, { notes: { position: { file: 'a.log', offset: 8192 } } });
  const written = await sink.prepare([{ first: 10, last: 11 }], { file: 'part-1' });
  await sink.prepare([{ first: 12, last: 12 }], { file: 'part-2' }, { notes: { gone: true } });
  await channel.resolve(written, 'commit', { notes: { gone: undefined, parts: 1 } });
  await fallSilent(world);
  for (const size of [20_000, 21_000, 22_000, 23_000, 24_000]) await channel.put(events('columns', 1, size));
  await channel.put([...events('none', 2), ...events('shared', 2)]);
  await channel.close();
}

/** Goes on in the last segment; ends by a kill, with a put and an acknowledgement that nothing proves yet. */
async function secondLife(world: World): Promise<SimulatedDisk> {
  const channel = await openOn(world);
  await (await channel.take(2)).commit();
  await channel.put(events('columns', 3));
  await channel.put(events('rows', 3), { notes: { second: 2 } });
  return world.disk.kill();
}

/** After the kill and a byte gone bad: a new segment with CUT, the tail once more and OPEN; then QUARANTINE. */
async function thirdLife(world: World): Promise<void> {
  const channel = await openOn(world);
  await channel.put(events('shared', 3));
  const batch = await channel.take(10);
  await batch.rollback();
  await fallSilent(world);
  await channel.close();
}

/** A channel of its own: DROP in both forms, then a kill, so that the last one is written again in the next life. */
async function lifeWithDrops(world: World): Promise<SimulatedDisk> {
  const channel = await openOn(world);
  await channel.put(events('columns', 9));
  const sink = channel.consumer('sink');
  await sink.take(7);
  await sink.drop([{ first: 2, last: 4 }]);
  await sink.commit([{ first: 5, last: 5 }]);
  const scattered = [1, 7].map((sequence) => ({ first: sequence, last: sequence }));
  await sink.drop(scattered, { notes: { moved: ['to c2', 2] } });
  return world.disk.kill();
}

/** A channel of its own: REWIND of one range and of more, then a kill, so that the last one is written again. */
async function lifeWithRewinds(world: World): Promise<SimulatedDisk> {
  const channel = await openOn(world);
  await channel.put(events('columns', 9));
  await (await channel.take(7)).commit();
  await channel.requeue([{ first: 3, last: 20 }]);
  const sink = channel.consumer('sink');
  await sink.take(4);
  await sink.drop([{ first: 4, last: 6 }]);
  const scattered = [1, 2, 5].map((sequence) => ({ first: sequence, last: sequence }));
  await channel.requeue(scattered);
  return world.disk.kill();
}

/** A byte of the body of the second event of the first put, which was sequence 2, is flipped. */
async function spoil(disk: Disk, path: string, body: string): Promise<void> {
  const file = await disk.open(path, { mode: 'write' });
  const bytes = Buffer.alloc(await file.bytes());
  await file.read(bytes, 0);
  const at = bytes.indexOf(body);
  if (at < 0) throw new Error(`${path} does not hold what is to be spoiled`);
  bytes[at] = (bytes[at] ?? 0) ^ 1;
  await file.write(bytes.subarray(at, at + 1), at);
  await file.close();
}

const ownLives: Readonly<Record<string, (world: World) => Promise<SimulatedDisk>>> = {
  dropped: lifeWithDrops,
  rewound: lifeWithRewinds,
};

/** The channel of `variant`, told anew: its files by path below its directory. Free files are left out. */
export async function tellGolden(variant: string): Promise<Map<string, Buffer>> {
  const chosen = { ...options, ...goldenVariants[variant] };
  const random = new SeededRandom(20_261_122);
  const clock = new StandingClock();
  const disk = new SimulatedDisk({ seed: 1 });
  const own = ownLives[variant];
  if (own !== undefined) {
    const ended = await own({ disk, clock, random, options: chosen });
    clock.pass(60_000);
    await thirdLife({ disk: ended, clock, random, options: chosen });
    return filesOf(ended);
  }
  await firstLife({ disk, clock, random, options: chosen });
  clock.pass(60_000);
  const killed = await secondLife({ disk, clock, random, options: chosen });
  if (variant === 'plain') await spoil(killed, `${goldenDirectory}/0000000000000001.seg`, 'none 1');
  clock.pass(60_000);
  await thirdLife({ disk: killed, clock, random, options: chosen });
  return filesOf(killed);
}

async function filesOf(disk: Disk): Promise<Map<string, Buffer>> {
  const files = new Map<string, Buffer>();
  await collect(disk, '', files);
  return files;
}

async function collect(disk: Disk, below: string, files: Map<string, Buffer>): Promise<void> {
  const directory = posix.join(goldenDirectory, below);
  for (const name of (await disk.list(directory)) ?? []) {
    const path = posix.join(directory, name);
    const entry = await disk.entry(path);
    if (entry?.kind === 'directory') await collect(disk, posix.join(below, name), files);
    // What lies in a free file means nothing; the lock's file is empty.
    if (entry?.kind !== 'file' || name.startsWith('free-') || name === 'owner.lock') continue;
    const file = await disk.open(path, { mode: 'read' });
    const bytes = Buffer.alloc(entry.bytes);
    await file.read(bytes, 0);
    await file.close();
    files.set(posix.join(below, name), bytes);
  }
}

/** The files of a directory of the real disk, by path below it, in the order of their names. */
export async function readTree(directory: string): Promise<Map<string, Buffer>> {
  const entries = await readdir(directory, { recursive: true, withFileTypes: true });
  const paths = entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
  const files = new Map<string, Buffer>();
  for (const path of paths.sort()) files.set(path.slice(directory.length + 1), await readFile(path));
  return files;
}

/** What opening a golden channel and taking everything gives; plain values. */
export interface GoldenContents {
  readonly events: readonly { sequence: number; headers: Record<string, string>; body: string }[];
  readonly notes: Record<string, unknown>;
  readonly unresolved: readonly unknown[];
  readonly counters: Record<string, number>;
  readonly damages: readonly unknown[];
}

/** All that a channel holds. Long bodies by their ends and length. Takes everything, and gives it back. */
export async function contentsOf(channel: FileChannel): Promise<GoldenContents> {
  const taken: GoldenContents['events'][number][] = [];
  const batches = [];
  for (let batch = await channel.take(1000); batch.events.length > 0; batch = await channel.take(1000)) {
    batches.push(batch);
    for (const { sequence, headers, body } of batch.events) {
      const text = body.toString();
      const shown = text.length > 40 ? `${text.slice(0, 20)}…${text.slice(-20)}, ${text.length} bytes` : text;
      taken.push({ sequence, headers: { ...headers }, body: shown });
    }
  }
  for (const batch of batches) await batch.rollback();
  const notes = Object.fromEntries(channel.notes.keys().map((key) => [key, channel.notes.get(key)]));
  const { counters } = channel.stats();
  const unresolved = channel.unresolved();
  return { events: taken, notes, unresolved, counters: { ...counters }, damages: [...channel.damages] };
}

/** A disk in memory that holds `files` as the channel's directory. */
export async function diskWith(files: ReadonlyMap<string, Buffer>): Promise<Disk> {
  const disk = memoryDisk();
  for (const [name, bytes] of files) {
    const path = posix.join(goldenDirectory, name);
    await disk.makeDirectory(posix.dirname(path));
    const file = await disk.open(path, { mode: 'create' });
    await file.write(bytes, 0);
    await file.close();
  }
  return disk;
}

/** Opens the channel of `variant` from `files`, with the options it was written with. */
export async function openGolden(variant: string, files: ReadonlyMap<string, Buffer>): Promise<FileChannel> {
  return openGoldenOn(variant, await diskWith(files));
}

/** The same on a disk that holds it already. */
export async function openGoldenOn(variant: string, disk: Disk): Promise<FileChannel> {
  const clock = new StandingClock();
  clock.pass(600_000);
  return FileChannel.open(goldenDirectory, { ...options, ...goldenVariants[variant] }, { disk, clock });
}
