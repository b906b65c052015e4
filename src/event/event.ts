/**
 * What flows through a channel. Immutable by contract: the engine never changes an event it was given, and
 * copies the bytes of a put before the put resolves, so the caller may reuse its buffers afterwards.
 */
import type { Sequence } from '../base/units.ts';

/** Names and values of an event. */
export type Headers = Readonly<Record<string, string>>;

/** Headers and body, as a caller puts them. */
export interface Event {
  readonly headers: Headers;
  readonly body: Uint8Array;
}

/**
 * An event as it comes out of a channel. `body` is a slice of a shared buffer: copy it to keep it for long,
 * or it holds up to 1 MiB of its neighbours in memory. Never write to it.
 */
export interface DeliveredEvent extends Event {
  readonly sequence: Sequence;
  readonly body: Buffer;
}
