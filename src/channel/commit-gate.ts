/** The life of a channel: open, closing once commits in flight are done, closed. Everything asks here first. */
import { setImmediate } from 'node:timers/promises';
import { ForebayError } from '../base/errors.ts';

/** Lets commits in while the channel is open, and knows when the last one is out. */
export class CommitGate {
  #state: 'open' | 'closing' | 'closed' = 'open';
  #inFlight = 0;
  #idle: (() => void) | undefined;

  get isClosed(): boolean {
    return this.#state === 'closed';
  }

  /** @throws {ForebayError} CHANNEL_CLOSED from the moment close was called. */
  checkOpen(): void {
    if (this.#state !== 'open') throw channelClosed();
  }

  /** A commit goes to the backend; `leave` must follow. */
  enter(): void {
    this.#inFlight++;
  }

  leave(): void {
    this.#inFlight--;
    if (this.#inFlight === 0) this.#idle?.();
  }

  /** From now on nothing is let in. Resolves when no commit is in flight, and the last one's caller knows. */
  async shut(): Promise<void> {
    this.#state = 'closing';
    if (this.#inFlight === 0) return;
    await new Promise<void>((resolve) => {
      this.#idle = resolve;
    });
    await setImmediate();
  }

  closed(): void {
    this.#state = 'closed';
  }
}

/** What every call meets after close. */
function channelClosed(): ForebayError {
  return new ForebayError('CHANNEL_CLOSED', 'the channel is closed: open it again', { outcome: 'notStored' });
}
