/** What a log is opened with. */
import type { Clock } from '../base/clock.ts';
import type { Disk } from '../base/disk.ts';
import type { Random } from '../base/random.ts';
import type { ByteOffset } from '../base/units.ts';
import type { PayloadStorage } from './frame-payload.ts';
import type { GroupBuilder } from './group-builder.ts';
import type { LogOwner } from './log-owner.ts';
import type { LogDirectory } from './segment-files.ts';
import type { SegmentInfo } from './segment-info.ts';
import type { ScanPosition } from './segment-scanner.ts';

/** See above. */
export interface LogOptions {
  readonly disk: Disk;
  readonly clock: Clock;
  readonly random: Random;
  /** Present and locked. */
  readonly directories: readonly LogDirectory[];
  readonly absentDirectories: readonly LogDirectory[];
  readonly storage: PayloadStorage;
  readonly segmentBytes: number;
  /** Infinity for none. */
  readonly maxDiskBytes: number;
  readonly minimumFreeBytes: number;
  /** How long drained segments are kept, ms; 0 for not at all. */
  readonly retentionMs: number;
  readonly retentionBytes: number;
  /** 0: every group is synced before it counts; else groups count when written, and a timer syncs. */
  readonly fsyncIntervalMs: number;
  readonly owner: LogOwner;
  /** A group became durable. Its bytes are there during the call only. */
  readonly onGroup: (group: DurableGroup) => void;
  /** Puts that were refused may be tried again. */
  readonly onRoom: () => void;
  /** Something the operator should know, in a sentence. */
  readonly onNotice: (text: string) => void;
}

/** A group that became durable, as it stands in memory. */
export interface DurableGroup {
  readonly segment: SegmentInfo;
  readonly offset: ByteOffset;
  readonly bytes: Buffer;
  readonly built: GroupBuilder;
  /** What the group behind it continues. */
  readonly next: ScanPosition;
}
