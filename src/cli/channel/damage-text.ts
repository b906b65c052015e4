/** Damage as the verbs of `forebay channel` tell it on a terminal: where, what it is, what it costs. */
import type { SequenceRanges } from '../../base/units.ts';
import type { Damage } from '../../wal/damage.ts';
import { counted, inert } from './verb.ts';

/** More are in the JSON. */
const rangesShown = 8;

/** `61…63 70`. */
export function rangesText(ranges: SequenceRanges): string {
  const shown = ranges
    .slice(0, rangesShown)
    .map(({ first, last }) => (first === last ? `${first}` : `${first}…${last}`));
  const more = ranges.length - shown.length;
  return more > 0 ? `${shown.join(' ')} and ${counted(more)} ranges more` : shown.join(' ');
}

/** `1 event`, `1,234 events`. */
export function countOfNoun(count: number, noun: string): string {
  return `${counted(count)} ${noun}${count === 1 ? '' : 's'}`;
}

/** What damages cost together: `3 events lost`; those of an absent directory are held back, and come back with it. */
export function lossText(damages: readonly Damage[]): string {
  const sum = (some: readonly Damage[]): number => some.reduce((total, { eventsLost }) => total + eventsLost, 0);
  const absent = damages.filter(({ kind }) => kind === 'absent');
  const held = sum(absent);
  const lost = sum(damages) - held;
  const parts = held > 0 ? [`${countOfNoun(held, 'event')} held back`] : [];
  if (lost > 0) parts.unshift(`${countOfNoun(lost, 'event')} lost`);
  if (parts.length > 0) return parts.join(', ');
  // What a write that was cut off held, nobody can say; and whether its events were acknowledged.
  return damages.some(({ kind }) => kind === 'unprovenTail') ? 'no event is known to be lost' : 'no event is lost';
}

/** One line, without its end. */
export function damageText(damage: Damage): string {
  const { path, offset, bytes, kind, sequences, eventsLost, message } = damage;
  const place = offset > 0 ? ` at ${offset}` : '';
  const extent = bytes > 0 ? `, ${countOfNoun(bytes, 'byte')}` : '';
  const cost = eventsLost === 0 ? 'events' : `${lossText([damage])}:`;
  const events = sequences.length === 0 ? '' : ` (${cost} ${rangesText(sequences)})`;
  return `${inert(path)}${place}${extent}: ${kind}: ${message}${events}`;
}
