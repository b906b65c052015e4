/**
 * What lies under a channel's common half (core.ts): where events and records are kept. FileChannel puts the
 * log there, MemoryChannel a list. The core validates, waits for room, keeps leases and transactions; the
 * backend stores, applies what became durable to the QueueState, in the order of storing, and hands out
 * ready events.
 */
import type { SequenceRange } from '../base/units.ts';
import type { DeliveredEvent, Event } from '../event/event.ts';
import type { ControlRecord } from '../queue/control-record.ts';
import type { NoteChanges } from '../queue/notes.ts';

/** Stores what the core has checked. Calls that store take effect in the order they were made. */
export interface ChannelBackend {
  /** Stores one put transaction (1…transactionCapacity valid events). Resolves when durable and applied. */
  put(events: readonly Event[], notes: NoteChanges | undefined): Promise<SequenceRange>;
  /** Stores one record. Resolves when durable and applied; in that turn, before any claim, `applied` is called. */
  record(record: ControlRecord, applied?: () => void): Promise<void>;
  /**
   * Up to `max` ready events, ascending, given-back ones first, at most `maxBytes` of bodies (a first event
   * larger than that alone). They stop being ready at once. Empty where none is loaded: see `whenClaimable`.
   */
  claim(max: number, maxBytes: number): readonly DeliveredEvent[];
  /** Undefined where nothing is ready; else resolves when `claim` is worth another call. */
  whenClaimable(): Promise<void> | undefined;
  /** Makes claimed sequences ready again, at the head; also those of a take whose rollback was resolved. */
  giveBack(ranges: Iterable<SequenceRange>): void;
  /** Why puts cannot be stored just now (a full disk, a failed channel); undefined where they can. */
  refusesPuts(): Error | undefined;
  /** Bytes of bodies and headers that no consumer holds, stored puts only; an estimate will do. For capacityBytes. */
  waitingBytes(): number;
}
