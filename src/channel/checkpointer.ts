/**
 * Saves the checkpoint from time to time and, after an open, holds the last one against the log: what it saw and the
 * log does not have any more is a loss, and is said. Nothing waits for it, and nothing depends on it.
 */
import type { Clock, Timer } from '../base/clock.ts';
import type { CheckpointRecord, CheckpointStore } from '../checkpoint/store.ts';
import type { Log } from '../wal/log.ts';
import { encodeCheckpointState } from './checkpoint-state.ts';

/** What a checkpointer works on. */
export interface CheckpointerOptions {
  readonly channelId: string;
  readonly clock: Clock;
  readonly log: Log;
  readonly intervalMs: number;
  readonly snapshot: () => Buffer;
  /** Events that consumers hold. */
  readonly leasedEvents: () => number;
  readonly onNotice: (text: string) => void;
}

/** See above. Closed once, after the last save. */
export class Checkpointer {
  readonly #options: CheckpointerOptions;
  #store: CheckpointStore | undefined;
  #timer: Timer | undefined;
  #saving: Promise<void> | undefined;
  #saved: { readonly position: string; readonly atMs: number } | undefined;
  #failedBefore = false;

  constructor(options: CheckpointerOptions) {
    this.#options = options;
  }

  get saved(): { readonly position: string; readonly ageMs: number } | null {
    if (this.#saved === undefined) return null;
    return { position: this.#saved.position, ageMs: Math.max(0, this.#options.clock.wallMs() - this.#saved.atMs) };
  }

  /** Starts to save. */
  use(store: CheckpointStore): void {
    this.#store = store;
    this.#arm();
  }

  /** Saves now. Resolves when durable, or when it turned out that it cannot be: that is noticed, never thrown. */
  async save(clean = false): Promise<void> {
    await this.#saving;
    this.#saving = this.#save(clean).finally(() => {
      this.#saving = undefined;
    });
    await this.#saving;
  }

  async close(): Promise<void> {
    this.#timer?.cancel();
    await this.#saving;
    await this.#store?.close().catch(() => undefined);
    this.#store = undefined;
  }

  #arm(): void {
    this.#timer = this.#options.clock.after(this.#options.intervalMs, () => {
      void this.save().then(() => this.#arm());
    });
  }

  async #save(clean: boolean): Promise<void> {
    const { log, channelId, clock, snapshot, leasedEvents } = this.#options;
    const { segment, serial, headerCrc, offset } = log.position;
    if (this.#store === undefined || segment === undefined) return;
    const savedAt = Math.max(0, Math.floor(clock.wallMs()));
    const record: CheckpointRecord = {
      channelId,
      segmentId: segment.id,
      epoch: segment.epoch,
      offset,
      serial,
      headerCrc,
      nextSequence: log.durableNextSequence,
      clean,
      savedAt,
      state: encodeCheckpointState(log.segments, leasedEvents(), snapshot()),
    };
    // By interval: else what a power cut takes as agreed would look like damage, and be counted so.
    await log.sync();
    if (log.failure !== undefined) return;
    try {
      await this.#store.save(record);
      this.#saved = { position: `${segment.id.toString(16).padStart(16, '0')}:${offset}`, atMs: savedAt };
      this.#failedBefore = false;
    } catch (error) {
      if (!this.#failedBefore) this.#options.onNotice(`the checkpoint cannot be saved (${String(error)})`);
      this.#failedBefore = true;
    }
  }
}
