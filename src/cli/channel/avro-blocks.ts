/** Events into the blocks of an Avro file: some are compressed on other threads while the next are read. */
import { promisify } from 'node:util';
import { deflateRaw } from 'node:zlib';
import { AvroContainer } from '../../adapters/serializers/avro-container.ts';
import type { DumpedEvent } from '../../channel/reader/dump.ts';
import { encodeExported, exportedSchema } from './exported-event.ts';

/** How blocks are compressed. */
export type ExportCodec = 'null' | 'deflate';

/** Before compression: a block ends once it has so much. Readers hold one at a time. */
const blockBytes = 256 * 1024;
/** Room for the event that ends it. */
const bufferBytes = 2 * blockBytes;
/** In the making, or made and not yet written. */
const blocksWaitingMax = 3;
const deflate = promisify(deflateRaw);

interface WaitingBlock {
  readonly count: number;
  readonly stored: Promise<Buffer>;
}

/** Begins with the header of the file, ends with `finish`. */
export class AvroBlocks {
  readonly #container: AvroContainer;
  readonly #codec: ExportCodec;
  readonly #write: (bytes: Buffer) => Promise<void>;
  readonly #waiting: WaitingBlock[] = [];
  #buffer: Buffer = Buffer.allocUnsafeSlow(bufferBytes);
  #at = 0;
  #count = 0;

  constructor(
    codec: ExportCodec,
    metadata: readonly (readonly [string, string])[],
    write: (bytes: Buffer) => Promise<void>,
  ) {
    this.#container = new AvroContainer(exportedSchema, codec, metadata);
    this.#codec = codec;
    this.#write = write;
  }

  async begin(): Promise<void> {
    await this.#write(this.#container.header());
  }

  /** Its bytes are copied. */
  async add(dumped: DumpedEvent): Promise<void> {
    let end = encodeExported(dumped, this.#buffer, this.#at);
    if (end < 0 && this.#at > 0) {
      await this.#endBlock();
      end = encodeExported(dumped, this.#buffer, 0);
    }
    if (end < 0) {
      this.#buffer = Buffer.allocUnsafeSlow(this.#buffer.length - end);
      end = encodeExported(dumped, this.#buffer, 0);
    }
    this.#at = end;
    this.#count += 1;
    if (end >= blockBytes) await this.#endBlock();
  }

  async finish(): Promise<void> {
    if (this.#count > 0) await this.#endBlock();
    while (this.#waiting.length > 0) await this.#writeOldest();
  }

  async #endBlock(): Promise<void> {
    const data = this.#buffer.subarray(0, this.#at);
    const stored = this.#codec === 'deflate' ? deflate(data) : Promise.resolve(data);
    // Who gives up before its turn does not ask for it any more.
    stored.catch(() => undefined);
    this.#waiting.push({ count: this.#count, stored });
    this.#buffer = Buffer.allocUnsafeSlow(bufferBytes);
    this.#at = 0;
    this.#count = 0;
    // A large one alone: memory is for one of them.
    const most = data.length > bufferBytes ? 0 : blocksWaitingMax - 1;
    while (this.#waiting.length > most) await this.#writeOldest();
  }

  async #writeOldest(): Promise<void> {
    const oldest = this.#waiting.shift();
    if (oldest === undefined) return;
    const parts = this.#container.storedBlock(oldest.count, await oldest.stored);
    const size = parts.reduce((sum, part) => sum + part.length, 0);
    for (const piece of size > bufferBytes ? parts : [Buffer.concat(parts)]) await this.#write(piece);
  }
}
