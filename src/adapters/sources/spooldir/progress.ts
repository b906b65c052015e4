/**
 * What of each file is in which channel, kept in the channels' own notes.
 *
 * Each transaction writes the note of its lane: which stretch of which file it puts, and up to where everything is in
 * all required channels. There are as many lanes as transactions in flight, and a lane is used again only when what
 * it said lies below that point: so the notes of a channel say exactly what it has, also where one transaction was
 * refused and the next was not. One note for all could not: the later position would hide the gap.
 *
 * The base note holds what was found at the start, files that were left in the middle, and the signatures of Flume's
 * meta file as it was written here. It is written alone, and empties the lanes.
 */
import type { ChannelProcessor } from '../../../agent/contracts/components.ts';
import type { NoteValue } from '../../../engine.ts';
import type { FileIdentity } from './file-identity.ts';
import { type Range, unionOf } from './ranges.ts';

/**
 * Transactions in flight at most: the channel processor joins those that wait into one put of 1000 events. Two such
 * puts of batches of 100 are twenty; with sixteen a million lines took a seventh longer.
 */
export const laneCount = 24;

/** One reading of a file, from its beginning to its end, through any number of restarts. */
export interface Reading {
  /** Grows: a file that is spooled again has a new one. */
  readonly id: number;
  file: FileIdentity;
  /** By channel. */
  readonly done: Map<string, readonly Range[]>;
}

/** What a lane's note says. */
export type LaneNote = {
  readonly reading: number;
  readonly file: FileIdentity;
  readonly from: number;
  readonly to: number;
  /** Everything below it is in all required channels. */
  readonly floor: number;
};

/** Of Flume's meta file as it was written here: time of change (ms), size. */
export type MetaSignature = readonly [mtimeMs: number, sizeBytes: number];

type BaseNote = {
  readonly lastReading: number;
  readonly readings: readonly {
    readonly id: number;
    readonly file: FileIdentity;
    readonly done: Readonly<Record<string, readonly Range[]>>;
  }[];
  readonly meta: readonly MetaSignature[];
};

/** What the notes of all channels come to. */
export interface Progress {
  readonly lastReading: number;
  /** The latest of each file. */
  readonly readings: readonly Reading[];
  /** Undefined where no channel has a base note. */
  readonly meta: readonly MetaSignature[] | undefined;
  /** A lane has something to say that the base note does not. */
  readonly hasLanes: boolean;
}

/** A note is at most 64 KiB. */
const baseNoteCharsMax = 20_000;

/** The keys of one source's notes. */
export class NoteKeys {
  readonly base: string;
  readonly #source: string;

  constructor(source: string) {
    this.#source = source;
    this.base = `spooldir/${source}`;
  }

  lane(index: number): string {
    return `spooldir/${this.#source}/${index % laneCount}`;
  }
}

/** What the channels have, as of what is durable. @throws Where a channel is closed. */
export function loadProgress(processor: ChannelProcessor, keys: NoteKeys): Progress {
  const readings = new Map<number, Reading>();
  const meta: MetaSignature[] = [];
  let lastReading = 0;
  let hasBase = false;
  let hasLanes = false;
  const add = (id: number, file: FileIdentity, channel: string, ranges: readonly Range[]) => {
    const reading = readings.get(id) ?? { id, file, done: new Map<string, readonly Range[]>() };
    readings.set(id, reading);
    reading.done.set(channel, unionOf([...(reading.done.get(channel) ?? []), ...ranges]));
    lastReading = Math.max(lastReading, id);
  };
  for (const channel of processor.channels) {
    const base = processor.note(channel, keys.base) as BaseNote | undefined;
    if (base !== undefined) {
      hasBase = true;
      lastReading = Math.max(lastReading, base.lastReading);
      meta.push(...base.meta);
      for (const { id, file, done } of base.readings) {
        for (const [name, ranges] of Object.entries(done)) add(id, file, name, ranges);
      }
    }
    for (let index = 0; index < laneCount; index += 1) {
      const lane = processor.note(channel, keys.lane(index)) as LaneNote | undefined;
      if (lane === undefined) continue;
      hasLanes = true;
      add(lane.reading, lane.file, channel, [
        [0, lane.floor],
        [lane.from, lane.to],
      ]);
    }
  }
  const latest = new Map<string, Reading>();
  for (const reading of readings.values()) {
    const other = latest.get(reading.file.path);
    if (other === undefined || other.id < reading.id) latest.set(reading.file.path, reading);
  }
  return { lastReading, readings: [...latest.values()], meta: hasBase ? meta : undefined, hasLanes };
}

/** The notes that say all of it, and nothing in the lanes; and the readings for which there was no room. */
export function baseNotes(
  keys: NoteKeys,
  progress: Pick<Progress, 'lastReading' | 'readings'> & { readonly meta: readonly MetaSignature[] },
): { readonly notes: Record<string, NoteValue | undefined>; readonly left: readonly Reading[] } {
  const readings: BaseNote['readings'][number][] = [];
  const left: Reading[] = [];
  let chars = 0;
  for (const reading of progress.readings.toSorted((a, b) => b.id - a.id)) {
    const entry = { id: reading.id, file: reading.file, done: Object.fromEntries(reading.done) };
    chars += JSON.stringify(entry).length;
    if (chars > baseNoteCharsMax) left.push(reading);
    else readings.push(entry);
  }
  const base: BaseNote = { lastReading: progress.lastReading, readings, meta: progress.meta };
  const notes: Record<string, NoteValue | undefined> = { [keys.base]: base };
  for (let index = 0; index < laneCount; index += 1) notes[keys.lane(index)] = undefined;
  return { notes, left };
}
