/** Events to stdout, many at a time, no faster than they are read. */
import type { DumpedEvent } from '../../channel/reader/dump.ts';
import { type EventFormat, formatEvent } from './event-format.ts';
import { write } from './verb.ts';

/** Written at once. */
const chunkBytes = 64 * 1024;
/** Each body that waits holds on to what it was read with. */
const piecesMax = 2048;

/** See above. What was printed is out after `flush`. */
export class EventPrinter {
  readonly #format: EventFormat;
  #pieces: (string | Uint8Array)[] = [];
  #bytes = 0;

  constructor(format: EventFormat) {
    this.#format = format;
  }

  /** True where so much waits that it is to be flushed. */
  print(dumped: DumpedEvent): boolean {
    for (const piece of formatEvent(dumped, this.#format)) {
      this.#pieces.push(piece);
      this.#bytes += piece.length;
    }
    return this.#bytes >= chunkBytes || this.#pieces.length >= piecesMax;
  }

  async flush(): Promise<void> {
    const pieces = this.#pieces;
    this.#pieces = [];
    this.#bytes = 0;
    if (pieces.length === 0) return;
    const isText = pieces.every((piece) => typeof piece === 'string');
    await write(isText ? pieces.join('') : Buffer.concat(pieces.map((piece) => Buffer.from(piece))));
  }
}
