/**
 * The bytes of bodies and headers that wait, for capacityBytes. Exact for what is put and taken; what is given back or
 * settled counts by the average of what is held, since nobody remembers each event's size.
 */
export class WaitingBytes {
  #waitingEvents: number;
  #waitingBytes: number;
  #heldEvents = 0;
  #heldBytes = 0;

  constructor(events: number, bytes: number) {
    this.#waitingEvents = events;
    this.#waitingBytes = bytes;
  }

  /** Of events that no consumer holds. */
  get bytes(): number {
    return this.#waitingBytes;
  }

  put(events: number, bytes: number): void {
    this.#waitingEvents += events;
    this.#waitingBytes += bytes;
  }

  claim(events: number, bytes: number): void {
    this.#waitingEvents = Math.max(0, this.#waitingEvents - events);
    this.#waitingBytes = this.#waitingEvents === 0 ? 0 : Math.max(0, this.#waitingBytes - bytes);
    this.#heldEvents += events;
    this.#heldBytes += bytes;
  }

  giveBack(events: number): void {
    this.put(events, this.#release(events));
  }

  settle(events: number): void {
    this.#release(events);
  }

  #release(events: number): number {
    const part = this.#heldEvents === 0 ? 0 : Math.min(1, events / this.#heldEvents);
    const bytes = this.#heldBytes * part;
    this.#heldEvents = Math.max(0, this.#heldEvents - events);
    this.#heldBytes -= bytes;
    return bytes;
  }
}
