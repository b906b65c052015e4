/**
 * A small log to damage, and what it holds: built through a real channel in memory, in one life or several, closed in
 * order; its files, its checkpoint, and where each of its groups and frames stands.
 */
import { strict as assert } from 'node:assert';
import { basename, join } from 'node:path';
import type { Disk } from '../../src/base/disk.ts';
import { memoryDisk } from '../../src/base/disk-memory.ts';
import type { ByteOffset, Sequence, Serial } from '../../src/base/units.ts';
import type { ChannelEnvironment } from '../../src/channel/channel-parts.ts';
import { FileChannel } from '../../src/channel/file-channel.ts';
import type { ChannelOptions } from '../../src/channel/options.ts';
import { memoryCheckpointStore } from '../../src/checkpoint/memory.ts';
import type { CheckpointRecord, CheckpointStore } from '../../src/checkpoint/store.ts';
import type { Event } from '../../src/event/event.ts';
import { PayloadReader, type PayloadStorage } from '../../src/wal/frame-payload.ts';
import { groupEnd } from '../../src/wal/group-reader.ts';
import { type FrameHeader, frameHeaderBytes, frameSize, readFrameHeader } from '../../src/wal/segment/frame-header.ts';
import { type GroupHeader, groupHeaderBytes, readGroupHeader } from '../../src/wal/segment/group-header.ts';
import { firstGroupOffset, readSegmentHeader, type SegmentHeader } from '../../src/wal/segment/segment-header.ts';
import { SeededRandom } from '../support/seeded-random.ts';

/** Where the channel lives in its memory disk. */
export const home = '/c';
/** Files by path. Never changed: what is to be damaged is copied. */
export type Files = ReadonlyMap<string, Buffer>;

/** A frame and where it stands. */
export interface FrameAt {
  readonly path: string;
  readonly offset: ByteOffset;
  /** With its padding. */
  readonly end: ByteOffset;
  readonly header: FrameHeader;
  /** Raw: decrypted, inflated. */
  readonly payload: Buffer;
  readonly group: GroupAt;
}

/** A group and where it stands. */
export interface GroupAt {
  readonly path: string;
  readonly header: GroupHeader;
  /** Up to the next page. */
  readonly end: ByteOffset;
  readonly serial: Serial;
}

/** A segment of it. */
interface SegmentAt {
  readonly path: string;
  readonly header: SegmentHeader;
  /** Where its log ends. */
  readonly end: ByteOffset;
}

/** See the head of this file. */
export interface ReferenceLog {
  readonly options: ChannelOptions;
  readonly files: Files;
  readonly checkpoint: CheckpointRecord;
  /** Ascending by id; the last is the newest. */
  readonly segments: readonly SegmentAt[];
  readonly groups: readonly GroupAt[];
  /** In the order of the log. */
  readonly frames: readonly FrameAt[];
  /** The body of each event that was put and acknowledged. */
  readonly bodies: ReadonlyMap<Sequence, string>;
}

/** Small enough that nothing waits for zeros to be written. */
const segmentBytes = 65_536;

/** The environment of a channel in memory whose checkpoint is `store`. */
export function environmentOf(
  disk: Disk,
  store: CheckpointStore | undefined,
  seed: number,
): Partial<ChannelEnvironment> {
  return { disk, random: new SeededRandom(seed), openCheckpoint: async () => ({ store, notice: undefined }) };
}

/** Everything that lies below `directory`. */
export async function readFiles(disk: Disk, directory: string): Promise<Map<string, Buffer>> {
  const files = new Map<string, Buffer>();
  for (const name of (await disk.list(directory)) ?? []) {
    const path = join(directory, name);
    const entry = await disk.entry(path);
    if (entry?.kind === 'directory')
      for (const [inside, bytes] of await readFiles(disk, path)) files.set(inside, bytes);
    if (entry?.kind !== 'file') continue;
    const bytes = Buffer.alloc(entry.bytes);
    const file = await disk.open(path, { mode: 'read' });
    await file.read(bytes, 0);
    await file.close();
    files.set(path, bytes);
  }
  return files;
}

/** A memory disk that holds `files`. */
export async function diskOf(files: Files): Promise<Disk> {
  const disk = memoryDisk();
  for (const [path, bytes] of files) {
    await disk.makeDirectory(join(path, '..'));
    const file = await disk.open(path, { mode: 'create' });
    await file.write(bytes, 0);
    await file.close();
  }
  return disk;
}

/** What to build. */
export interface LogPlan {
  /** Each but the last ends as by `kill -9`, so the next starts a segment. */
  readonly lives: number;
  readonly bodyBytes: number;
  readonly compression?: 'deflate' | 'zstd';
  readonly encrypted?: boolean;
  readonly dataDirs?: readonly string[];
  /** Another one makes another channel. */
  readonly seed?: number;
}

const masterKey: Buffer = Buffer.alloc(32, 7);

/** Builds the log: one round of work in each life. */
export async function buildReferenceLog(plan: LogPlan): Promise<ReferenceLog> {
  const { lives, bodyBytes, compression = 'none', encrypted = false, dataDirs, seed = 0 } = plan;
  const encryption = encrypted ? { activeKey: 1, keys: { 1: masterKey } } : undefined;
  const options: ChannelOptions = { compression, encryption, dataDirs };
  const all: ChannelOptions = { segmentBytes, minimumFreeBytes: 0, ...options };
  const store = memoryCheckpointStore();
  const bodies = new Map<Sequence, string>();
  let files: Files = new Map();
  for (let life = 1; life <= lives; life++) {
    const disk = await diskOf(files);
    const channel = await FileChannel.open(home, all, environmentOf(disk, store, seed + life));
    await work({ channel, bodies, bodyBytes }, `${life}`);
    if (life < lives) files = await readFiles(disk, '/');
    await channel.close();
    if (life === lives) files = await readFiles(disk, '/');
  }
  const checkpoint = await store.load();
  assert.ok(checkpoint);
  const keys = { activeKeyId: encrypted ? 1 : 0, masterKeys: new Map([[1, masterKey]]) };
  const layout = layOut(files, { channelId: checkpoint.channelId, keys, compression });
  return { options: all, files, checkpoint, bodies, ...layout };
}

interface Work {
  readonly channel: FileChannel;
  readonly bodies: Map<Sequence, string>;
  readonly bodyBytes: number;
}

async function put({ channel, bodies, bodyBytes }: Work, name: string, count: number, note?: string): Promise<void> {
  const events: Event[] = Array.from({ length: count }, (_, index) => {
    const body = `${name}-${index}`;
    return { headers: { host: 'a', body }, body: Buffer.from(body.padEnd(bodyBytes, '.')) };
  });
  const ranges = await channel.put(events, note === undefined ? {} : { notes: { [note]: name } });
  let index = 0;
  for (const { first, last } of ranges) for (let at = first; at <= last; at++) bodies.set(at, `${name}-${index++}`);
}

/** A little of everything: groups of one frame and of several, acknowledgements and drops of one range and of more. */
async function work(all: Work, name: string): Promise<void> {
  const { channel } = all;
  await Promise.all([put(all, `${name}a`, 3), put(all, `${name}b`, 2, 'position'), put(all, `${name}c`, 4)]);
  const consumer = channel.consumer('k');
  const batch = await consumer.take(7);
  const [one, two, three, four, five, six, seven] = batch.events.map(({ sequence }) => ({
    first: sequence,
    last: sequence,
  }));
  assert.ok(one && two && three && four && five && six && seven);
  await Promise.all([consumer.commit([one]), put(all, `${name}d`, 2)]);
  await consumer.commit([two, four], { notes: { settled: name } });
  await consumer.drop([six, seven], { notes: { dropped: name } });
  await Promise.all([consumer.prepare([three], `${name}p`), consumer.prepare([five], `${name}q`)]);
  const [taken] = channel.unresolved().filter(({ note }) => note === `${name}p`);
  await Promise.all([channel.resolve(taken?.id ?? '', 'commit'), channel.notes.set('plain', name)]);
  await put(all, `${name}e`, 1);
}

function layOut(files: Files, storage: PayloadStorage): Pick<ReferenceLog, 'segments' | 'groups' | 'frames'> {
  const segments: SegmentAt[] = [];
  const groups: GroupAt[] = [];
  const frames: FrameAt[] = [];
  const names = [...files.keys()].filter((name) => /\/[0-9a-f]{16}\.seg$/.test(name));
  for (const path of names.sort((a, b) => basename(a).localeCompare(basename(b)))) {
    const bytes = files.get(path) as Buffer;
    const page = readSegmentHeader(bytes.subarray(0, 4096));
    assert.equal(page.kind, 'header');
    const { header } = page as typeof page & { kind: 'header' };
    const { segmentId: id, epoch, generation } = header;
    const payloads = new PayloadReader(storage, { id, epoch, generation });
    let end: ByteOffset = firstGroupOffset;
    for (;;) {
      const groupHeader = readGroupHeader(bytes, end, epoch, end);
      if (groupHeader === undefined) break;
      const group = { path, header: groupHeader, end: groupEnd(groupHeader), serial: groupHeader.serial };
      groups.push(group);
      frames.push(...framesOf(bytes, group, payloads));
      end = group.end;
    }
    segments.push({ path, header, end });
  }
  return { segments, groups, frames };
}

function framesOf(bytes: Buffer, group: GroupAt, payloads: PayloadReader): FrameAt[] {
  const frames: FrameAt[] = [];
  const { offset: start, bytes: length, epoch } = group.header;
  for (let offset = start + groupHeaderBytes; offset < start + length; ) {
    const header = readFrameHeader(bytes, offset, epoch, offset);
    assert.ok(header, `a frame at ${offset} of ${group.path}`);
    const from = offset + frameHeaderBytes;
    const payload = payloads.restore(header, bytes.subarray(from, from + header.storedBytes));
    assert.ok(payload, `the payload of the frame at ${offset}`);
    const end = offset + frameSize(header.storedBytes);
    frames.push({ path: group.path, offset, end, header, payload, group });
    offset = end;
  }
  return frames;
}
