/** What the log asks of whoever keeps the channel's state: it replays frames without knowing what they mean. */
import type { Sequence, SequenceRange, SequenceRanges } from '../base/units.ts';

/** A frame as it comes back in a replay. */
export interface ReplayedFrame {
  readonly type: number;
  readonly codec: number;
  /** The payload names its sequences itself; else they are `baseSequence` and the `count` from it. */
  readonly explicit: boolean;
  readonly baseSequence: Sequence;
  readonly count: number;
  /** Raw payload; undefined for a PUT that carries no notes. */
  readonly payload: Buffer | undefined;
}

/** Called in the order of the log, by recovery and afterwards by the log itself. */
export interface LogOwner {
  /** Starts from a snapshot; from nothing where undefined. False where it is no snapshot: nothing was changed. */
  restore(snapshot: Buffer | undefined): boolean;
  /**
   * Applies one durable frame, in the order of the log. Gives the largest sequence the frame names (0 for none),
   * or undefined where its payload makes no sense: damage.
   */
  replay(frame: ReplayedFrame): Sequence | undefined;
  /** Events that were put but whose frames are gone: counted as put and as quarantined. */
  lost(ranges: SequenceRanges): void;
  /** The same of events that no segment says to have held: only counted, so that others may be given them. */
  lostEnd(ranges: SequenceRanges): void;
  /** Events that cannot be delivered any more; gives those that were still waiting, which are now quarantined. */
  quarantine(ranges: SequenceRanges): SequenceRange[];
  /** What of `ranges` is lost and was not acknowledged. */
  lostOf(ranges: SequenceRanges): SequenceRange[];
  /** Quarantined events that can be read again. */
  readmit(ranges: SequenceRanges): void;
  /** How many sequences from `first` to `last` are acknowledged or quarantined. */
  settledCount(first: Sequence, last: Sequence): number;
  /** A segment leaves the log: its sequences are of no interest any more. */
  forget(first: Sequence, last: Sequence): void;
  snapshot(): Buffer;
}
