/**
 * How a child says what it does, line by line, to a parent that will kill it: written at once and in order, so that
 * what stands in the pipe when the child is dead is what it had done.
 */
import { writeSync } from 'node:fs';
import type { SequenceRange } from '../../src/base/units.ts';

/** One event as it was delivered: its sequence, the put it came with, its place in that put. */
export type SeenEvent = readonly [sequence: number, put: number, index: number];

/** What a life found when it had opened the channel, before it changed anything. */
export interface Found {
  readonly damages: readonly { readonly kind: string; readonly eventsLost: number; readonly message: string }[];
  readonly depth: number;
  readonly counters: Readonly<Record<'put' | 'requeued' | 'taken' | 'dropped' | 'quarantined', number>>;
  /** The last put that carried a note, the last record, the last note set by itself; 0 for none. */
  readonly notes: { readonly puts: number; readonly records: number; readonly plain: number };
  readonly unresolved: readonly { readonly record: number; readonly ranges: readonly SequenceRange[] }[];
  /** Everything that waits, in the order of delivery. */
  readonly events: readonly SeenEvent[];
  readonly openMs: number;
}

/** Where in its work a child may be told to stand still, to be killed there. */
export interface Hold {
  readonly where: 'rotation' | 'checkpoint';
  readonly step: number;
  readonly afterAcks: number;
}

/** What a life is to do. */
export interface LifeOrder {
  readonly directory: string;
  readonly seed: number;
  /** The first put, record and plain note get the numbers behind these. */
  readonly lastPut: number;
  readonly lastRecord: number;
  readonly lastPlain: number;
  readonly fsyncIntervalMs: number;
  /** The disk only says that it syncs: shows that the test notices. */
  readonly lies: boolean;
  readonly hold: Hold | undefined;
}

/** One line from the child. `enter` and `leave` frame a rotation or a checkpoint. */
export type Line =
  | { readonly say: 'ready' }
  | { readonly say: 'found'; readonly found: Found }
  | { readonly say: 'begin put'; readonly id: number; readonly count: number; readonly noted: boolean }
  | { readonly say: 'acked put'; readonly id: number; readonly first: number }
  | {
      readonly say: 'begin take';
      readonly id: number;
      readonly prepare: boolean;
      readonly events: readonly SeenEvent[];
    }
  | { readonly say: 'begin resolve'; readonly id: number; readonly of: number; readonly commit: boolean }
  | { readonly say: 'acked record'; readonly id: number }
  | { readonly say: 'begin note'; readonly id: number }
  | { readonly say: 'acked note'; readonly id: number }
  | { readonly say: 'enter' | 'leave' | 'hold'; readonly where: Hold['where'] }
  | { readonly say: 'failed'; readonly message: string };

const pause: Int32Array = new Int32Array(new SharedArrayBuffer(4));

/** Writes one line to standard output before it returns, waiting for a parent that does not keep up. */
export function report(line: Line): void {
  let rest = Buffer.from(`${JSON.stringify(line)}\n`);
  while (rest.length > 0) {
    try {
      rest = rest.subarray(writeSync(1, rest));
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EAGAIN') throw error;
      Atomics.wait(pause, 0, 0, 1);
    }
  }
}
