/** DataStream and CompressedStream: a file is what a serializer makes of its events, one after the other. */
import type { Serializer, Undeliverable } from '../../../agent/contracts/components.ts';
import type { DeliveredEvent } from '../../../engine.ts';
import type { Codec } from './compression.ts';
import type { RecordWriter } from './record-writer.ts';

interface SerializedOptions {
  readonly isNew: boolean;
  /** Of a CompressedStream: each flush is compressed by itself. */
  readonly codec: Codec | undefined;
}

const nothing = Buffer.alloc(0);

/** See the file's comment. */
export class SerializedWriter implements RecordWriter {
  /** Such files hold nothing that who goes on with them has to know. */
  readonly continuation: string | undefined;
  readonly #serializer: Serializer;
  readonly #codec: Codec | undefined;
  readonly #header: Buffer;
  #waiting: Buffer[] = [];
  #waitingBytes = 0;

  constructor(serializer: Serializer, { isNew, codec }: SerializedOptions) {
    this.continuation = serializer.canReopen ? '' : undefined;
    this.#serializer = serializer;
    this.#codec = codec;
    const header = isNew ? serializer.header() : nothing;
    this.#header = codec === undefined ? header : nothing;
    // Compressed with what follows it.
    if (codec !== undefined) this.#keep(header);
  }

  get waitingBytes(): number {
    return this.#waitingBytes;
  }

  header(): Buffer {
    return this.#header;
  }

  add(events: readonly DeliveredEvent[]): readonly Undeliverable[] {
    try {
      this.#keep(this.#serializer.serialize(events));
      return [];
    } catch {
      return events.flatMap((event) => this.#addAlone(event));
    }
  }

  async flush(): Promise<Buffer> {
    const [first = nothing, ...more] = this.#waiting;
    const bytes = more.length === 0 ? first : Buffer.concat(this.#waiting, this.#waitingBytes);
    this.#waiting = [];
    this.#waitingBytes = 0;
    return bytes.length === 0 || this.#codec === undefined ? bytes : await this.#codec.compress(bytes);
  }

  #addAlone(event: DeliveredEvent): readonly Undeliverable[] {
    try {
      this.#keep(this.#serializer.serialize([event]));
      return [];
    } catch (error) {
      const why = error instanceof Error ? error.message : String(error);
      return [{ event, reason: `its serializer refuses it: ${why}` }];
    }
  }

  #keep(bytes: Buffer): void {
    if (bytes.length === 0) return;
    this.#waiting.push(bytes);
    this.#waitingBytes += bytes.length;
  }
}
