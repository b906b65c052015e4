/**
 * The notes by which a move into a dead letter channel is known again after a crash. The put leaves one there, by the
 * channel that the events are from and its sink; the drop leaves one here, by the sink. Both are a Move.
 */
import type { Channel, NoteValue, SequenceRange } from '../engine.ts';

/** What one of the two notes says. */
export interface Move {
  /** The id of the dead letter channel. */
  readonly channel: string;
  /** One more with each put. */
  readonly move: number;
  /** Put, and not dropped: there as of the put, here as of the drop. Ascending. */
  readonly sequences: readonly number[];
}

/** Different, since a channel may be both: dead letters of one sink, and where another one takes from. */
const beginningThere = 'forebay.deadletter.put';
const beginningHere = 'forebay.deadletter.left';
/** So many runs stay below what a note may take, while sequences are below 10^12. */
const runsMax = 5000;
/** Of one move; the rest is for what earlier ones have left. */
const runsOfMoveMax = 4000;
/** More than ever was in one move: a note that is none of ours may claim anything. */
const eventsMax: number = 2 ** 22;

/** The key in the dead letter channel. */
export function noteThere(from: Channel, sink: string): string {
  return `${beginningThere} ${from.stats().channelId} ${sink}`;
}

/** The key in the channel that the events are from. */
export function noteHere(sink: string): string {
  return `${beginningHere} ${sink}`;
}

/** As runs: how far each begins behind the end of the one before, and its length. Of too many the last are kept. */
export function noteOf({ channel, move, sequences }: Move): NoteValue {
  const kept = rangesOf(sequences).slice(-runsMax);
  const runs = kept.flatMap(({ first, last }, index) => [first - (kept[index - 1]?.last ?? 0), last - first + 1]);
  return { channel, move, runs };
}

/** Undefined for what is no such note. */
export function moveOf(note: NoteValue | undefined): Move | undefined {
  if (typeof note !== 'object' || note === null || Array.isArray(note)) return undefined;
  const { channel, move, runs } = note as Readonly<Record<string, NoteValue>>;
  if (typeof channel !== 'string' || typeof move !== 'number' || !Array.isArray(runs)) return undefined;
  const sequences: number[] = [];
  let end = 0;
  for (let at = 0; at < runs.length; at += 2) {
    const first = end + Number(runs[at]);
    const length = Number(runs[at + 1]);
    if (!(first > end && length >= 1 && sequences.length + length <= eventsMax)) return undefined;
    for (let index = 0; index < length; index += 1) sequences.push(first + index);
    end = first + length - 1;
  }
  return { channel, move, sequences };
}

/** Of ascending sequences. */
export function rangesOf(sequences: readonly number[]): SequenceRange[] {
  const ranges: { first: number; last: number }[] = [];
  for (const sequence of sequences) {
    const last = ranges.at(-1);
    if (last !== undefined && sequence === last.last + 1) last.last = sequence;
    else ranges.push({ first: sequence, last: sequence });
  }
  return ranges;
}

/** Parts that one note each has room for: nearly always one. */
export function partsOf<Item>(items: readonly Item[], sequenceOf: (item: Item) => number): readonly Item[][] {
  const parts: Item[][] = [];
  let runs = runsOfMoveMax;
  let previous = Number.NaN;
  for (const item of items) {
    const sequence = sequenceOf(item);
    if (sequence !== previous + 1) runs += 1;
    if (runs > runsOfMoveMax) {
      parts.push([]);
      runs = 1;
    }
    parts.at(-1)?.push(item);
    previous = sequence;
  }
  return parts;
}
