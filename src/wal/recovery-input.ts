/** What the parts of recovery share: where the log lies, and whom it is replayed to. */
import type { Clock } from '../base/clock.ts';
import type { Disk } from '../base/disk.ts';
import type { PayloadStorage } from './frame-payload.ts';
import type { LogOwner } from './log-owner.ts';
import type { DirectoryListing, LogDirectory } from './segment-files.ts';

/** What recovery reads, and whom it replays to. */
export interface RecoveryInput {
  readonly disk: Disk;
  readonly clock: Clock;
  readonly listing: DirectoryListing;
  readonly directories: readonly LogDirectory[];
  /** Ids of directories of this channel that are not there (missingDir: 'continue'). */
  readonly absentDirectories: readonly LogDirectory[];
  readonly storage: PayloadStorage;
  readonly owner: LogOwner;
}
