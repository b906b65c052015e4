/** What an open or a read found wrong: the exact report behind promise 3, and the list an operator sees. */
import { type ByteOffset, countSequences, type SequenceRange } from '../base/units.ts';
import type { LogOwner } from './log-owner.ts';
import type { DamageKind } from './system-frames.ts';

/** One place that is not as it was written. `bytes` 0 where the extent is unknown (a missing file). */
export interface Damage {
  readonly path: string;
  readonly offset: ByteOffset;
  readonly bytes: number;
  readonly kind: DamageKind;
  /** Events lost by it: acknowledged ones not counted. 0 where it costs no event. */
  readonly eventsLost: number;
  readonly sequences: readonly SequenceRange[];
  /** A sentence: what it means and what was done. */
  readonly message: string;
}

/** The damage, without events that a later record acknowledges: nobody misses them. */
export function stillLost(damage: Damage, owner: Pick<LogOwner, 'lostOf'>): Damage {
  if (damage.sequences.length === 0) return damage;
  const sequences = owner.lostOf(damage.sequences);
  return { ...damage, sequences, eventsLost: countSequences(sequences) };
}
