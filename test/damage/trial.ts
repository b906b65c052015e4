/** One open of a damaged log, drained: what it delivered, reported and counted. */
import type { Disk } from '../../src/base/disk.ts';
import type { Sequence } from '../../src/base/units.ts';
import type { ChannelCounters } from '../../src/channel/channel.ts';
import type { ChannelEnvironment } from '../../src/channel/channel-parts.ts';
import { FileChannel } from '../../src/channel/file-channel.ts';
import { memoryCheckpointStore } from '../../src/checkpoint/memory.ts';
import type { CheckpointRecord } from '../../src/checkpoint/store.ts';
import type { Damage } from '../../src/wal/damage.ts';
import { expand } from './expectation.ts';
import { diskOf, environmentOf, type Files, home, type ReferenceLog } from './reference-log.ts';

/** What came of it. */
export interface Outcome {
  readonly damages: readonly Damage[];
  readonly delivered: readonly { readonly sequence: Sequence; readonly body: string }[];
  readonly prepared: readonly Sequence[];
  readonly notes: Readonly<Record<string, unknown>>;
  readonly counters: ChannelCounters;
  readonly depth: number;
  /** After the close. */
  readonly disk: Disk;
}

/** Turns until what delivery met is in the log; each lets the log write a group. */
const turnsMax = 200;

/** Opens, drains, closes. Rejects with what `open` throws. */
export async function openAndDrain(
  reference: ReferenceLog,
  files: Files,
  record: CheckpointRecord | undefined,
  seed: number,
): Promise<Outcome> {
  const store = memoryCheckpointStore();
  if (record !== undefined) await store.save(record);
  const disk = await diskOf(files);
  return await drainOn(disk, reference, environmentOf(disk, store, seed));
}

/** The same on a disk that is there, in any environment. */
export async function drainOn(
  disk: Disk,
  reference: Pick<ReferenceLog, 'options'>,
  environment: Partial<ChannelEnvironment>,
): Promise<Outcome> {
  const channel = await FileChannel.open(home, reference.options, environment);
  const delivered: { sequence: Sequence; body: string }[] = [];
  const consumer = channel.consumer('drain');
  for (;;) {
    const batch = await consumer.take(1000);
    if (batch.events.length === 0) break;
    for (const { sequence, body, headers } of batch.events) {
      const whole = body.toString().startsWith(`${headers['body']}.`) && headers['host'] === 'a';
      delivered.push({ sequence, body: whole ? (headers['body'] ?? '') : 'not what was put' });
    }
  }
  await channel.checkpoint();
  const prepared = channel.unresolved().flatMap(({ ranges }) => ranges.flatMap(expand));
  const waitsForLog = () => channel.stats().counters.quarantined < lossOf(channel.damages);
  for (let turn = 0; turn < turnsMax && waitsForLog(); turn++) {
    await new Promise((resolve) => setImmediate(resolve));
  }
  const { counters, depthEvents: depth } = channel.stats();
  const notes = Object.fromEntries(channel.notes.keys().map((key) => [key, channel.notes.get(key)]));
  const damages = [...channel.damages];
  await channel.close();
  return { damages, delivered, prepared, notes, counters, depth, disk };
}

/** What they cost in all. */
export function lossOf(damages: readonly Damage[]): number {
  return damages.reduce((total, { eventsLost }) => total + eventsLost, 0);
}

/** `files` with other bytes at `path`. */
export function withBytes(files: Files, path: string, change: (bytes: Buffer) => Buffer): Files {
  const changed = new Map(files);
  changed.set(path, change(Buffer.from(files.get(path) as Buffer)));
  return changed;
}

/** `files` with one bit of `path` turned over. */
export function withFlip(files: Files, path: string, bit: number): Files {
  return withBytes(files, path, (bytes) => {
    const at = bit >> 3;
    bytes[at] = (bytes[at] as number) ^ (1 << (bit & 7));
    return bytes;
  });
}
