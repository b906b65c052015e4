/**
 * The contract of a channel: what FileChannel and MemoryChannel both are. One conformance suite
 * (test/conformance/channel.ts) runs against both.
 */
import type { SequenceRanges } from '../base/units.ts';
import type { DeliveredEvent, Event } from '../event/event.ts';
import type { UnresolvedTake } from '../queue/control-record.ts';
import type { NoteChanges, NoteValue } from '../queue/notes.ts';
import type { ChannelCounters } from '../queue/queue-state.ts';

export type { UnresolvedTake } from '../queue/control-record.ts';
export type { NoteChanges, NoteValue } from '../queue/notes.ts';
export type { ChannelCounters } from '../queue/queue-state.ts';

/** Note changes to go with a commit, a prepare or a resolve. */
export interface NotesOption {
  /** Applied in the same frame as the rest: both or neither survive. */
  readonly notes?: NoteChanges;
}

/** How long a take waits and how much it takes. */
export interface TakeOptions {
  /** How long to wait for the first event, ms. Default 0. */
  readonly waitMs?: number;
  /** Stops before the event that would pass this many body bytes; a larger event comes alone. Default 8 MiB. */
  readonly maxBytes?: number;
  /** Aborting ends the wait with an empty batch. */
  readonly signal?: AbortSignal;
}

/** A put transaction with Flume's meaning. `commit` and `rollback` settle it; anything after is TRANSACTION_STATE. */
export interface PutTransaction {
  /** @throws {ForebayError} EVENT_INVALID, EVENT_TOO_LARGE, TRANSACTION_TOO_LARGE; the transaction stays usable. */
  put(event: Event): void;
  note(key: string, value: NoteValue | undefined): void;
  /** Resolves when durable, to the sequences given. A rejected commit has settled it; `outcome` says how. */
  commit(): Promise<SequenceRanges>;
  rollback(): Promise<void>;
}

/** Events leased to one consumer. Ascending; disjoint from every other batch. */
export interface TakeBatch {
  readonly events: readonly DeliveredEvent[];
  readonly ranges: SequenceRanges;
  /** Settles what of `ranges` is still leased. Resolves when durable, to what it acknowledged. */
  commit(options?: NotesOption): Promise<SequenceRanges>;
  /** Gives what is still leased back to the head, in order. */
  rollback(): Promise<void>;
}

/** One taker by name. It settles only what is leased to this incarnation of it. */
export interface Consumer {
  readonly name: string;
  take(max: number, options?: TakeOptions): Promise<TakeBatch>;
  /** All of `ranges` must be leased to this consumer, else TRANSACTION_STATE and nothing is applied. */
  commit(ranges: SequenceRanges, options?: NotesOption): Promise<SequenceRanges>;
  /** As `commit`, but counted as dropped: moved to dead letters, or given up by an explicit policy. */
  drop(ranges: SequenceRanges, options?: NotesOption): Promise<SequenceRanges>;
  rollback(ranges: SequenceRanges): Promise<void>;
  /** First half of a two-phase take; resolves, when durable, to the id that `channel.resolve` takes. */
  prepare(ranges: SequenceRanges, note: NoteValue, options?: NotesOption): Promise<string>;
  /** Returns its leases. Later calls are CHANNEL_CLOSED. */
  close(): Promise<void>;
}

/** The owner's notes, as of what is durable. Key ≤ 256 B, value ≤ 64 KiB as JSON, 1 MiB in all. */
export interface Notes {
  get(key: string): NoteValue | undefined;
  /** Resolves when durable. */
  set(key: string, value: NoteValue): Promise<void>;
  delete(key: string): Promise<void>;
  keys(): readonly string[];
}

/** A channel as it stands, at no cost worth naming. */
export interface ChannelStats {
  readonly channelId: string;
  /** Leased and prepared included. */
  readonly depthEvents: number;
  readonly leasedEvents: number;
  readonly preparedEvents: number;
  readonly bytesOnDisk: number;
  readonly segments: number;
  /** By the wall clock of its commit; null where nothing waits. */
  readonly oldestEventAgeMs: number | null;
  /** Of the lease held longest; null where none is. */
  readonly oldestLeaseAgeMs: number | null;
  readonly checkpoint: { readonly position: string; readonly ageMs: number } | null;
  readonly counters: ChannelCounters;
  readonly health: { readonly state: 'ok' | 'degraded' | 'failed' | 'closed'; readonly reasons: readonly string[] };
}

/** A durable (FileChannel) or volatile (MemoryChannel) queue of events with transactions at both ends. */
export interface Channel extends AsyncDisposable {
  /** One put transaction; resolves when durable, to the sequences given (empty for no events). */
  put(events: readonly Event[], options?: NotesOption): Promise<SequenceRanges>;
  beginPut(): PutTransaction;
  /** A take transaction on a consumer of the channel's own. */
  take(max: number, options?: TakeOptions): Promise<TakeBatch>;
  /** Opens a consumer. The same name again fences the earlier one and returns its leases. */
  consumer(name: string): Consumer;
  unresolved(): readonly UnresolvedTake[];
  /** False where no such id is prepared. `rollback` makes the ranges ready again. */
  resolve(id: string, outcome: 'commit' | 'rollback', options?: NotesOption): Promise<boolean>;
  readonly notes: Notes;
  stats(): ChannelStats;
  /**
   * Waits for commits in flight; leases return. Later calls are CHANNEL_CLOSED. Rejects, closed all the same, where the
   * last sync of a channel that syncs by interval failed: CHANNEL_FAILED.
   */
  close(): Promise<void>;
}
