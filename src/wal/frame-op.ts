/** What waits to become a frame: one transaction or record, until it is durable or has failed. */
import type { ForebayError } from '../base/errors.ts';
import type { ByteOffset, SegmentId, Sequence } from '../base/units.ts';

/** Where a frame ended up. */
interface FramePlace {
  readonly segmentId: SegmentId;
  readonly groupOffset: ByteOffset;
}

/** One frame to be; exactly one of `durable` and `failed` is called in the end. */
export interface FrameOp {
  readonly type: number;
  /** `FrameFlag.explicit` and `FrameFlag.notes` only; the log adds its own. */
  readonly flags: number;
  readonly codec: number;
  /** Events for a PUT, sequences named for the rest. */
  readonly count: number;
  /** Exact size of what `writePayload` writes. */
  readonly rawBytes: number;
  /** A PUT's is assigned when it is laid out, again if its group failed; never visible before it is durable. */
  baseSequence: Sequence;
  writePayload(target: Buffer, at: number): void;
  /** Called once, in the order of the log, when the group is durable. Must not throw. */
  durable(place: FramePlace): void;
  /** Called once instead. Must not throw. */
  failed(error: ForebayError): void;
}

/** An op of a ready payload, for the log's own records. Its failure is its group's failure, nobody else waits. */
export function payloadOp(
  type: number,
  payload: Buffer,
  options: { baseSequence?: Sequence; count?: number; flags?: number; codec?: number; durable?: () => void } = {},
): FrameOp {
  return {
    type,
    flags: options.flags ?? 0,
    codec: options.codec ?? 0,
    count: options.count ?? 0,
    rawBytes: payload.length,
    baseSequence: options.baseSequence ?? 0,
    writePayload: (target, at) => payload.copy(target, at),
    durable: () => options.durable?.(),
    failed: ignoreFailure,
  };
}

function ignoreFailure(): void {
  // The group's other ops and the log's own state say that it failed.
}
