/** The refusal of events that some channels have all the same: a source that offers them again excepts those. */
import { ForebayError, isForebayError } from '../../engine.ts';

const brand: symbol = Symbol.for('forebay.partlyStored');

/**
 * What `process` rejects with where one required channel refused and others have the events: in them they would be
 * twice if they were offered to all again. Code, numbers and cause are those of the refusal.
 */
export class PartlyStored extends ForebayError {
  /** Channels, required and optional ones, that have their events now, and those that were excepted. */
  readonly stored: ReadonlySet<string>;

  constructor(channel: string, refusal: unknown, stored: ReadonlySet<string>) {
    const text = refusal instanceof Error ? refusal.message : String(refusal);
    const message = `channel ${channel}: ${text}; the events are in ${[...stored].join(', ')}`;
    if (isForebayError(refusal)) super(refusal.code, message, detailsOf(refusal));
    // Not the engine's: it was asked for a channel that is not open.
    else super('CHANNEL_CLOSED', message, { cause: refusal });
    Object.defineProperty(this, brand, { value: true });
    this.stored = stored;
  }
}

function detailsOf(refusal: ForebayError): NonNullable<ConstructorParameters<typeof ForebayError>[2]> {
  const { path, offset, expected, actual, outcome } = refusal;
  return {
    ...(path !== undefined && { path }),
    ...(offset !== undefined && { offset }),
    ...(expected !== undefined && { expected }),
    ...(actual !== undefined && { actual }),
    ...(outcome !== undefined && { outcome }),
    cause: refusal,
  };
}

/**
 * The channels that have the events although `process` rejected with `error`: what the next call with the same events
 * excepts. Empty where none has them. Knows the error of another copy of the package too.
 */
export function storedIn(error: unknown): ReadonlySet<string> {
  const isPartly = typeof error === 'object' && error !== null && brand in error;
  return isPartly ? (error as PartlyStored).stored : new Set();
}
