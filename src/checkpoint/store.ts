/**
 * The contract of a checkpoint store: a disposable shortcut. Nothing in it is ever needed to open a channel;
 * what it says is believed only as far as the log confirms it (docs/durability.md).
 */
import type { ByteOffset, SegmentId, Sequence, Serial } from '../base/units.ts';

/** What the log looked like at one group. */
export interface CheckpointRecord {
  readonly channelId: string;
  /** The group this record reflects; ignored unless exactly that group is in the log. */
  readonly segmentId: SegmentId;
  /** 16 hex digits. */
  readonly epoch: string;
  readonly offset: ByteOffset;
  readonly serial: Serial;
  readonly headerCrc: number;
  /** The sequence the next event gets: everything below was given out. */
  readonly nextSequence: Sequence;
  /** True in the record that an orderly close wrote. */
  readonly clean: boolean;
  /** Wall clock, ms. */
  readonly savedAt: number;
  /** The channel's state at that group; opaque here. */
  readonly state: Buffer;
}

/** Keeps one record. */
export interface CheckpointStore {
  /** The last record saved, or undefined where none is or it fails its checks. Never throws for damage. */
  load(): Promise<CheckpointRecord | undefined>;
  /** Replaces the record; durable when it resolves. */
  save(record: CheckpointRecord): Promise<void>;
  close(): Promise<void>;
}

/** What opening a store met. `setAside`: an earlier one was unusable; it was moved to that path, not deleted. */
export interface OpenedCheckpoint {
  readonly store: CheckpointStore;
  readonly setAside?: { readonly path: string; readonly why: string };
}
